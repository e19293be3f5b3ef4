"""The members of a study: roles, invitations of researchers, links to results."""

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.errors import Refused
from annotation.models import Membership, ResearcherInvitation, ResultsLink, Study


@transaction.atomic
def set_role(*, study: Study, user: User, role: str) -> Membership:
    """Makes the researcher a member in this role, or changes their role. Raises Refused for the last owner."""
    if role not in Membership.Role.values:
        raise Refused(f"There is no role named {role!r}: use {', '.join(Membership.Role.values)}.")
    if not user.is_staff or not user.is_active:
        raise Refused(f"{user} is not a researcher here. Invite them first.")
    if role != Membership.Role.OWNER:
        _keep_an_owner(study, user)
    return Membership.objects.update_or_create(study=study, user=user, defaults={"role": role})[0]


@transaction.atomic
def remove_member(*, study: Study, user: User) -> None:
    """Takes the researcher out of the study. Raises Refused for the last owner, and for who is not in it."""
    _keep_an_owner(study, user)
    if not Membership.objects.filter(study=study, user=user).delete()[0]:
        raise Refused(f"{user} is not a member of “{study}”.")


def _keep_an_owner(study: Study, but: User) -> None:
    owners = study.memberships.filter(role=Membership.Role.OWNER).select_for_update()
    users = set(owners.values_list("user_id", flat=True))
    if users == {but.pk}:
        raise Refused(f"{but} is the only owner of “{study}”. Make somebody else an owner first.")


def invite_researcher(
    *, by: User, note: str = "", study: Study | None = None, role: str = ""
) -> ResearcherInvitation:
    """A link for one person, who becomes a researcher and, with a study, a member of it."""
    if (study is None) != (not role) or (role and role not in Membership.Role.values):
        raise Refused("An invitation to a study needs a role.")
    return ResearcherInvitation.objects.create(created_by=by, note=note.strip()[:200], study=study, role=role)


@transaction.atomic
def accept_invitation(
    *, invitation: ResearcherInvitation, user: User | None = None, username: str = "", password: str = ""
) -> User:
    """Uses an invitation, once: a logged-in researcher joins, anybody else gets an account.

    Raises Refused for an invitation that was used or has ended, ValidationError for a name or password that
    will not do; nothing is written then.
    """
    fresh = ResearcherInvitation.objects.select_for_update().get(pk=invitation.pk)
    if not fresh.is_open:
        what = "was used" if fresh.used_at else f"expired on {fresh.ends_at:%Y-%m-%d}"
        raise Refused(f"This invitation {what}. Ask the sender for a new one.")
    user = user or _new_account(username.strip(), password)
    if not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    if fresh.study is not None:
        joined = Membership.objects.filter(study=fresh.study, user=user).exists()
        if not joined:
            set_role(study=fresh.study, user=user, role=fresh.role)
    fresh.used_by, fresh.used_at = user, timezone.now()
    fresh.save(update_fields=["used_by", "used_at"])
    return user


def _new_account(username: str, password: str) -> User:
    user = User(username=username, is_staff=True)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
    user.set_password(password)
    user.full_clean(exclude=["password"])
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise ValidationError({"username": "This name is already taken."}) from error
    return user


def share_results(*, study: Study, by: User, note: str = "") -> ResultsLink:
    """An address that shows the study's results to whoever knows it."""
    return ResultsLink.objects.create(study=study, created_by=by, note=note.strip()[:200])


def revoke_link(*, study: Study, pk: int) -> None:
    """Ends a results link for good. Raises Refused where it has ended."""
    if not ResultsLink.objects.filter(study=study, pk=pk, revoked_at=None).update(revoked_at=timezone.now()):
        raise Refused("This link was already revoked.")
