"""What an operator starts: the compose file, the image, the secrets and the entrypoint."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pika
import pytest
import yaml
from kombu.utils.url import parse_url
from psycopg.conninfo import conninfo_to_dict

from services.audit import keyring
from services.audit.domain.policy import Policy
from shared.bus.rights import ACCOUNTS, definitions
from shared.contracts import SERVICES, SOURCES
from shared.kernel.actors import Actor, Role
from shared.runtime.databases import password
from shared.runtime.definition import DOOR
from shared.runtime.settings import MEANING, settings
from shared.security.keys import Signer, public_key, secret
from shared.security.tokens import Keyring, Mint
from shared.store.migrations import relay_role, roles, service_role

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy/Dockerfile"
ENTRYPOINT = ROOT / "deploy/entrypoint"
BLOCKS: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
SECRETS: dict[str, dict[str, str]] = yaml.safe_load(COMPOSE.read_text())["secrets"]
RELAYS = {f"{source}-relay" for source in SOURCES}
ONCE = {"migrate", "rights"}
SIGNING = {"audit-signer", "audit-witness"}  # they need no broker
OURS = {*SERVICES, *RELAYS, *ONCE, *SIGNING, DOOR}
LASTING = sorted(set(BLOCKS) - ONCE)
FOLDER = "/run/secrets"
AWKWARD = "p@ss:/?#[]%&+ =\"'\\$`ü密"

lasting = pytest.mark.parametrize("name", LASTING)
each = pytest.mark.parametrize("name", sorted(BLOCKS))


def test_the_compose_file_is_valid_against_the_compose_specification() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_service_has_its_block_every_source_its_relay_and_there_is_nothing_else() -> None:
    assert set(BLOCKS) == OURS | {"postgres", "rabbitmq"}
    for service in SERVICES:
        assert BLOCKS[service]["command"] == ["jianding", "serve", service]
    for source in SOURCES:
        assert BLOCKS[f"{source}-relay"]["command"] == ["jianding", "relay", source]
    assert BLOCKS[DOOR]["command"] == ["jianding", "serve", DOOR]
    assert BLOCKS["migrate"]["command"] == ["jianding", "migrate"]
    assert BLOCKS["audit-signer"]["command"] == ["jianding", "signer"]
    assert BLOCKS["audit-witness"]["command"][:2] == ["jianding", "witness"]


@lasting
def test_what_runs_for_long_has_a_health_check_and_is_started_again_when_it_ends(name: str) -> None:
    assert BLOCKS[name]["healthcheck"]["test"][0] == "CMD"
    assert BLOCKS[name]["restart"] == "unless-stopped"


def test_our_health_checks_ask_about_their_own_block_and_know_its_passwords() -> None:
    for service in SERVICES:
        assert BLOCKS[service]["healthcheck"]["test"] == ["CMD", "entrypoint", "jianding", "healthy", service]
    for source in SOURCES:
        asked = BLOCKS[f"{source}-relay"]["healthcheck"]["test"]
        assert asked == ["CMD", "entrypoint", "jianding", "healthy", "--relay", source]


@pytest.mark.parametrize("name", sorted(OURS - ONCE - SIGNING))
def test_our_programs_wait_for_a_migrated_database_and_a_healthy_broker(name: str) -> None:
    after = {on: how["condition"] for on, how in BLOCKS[name]["depends_on"].items()}
    assert after["migrate"] == "service_completed_successfully"
    assert after["postgres"] == after["rabbitmq"] == "service_healthy"


@each
def test_every_container_has_limits_for_its_resources_its_log_and_its_end(name: str) -> None:
    block = BLOCKS[name]
    assert block["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert block["logging"]["driver"] == "json-file"
    assert block["logging"]["options"].keys() == {"max-size", "max-file"}
    assert block["stop_grace_period"]


@each
def test_every_container_runs_without_rights_it_does_not_need(name: str) -> None:
    block = BLOCKS[name]
    assert block["user"] == "999:999"
    assert block["read_only"] is True
    assert block["cap_drop"] == ["ALL"]
    assert "cap_add" not in block
    assert block["security_opt"] == ["no-new-privileges:true"]


def test_only_the_door_and_the_brokers_console_can_be_reached_and_only_from_this_machine() -> None:
    assert {name: block["ports"] for name, block in BLOCKS.items() if "ports" in block} == {
        "rabbitmq": ["127.0.0.1:15672:15672"],
        DOOR: ["127.0.0.1:8480:8480"],
    }
    networks = yaml.safe_load(COMPOSE.read_text())["networks"]
    assert networks["inner"]["internal"] is True
    assert {name for name, block in BLOCKS.items() if block["networks"] != ["inner"]} == {"rabbitmq", DOOR}


@pytest.mark.parametrize("path", [COMPOSE, DOCKERFILE], ids=lambda path: path.name)
def test_no_password_is_written_down(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"://[^/\s:@]*:[^/\s@]*@", text)
    for value in re.findall(r"(?:PASS|SECRET|TOKEN(?!S: required)|COOKIE)[A-Z_]*[ \t]*[=:][ \t]*(.+)", text):
        assert value.startswith((FOLDER, f"$$(cat {FOLDER}/")), value


def test_every_secret_comes_from_a_file() -> None:
    assert {tuple(entry) for entry in SECRETS.values()} == {("file",)}


@pytest.mark.parametrize("path", [COMPOSE, DOCKERFILE, ENTRYPOINT], ids=lambda path: path.name)
def test_every_setting_that_is_made_is_one_that_is_read(path: Path) -> None:
    known = {variable for variable, _, _ in MEANING.values()}
    assert set(re.findall(r"JIANDING_[A-Z_]+", path.read_text())) <= known


def test_the_images_are_the_ones_we_know_pinned_by_tag() -> None:
    assert re.fullmatch(r"rabbitmq:4\.\d+\.\d+-management", BLOCKS["rabbitmq"]["image"])
    assert re.fullmatch(r"postgres:17\.\d+-\w+", BLOCKS["postgres"]["image"])
    assert re.search(r"^ARG PYTHON=python:3\.1[1-3]\.\d+-slim-\w+$", DOCKERFILE.read_text(), re.MULTILINE)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {BLOCKS[name]["image"] for name in OURS} == {f"jianding:{version}"}


def test_the_image_installs_the_lock_and_runs_as_nobody_in_particular() -> None:
    steps = DOCKERFILE.read_text()
    assert "--no-deps --require-hashes --only-binary :all: -r requirements.lock" in steps
    assert steps.index("\nUSER 999:999") > steps.rindex("\nFROM")


def test_the_image_is_made_of_what_is_named_and_never_of_secrets() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    assert {line for line in lines if line.startswith("!deploy")} == {"!deploy/entrypoint"}


def test_git_does_not_see_the_secrets() -> None:
    assert "secrets/" in (ROOT / "deploy/.gitignore").read_text().split()


def mounted(name: str) -> dict[str, str]:
    """Where a container finds which secret."""
    entries = BLOCKS[name].get("secrets", [])
    places = [
        (entry, entry) if isinstance(entry, str) else (entry["target"], entry["source"]) for entry in entries
    ]
    return {target.removeprefix(f"{FOLDER}/"): source for target, source in places}


def test_each_program_is_given_the_secrets_it_reads_and_no_others() -> None:
    for service in SERVICES:
        expected = {f"broker.{service}.password", f"{service_role(service)}.password"}
        expected |= {"vault.master"} if service == "registration" else set()
        expected |= {f"tokens/centre.{each}.pub" for each in (*SERVICES, DOOR)}
        expected |= {f"tokens/centre.{service}.key"}
        if service == "audit":
            expected |= {f"sources/centre.{source}.pub" for source in SOURCES} | {"policy"}
        assert set(mounted(service)) == expected
    own = {f"tokens/centre.{DOOR}.key", f"tokens/centre.{DOOR}.pub", "tokens/centre.registration.pub"}
    assert set(mounted(DOOR)) == own | {f"broker.{DOOR}.password", "gateway.session"}
    for source in SOURCES:
        key = f"sources/centre.{source}"
        expected = {
            f"broker.{source}-relay.password",
            f"{relay_role(source)}.password",
            f"{key}.key",
            f"{key}.pub",
        }
        assert set(mounted(f"{source}-relay")) == expected
    accounts = {f"{role}.password" for service in SERVICES for role in roles(service)}
    assert set(mounted("migrate")) == {"administrator.password"} | accounts
    assert set(mounted("audit-signer")) == {"audit_signer.password", "policy", "signer/log.key"}
    assert set(mounted("audit-witness")) == {"policy", "witness/witness.key"}
    assert set(mounted("postgres")) == {"administrator.password"}
    assert set(mounted("rights")) == {f"broker.{account}.password" for account in ACCOUNTS}
    assert set(mounted("rabbitmq")) == set()


def test_the_broker_loads_its_accounts_from_where_they_were_written_before_it_started() -> None:
    assert BLOCKS["rabbitmq"]["depends_on"] == {"rights": {"condition": "service_completed_successfully"}}
    (volume,) = BLOCKS["rights"]["volumes"]
    assert f"{volume}:ro" in BLOCKS["rabbitmq"]["volumes"]
    written = BLOCKS["rights"]["command"][-1].split()[-1]
    assert f"load_definitions = {written}\n" in (ROOT / "deploy/rabbitmq.conf").read_text()
    assert written.startswith(volume.partition(":")[2])
    assert f"--owner 999 --group 999 --mode 700 {volume.partition(':')[2]} " in DOCKERFILE.read_text()


def test_a_secret_is_mounted_where_it_lies_in_the_operators_folder() -> None:
    for name in BLOCKS:
        for target, source in mounted(name).items():
            assert SECRETS[source]["file"] == f"deploy/secrets/{target}"


def test_no_service_takes_a_call_without_a_token() -> None:
    for service in SERVICES:
        assert BLOCKS[service]["environment"]["JIANDING_TOKENS"] == "required"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    init(folder)
    return folder


def init(folder: Path) -> None:
    owner = f"{os.getuid()}:{os.getgid()}"
    subprocess.run([ROOT / "deploy/secrets-init", folder, owner], check=True, capture_output=True)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_operators_script_makes_exactly_the_secrets_of_the_compose_file(made: Path) -> None:
    assert {f"deploy/secrets/{name}" for name in files(made)} == {entry["file"] for entry in SECRETS.values()}


def test_only_their_owner_can_read_the_secrets_and_no_two_are_alike(made: Path) -> None:
    assert {path.stat().st_mode & 0o077 for path in (made, *made.rglob("*"))} == {0}
    contents = list(files(made).values())
    assert len(set(contents)) == len(contents)
    assert min(map(len, contents)) >= 32


def test_a_second_run_changes_no_secret_and_restores_a_missing_one(made: Path) -> None:
    before = files(made)
    (made / "broker.audit.password").unlink()
    init(made)
    after = files(made)
    assert after.keys() == before.keys()
    assert {name for name in before if before[name] != after[name]} == {"broker.audit.password"}


def test_our_programs_use_the_operators_secrets_as_they_are(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(made)
    monkeypatch.setenv("JIANDING_SECRETS", str(made))
    current = settings()
    for service in SERVICES:
        for role in roles(service):
            assert password(current, role) == before[f"{role}.password"].hex()
    for source in SOURCES:
        laid_down = public_key(made / "sources", f"/centre/{source}")
        assert Signer.load(made / "sources", f"/centre/{source}").public_key == laid_down
    for service in SERVICES:
        by = Actor(service, Role.SERVICE, "centre")
        assert Keyring(made / "tokens").read(Mint.load(made / "tokens", f"/centre/{service}").issue(by)) == by
    assert secret(made / "vault.master") == before["vault.master"]
    monkeypatch.setenv("JIANDING_POLICY", str(made / "policy"))
    current = settings()
    policy, (key,) = keyring.policy(current), keyring.log_keys(current)
    assert policy.keys(current.origin) == [key.verifier]
    witness = keyring.witness_key(keyring.own_witness(current), current.witness_name).verifier
    assert [(each.key, each.url) for each in policy.witnesses] == [(witness, "http://audit-witness:8460")]
    assert policy.least == (1, 1)
    assert files(made) == before


def described(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "shared.bus.rights", folder]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_broker_is_told_of_each_account_its_rights_and_a_salted_hash_of_its_password(made: Path) -> None:
    told = json.loads(described(made).stdout)
    words = {account: (made / f"broker.{account}.password").read_text() for account in ACCOUNTS}
    for user in told["users"]:
        hashed = base64.b64decode(user["password_hash"])
        assert hashed[4:] == hashlib.sha256(hashed[:4] + words[user["name"]].encode()).digest()
    assert len({base64.b64decode(user["password_hash"])[:4] for user in told["users"]}) == len(ACCOUNTS)
    assert [user["name"] for user in told["users"] if user["tags"]] == ["jianding"]
    expected = definitions(words)
    assert told.keys() == expected.keys()
    assert all(told[kind] == expected[kind] for kind in told.keys() - {"users"})


@pytest.mark.parametrize("content", [None, "\n"], ids=["missing", "empty"])
def test_without_a_password_the_broker_is_told_nothing(made: Path, content: str | None) -> None:
    path = made / "broker.caller.password"
    path.unlink() if content is None else path.write_text(content)
    run = described(made)
    assert run.returncode != 0
    assert run.stdout == ""
    assert "broker.caller.password is missing or empty; run deploy/secrets-init" in run.stderr


def start(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The entrypoint in a block's own environment, with `env` as its command."""
    given = BLOCKS[name]["environment"] | {"PATH": os.environ["PATH"], "JIANDING_SECRETS": str(folder)}
    return subprocess.run([ENTRYPOINT, "env"], env=given, capture_output=True, text=True)


