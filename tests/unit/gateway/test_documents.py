"""What programmers read is valid by the word of others, whole, and says what is true."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from asyncapi3.models import AsyncAPI3
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from shared.contracts import SERVICES
from shared.runtime.manual import manual
from shared.wire.examples import languages

EVENTS = [event for spoken in languages() for event in spoken.events.values()]


@pytest.fixture
def openapi(client: FlaskClient) -> Any:
    return client.get("/api/v1/openapi.json").get_json()


@pytest.fixture
def asyncapi(client: FlaskClient) -> Any:
    return client.get("/api/v1/asyncapi.json").get_json()


def test_the_openapi_document_is_one(openapi: Any) -> None:
    assert openapi["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(openapi).validate()


@pytest.mark.parametrize("service", SERVICES)
def test_everything_that_a_service_may_be_asked_has_its_route(openapi: Any, service: str) -> None:
    for method in manual(service):
        if not method.roles:
            assert f"/api/v1/{service}/{method.name}" not in openapi["paths"]
            continue
        item = openapi["paths"][f"/api/v1/{service}/{method.name}"]
        verb = "get" if method.kind == "question" else "post"
        assert list(item) == [verb]
        assert item[verb]["summary"]
        assert item[verb]["x-roles"] in (list(method.roles), [])


def test_a_command_names_its_fields_and_leaves_its_id_to_the_header(openapi: Any) -> None:
    call = openapi["paths"]["/api/v1/registration/submit_application"]["post"]
    sent = openapi["components"]["schemas"]["registration.SubmitApplication"]
    assert [each["name"] for each in call["parameters"] if each.get("required")] == ["Idempotency-Key"]
    assert {"application", "candidate", "level"} < set(sent["required"])
    assert "command_id" not in sent["properties"]
    assert sent["additionalProperties"] is False


def _bare(schema: Any, known: Any) -> bool:
    """Whether it says of an object only that it is one."""
    if "$ref" in schema:
        return _bare(known[schema["$ref"].rpartition("/")[2]], known)
    if schema.get("type") == "array":
        return _bare(schema["items"], known)
    return schema.get("type") == "object" and "properties" not in schema


def test_every_answer_names_its_fields(openapi: Any) -> None:
    known = openapi["components"]["schemas"]
    bare = [
        call["operationId"]
        for item in openapi["paths"].values()
        for call in item.values()
        for content in call["responses"]["200"]["content"].values()
        if _bare(content["schema"], known)
    ]
    assert bare == []
    nullable = known["scoring.Result"]["properties"]["theory"]["anyOf"]
    assert nullable == [{"type": "integer", "minimum": 0, "maximum": 100}, {"type": "null"}]
    assert known["registration.Application"]["properties"]["candidate"]["format"] == "uuid"
    assert set(known["certification.Checks"]["required"]) == {"number", "registered", "name"}


def test_what_takes_no_key_says_so(openapi: Any) -> None:
    call = openapi["paths"]["/api/v1/audit/rebuild"]["post"]
    assert "Idempotency-Key" in call["description"]
    assert [each["name"] for each in call["parameters"]] == ["Device-Id"]


def test_no_schema_shadows_another_of_the_same_name(openapi: Any) -> None:
    names = openapi["components"]["schemas"]
    assert not [name for name in names if re.search(r"[a-z][0-9]+$", name)], "a name was given twice"


def test_the_asyncapi_document_is_one(asyncapi: Any) -> None:
    assert asyncapi["asyncapi"] == "3.0.0"
    AsyncAPI3.model_validate(asyncapi)


def test_every_event_has_a_channel_a_message_and_an_example(asyncapi: Any) -> None:
    names = {f"{event.service}-{event.wire_name}" for event in EVENTS}
    parts = asyncapi["components"]
    assert set(asyncapi["channels"]) == set(asyncapi["operations"]) == set(parts["messages"]) == names
    assert set(parts["schemas"]) == names | {"Envelope"}


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from _references(each)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)


@pytest.mark.parametrize("name", ["openapi", "asyncapi"])
def test_every_reference_leads_somewhere(request: pytest.FixtureRequest, name: str) -> None:
    document = request.getfixturevalue(name)
    found = set(_references(document))
    assert found
    for reference in found:
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_every_example_is_what_its_schema_says_and_nothing_else_is(asyncapi: Any) -> None:
    for name, message in asyncapi["components"]["messages"].items():
        schema = {"components": asyncapi["components"], "$ref": f"#/components/schemas/{name}"}
        checked = jsonschema.Draft202012Validator(schema)
        (example,) = message["examples"]
        checked.validate(example["payload"])
        for field in ("position", "data", "actor"):
            broken = {key: value for key, value in example["payload"].items() if key != field}
            assert not checked.is_valid(broken), (name, field)
        assert not checked.is_valid({**example["payload"], "data": {"nothing": 1}}), name


@pytest.mark.parametrize("path", ["/api/v1/docs", "/api/v1/docs/events"])
def test_a_page_shows_all_of_it_without_scripts_in_less_than_300_kb(
    client: FlaskClient, openapi: Any, path: str
) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert len(page.data) < 300_000
    assert "<script" not in page.text
    assert "style=" not in page.text
    wanted = openapi["paths"] if path.endswith("docs") else [event.wire_name for event in EVENTS]
    assert all(each in page.text for each in wanted)
    (sheet,) = re.findall(r'href="([^"]+\.css)"', page.text)
    with client.get(sheet) as style:
        assert style.status_code == 200
