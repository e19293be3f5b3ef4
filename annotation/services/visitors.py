"""Who visits a study, by cookie, invitation or panel; and their admission, when rows are made."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from annotation.errors import Refused
from annotation.models import Annotator, Enrolment, Invitation, Study
from annotation.services.arrival import enrol
from annotation.services.panels import PANEL_NAMES, PanelEntry


@dataclass(frozen=True)
class Visitor:
    """A visitor; without an annotator they are new to this site, without an enrolment never admitted."""

    study: Study
    annotator: Annotator | None = None
    enrolment: Enrolment | None = None
    invitation: Invitation | None = None
    entry: PanelEntry | None = None

    @property
    def is_preview(self) -> bool:
        """Whether a panel's worker only looks at the task."""
        return self.entry is not None and self.entry.is_preview

    @property
    def is_over(self) -> bool:
        """Whether nothing but the end page is left: screened out, returned, excluded, or a panel's one entry used."""
        enrolment = self.enrolment
        if enrolment is None:
            return False
        once = enrolment.excluded_by or enrolment.annotator.external_id
        return bool(enrolment.screened_out_by or enrolment.returned_at or (enrolment.finished_at and once))


def find_visitor(
    *, study: Study, known: UUID | None = None, invitation_key: str = "", entry: PanelEntry | None = None
) -> Visitor:
    """Who it is, without making a row. `known` is the annotator of this browser's cookie.

    An invitation takes precedence over a panel's link, and both over the cookie. Refuses unknown invitations, and
    people who bypass the panel of a study that has one.
    """
    invitation = _invitation(study, invitation_key) if invitation_key else None
    if invitation:
        annotator = invitation.annotator
    elif entry:
        annotator = (
            Annotator.objects.filter(panel=entry.panel, external_id=entry.external_id)
            .exclude(external_id="")
            .first()
        )
    else:
        annotator = _known(known)
    enrolment = _enrolment(study, annotator)
    if not (entry or invitation):
        require_access(study, annotator if enrolment else None)
    return Visitor(study, annotator, enrolment, invitation, entry)


def require_access(study: Study, annotator: Annotator | None) -> None:
    """Refuses, in a study with a panel, whoever has neither the panel's id nor a personal invitation to it."""
    if study.rules.panel not in PANEL_NAMES:
        return
    known = annotator is not None and (
        annotator.external_id or Invitation.objects.filter(study=study, annotator=annotator).exists()
    )
    if not known or not Enrolment.objects.filter(study=study, annotator=annotator).exists():
        raise Refused(
            gettext(
                "This study is for people who come from a panel, and the link does not say who you are "
                "there. Open the "
                "study from the panel’s own page."
            )
        )


def _invitation(study: Study, key: str) -> Invitation:
    invitation = Invitation.objects.select_related("annotator").filter(study=study, key=key).first()
    if invitation is None:
        raise Refused(
            gettext(
                "This invitation does not lead to this study. Check that the whole link was copied, or ask for a new "
                "one."
            )
        )
    return invitation


def _known(pk: UUID | None) -> Annotator | None:
    # A test participant of a panel is a program's place that a researcher sits in.
    person = Q(simulated=False) | ~Q(external_id="")
    return Annotator.objects.filter(person, pk=pk, forgotten_at=None).first() if pk else None


def _enrolment(study: Study, annotator: Annotator | None) -> Enrolment | None:
    if annotator is None:
        return None
    return (
        Enrolment.objects.select_related("study", "annotator")
        .filter(study=study, annotator=annotator)
        .first()
    )


@transaction.atomic
def admit(*, visitor: Visitor, known: UUID | None = None) -> Enrolment:
    """Makes the visitor's annotator and enrolment, or finds them; an invitation becomes theirs."""
    if visitor.enrolment:
        return visitor.enrolment
    entry = visitor.entry
    if visitor.invitation:
        annotator = _invited(visitor.study, visitor.invitation, known)
    elif entry and not entry.is_preview:
        annotator = Annotator.objects.get_or_create(panel=entry.panel, external_id=entry.external_id)[0]
    else:
        annotator = visitor.annotator or Annotator.objects.create()
    return enrol(visitor.study, annotator, **(entry.details if entry else {}))


def _invited(study: Study, invitation: Invitation, known: UUID | None) -> Annotator:
    """The annotator of the invitation: the first to accept it, who may have judged in other studies before."""
    invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if invitation.annotator:
        return invitation.annotator
    someone = _known(known)
    if someone is None or someone.external_id or _enrolment(study, someone):
        someone = Annotator.objects.create()
    invitation.annotator, invitation.used_at = someone, timezone.now()
    invitation.save(update_fields=["annotator", "used_at"])
    return someone


MOST_INVITATIONS = 500


def invite(*, study: Study, number: int, note: str = "") -> list[Invitation]:
    """So many new personal links; with more than one the notes are numbered. Refuses none and too many."""
    if not 1 <= number <= MOST_INVITATIONS:
        raise Refused(f"Create between 1 and {MOST_INVITATIONS} invitations at a time, not {number}.")
    notes = [f"{note} {count}".strip() if number > 1 else note for count in range(1, number + 1)]
    return Invitation.objects.bulk_create(Invitation(study=study, note=output[:200]) for output in notes)