def started(name: str, folder: Path) -> dict[str, str]:
    run = start(name, folder)
    assert run.returncode == 0, run.stderr
    return dict(line.partition("=")[::2] for line in run.stdout.splitlines())


@pytest.mark.parametrize("word", ["plain", AWKWARD], ids=["plain", "awkward"])
@pytest.mark.parametrize("name", sorted(OURS - ONCE - SIGNING))
def test_a_program_reaches_the_broker_by_its_own_name_whatever_its_password_is_made_of(
    tmp_path: Path, name: str, word: str
) -> None:
    (tmp_path / f"broker.{name}.password").write_text(word + "\n")
    url = started(name, tmp_path)["JIANDING_AMQP_URL"]
    read = pika.URLParameters(url)
    assert (read.host, read.port, read.virtual_host) == ("rabbitmq", 5672, "/")
    assert (read.credentials.username, read.credentials.password) == (name, word)
    theirs = parse_url(url)
    assert (theirs["hostname"], theirs["userid"], theirs["password"]) == ("rabbitmq", name, word)
    assert word not in url


@pytest.mark.parametrize("word", ["plain", AWKWARD], ids=["plain", "awkward"])
def test_migrations_reach_the_database_whatever_its_password_is_made_of(tmp_path: Path, word: str) -> None:
    (tmp_path / "administrator.password").write_text(word)
    variables = started("migrate", tmp_path)
    assert conninfo_to_dict(variables["JIANDING_DATABASE_URL"]) == {
        "host": "postgres",
        "port": "5432",
        "dbname": "postgres",
        "user": "postgres",
        "password": word,
    }
    assert variables["JIANDING_AMQP_URL"] == ""


