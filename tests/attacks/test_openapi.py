"""What schemathesis makes up from our own OpenAPI document: nothing ends in a 5xx, everything is documented."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from annotation.services.tokens import make_token
from config.wsgi import application
from tests.kit.factories import make_judged_study

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 4

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(params=["staff", "nobody"])
def headers(request: pytest.FixtureRequest, owner: User) -> Iterator[dict[str, str]]:
    make_judged_study(people=1)
    _, token = make_token(user=owner)
    yield {"Authorization": f"Token {token}"} if request.param == "staff" else {}


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Django's own test client does the same: the end of a request must not close the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_every_endpoint(headers: dict[str, str]) -> None:
    document = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application)
    operations = [result.ok() for result in document.get_all_operations()]
    assert len(operations) > 15
    for operation in operations:
        attack(operation, headers)


def attack(operation: Any, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.data())
    def once(case: st.DataObject) -> None:
        made = case.draw(operation.as_strategy())
        made.call_and_validate(headers=headers, checks=CHECKS)

    once()
