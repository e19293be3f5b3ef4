"""Who may see a page, and what a refusal looks like on one."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from rest_framework.request import Request

from annotation.core.roles import NEEDS, Reach
from annotation.errors import Refused
from annotation.models import Study

M = TypeVar("M", bound=Model)
View = Callable[..., HttpResponseBase]


def staff_required(view: View) -> View:
    """For researchers: a visitor is asked to log in, and somebody who is not staff gets a 403."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def staff_of(request: HttpRequest | Request) -> User:
    """The researcher behind a request that was let in. Raises PermissionDenied for anybody else."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def study_or_404(request: HttpRequest | Request, slug: str, reach: Reach) -> Study:
    """The study, for a member whose role reaches so far.

    Raises Http404 for everybody who is no member, as if it were not there, and PermissionDenied for a member
    whose role does not reach.
    """
    user = staff_of(request)
    study = get_object_or_404(Study.objects.reached_by(user, Reach.RESULTS), slug=slug)
    if not may(user, study, reach):
        raise PermissionDenied(f"This requires {NEEDS[reach]} of “{study}”. Ask an owner for another role.")
    return study


def may(user: User, study: Study, reach: Reach) -> bool:
    """Whether the researcher's role in the study reaches so far."""
    if user.is_superuser and user.is_active:
        return True
    return Study.objects.reached_by(user, reach).filter(pk=study.pk).exists()


def reachable_studies(request: HttpRequest | Request, reach: Reach) -> QuerySet[Study]:
    """The studies in which the researcher of a request may do so much."""
    return Study.objects.reached_by(staff_of(request), reach)


def within_reach(
    request: HttpRequest | Request, rows: QuerySet[M], reach: Reach, *, by: str = "study"
) -> QuerySet[M]:
    """Of the rows, those of studies in which the researcher may do so much; `by` leads from a row to its study."""
    user = staff_of(request)
    if user.is_superuser:
        return rows
    return rows.filter(**{f"{by}__in": Study.objects.reached_by(user, reach).values("pk")})


def require_all_within_reach(
    request: HttpRequest | Request, rows: QuerySet[M], reach: Reach, *, by: str, otherwise: str
) -> None:
    """Raises PermissionDenied with the words `otherwise` where one of the rows is out of the researcher's reach."""
    if rows.exclude(pk__in=within_reach(request, rows, reach, by=by).values("pk")).exists():
        raise PermissionDenied(otherwise)


def refusals_as_messages(view: View) -> View:
    """What a service refuses is said on the page that the request came from."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect(came_from(request))

    return guarded


def came_from(request: HttpRequest) -> str:
    """The page of this site that sent the request; the front page when it does not say."""
    referrer = request.headers.get("Referer", "")
    here = url_has_allowed_host_and_scheme(referrer, {request.get_host()}, require_https=request.is_secure())
    return referrer if here and "//" in referrer else "home"  # redirect() takes a bare word for a view's name
