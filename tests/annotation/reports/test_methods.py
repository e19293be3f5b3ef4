"""The methods of a study: what they were tuned on is said on the results, in the gallery and in the paper pack."""

import io
import re
import zipfile
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.core.annotator_quality import BY_HAND, RETURNED, RULES
from annotation.core.protocol import Protocol
from annotation.models import Annotator, Enrolment, Judgment, Study, Triplet
from annotation.reports.methods import method_facts, methods_exhibit
from annotation.reports.methods_text import methods_text
from annotation.reports.results import cached_results
from codecs_zoo import registry
from tests.kit.factories import (
    make_judgment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_triplet,
)

pytestmark = pytest.mark.django_db
TUNED = "avif@tune=psnr"


@pytest.fixture
def study() -> Study:
    study = make_study(codecs=["jpeg", TUNED], target_bpps=[0.37])
    source = make_source(study)
    settings = registry.get(TUNED).complete_settings({"quantizer": 30.0})
    jpeg = make_reconstruction(source, method="jpeg")
    tuned = make_reconstruction(source, method=TUNED, operating_point=settings, codec_version="1.2")
    make_triplet(study, source=source, first=jpeg, second=tuned)
    return study


def test_a_method_names_its_version_and_what_it_was_tuned_on(study: Study) -> None:
    tuned, plain = method_facts(study)
    assert (tuned.name, tuned.versions, tuned.tuned_on) == (TUNED, ("1.2",), ("psnr",))
    assert (plain.name, plain.tuned_on) == ("jpeg", ())
    assert [(row[0], row[3]) for row in methods_exhibit(study).table.rows] == [
        (TUNED, "psnr"),
        ("jpeg", None),
    ]


def test_a_codec_that_is_not_here_any_more_is_tuned_on_nothing_known(study: Study) -> None:
    study.codecs = ["gone"]
    make_reconstruction(study.sources.get(), method="gone", operating_point={"q": 1})
    assert method_facts(study)[0].tuned_on == ()


def test_pages_and_the_paper_pack_say_it(study: Study, owner_client: Client) -> None:
    make_judgment(make_session(study))
    words = f"{TUNED} was tuned on psnr."
    for name in ("study-results", "study-gallery"):
        assert words in owner_client.get(reverse(name, args=[study.slug])).content.decode()
    answer = owner_client.get(reverse("study-paper-pack", args=[study.slug]))
    pack = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    files = {name.partition("/")[2]: name for name in pack.namelist()}
    assert words in pack.read(files["methods.txt"]).decode()
    assert f"{TUNED},codec,1.2,psnr" in pack.read(files["tables/methods.csv"]).decode()
    assert "tables/methods" in pack.read(files["paper.tex"]).decode()


def test_nothing_is_said_where_nothing_was_tuned(owner_client: Client) -> None:
    study = make_study()
    make_triplet(study)
    make_judgment(make_session(study))
    assert (
        "was tuned on" not in owner_client.get(reverse("study-results", args=[study.slug])).content.decode()
    )


def test_the_paragraph_names_the_checks_on_arrival_and_who_failed_them() -> None:
    rules = Protocol(
        screen_check="require",
        brightness="record",
        colour_vision="require",
        acuity="skip",
        panel="prolific",
        training_pairs=0,
        training_pass=0,
        warm_up=0,
    )
    study = make_study(protocol=rules.to_json())
    make_triplet(study)
    make_judgment(make_session(study))
    failed = Enrolment.objects.create(study=study, annotator=Annotator.objects.create())
    Enrolment.objects.filter(pk=failed.pk).update(screened_out_by="colour_vision")
    results = cached_results(study, "people", 1)
    assert results
    text = " ".join(methods_text(study, results))
    assert "these checks had to be passed: screen size and colour vision." in text
    assert "Recorded without a limit: brightness." in text and "near acuity" not in text
    assert "1 person failed a required check and was not admitted." in text
    assert "recruited on Prolific." in text


def test_answers_of_one_day_were_collected_on_it() -> None:
    study = make_study()
    for _ in range(2):
        make_triplet(study, source=make_source(study))
    session = make_session(study)
    make_judgment(session)
    results = cached_results(study, "people", 1)
    assert results is not None
    day = f"{timezone.now():%Y-%m-%d}"
    assert f"They were collected on {day}." in " ".join(methods_text(study, results))
    make_judgment(session)
    Judgment.objects.filter(pk=Judgment.objects.latest("pk").pk).update(
        received_at=timezone.now() - timedelta(days=2)
    )
    text = " ".join(methods_text(study, results))
    assert f"to {day}." in text and "collected from" in text


def test_the_paragraph_counts_the_pairs_that_were_excluded_by_hand() -> None:
    study = make_study()
    pairs = [make_triplet(study, source=make_source(study)) for _ in range(3)]
    make_judgment(make_session(study))
    results = cached_results(study, "people", 1)
    assert results is not None
    assert "excluded" not in " ".join(methods_text(study, results))
    for number, words in enumerate(("1 pair was excluded by hand", "2 pairs were excluded by hand")):
        Triplet.objects.filter(pk=pairs[number].pk).update(role=Triplet.Role.EXCLUDED)
        assert words in " ".join(methods_text(study, results))


@pytest.mark.parametrize("layout", ["side", "toggle", "flicker"])
def test_no_sentence_of_the_paragraph_stays_english_in_another_language(layout: str) -> None:
    rules = Protocol(
        layout=layout, brightness="record", golden_percent=5, original_switches=2, panel="prolific"
    )
    study = make_study(question="?", allow_ties=True)
    for _ in range(2):
        make_triplet(study, source=make_source(study))
    session = make_session(study)
    make_judgment(session)
    for reason in (*RULES, BY_HAND, RETURNED):
        away = Enrolment.objects.create(study=study, annotator=Annotator.objects.create())
        Enrolment.objects.filter(pk=away.pk).update(excluded_by=reason)
    results = cached_results(study, "people", 1)
    assert results is not None
    Triplet.objects.filter(study=study).update(role=Triplet.Role.EXCLUDED)
    study.language, study.protocol = "zh-hans", rules.to_json()
    text = " ".join(methods_text(study, results))
    assert re.findall(r"[a-z]+ [a-z]+ [a-z]+", text.replace("made for a test", "")) == []
    assert not re.search(r", |under|returned|by hand", text)
