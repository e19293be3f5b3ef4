"""A study's life: made, filled, opened, paused, closed."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from annotation.core.conditions import LONGEST_CODEC
from annotation.core.pairing import PairingError, listed_from_json
from annotation.core.presets import PRESETS
from annotation.core.protocol import Protocol, largest_picture
from annotation.core.rule import ProtocolError
from annotation.errors import Refused, StudyFrozen, StudyNotReady
from annotation.models import Membership, Reconstruction, Study
from annotation.reports.readiness import codec_faults, pair_faults
from annotation.services.crops import CHANGED, Cuts, cut_beforehand, recut, store_whole
from annotation.services.drafts import require_draft
from annotation.services.planning import is_little, plan
from annotation.services.questionnaires import checked_questionnaire
from codecs_zoo import registry
from codecs_zoo.contract import CodecError
from codecs_zoo.site_metrics import pinned

SIZES = ("max_width", "max_height")


def create_study(*, name: str, owner: User | None = None, slug: str = "", **fields: Any) -> Study:
    """A draft. `fields` are the study's rules; every one is validated. Raises Refused with what is wrong.

    Pictures are as large as the study's smallest screen holds, unless a smaller size is given.
    """
    study = new_study(name=name, slug=slug, **fields)
    save_new(study, owner=owner, own_slug=bool(slug))
    return study


def new_study(*, name: str, slug: str = "", **fields: Any) -> Study:
    """The same draft before its row is saved."""
    if "protocol" in fields:
        fitting = largest_picture(check_protocol(fields["protocol"]))
        fields = dict(zip(SIZES, fitting, strict=True)) | fields
    fields |= _checked_questions(fields)
    study = Study(name=name.strip(), slug=slug or free_slug(name), **fields)
    _check(study, free_slug=not slug)
    return study


@transaction.atomic
def save_new(study: Study, *, owner: User | None = None, own_slug: bool = False) -> None:
    """Saves the row and its owner; if its slug was taken meanwhile, the study gets the next one that is free.

    With `own_slug` it was chosen explicitly: then IntegrityError is raised.
    """
    _save_new(study, own_slug=own_slug)
    if owner is not None:
        Membership.objects.create(study=study, user=owner, role=Membership.Role.OWNER)


def _save_new(study: Study, *, own_slug: bool) -> None:
    while True:
        try:
            with transaction.atomic():
                return study.save()
        except IntegrityError:
            free = free_slug(study.name)
            if own_slug or free == study.slug:
                raise
            study.slug = free


def update_study(*, study: Study, **fields: Any) -> Study:
    """A draft with other rules; another size of pictures cuts its photographs anew, about the same middle.

    Raises StudyFrozen once it was opened, Refused or ValidationError for bad rules.
    """
    fields |= _checked_questions(fields)
    study = Study.objects.get(pk=study.pk)
    if not _is_resized(study, fields):
        return _update(study, fields)
    require_draft(study)
    for name, value in fields.items():
        setattr(study, name, value)
    _check(study)
    with cut_beforehand(study) as cuts:
        study = _update(study, fields, cuts)
        store_whole(cuts)
    return study


@transaction.atomic
def _update(study: Study, fields: Mapping[str, Any], cuts: Cuts | None = None) -> Study:
    study = Study.objects.select_for_update().get(pk=study.pk)
    require_draft(study)
    if _is_resized(study, fields) != (cuts is not None):
        raise Refused(CHANGED)
    for name, value in fields.items():
        setattr(study, name, value)
    _check(study)
    study.saved_at = timezone.now()
    study.save(update_fields=[*fields, "saved_at"])
    if cuts is not None:
        recut(study=study, cuts=cuts)
    return study


def _is_resized(study: Study, fields: Mapping[str, Any]) -> bool:
    return any(getattr(study, name) != fields[name] for name in SIZES if name in fields)


def _check(study: Study, *, free_slug: bool = False) -> None:
    check_codecs(study.codecs)
    check_bpps(study.target_bpps if study.codecs else study.target_bpps or [1.0])
    check_listed(study.listed_pairs)
    check_preset(study.preset)
    check_crop(study, check_protocol(study.protocol))
    unchecked = ["codecs", "target_bpps", "protocol", "listed_pairs", "questionnaire"]
    # A slug that was free may be taken by now: the database decides when the row is saved.
    study.full_clean(exclude=[*unchecked, *["slug"] * free_slug])


def _checked_questions(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The questionnaire among a study's fields as it is stored, if it is among them."""
    return {name: checked_questionnaire(value) for name, value in fields.items() if name == "questionnaire"}


def check_protocol(rules: Mapping[str, Any]) -> Protocol:
    """The rules as values. Refuses unknown rules, values outside their limits, and contradictions."""
    try:
        protocol = Protocol.from_json(rules)
        protocol.require_consistent()
        return protocol
    except (ProtocolError, TypeError) as error:
        raise Refused(str(error)) from error


def check_crop(study: Study, rules: Protocol) -> None:
    """Refuses pictures that the study's smallest screen cannot hold in its layout. Raises ValidationError."""
    wrong = {}
    for name, side, most in zip(SIZES, ("width", "height"), largest_picture(rules), strict=True):
        if getattr(study, name) > most:
            wrong[name] = (
                f"At most {most} pixels fit the smallest screen in this layout. Use {most} or less, or "
                f"require a smallest screen of more {side} under Arrival."
            )
    if wrong:
        raise ValidationError(wrong)


