"""How API lists are paged: by key, newest first, so that a page never shifts while it is read."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Keyset pagination on the primary key."""

    page_size = 50
    ordering = "-pk"