def test_a_service_knows_where_the_database_is_and_not_the_administrators_password(tmp_path: Path) -> None:
    (tmp_path / "broker.audit.password").write_text("word")
    known = conninfo_to_dict(started("audit", tmp_path)["JIANDING_DATABASE_URL"])
    assert known == {"host": "postgres", "port": "5432", "dbname": "postgres"}


@pytest.mark.parametrize("content", [None, ""], ids=["missing", "empty"])
def test_without_its_secret_a_program_does_not_start_and_says_what_to_do(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "broker.scoring.password").write_text(content)
    run = start("scoring", tmp_path)
    assert run.returncode != 0
    assert run.stdout == ""
    assert "broker.scoring.password is missing or empty; run deploy/secrets-init" in run.stderr


def test_the_signer_and_the_witness_keep_what_they_said_last_apart_from_each_other_and_know_no_broker() -> (
    None
):
    volumes = {name: BLOCKS[name]["volumes"] for name in SIGNING}
    assert volumes == {"audit-signer": ["signer:/memory"], "audit-witness": ["witness:/memory"]}
    for name in SIGNING:
        assert BLOCKS[name]["environment"]["JIANDING_VAR"] == "/memory"
        assert "JIANDING_AMQP_URL" not in BLOCKS[name]["environment"]
        assert "rabbitmq" not in BLOCKS[name].get("depends_on", {})
    assert "JIANDING_DATABASE_URL" not in BLOCKS["audit-witness"]["environment"]
    assert "--owner 999 --group 999 --mode 700 /memory\n" in DOCKERFILE.read_text()


def test_the_witness_listens_where_the_policy_says_under_the_name_it_has_there(made: Path) -> None:
    policy = Policy.parse((made / "policy").read_bytes())
    words = BLOCKS["audit-witness"]["command"]
    (witness,) = policy.witnesses
    assert words[words.index("--name") + 1] == witness.key.name
    assert witness.url == f"http://audit-witness:{words[words.index('--listen') + 1].rpartition(':')[2]}"


def test_the_health_checks_of_signer_and_witness_ask_about_themselves() -> None:
    asked = {name: BLOCKS[name]["healthcheck"]["test"] for name in SIGNING}
    assert asked["audit-signer"] == ["CMD", "entrypoint", "jianding", "healthy", "--signer", "audit"]
    assert "('127.0.0.1', 8460)" in asked["audit-witness"][-1]