def check_codecs(names: Iterable[str]) -> None:
    """Refuses unknown codecs and codecs that cannot run here."""
    try:
        codecs = [registry.get(name) for name in names]
    except (KeyError, CodecError) as error:
        raise Refused(str(error.args[0])) from error
    if long := [codec.name for codec in codecs if len(codec.name) > LONGEST_CODEC]:
        raise Refused(f"{long[0]} has more than {LONGEST_CODEC} characters. Use fewer options.")
    if faults := codec_faults(names):
        raise Refused(faults[0])


def pinned_codecs(names: Iterable[str]) -> list[str]:
    """The codecs with `tune=perceptual` as it is now: the promoted version by its hash, or stock; each once."""
    return list(dict.fromkeys(pinned(name) for name in names))


def check_bpps(target_bpps: Iterable[float]) -> None:
    """Refuses an empty list, repeats, and rates that no codec is used at."""
    rates = [round(rate, 4) for rate in target_bpps]  # as the database stores them
    if not rates or len(set(rates)) != len(rates) or not all(0.01 <= rate <= 24 for rate in rates):
        raise Refused(
            "Give one or more different bitrates between 0.01 and 24 bits per pixel, such as 0.23, 0.67."
        )


def check_preset(name: str) -> None:
    """Refuses an unknown preset; None is allowed."""
    if name and name not in PRESETS:
        raise Refused(f"There is no preset named {name!r}. There are {', '.join(PRESETS)}.")


def check_listed(lines: Iterable[Any]) -> None:
    """Refuses a list of pairs that cannot be read, with every fault."""
    try:
        listed_from_json(lines)
    except PairingError as error:
        raise Refused(str(error)) from error


def check_pairs(study: Study) -> None:
    """Refuses a study whose rules make no pair, or whose list of pairs names what it does not show."""
    if faults := pair_faults(study):
        raise StudyNotReady(" ".join(faults))


def free_slug(name: str, *, or_else: str = "study") -> str:
    """A slug that no study has, made from the name, or from `or_else` if that has no letters."""
    stem = slugify(name)[:50].rstrip("-") or or_else
    # A study called “new” would stand in the place of /studies/new/.
    taken = {"new", *Study.objects.filter(slug__startswith=stem).values_list("slug", flat=True)}
    candidates = [stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3))]
    return next(slug for slug in candidates if slug not in taken)


def open_study(*, study: Study, large_by_worker: bool = False) -> list[int]:
    """Freezes a draft, or resumes a paused study, and returns the reconstructions that are to be encoded.

    With `large_by_worker` a large study is left to the worker of `planning.unplanned_studies`; nothing is returned.
    """
    opened = _open(study)
    return [] if large_by_worker and not is_little(opened) else plan(study=opened)


@transaction.atomic
def _open(study: Study) -> Study:
    # no_key: an encoder that makes this study's triplets must not wait for us while we wait for its source.
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if study.state == Study.State.CLOSED:
        raise StudyFrozen(f"“{study}” is closed. Closed studies stay closed, so that their results stand.")
    if not study.sources.exists():
        raise StudyNotReady(f"“{study}” has no photographs yet. Add some before you open it.")
    check_codecs(study.codecs)
    check_pairs(study)
    if study.state == Study.State.DRAFT:
        study.codecs = pinned_codecs(study.codecs)
    study.state, study.unplanned = Study.State.OPEN, True
    study.opened_at = study.opened_at or timezone.now()
    study.save(update_fields=["state", "opened_at", "unplanned", "codecs"])
    return study


def pause_study(*, study: Study) -> None:
    """Gives out no more pairs; those already given out may still be answered."""
    if not Study.objects.filter(pk=study.pk, state=Study.State.OPEN).update(state=Study.State.PAUSED):
        raise StudyNotReady(f"“{study}” is not open, so it cannot be paused.")


def close_study(*, study: Study) -> None:
    """Ends the study for good."""
    closed = Study.objects.filter(pk=study.pk, state__in=[Study.State.OPEN, Study.State.PAUSED]).update(
        state=Study.State.CLOSED, closed_at=timezone.now()
    )
    if not closed:
        raise StudyNotReady(f"“{study}” is not open, so it cannot be closed.")


@transaction.atomic
def delete_draft(*, study: Study) -> None:
    """Deletes a draft for good; photographs and pictures that it shares with other studies stay."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    require_draft(study)
    study.delete()


def archive_study(*, study: Study, back: bool = False) -> bool:
    """Takes a closed study out of the list, or with `back` puts it into it again; whether it is archived now."""
    if study.state != Study.State.CLOSED:
        raise StudyNotReady(f"“{study}” is {study.state}: only a closed study can be archived.")
    Study.objects.filter(pk=study.pk).update(archived_at=None if back else timezone.now())
    return not back


def retry_failed(*, study: Study) -> list[int]:
    """Puts the study's failed reconstructions back in the queue; returns them."""
    failed = Reconstruction.objects.prepared_for(study).filter(state=Reconstruction.State.FAILED)
    pks = list(failed.values_list("pk", flat=True))
    Reconstruction.objects.filter(pk__in=pks).requeue()
    return pks
