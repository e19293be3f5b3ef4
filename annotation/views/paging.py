"""Pages of a long list by its last row, so that page 4,000 costs what page 1 costs and rows never shift."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest


@dataclass(frozen=True)
class Page:
    """Rows, and how to ask for those after them; `next` is None on the last page."""

    rows: list[Any]
    next: int | None
    is_first: bool


def page_by_pk(
    request: HttpRequest, rows: QuerySet[Any], *, size: int, oldest_first: bool = False, key: str = "pk"
) -> Page:
    """The page that `?after=` asks for, the newest first unless said otherwise. `key` is unique and orders the rows."""
    after = request.GET.get("after", "")
    is_first = not (after.isdecimal() and len(after) < 19)
    if not is_first:
        rows = rows.filter(**{f"{key}__{'gt' if oldest_first else 'lt'}": int(after)})
    found = list(rows.order_by(key if oldest_first else f"-{key}")[: size + 1])
    last = found[size - 1] if len(found) > size else None
    return Page(found[:size], _key(last, key) if last is not None else None, is_first)


def _key(row: Any, key: str) -> int:
    value = row[key] if isinstance(row, dict) else getattr(row, key)
    return int(value)
