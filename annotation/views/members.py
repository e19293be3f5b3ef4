"""Who is in a study, in which role, who is invited, and who may see its results by a link."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from rest_framework.request import Request

from annotation.core.roles import ABOUT, Reach
from annotation.errors import Refused
from annotation.models import ResultsLink, Study
from annotation.services.members import (
    invite_researcher,
    remove_member,
    revoke_link,
    set_role,
    share_results,
)
from annotation.views.access import may, refusals_as_messages, staff_of, staff_required, study_or_404
from annotation.views.account import join_link
from annotation.views.breakdown import breakdown_page
from annotation.views.results import results_page
from annotation.views.study import study_page


@never_cache
@staff_required
@require_safe
def members(request: HttpRequest, slug: str) -> HttpResponse:
    """Members with their roles; owners change them, invite, and share the results."""
    return members_page(request, study_or_404(request, slug, Reach.RESULTS))


def members_page(request: HttpRequest, study: Study, *, link: str = "", about: str = "") -> HttpResponse:
    """The page; a new link is shown on it, to be copied."""
    owns = may(staff_of(request), study, Reach.OWN)
    context: dict[str, Any] = {
        "members": study.memberships.select_related("user").order_by("role", "user__username"),
        "roles": list(ABOUT.items()),
        "owns": owns,
        "link": link,
        "about": about,
    }
    if owns:
        waiting = study.researcher_invitations.filter(used_at=None).order_by("-pk")
        context["invited"] = [one for one in waiting if one.is_open]
        shared = study.results_links.filter(revoked_at=None).order_by("-pk")
        context["shared"] = [(one, results_link(request, one)) for one in shared]
    return study_page(request, study, "study-members", **context)


def researcher_named(name: str) -> User:
    """The researcher of that user name. Raises Refused where there is none."""
    user = User.objects.filter(username=name, is_staff=True, is_active=True).first()
    if user is None:
        raise Refused(f"There is no researcher named {name!r} here. Invite them with a link.")
    return user


def results_link(request: HttpRequest | Request, link: ResultsLink) -> str:
    """The whole address of a results link."""
    return request.build_absolute_uri(reverse("shared-results", args=[link.key]))


@staff_required
@require_POST
@refusals_as_messages
def member_set(request: HttpRequest, slug: str) -> HttpResponse:
    """Adds a researcher by name, or changes a member's role."""
    study = study_or_404(request, slug, Reach.OWN)
    user = researcher_named(request.POST.get("username", "").strip())
    set_role(study=study, user=user, role=request.POST.get("role", ""))
    messages.success(request, f"{user} is {request.POST['role']} of “{study}”.")
    return redirect("study-members", study.slug)


@staff_required
@require_POST
@refusals_as_messages
def member_remove(request: HttpRequest, slug: str, user: int) -> HttpResponse:
    """Takes a researcher out of the study."""
    study = study_or_404(request, slug, Reach.OWN)
    member = get_object_or_404(User, pk=user, memberships__study=study)
    remove_member(study=study, user=member)
    messages.success(request, f"{member} is no longer a member.")
    if not may(staff_of(request), study, Reach.RESULTS):  # it was oneself
        return redirect("study-list")
    return redirect("study-members", study.slug)


@never_cache
@staff_required
@require_POST
@refusals_as_messages
def member_invite(request: HttpRequest, slug: str) -> HttpResponse:
    """A link by which one person joins the study, with an account or without one yet."""
    study = study_or_404(request, slug, Reach.OWN)
    invitation = invite_researcher(
        by=staff_of(request),
        note=request.POST.get("note", ""),
        study=study,
        role=request.POST.get("role", ""),
    )
    about = f"Send this link to one person: they join as {invitation.role}."
    return members_page(request, study, link=join_link(request, invitation), about=about)


@never_cache
@staff_required
@require_POST
def share(request: HttpRequest, slug: str) -> HttpResponse:
    """An address that shows the results, and nothing else, to whoever has it."""
    study = study_or_404(request, slug, Reach.OWN)
    link = share_results(study=study, by=staff_of(request), note=request.POST.get("note", ""))
    return members_page(
        request, study, link=results_link(request, link), about="Anyone with this link can see the results."
    )


@staff_required
@require_POST
@refusals_as_messages
def unshare(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Ends a results link."""
    study = study_or_404(request, slug, Reach.OWN)
    revoke_link(study=study, pk=pk)
    messages.success(request, "The link is revoked.")
    return redirect("study-members", study.slug)


@never_cache
@require_safe
def shared_results(request: HttpRequest, key: str) -> HttpResponse:
    """The results of a study for whoever has the link, until it is taken back."""
    return results_page(
        request,
        study_of_link(key),
        files=reverse("shared-figures", args=[key]),
        breakdown=reverse("shared-breakdown", args=[key]),
        shared=True,
    )


@never_cache
@require_safe
def shared_breakdown(request: HttpRequest, key: str) -> HttpResponse:
    """The results in parts, for whoever has the link."""
    return breakdown_page(
        request,
        study_of_link(key),
        files=reverse("shared-figures", args=[key]),
        back=reverse("shared-results", args=[key]),
        shared=True,
    )


def study_of_link(key: str) -> Study:
    """The study whose results the link opens. Raises Http404 for one that is unknown or was taken back."""
    return get_object_or_404(ResultsLink.objects.select_related("study"), key=key, revoked_at=None).study
