"""Pages of a long list by its last row, so that page 4,000 costs what page 1 costs and rows never shift."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest


@dataclass(frozen=True)
class Page:
    """Rows, and how to ask for those after them; `next` is None on the last page."""

    rows: list[Any]
    next: int | str | None
    is_first: bool


def next_address(request: HttpRequest, page: Page, path: str = "") -> str | None:
    """The whole address of the page after this one, for programs; None on the last page.

    `path` is the list's own, where the request was another one.
    """
    if page.next is None:
        return None
    query = request.GET.copy()
    query["after"] = str(page.next)
    return request.build_absolute_uri(f"{path}?{query.urlencode()}")


def page_by_pk(
    request: HttpRequest, rows: QuerySet[Any], *, size: int, oldest_first: bool = False, key: str = "pk"
) -> Page:
    """The page that `?after=` asks for, the newest first unless said otherwise. `key` is unique and orders the rows."""
    after = request.GET.get("after", "")
    is_first = not (after.isdecimal() and len(after) < 19)
    if not is_first:
        rows = rows.filter(**{f"{key}__{'gt' if oldest_first else 'lt'}": int(after)})
    page_rows = list(rows.order_by(key if oldest_first else f"-{key}")[: size + 1])
    last = page_rows[size - 1] if len(page_rows) > size else None
    return Page(page_rows[:size], _key(last, key) if last is not None else None, is_first)


def page_by_column(
    request: HttpRequest,
    rows: QuerySet[Any],
    column: str,
    *,
    size: int,
    descending: bool = False,
    keys_first: bool = False,
) -> Page:
    """The page after the row whose `column` and id `?after=VALUE,ID` names, ordered by both; `column` holds numbers.

    `keys_first`, for a column that no index has: the rows of the page are found first, and only they are read whole.
    Otherwise the database joins and computes everything for each row before it sorts. An answer that changes a row
    between the two queries moves neither that row nor the next page: the first query decides.
    """
    value, _, pk = request.GET.get("after", "").partition(",")
    is_first = not (value.isdecimal() and len(value) < 19 and (pk.isdecimal() and len(pk) < 19 or not pk))
    order = [column] if column == "pk" else [column, "pk"]
    unfiltered = rows
    if not is_first:
        beyond = "lt" if descending else "gt"
        after = Q(**{f"{column}__{beyond}": int(value)})
        if pk and column != "pk":
            after |= Q(**{column: int(value), f"pk__{beyond}": int(pk)})
        rows = rows.filter(after)
    rows = rows.order_by(*(f"-{name}" if descending else name for name in order))
    if keys_first:
        places = [(int(value), pk) for value, pk in rows.values_list(column, "pk")[: size + 1]]
        whole = unfiltered.in_bulk([pk for _, pk in places[:size]])
        page = [whole[pk] for _, pk in places[:size] if pk in whole]
        following = ",".join(map(str, places[size - 1])) if len(places) > size else None
        return Page(page, following, is_first)
    kept = list(rows[: size + 1])
    last = kept[size - 1] if len(kept) > size else None
    return Page(kept[:size], None if last is None else _places(last, order), is_first)


def _places(row: Any, order: list[str]) -> str:
    return ",".join(str(_key(row, name)) for name in order)


def _key(row: Any, key: str) -> int:
    value = row[key] if isinstance(row, dict) else getattr(row, key)
    return int(value)
