"""docs/api.md has a section for every endpoint, names every code, and lists the keys of the timing record."""

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from annotation.core.timing_record import EVENTS, INPUTS, SLOTS
from annotation.errors import Refused
from tests.annotation.core.test_timing import make_raw
from tests.docs.pages import DOCS, sections, text_of

PAGE = DOCS / "api.md"
SECTIONS = sections(PAGE, "### ")
SCHEMA: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
METHODS = {"get", "post", "put", "patch", "delete"}


def operations() -> dict[str, dict[str, Any]]:
    """Each operation of the OpenAPI schema, by its heading."""
    return {
        f"`{method.upper()} {path}`": operation
        for path, methods in SCHEMA["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


OPERATIONS = operations()


def test_every_endpoint_has_a_section_and_no_section_is_about_a_lost_one() -> None:
    assert {title for title in SECTIONS if title.startswith("`")} == set(OPERATIONS)


@pytest.mark.parametrize("title", OPERATIONS)
def test_a_section_has_an_example_and_says_what_comes_back(title: str) -> None:
    section = SECTIONS[title]
    assert "```sh\n" in section and "curl " in section
    successes = [status for status in OPERATIONS[title]["responses"] if status.startswith("2")]
    assert [status for status in successes if f"**{status}**" not in section] == []


@pytest.mark.parametrize("title", OPERATIONS)
def test_a_section_names_the_fields_that_are_sent(title: str) -> None:
    sent = OPERATIONS[title].get("requestBody", {}).get("content", {})
    wanted: set[str] = set()
    for body in sent.values():
        name = body["schema"].get("$ref", "").rpartition("/")[2]
        wanted |= set(SCHEMA["components"]["schemas"].get(name, {}).get("properties", {}))
    assert {field for field in wanted if field not in SECTIONS[title]} == set()


def test_every_refusal_has_its_code_on_the_page() -> None:
    def kinds(of: type[Refused]) -> list[type[Refused]]:
        return [of, *(kind for sub in of.__subclasses__() for kind in kinds(sub))]

    assert {kind.code for kind in kinds(Refused) if f"`{kind.code}`" not in text_of(PAGE)} == set()


def test_the_timing_record_is_listed() -> None:
    section = SECTIONS["The timing record"]
    names = {*make_raw(), *EVENTS, *SLOTS, *INPUTS}
    assert {name for name in names if f"`{name}`" not in section} == set()
