"""The OpenAPI document is generated once: strangers may ask for it, and it takes seconds."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.test import Client

from config import schema_view

JSON, YAML = "application/vnd.oai.openapi+json", "application/vnd.oai.openapi"


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    """Before the test, and after it: other tests read the real document."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    schema_view._document.cache_clear()
    schema_view._written.cache_clear()


@pytest.mark.django_db
def test_the_document_is_generated_once_and_written_once_for_each_format(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    document = {"openapi": "3.0.3"}

    class Generator:
        def get_schema(self, **_: Any) -> dict[str, str]:
            calls.append("generated")
            return document

    monkeypatch.setattr(schema_view, "SchemaGenerator", Generator)
    for accept in (JSON, YAML, JSON, YAML):
        response = client.get("/api/v1/schema/", {"lang": "de"}, headers={"Accept": accept})
        assert response.headers["Content-Type"].startswith(accept)
        assert yaml.safe_load(response.content) == document
    assert calls == ["generated"]
    assert schema_view._written.cache_info().misses == 2


@pytest.mark.django_db
def test_a_refusal_is_not_the_document(client: Client) -> None:
    refused = client.post("/api/v1/schema/", headers={"Accept": JSON})
    assert refused.status_code == 405
    assert set(refused.json()) == {"code", "detail"}
