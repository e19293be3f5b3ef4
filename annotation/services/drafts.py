"""Checks for changes that only a draft allows."""

from annotation.errors import StudyFrozen
from annotation.models import Study


def require_draft(study: Study) -> None:
    """Refuses once the study was opened."""
    if study.state != Study.State.DRAFT:
        raise StudyFrozen(
            f"“{study}” was opened on {study.opened_at:%Y-%m-%d} and can no longer change. Create a new "
            f"study to ask something else."
        )
