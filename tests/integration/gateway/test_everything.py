"""Whatever the document allows or forbids, the door answers as the document says, and nothing breaks."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.gateway.app import make_app
from services.gateway.backend import Backend
from shared.kernel.actors import Role
from shared.runtime.settings import settings
from tests.integration.gateway.conftest import House

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS = "/api/v1/events/stream"


def _document() -> dict[str, Any]:
    app = make_app(Backend(lambda *_: None), settings())
    found: dict[str, Any] = app.test_client().get("/api/v1/openapi.json").get_json()
    return found


config = SchemathesisConfig.from_dict(
    # every boundary of every field would be 3,400 requests, and minutes
    {"phases": {"coverage": {"enabled": False}, "fuzzing": {"enabled": True}}, "seed": 1}
)
schema = schemathesis.openapi.from_dict(_document(), config=config).exclude(path=ENDLESS)


@schema.parametrize()
@hypothesis_settings(
    max_examples=4,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_nothing_breaks_and_nothing_is_answered_that_the_document_does_not_say(
    case: schemathesis.Case, house: House
) -> None:
    roles = case.operation.definition.raw["x-roles"]
    token = {"Authorization": f"Bearer {house.token(Role(roles[0]))}"} if roles else {}
    answer = case.call(base_url=house.address, headers=token, timeout=30)
    case.validate_response(answer, checks=CHECKS)
