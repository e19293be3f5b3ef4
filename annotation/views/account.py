"""A researcher's own account: password, tokens; and how somebody becomes a researcher."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.errors import Refused
from annotation.models import ResearcherInvitation
from annotation.services.members import accept_invitation, invite_researcher
from annotation.services.tokens import USUAL_TOKEN_DAYS, make_token, revoke_token
from annotation.views.access import refusals_as_messages, staff_of, staff_required


@never_cache
@staff_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Password and tokens; for superusers the other researchers and invitations."""
    return account_page(request)


def account_page(request: HttpRequest, *, secret: str = "", link: str = "", about: str = "") -> HttpResponse:
    """The page; a new token's secret or somebody's new link is shown on it once."""
    user = staff_of(request)
    context = {
        "section": "account",
        "tokens": user.access_tokens.order_by("-pk"),
        "usual_days": USUAL_TOKEN_DAYS,
        "secret": secret,
        "link": link,
        "about": about,
    }
    if user.is_superuser:
        context["researchers"] = User.objects.filter(is_staff=True).order_by("username")
        open_ones = ResearcherInvitation.objects.filter(used_at=None, study=None)
        context["invitations"] = [one for one in open_ones.order_by("-pk") if one.is_open]
    return render(request, "annotation/account.html", context)


@never_cache
@staff_required
@require_POST
@refusals_as_messages
def token_new(request: HttpRequest) -> HttpResponse:
    """A token with an end; its secret is shown this once."""
    days = request.POST.get("days", "")
    if not days.isascii() or not days.isdigit() or len(days) > 6:
        raise Refused("Give the number of days, such as 30.")
    token, secret = make_token(user=staff_of(request), name=request.POST.get("name", ""), days=int(days))
    return account_page(request, secret=secret, about=f"{token.name}, until {token.ends_at:%Y-%m-%d}")


@staff_required
@require_POST
@refusals_as_messages
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends one of one's own tokens at once."""
    revoke_token(user=staff_of(request), pk=pk)
    messages.success(request, "The token is revoked. Programs that use it are refused from now on.")
    return redirect("account")


@never_cache
@staff_required
@require_POST
def invite(request: HttpRequest) -> HttpResponse:
    """A link by which somebody becomes a researcher here."""
    user = signed_in_superuser(request)
    invitation = invite_researcher(by=user, note=request.POST.get("note", ""))
    return account_page(
        request, link=join_link(request, invitation), about="Send this invitation to one person."
    )


@never_cache
@staff_required
@require_POST
def reset_link(request: HttpRequest, pk: int) -> HttpResponse:
    """A link by which a researcher who cannot log in sets a new password; for sites without e-mail."""
    signed_in_superuser(request)
    user = get_object_or_404(User, pk=pk, is_staff=True)
    parts = [urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)]
    link = request.build_absolute_uri(reverse("password_reset_confirm", args=parts))
    return account_page(
        request, link=link, about=f"Send this link to {user}: it can be used once to set a new password."
    )


def signed_in_superuser(request: HttpRequest) -> User:
    """The superuser behind a request. Raises PermissionDenied for anybody else."""
    user = staff_of(request)
    if not user.is_superuser:
        raise PermissionDenied("Only this site's administrators can do this.")
    return user


def join_link(request: HttpRequest, invitation: ResearcherInvitation) -> str:
    """The whole address of an invitation."""
    return request.build_absolute_uri(reverse("join", args=[invitation.key]))


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, key: str) -> HttpResponse:
    """The door for an invited researcher: an account, or with one the study."""
    invitation = get_object_or_404(ResearcherInvitation.objects.select_related("study"), key=key)
    if not invitation.is_open:
        return _join_page(request, invitation, status=410)
    if request.method != "POST":
        return _join_page(request, invitation)
    user = request.user if isinstance(request.user, User) else None
    try:
        joined = accept_invitation(
            invitation=invitation,
            user=user,
            username=request.POST.get("username", ""),
            password=request.POST.get("password", ""),
        )
    except ValidationError as error:
        return _join_page(request, invitation, status=400, errors=error.message_dict)
    except Refused as refusal:
        return _join_page(request, invitation, status=409, errors={"": [str(refusal)]})
    if user is None:
        login(request, joined, backend="django.contrib.auth.backends.ModelBackend")
    messages.success(request, f"Welcome, {joined}.")
    return redirect(invitation.study or "study-list")


def _join_page(
    request: HttpRequest,
    invitation: ResearcherInvitation,
    *,
    status: int = 200,
    errors: dict[str, list[str]] | None = None,
) -> HttpResponse:
    context = {"invitation": invitation, "errors": errors or {}, "username": request.POST.get("username", "")}
    return render(request, "annotation/join.html", context, status=status)
