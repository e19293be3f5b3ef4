"""The API's reference: its OpenAPI schema as plain values that a page can show, without a script."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")
AREAS = {
    "token": "Tokens",
    "sessions": "Judging",
    "assignments": "Judging",
    "judgments": "Judging",
    "studies": "Studies",
    "plan": "Studies",
    "snapshots": "Snapshots",
    "schema": "This description",
}
MOST_DEPTH = 3


@dataclass(frozen=True)
class Field:
    """A parameter or a field of a body: its name, kind and description."""

    name: str
    kind: str
    required: bool
    about: str
    depth: int = 0


@dataclass(frozen=True)
class Reply:
    """What may come back: a status, what it means, its kind of content and its fields."""

    status: str
    about: str
    kind: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Endpoint:
    """One method of one address."""

    method: str
    address: str
    anchor: str
    about: str
    needs_token: bool
    parameters: tuple[Field, ...]
    content_type: str
    body: tuple[Field, ...]
    replies: tuple[Reply, ...]

    @property
    def summary(self) -> str:
        """The first sentence of what is written about it, in one line."""
        words = " ".join(self.about.split()).replace("`", "")
        return words.split(". ")[0].rstrip(".:") + "."


@lru_cache(maxsize=1)
def endpoints_by_area() -> dict[str, list[Endpoint]]:
    """Every endpoint, by area, in the order of the addresses."""
    generator: Any = SchemaGenerator  # drf-spectacular gives it no types
    schema: Mapping[str, Any] = generator().get_schema(request=None, public=True)
    areas: dict[str, list[Endpoint]] = {}
    for address, methods in sorted(schema["paths"].items()):
        word = address.removeprefix("/api/v1/").partition("/")[0]
        for method in METHODS:
            if method in methods:
                endpoint = _endpoint(schema, address, method, methods[method])
                areas.setdefault(AREAS.get(word, "Metric and codecs"), []).append(endpoint)
    return areas


def _endpoint(schema: Mapping[str, Any], address: str, method: str, says: Mapping[str, Any]) -> Endpoint:
    content_type, body = _content(says.get("requestBody", {}).get("content", {}))
    return Endpoint(
        method=method.upper(),
        address=address,
        anchor=says["operationId"],
        about=says.get("description", ""),
        needs_token={} not in says.get("security", [{}]),
        parameters=tuple(_parameter(schema, one) for one in says.get("parameters", [])),
        content_type=content_type,
        body=tuple(_fields(schema, body)),
        replies=tuple(_reply(schema, status, reply) for status, reply in says["responses"].items()),
    )


def _parameter(schema: Mapping[str, Any], one: Mapping[str, Any]) -> Field:
    where = {"path": "in the address", "query": "in the query", "header": "header"}[one["in"]]
    about = ". ".join(filter(None, [where, one.get("description", "")]))
    return Field(one["name"], _kind(schema, one["schema"]), one.get("required", False), about)


def _content(content: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    for content_type, says in content.items():
        return content_type, says.get("schema", {})
    return "", {}


def _reply(schema: Mapping[str, Any], status: str, reply: Mapping[str, Any]) -> Reply:
    content_type, body = _content(reply.get("content", {}))
    kind = "" if content_type == "application/json" else content_type
    # Refusals have one form, which the page describes once.
    refusal = body.get("$ref", "").endswith("/Problem")
    fields = () if refusal else tuple(_fields(schema, body))
    return Reply(status, reply.get("description", ""), "refusal" if refusal else kind, fields)


def _resolved(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a schema refers to; of several it must be all at once, the first."""
    if "$ref" in part:
        component: Mapping[str, Any] = schema["components"]["schemas"][part["$ref"].rpartition("/")[2]]
        return component
    if len(part.get("allOf", [])) == 1:
        return {**_resolved(schema, part["allOf"][0]), **{k: v for k, v in part.items() if k != "allOf"}}
    return part


def _fields(schema: Mapping[str, Any], part: Mapping[str, Any], depth: int = 0) -> Iterator[Field]:
    says = _resolved(schema, part)
    if says.get("type") == "array":
        says = _resolved(schema, says["items"])
    for name, field in says.get("properties", {}).items():
        inner = _resolved(schema, field)
        yield Field(name, _kind(schema, field), name in says.get("required", []), _about(inner, field), depth)
        if depth < MOST_DEPTH:
            yield from _fields(schema, field, depth + 1)


def _kind(schema: Mapping[str, Any], part: Mapping[str, Any]) -> str:
    says = _resolved(schema, part)
    if choices := [one for one in says.get("enum", []) if one not in ("", None)]:
        return " | ".join(map(str, choices))
    if options := says.get("oneOf") or says.get("anyOf"):
        return " | ".join(dict.fromkeys(filter(None, (_kind(schema, one) for one in options))))
    kinds = says.get("type", "any")
    kind = " | ".join(kinds) if isinstance(kinds, list) else kinds
    if kind == "array":
        return f"list of {_kind(schema, says['items'])}"
    name = says.get("format") or kind
    return f"{name} or null" if says.get("nullable") else str(name)


LIMITS = {
    "minimum": "least",
    "maximum": "most",
    "maxLength": "longest",
    "default": "default",
    "pattern": "pattern",
}


def _about(says: Mapping[str, Any], field: Mapping[str, Any]) -> str:
    limits = [f"{word} {says[name]}" for name, word in LIMITS.items() if says.get(name) not in (None, "")]
    words = field.get("description") or says.get("description", "")
    # What drf-spectacular writes of an enumeration repeats its values.
    text = "" if words.startswith("* ") else words.partition("\n\n* ")[0]
    return " ".join(filter(None, [text, f"({', '.join(limits)})" if limits else ""]))
