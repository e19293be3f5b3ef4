"""What failed for want of room or of a database is a 503 with the time to try again. No page shows secrets."""

import errno
import re
import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext_lazy
from django.views.debug import SafeExceptionReporterFilter
from django.views.defaults import page_not_found, permission_denied, server_error

from annotation.core.languages import SOURCE_LANGUAGE
from annotation.languages import requested

RETRY_AFTER_S = 10
FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NO_ROOM = gettext_lazy("The server's disk is full. Nothing was stored. Try again in a moment.")
NO_DATABASE = gettext_lazy(
    "The database is not responding at the moment. Nothing was stored. Try again in a moment."
)

Respond = Callable[[HttpRequest], HttpResponse]


def server_failed(request: HttpRequest) -> HttpResponse:
    """Django's page for errors, or a 503 for those that pass by themselves, or once somebody makes room."""
    sentence = passing_problem(sys.exc_info()[1])
    if not sentence:
        return server_error(request)
    return try_later(sentence)


def try_later(sentence: str) -> HttpResponse:
    """A 503 with the sentence and the time to try again."""
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return HttpResponse(
        f"{sentence}\n", status=503, content_type="text/plain; charset=utf-8", headers=headers
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for an address that leads nowhere, in a stranger's language: the address may be an annotator's."""
    with translation.override(_language_of_reader(request)):
        return page_not_found(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for what somebody may not see."""
    with translation.override(_language_of_reader(request)):
        return permission_denied(request, exception)


def _language_of_reader(request: HttpRequest) -> str:
    """English for researchers, whose pages are in English; else what the study or the browser prefers."""
    if request.path_info.startswith("/judge/"):
        return translation.get_language() or SOURCE_LANGUAGE
    user = getattr(request, "user", None)
    return SOURCE_LANGUAGE if user is not None and user.is_authenticated else requested(request)


def passing_problem(problem: BaseException | None) -> str:
    """A sentence for a full disk or a database that is away; "" for everything else."""
    seen: set[int] = set()
    while problem is not None and id(problem) not in seen:
        seen.add(id(problem))
        if (isinstance(problem, OSError) and problem.errno in FULL_DISK) or _database_is_full(problem):
            return str(NO_ROOM)
        if isinstance(problem, (OperationalError, InterfaceError)):
            cause = problem.__cause__
            return str(NO_ROOM if cause is not None and _database_is_full(cause) else NO_DATABASE)
        problem = problem.__cause__ or problem.__context__
    return ""


def _database_is_full(problem: BaseException) -> bool:
    # SQLite says it in words, Postgres by its number for disk_full.
    return "database or disk is full" in str(problem) or getattr(problem, "sqlstate", None) == "53100"


class HidesSecrets(SafeExceptionReporterFilter):
    """Hides, beside what Django hides, addresses that hold passwords and the keys of sessions."""

    hidden_settings = re.compile(
        "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|COOKIE|URL|DSN|LOCATION|OPTIONS|SESSION|EMAIL|BROKER",
        re.IGNORECASE,
    )
