"""Settings: read once from the environment, each with a default that works."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env, EnvError
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict


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
    log_origin: str
    policy: str
    checkpoint_seconds: float
    heartbeat_seconds: float
    silence_seconds: float
    missing_seconds: float
    transit_seconds: float
    http: str
    public: str
    proxies: int
    metrics_from: str
    rate: int
    tokens: str
    oidc: str

    @property
    def embedded_bus(self) -> bool:
        return not self.amqp_url

    @property
    def embedded_postgres(self) -> bool:
        return not self.database_url

    def source(self, service: str) -> str:
        """`/centre/registration`: who speaks when this service publishes."""
        return f"/{self.body}/{service}"

    @property
    def tokens_folder(self) -> Path:
        """Where the keys of access tokens are."""
        return self.secrets / "tokens"

    @property
    def tokens_required(self) -> bool:
        """Whether a call without a token is refused."""
        return (self.tokens or ("accepted" if self.embedded_bus else "required")) == "required"

    @property
    def origin(self) -> str:
        """The audit log's name in the world."""
        return self.log_origin or f"jianding.example/{self.body}/audit"

    @property
    def witness_name(self) -> str:
        """Of the witness that runs beside the log: `jianding.example/centre/witness`."""
        return f"{self.origin.rpartition('/')[0] or self.origin}/witness"

    @property
    def policy_file(self) -> Path:
        """Where the policy is, or will be."""
        return Path(self.policy or self.var / "policy").absolute()


MEANING: dict[str, tuple[str, Any, str]] = {
    "var": ("JIANDING_VAR", "var", "folder for data, secrets and logs / 数据目录"),
    "amqp_url": ("JIANDING_AMQP_URL", "", "RabbitMQ; empty: the bus in memory / 消息总线"),
    "database_url": ("JIANDING_DATABASE_URL", "", "PostgreSQL; empty: embedded / 数据库"),
    "secrets": ("JIANDING_SECRETS", "", "folder of owner-only key files; empty: `secrets` in var / 密钥目录"),
    "body": ("JIANDING_BODY", "centre", "the body whose services run here / 本节点机构"),
    "workers": ("JIANDING_WORKERS", 16, "calls that a service handles at once / 并发数"),
    "pool": ("JIANDING_POOL", 8, "database connections of a service / 连接池"),
    "catch_up_seconds": ("JIANDING_CATCH_UP_SECONDS", 5.0, "how often idle consumers ask / 补漏间隔"),
    "window": ("JIANDING_WINDOW", 1000, "publishes in flight without a confirm / 发布窗口"),
    "late_days": ("JIANDING_LATE_DAYS", 7, "how late a device may report what happened / 补报天数"),
    "log_level": ("JIANDING_LOG_LEVEL", "WARNING", "DEBUG, INFO, WARNING or ERROR / 日志级别"),
    "postgres_port": ("JIANDING_POSTGRES_PORT", 0, "of the embedded PostgreSQL; 0: a free one / 端口"),
    "log_origin": (
        "JIANDING_LOG_ORIGIN",
        "",
        "the audit log's name in the world; empty: jianding.example/<body>/audit / 审计日志名称",
    ),
    "policy": (
        "JIANDING_POLICY",
        "",
        "whose signatures make a checkpoint valid; empty: `policy` in var / 信任策略文件",
    ),
    "checkpoint_seconds": ("JIANDING_CHECKPOINT_SECONDS", 1.0, "how often a log is signed / 签署间隔"),
    "heartbeat_seconds": (
        "JIANDING_HEARTBEAT_SECONDS",
        10.0,
        "how often a source states its head, and audit asks for it / 心跳间隔",
    ),
    "silence_seconds": (
        "JIANDING_SILENCE_SECONDS",
        60.0,
        "silence of a source that becomes a finding / 静默时限",
    ),
    "missing_seconds": (
        "JIANDING_MISSING_SECONDS",
        60.0,
        "how long events may be stated and not come before it is a finding / 缺失时限",
    ),
    "transit_seconds": (
        "JIANDING_TRANSIT_SECONDS",
        3600.0,
        "how long an event may be on its way to audit before it is a finding / 送达时限",
    ),
    "http": (
        "JIANDING_HTTP",
        "",
        "host:port of API and console; empty: port 8480 of this machine, or a free one / 网页地址",
    ),
    "public": (
        "JIANDING_PUBLIC",
        "",
        "address by which the public comes, for QR codes; empty: as a page was asked for / 公众访问的网址",
    ),
    "metrics_from": (
        "JIANDING_METRICS_FROM",
        "127.0.0.0/8 ::1",
        "networks that read /metrics without login, separated by spaces / 可直接读取监控指标的网段",
    ),
    "rate": ("JIANDING_RATE", 3000, "HTTP requests of one address in a minute; 0: no limit / 每分钟请求上限"),
    "proxies": ("JIANDING_PROXIES", 0, "trusted proxies in front of it, which say who asks / 前置代理数"),
    "tokens": (
        "JIANDING_TOKENS",
        "",
        "`required`: no call without a token; `accepted`; empty: required over RabbitMQ / 登录凭证",
    ),
    "oidc": ("JIANDING_OIDC", "", "file about an OpenID Connect provider; empty: none / 统一身份认证配置"),
}


LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_BOUNDS = {
    "workers": (1, 1000),
    "pool": (3, 1000),
    "catch_up_seconds": (0.1, 86_400),
    "window": (1, 60_000),
    "late_days": (0, 10_000),
    "postgres_port": (0, 65_535),
    "checkpoint_seconds": (0.1, 3600),
    "heartbeat_seconds": (0.1, 3600),
    "silence_seconds": (1, 86_400),
    "missing_seconds": (1, 86_400),
    "transit_seconds": (1, 31_536_000),
    "proxies": (0, 10),
    "rate": (0, 10_000_000),
}
_ORIGIN = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]{1,200}")  # as a signed note can name a key
_BODY = re.compile(r"centre|station-[0-9]{8}")
_ADDRESS = re.compile(r"([^\s\[\]:/]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_PUBLIC = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?")
_LONGEST = 800  # bytes of a path: PostgreSQL takes 1024, and puts names of its own behind it


class SettingInvalid(Exception):
    """A setting cannot be used; the message names the variable, its value, and what it has to be."""

    def __init__(self, field: str, value: str, zh: str, en: str) -> None:
        variable, default, _ = MEANING[field]
        begin = value if len(value) <= 60 else f"{value[:60]}…"
        mend = f"默认为 {default}。 {en}; unset it for {default}." if default != "" else f"{en}."
        super().__init__(f"{variable}={begin!r}: {zh}；{mend}")


def settings(env: Env | None = None) -> Settings:
    """The settings of this process; SettingInvalid for the first that cannot be used."""
    env = env or Env()
    var = _folder(env.str(*_named("var")) or MEANING["var"][1])
    return Settings(
        var=var,
        amqp_url=_bus(env.str(*_named("amqp_url"))),
        database_url=_database(env.str(*_named("database_url"))),
        secrets=Path(env.str(*_named("secrets")) or var / "secrets"),
        body=_body(env.str(*_named("body")) or MEANING["body"][1]),
        workers=_number(env, env.int, "workers"),
        pool=_number(env, env.int, "pool"),
        catch_up_seconds=_number(env, env.float, "catch_up_seconds"),
        window=_number(env, env.int, "window"),
        late_days=_number(env, env.int, "late_days"),
        log_level=_level(env.str(*_named("log_level")) or MEANING["log_level"][1]),
        postgres_port=_number(env, env.int, "postgres_port"),
        log_origin=_origin(env.str(*_named("log_origin"))),
        policy=env.str(*_named("policy")),
        checkpoint_seconds=_number(env, env.float, "checkpoint_seconds"),
        heartbeat_seconds=_number(env, env.float, "heartbeat_seconds"),
        silence_seconds=_number(env, env.float, "silence_seconds"),
        missing_seconds=_number(env, env.float, "missing_seconds"),
        transit_seconds=_number(env, env.float, "transit_seconds"),
        http=_address(env.str(*_named("http"))),
        public=_public(env.str(*_named("public"))),
        proxies=_number(env, env.int, "proxies"),
        metrics_from=_networks(env.str(*_named("metrics_from")) or MEANING["metrics_from"][1]),
        rate=_number(env, env.int, "rate"),
        tokens=_tokens(env.str(*_named("tokens"))),
        oidc=env.str(*_named("oidc")),
    )


