"""A button pressed twice, and two researchers at once: each request does its work or says why it cannot."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from annotation.errors import DuplicatePhotograph, StudyFrozen
from annotation.models import Study
from annotation.services.sources import add_source, cut_source, take_source
from annotation.services.studies import create_study
from annotation.services.study_files import copy_study
from tests.kit.factories import make_pixels, make_png, make_study, make_user
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE, PNG = 4, make_png(1)


def upload(study: Study) -> str:
    try:
        return str(add_source(study=study, file=PNG, name="night.png"))
    except DuplicatePhotograph as refusal:
        return str(refusal)


def test_one_photograph_sent_several_times_at_once_is_added_once() -> None:
    study = make_study(state=Study.State.DRAFT)
    outcomes = at_once(*[lambda: upload(study)] * AT_ONCE)
    assert study.sources.count() == 1
    assert sum("already has" in outcome for outcome in outcomes) == AT_ONCE - 1


def new_study(owner: User) -> str:
    return create_study(name="Night", owner=owner, codecs=["jpeg"], target_bpps=[1.0]).slug


def copy(owner: User) -> str:
    return copy_study(
        study=Study.objects.get(slug="first"), owner=owner, panel_codes=False, name="Night"
    ).slug


@pytest.mark.parametrize("make", [new_study, copy])
def test_studies_of_one_name_made_at_once_have_addresses_of_their_own(make: Callable[[User], str]) -> None:
    owner = make_user()
    make_study(slug="first", name="First")
    slugs = at_once(*[lambda: make(owner)] * AT_ONCE)
    assert sorted(slugs) == ["night", "night-2", "night-3", "night-4"]


def test_a_study_opened_while_a_photograph_is_read_does_not_get_it() -> None:
    study = make_study(state=Study.State.DRAFT)
    source, _ = cut_source(study, make_pixels(1))
    Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN, opened_at=study.created_at)
    with pytest.raises(StudyFrozen):
        take_source(study, source, PNG, {"name": "night.png", "licence": "", "attribution": ""})
    assert not study.sources.exists()
