"""What comes in: bounded, and JSON plain enough that every database and every answer can hold it."""

import json
import math
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import FormParser, JSONParser

LARGEST_BYTES = 2**20
DEEPEST = 32


class BodyTooLarge(APIException):
    """More than a program of ours ever sends."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"The request has more than {LARGEST_BYTES // 2**20} MB. Send a smaller request."
    default_code = "too_large"


class PlainJSONParser(JSONParser):
    """DRF's parser, without what breaks further on: endless bodies and nesting, and leaves of an odd kind.

    Postgres keeps neither NUL nor lone surrogates in JSON, SQLite no infinity and no integer over 64 bits; UTF-8
    has no lone surrogates, and an answer that quotes one could not be sent.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The plain value. Raises ParseError, or BodyTooLarge."""
        body = _bounded(stream)
        try:
            value = json.loads(body.decode("utf-8"))
            _require_plain(value)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        except ValueError as error:
            raise ParseError(f"This is not valid JSON in UTF-8: {error}.") from error
        return value


class BoundedFormParser(FormParser):
    """DRF's parser of HTML forms, for forms of a few words."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The fields. Raises BodyTooLarge."""
        return super().parse(BytesIO(_bounded(stream)), media_type, parser_context)


def _bounded(stream: IO[Any]) -> bytes:
    body: bytes = stream.read(LARGEST_BYTES + 1)
    if len(body) > LARGEST_BYTES:
        raise BodyTooLarge
    return body


def _require_plain(value: Any) -> None:
    """Raises ValueError for what JSON's grammar or Python lets through and we do not."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} levels deep")
        for leaf in level:
            _require_plain_leaf(leaf)
        level = [inner for outer in level for inner in _inside(outer)]


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


def _require_plain_leaf(value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("it contains a number that is not finite")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("it contains an integer of more than 64 bits")
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
        raise ValueError("a string in it contains a NUL or an unpaired surrogate")