def _named(field: str) -> tuple[str, Any]:
    variable, default, _ = MEANING[field]
    return variable, default


def _number(env: Env, read: Callable[..., Any], field: str) -> Any:
    least, most = _BOUNDS[field]
    variable, default = _named(field)
    said = env.str(variable, "")
    try:
        value = read(variable) if said else default
    except EnvError:
        value = None
    if value is None or not least <= value <= most:  # nan is within no bounds
        whole = isinstance(least, int)
        zh = f"须为 {least} 至 {most} 的{'整数' if whole else '数'}"
        en = f"It has to be a {'whole ' if whole else ''}number from {least} to {most}"
        raise SettingInvalid(field, said, zh, en)
    return value


def _level(name: str) -> str:
    if name.upper() not in LEVELS:
        known = ", ".join(LEVELS)
        raise SettingInvalid("log_level", name, f"须为 {known} 之一", f"It has to be one of {known}")
    return name.upper()


def _tokens(word: str) -> str:
    if word not in ("", "required", "accepted"):
        zh, en = "须为 required 或 accepted", "It has to be required or accepted"
        raise SettingInvalid("tokens", word, zh, en)
    return word


def _body(name: str) -> str:
    if not _BODY.fullmatch(name):
        zh, en = "须为 centre 或 station-八位代码", "It has to be centre, or station- and 8 digits"
        raise SettingInvalid("body", name, zh, en)
    return name


def _bus(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if url and (scheme not in ("amqp", "amqps") or not separator or not rest or not _has_a_port(url)):
        zh, en = "不是消息总线的地址", "It has to be such as amqp://user:password@host:5672/virtual-host"
        raise SettingInvalid("amqp_url", _secretly(url), zh, en)
    return url


def _has_a_port(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except ValueError:
        return False


def _database(url: str) -> str:
    try:
        conninfo_to_dict(url)
    except ProgrammingError:
        zh, en = "不是数据库的地址", "It has to be such as postgresql://user:password@host:5432/postgres"
        raise SettingInvalid("database_url", _secretly(url), zh, en) from None
    return url


def _secretly(url: str) -> str:
    """What may be shown of an address that may have a password anywhere."""
    return url if url.isalnum() else "…"


def _origin(name: str) -> str:
    if name and not _ORIGIN.fullmatch(name):
        zh = "不能含空格、加号或控制字符，且不超过 200 字"
        en = "It has no spaces and no plus, and up to 200 characters"
        raise SettingInvalid("log_origin", name, zh, en)
    return name


def _address(text: str) -> str:
    found = _ADDRESS.fullmatch(text)
    if text and (found is None or int(found[2]) > 65_535):
        zh, en = "须为 主机:端口", "It has to be host:port, such as 127.0.0.1:8480"
        raise SettingInvalid("http", text, zh, en)
    return text


def _public(url: str) -> str:
    """Scheme and host alone: the door's pages stand at the root."""
    if url and not _PUBLIC.fullmatch(url):
        zh, en = "须为网址，不含路径", "It has to be such as https://check.example.cn, without a path"
        raise SettingInvalid("public", url, zh, en)
    return url.rstrip("/")


def _networks(text: str) -> str:
    try:
        for network in text.split():
            ip_network(network)
    except ValueError:
        zh, en = "须为网段，以空格分隔", "It has to be networks separated by spaces, such as 10.0.0.0/8"
        raise SettingInvalid("metrics_from", text, zh, en) from None
    return text


def _folder(name: str) -> Path:
    folder = Path(name).absolute()
    if len(os.fsencode(folder)) > _LONGEST or any(len(os.fsencode(part)) > 255 for part in folder.parts):
        raise SettingInvalid(
            "var", name, "路径过长，请用较短的目录", "The path is too long; use a shorter one"
        )
    return folder


def explain(current: Settings) -> list[tuple[str, str, str]]:
    """(variable, value, meaning) of each; passwords within URLs are masked."""
    return [
        (MEANING[f.name][0], _mask(str(getattr(current, f.name))), MEANING[f.name][2])
        for f in fields(current)
    ]


def _mask(value: str) -> str:
    head, separator, tail = value.rpartition("@")
    return f"{head.split('://')[0]}://***{separator}{tail}" if separator and "://" in head else value
