"""Settings: read once from the environment, each with a default that works."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from environs import Env, validate


@dataclass(frozen=True)
class Settings:
    """All of them; `explain()` says what each is for, which is what `jianding doctor` prints."""

    var: Path
    amqp_url: str
    database_url: str
    secrets: Path
    body: str
    workers: int
    pool: int
    catch_up_seconds: float
    window: int
    late_days: int
    log_level: str
    postgres_port: int

    @property
    def embedded_bus(self) -> bool:
        return not self.amqp_url

    @property
    def embedded_postgres(self) -> bool:
        return not self.database_url

    def source(self, service: str) -> str:
        """`/centre/registration`: who speaks when this service publishes."""
        return f"/{self.body}/{service}"


MEANING = {
    "var": ("JIANDING_VAR", "var", "folder for data, secrets and logs / 数据目录"),
    "amqp_url": ("JIANDING_AMQP_URL", "", "RabbitMQ; empty: the bus in memory / 消息总线"),
    "database_url": (
        "JIANDING_DATABASE_URL",
        "",
        "PostgreSQL as administrator; empty: the embedded one / 数据库",
    ),
    "secrets": ("JIANDING_SECRETS", "", "folder of owner-only key files; empty: `secrets` in var / 密钥目录"),
    "body": ("JIANDING_BODY", "centre", "the body whose services run here / 本节点机构"),
    "workers": ("JIANDING_WORKERS", 16, "calls that a service handles at once / 并发数"),
    "pool": ("JIANDING_POOL", 8, "database connections of a service / 连接池"),
    "catch_up_seconds": (
        "JIANDING_CATCH_UP_SECONDS",
        5.0,
        "how often an idle consumer asks sources / 补漏间隔",
    ),
    "window": ("JIANDING_WINDOW", 1000, "publishes in flight without a confirm / 发布窗口"),
    "late_days": ("JIANDING_LATE_DAYS", 7, "how late a device may report what happened / 补报天数"),
    "log_level": ("JIANDING_LOG_LEVEL", "WARNING", "DEBUG, INFO, WARNING or ERROR / 日志级别"),
    "postgres_port": ("JIANDING_POSTGRES_PORT", 0, "of the embedded PostgreSQL; 0: a free one / 端口"),
}


def settings(env: Env | None = None) -> Settings:
    """The settings of this process; environs' error names the variable that cannot be read."""
    env = env or Env()
    var = Path(env.str(*_named("var"))).absolute()
    return Settings(
        var=var,
        amqp_url=env.str(*_named("amqp_url")),
        database_url=env.str(*_named("database_url")),
        secrets=Path(env.str(*_named("secrets")) or var / "secrets"),
        body=env.str(*_named("body")),
        workers=env.int(*_named("workers"), validate=validate.Range(1, 1000)),
        pool=env.int(*_named("pool"), validate=validate.Range(3, 1000)),
        catch_up_seconds=env.float(*_named("catch_up_seconds")),
        window=env.int(*_named("window"), validate=validate.Range(1, 60_000)),
        late_days=env.int(*_named("late_days"), validate=validate.Range(0, 10_000)),
        log_level=env.str(*_named("log_level")).upper(),
        postgres_port=env.int(*_named("postgres_port")),
    )


def _named(field: str) -> tuple[str, Any]:
    variable, default, _ = MEANING[field]
    return variable, default


def explain(current: Settings) -> list[tuple[str, str, str]]:
    """(variable, value, meaning) of each; passwords within URLs are masked."""
    return [
        (MEANING[f.name][0], _mask(str(getattr(current, f.name))), MEANING[f.name][2])
        for f in fields(current)
    ]


def _mask(value: str) -> str:
    head, separator, tail = value.rpartition("@")
    return f"{head.split('://')[0]}://***{separator}{tail}" if separator and "://" in head else value
