"""How API lists are paged: by key, newest first, so that a page never shifts while it is read."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class NewestFirst(CursorPagination):
    """Keyset pagination on the primary key."""

    page_size = 50
    ordering = "-pk"

    def decode_cursor(self, request: Request) -> Any:
        """The cursor in the request. Raises NotFound for one that names no row: DRF itself would end in a 500."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not str(cursor.position).isdecimal():
            raise NotFound(self.invalid_cursor_message)
        return cursor
