"""Who may do what: every role tries every call over the bus, and what happens is what the table says."""

import json
from pathlib import Path

from shared.contracts import SERVICES
from shared.kernel.actors import Role
from shared.runtime.rights import open_to_all, table
from shared.testing.postgres import Cluster
from shared.testing.processes import Processes, environment

# Each asks in its own name, with a token; a message is right in every field, so that the role decides.
EVERYBODY = """
from shared.runtime import hub

hub.patch()
import json
from marshmallow import fields, validate

from shared.bus.calls import Refused, context
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.runtime.manual import schema
from shared.runtime.node import Node
from shared.runtime.rights import table
from shared.runtime.settings import settings
from shared.security.tokens import Mint
from shared.wire.schemas import Digest, Id, Moment, Station

SPELLED = {
    Id: new_id,
    Station: lambda: "10012003",
    Digest: lambda: "0f" * 32,
    Moment: lambda: "2026-04-16T09:30:00+08:00",
}
WORDS = {
    "number": "11010519491231002X",
    "body": "centre",
    "photo": "cGhvdG8=",
    "password": "a quiet fictional day",
    "sheet": "B-7H2K9QXW4M-theory",
    "data": "{}",
    "public_key": "A" * 43,
}


def value(field):
    if type(field).__name__ == "CertificateNumber":
        return "2610012003400091"
    for kind, make in SPELLED.items():
        if isinstance(field, kind):
            return make()
    if isinstance(field, fields.List):
        return [value(field.inner)]
    if isinstance(field, fields.Nested):
        return {"role": "examiner", "body": "centre"}
    if isinstance(field, fields.Boolean):
        return True
    for check in field.validators:
        if isinstance(check, validate.OneOf):
            return check.choices[0]
        if isinstance(check, validate.Range):
            return check.min
    return WORDS.get(field.name, "day")


def message(service, method, actor):
    asked = schema(service, method)().fields
    found = {name: value(field) for name, field in asked.items() if field.required}
    himself = method != "assign_examiner" and not (method == "assignments" and actor == "registration")
    if "examiner" in found and himself:
        found["examiner"] = actor
    if method.startswith("own_") and actor != "registration":
        found["candidate"] = actor
    return found


def outcome(node, keys, role, service, method):
    body = "centre"
    actor = Actor("registration" if role is Role.SERVICE else new_id(), role, body)
    data = context(actor, token=keys.issue(actor))
    try:
        node.call(service, method, data, **message(service, method, actor.id))
    except Refused as refused:
        code, field = refused.problem["code"], refused.problem["field"]
        if code in ("RoleNotAllowed", "NotForThisRole") or (code, field) == ("InvalidInput", "role"):
            return "refused"
        return f"{code} {service} {method} {field}"
    return "answered"


current = settings()
with Node(current, current.database_url, programs=False) as node:
    keys = Mint.load(current.tokens_folder, current.source("registration"))
    found = [
        [role, service, method, outcome(node, keys, role, service, method)]
        for service, method in table()
        for role in Role
    ]
print("FOUND", json.dumps(found))
"""


def test_every_role_is_allowed_or_refused_every_call_as_the_table_says(
    databases: Cluster, tmp_path: Path
) -> None:
    with Processes(tmp_path, environment(databases, tokens="required")) as processes:
        everybody = processes.program("-W", "ignore", "-c", EVERYBODY)
        everybody.expect(0, seconds=120)
        (line,) = everybody.said("FOUND ")
    found = {
        (service, method, Role(role)): said
        for role, service, method, said in json.loads(line.removeprefix("FOUND "))
    }
    assert len(found) == len(table()) * len(Role)
    # it has to be the role that decides, not a field that this test has spelled wrongly
    assert {said for said in found.values() if said.startswith("InvalidInput")} == set()
    wrong = {
        key: said for key, said in found.items() if (said != "refused") != (key[2] in table()[key[0], key[1]])
    }
    assert wrong == {}


def test_the_table_knows_every_service_and_leaves_only_doors_open_to_all() -> None:
    assert {service for service, _ in table()} == set(SERVICES)
    assert open_to_all() == {
        ("audit", "checkpoint"),
        ("certification", "check"),
        ("registration", "login"),
        ("registration", "login_by_oidc"),
        ("registration", "logout"),
        ("registration", "refresh"),
    }
