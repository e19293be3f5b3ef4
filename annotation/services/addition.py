"""A codec that joins a study after it was opened: new reconstructions and new pairs, nothing old changes."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from annotation.errors import Refused, StudyFrozen, StudyNotReady
from annotation.models import Study
from annotation.services.planning import is_little, plan
from annotation.services.studies import check_codecs
from codecs_zoo.site_metrics import pinned


def add_codec(
    *, study: Study, codec: str, by: User | None = None, large_by_worker: bool = False
) -> list[int]:
    """Adds `codec` to an open or paused study, records when, and returns the reconstructions to encode.

    The judgments so far keep their pairs; results before and after can be distinguished by the date. Refuses a
    draft, a closed or an imported study, a codec that is in it already or can't run here. `large_by_worker` is as when
    a study is opened.
    """
    added = _add(study, codec, by)
    return [] if large_by_worker and not is_little(added) else plan(study=added)


@transaction.atomic
def _add(study: Study, codec: str, by: User | None) -> Study:
    # no_key, as when a study is opened: an encoder that makes its triplets must not wait for us.
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    codec = pinned(codec)
    _check(study, codec)
    added_at = timezone.now().isoformat(timespec="seconds")
    study.codecs = [*study.codecs, codec]
    study.codecs_added = [
        *study.codecs_added,
        {"codec": codec, "at": added_at, "by": by.get_username() if by else ""},
    ]
    study.unplanned = True
    study.save(update_fields=["codecs", "codecs_added", "unplanned"])
    return study


def _check(study: Study, codec: str) -> None:
    if study.state == Study.State.DRAFT:
        raise StudyNotReady(f"“{study}” is still a draft: select {codec} among its codecs in the settings.")
    if study.state == Study.State.CLOSED:
        raise StudyFrozen(f"“{study}” is closed. Closed studies stay closed, so that their results stand.")
    if study.origin:
        raise StudyFrozen(
            f"“{study}” was imported: its reconstructions were made elsewhere, and none can be added."
        )
    if codec in study.codecs:
        raise Refused(f"{codec} is already in “{study}”.")
    check_codecs([*study.codecs, codec])
