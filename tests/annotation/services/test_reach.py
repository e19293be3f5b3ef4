"""Which bitrates codecs reach on a draft's photographs, measured before it is opened."""

import pytest

from annotation.models import CodecReach, Study
from annotation.reports.reach import study_reach
from annotation.reports.readiness import readiness_findings
from annotation.services.encoding import read_pixels
from annotation.services.reach import measure_reach, request_reach
from codecs_zoo import rate, registry
from tests.kit.factories import make_source, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft() -> Study:
    study = make_study(state="draft", codecs=["jpeg"], target_bpps=[0.02, 1.0])
    make_source(study, name="a")
    make_source(study, name="b")
    return study


def measured(study: Study) -> None:
    for pk in request_reach(study=study):
        assert measure_reach(pk=pk) == "done"


def test_the_ends_of_the_knob_are_measured_once(draft: Study) -> None:
    measured(draft)
    assert request_reach(study=draft) == []
    row = CodecReach.objects.first()
    assert row is not None and row.lowest_bpp is not None and row.highest_bpp is not None
    assert 0.02 * 1.1 < row.lowest_bpp < 1.0 < row.highest_bpp


def test_what_waits_for_a_worker_is_not_sent_again(draft: Study) -> None:
    first = request_reach(study=draft)
    assert len(first) == 2
    assert request_reach(study=draft) == []
    added = make_source(draft, name="c")
    assert request_reach(study=draft) == list(added.reaches.values_list("pk", flat=True))
    assert CodecReach.objects.count() == 3


def test_the_table_says_on_which_photographs_a_bitrate_is_missed(draft: Study) -> None:
    assert [row.measured for row in study_reach(draft)] == [0]
    waiting = request_reach(study=draft)
    assert study_reach(draft)[0].pending == 2
    for pk in waiting:
        measure_reach(pk=pk)
    row = study_reach(draft)[0]
    assert row.cells == [("0.02", 0, 2), ("1.00", 2, 2)]
    assert row.missed == {0.02: ["a", "b"], 1.0: []}
    words = [one.words for one in readiness_findings(draft) if "cannot reach" in one.words]
    assert len(words) == 1 and "jpeg cannot reach 0.02 bpp on 2 of 2" in words[0]
    assert [one.blocks for one in readiness_findings(draft) if "cannot reach" in one.words] == [False]


def test_codecs_stand_in_the_order_of_every_table(draft: Study) -> None:
    draft.codecs = ["webp", "avif", "jpeg"]
    assert [row.codec for row in study_reach(draft)] == ["avif", "jpeg", "webp"]


def test_the_table_agrees_with_the_encoder(draft: Study) -> None:
    measured(draft)
    source = draft.sources.first()
    assert source is not None
    pixels, codec = read_pixels(source.image), registry.get("jpeg")
    low, high = rate.ends(codec, pixels)
    for target in (low * 0.85, low * 0.95, low * 1.5, high * 1.05, high * 1.2):
        try:
            rate.encode_to_bpp(codec, pixels, target)
        except rate.RateError:
            reached = False
        else:
            reached = True
        assert rate.within_reach(target, low, high) is reached, target


def test_a_codec_that_searches_for_minutes_is_passed_over(draft: Study) -> None:
    Study.objects.filter(pk=draft.pk).update(codecs=["vvc-intra"])
    draft.refresh_from_db()
    assert request_reach(study=draft) == []
