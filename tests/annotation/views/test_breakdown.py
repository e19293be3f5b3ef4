"""The ranking in parts: by photograph, layout, pixel ratio and time, with and without exclusions."""

import csv
import io
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Judgment, Study
from annotation.reports.breakdown import Breakdown, Group, breakdown, in_words
from annotation.services.annotator_quality import exclude_by_hand
from annotation.services.members import share_results
from annotation.tasks import breakdown as task
from psychometrics.comparisons import Comparisons
from psychometrics.ranking import rank
from tests.kit.answers import record_judgment
from tests.kit.factories import (
    make_assignment,
    make_judged_study,
    make_session,
    make_source,
    make_study,
    make_timing,
    make_triplet,
    make_user,
)

pytestmark = pytest.mark.django_db


def study_of_two(people: int = 8) -> Study:
    """On ape webp always wins, on cat jpeg; one half of the people judge on a dense screen, fast, by key."""
    study = make_study(votes_per_triplet=people, target_bpps=[0.37])
    names = {
        make_triplet(study, source=make_source(study, name=name)).source_id: name for name in ("ape", "cat")
    }
    for person in range(people):
        session, dense = make_session(study), person % 2 == 0
        for _ in names:
            pair = make_assignment(session)
            best = "webp" if names[pair.triplet.source_id] == "ape" else "jpeg"
            record_judgment(
                session=session,
                judgment_id=uuid.uuid4(),
                assignment_id=pair.pk,
                answer="left" if pair.left.method == best else "right",
                timing=make_timing(
                    dpr=2.0 if dense else 1.0,
                    layout="toggle" if dense else "side",
                    answer=1700.0 if dense else 6000.0,
                    first_input=1700.0 if dense else 6000.0,
                ),
            )
    return study


def groups(result: Breakdown, name: str) -> dict[str, int]:
    cut = next((one for one in result.cuts if one.name == name), None)
    return {} if cut is None else {group.name: group.judgments for group in cut.groups}


def best_of(result: Breakdown, name: str, group: str) -> str:
    (one,) = (one for cut in result.cuts if cut.name == name for one in cut.groups if one.name == group)
    assert one.ranking is not None
    return str(one.ranking.names[one.ranking.order[0]])


def test_each_photograph_has_its_own_ranking() -> None:
    result = breakdown(study_of_two(), "people")
    assert groups(result, "photograph") == {"ape": 8, "cat": 8}
    assert (best_of(result, "photograph", "ape"), best_of(result, "photograph", "cat")) == ("webp", "jpeg")
    (cut,) = (cut for cut in result.cuts if cut.name == "photograph")
    assert "moves most: by " in cut.words


def test_what_moves_most_is_said_with_whether_its_interval_allows_for_it() -> None:
    def group(name: str, wins: int) -> Group:
        """So many of 20 answers of each of 12 people for a."""
        rows = [(0, 1, int(n >= wins), person, n) for person in range(12) for n in range(20)]
        first, second, outcome, who, what = map(list, zip(*rows, strict=True))
        return Group(
            name, 240, 12, rank(Comparisons.of_choices(["a", "b"], first, second, outcome, who, what))
        )

    whole, near, far = group("all", 12), group("near", 13), group("far", 18)
    words = in_words(whole, [near, far])
    assert "JND in “far”" in words
    assert "inside its 95 % interval" in in_words(whole, [near])
    assert in_words(Group("all", 0, 0, None, "no answers"), [near]) == "no answers"


def test_layouts_and_pixel_ratios_are_told_apart() -> None:
    result = breakdown(study_of_two(), "people")
    assert groups(result, "layout") == {"side by side": 8, "in one place by key": 8}
    assert groups(result, "pixel-ratio") == {"1": 8, "2": 8}


def test_answers_are_quartered_by_time_where_there_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_of_two()
    assert groups(breakdown(study, "people"), "response-time") == {}
    monkeypatch.setattr("annotation.reports.breakdown.FEWEST_FOR_TIMES", 16)
    for n, judgment in enumerate(Judgment.objects.order_by("pk")):
        Judgment.objects.filter(pk=judgment.pk).update(onset_ms=0, answer_ms=1000 * (n + 1))
    quarters = groups(breakdown(study, "people"), "response-time")
    assert list(quarters) == ["under 4.8 s", "4.8 to 8.5 s", "8.5 to 12.2 s", "over 12.2 s"]
    assert list(quarters.values()) == [4, 4, 4, 4]
    monkeypatch.setattr("annotation.reports.breakdown.FEWEST_FOR_TIMES", 12)
    for judgment in Judgment.objects.order_by("answer_ms")[:4]:  # as one that was imported without a time
        Judgment.objects.filter(pk=judgment.pk).update(answer_ms=0)
    groups_by_time = groups(breakdown(study, "people"), "response-time")
    assert groups_by_time == {
        "under 7.8 s": 3, "7.8 to 10.5 s": 3, "10.5 to 13.2 s": 3, "over 13.2 s": 3, "not recorded": 4,
    }  # fmt: skip


def test_exclusions_are_lifted_one_by_one() -> None:
    study = study_of_two()
    first, second = study.enrolments.order_by("pk")[:2]
    exclude_by_hand(enrolment=first, reason="asleep", by="owner")
    study.enrolments.filter(pk=second.pk).update(excluded_by="exclude_fast_over")
    result = breakdown(study, "people")
    assert result.judgments == 12
    shares = groups(result, "exclusion")
    assert (shares["as shown"], shares["nobody excluded"]) == (12, 16)
    assert shares["without the rule: by hand"] == 14
    assert [n for name, n in shares.items() if "under 600 ms" in name] == [14]
    assert groups(result, "photograph") == {"ape": 6, "cat": 6}  # the others count without them


def test_one_layout_alone_is_no_cut_and_programs_are_apart() -> None:
    study = make_judged_study(people=6, programs=4)
    result = breakdown(study, "people")
    assert {cut.name for cut in result.cuts} == {"photograph"}
    assert (result.judgments, breakdown(study, "simulated").judgments) == (24, 16)


def test_one_level_alone_can_be_looked_at(owner_client: Client) -> None:
    from tests.annotation.views.test_results import joined_study

    study = joined_study()
    at = Judgment.objects.filter(study=study, triplet__level=1).count()
    address = reverse("study-breakdown", args=[study.slug])
    assert owner_client.get(address, {"level": "1"}).context["breakdown"].judgments == at
    both = Judgment.objects.filter(study=study, triplet__level__isnull=False).count()
    assert owner_client.get(address, {"level": "seven"}).context["breakdown"].judgments == both
    file = reverse("study-figure", args=[study.slug, "by-photograph-at-1", "csv"])
    rows = list(csv.DictReader(io.StringIO(owner_client.get(file).content.decode())))
    assert sum(int(row["answers"]) for row in rows) == 2 * at  # a row for each of two methods


def test_the_page_shows_each_cut_with_its_files_and_the_photographs(owner_client: Client) -> None:
    study = study_of_two()
    page = owner_client.get(reverse("study-breakdown", args=[study.slug]))
    text = page.content.decode()
    for words in ("By photograph", "By layout", "By pixel ratio", "by-layout.svg", "data-flip-original"):
        assert words in text
    assert [card.group.name for card in page.context["cards"]] == ["ape", "cat"]
    assert "webp +" in page.context["cards"][0].order.split(",")[0]


def test_viewers_see_it_and_an_empty_study_says_what_will_come() -> None:
    client, study = Client(), make_study()
    client.force_login(make_user("viewer", viewer=study))
    page = client.get(reverse("study-breakdown", args=[study.slug]))
    assert page.status_code == 200 and "No judgments yet" in page.content.decode()


def test_a_large_study_is_cut_by_a_worker_once(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    study = study_of_two()
    monkeypatch.setattr("annotation.reports.breakdown.AT_ONCE", 0)
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr("annotation.tasks.breakdown.delay", lambda *given: sent.append(given))
    address = reverse("study-breakdown", args=[study.slug])
    with django_capture_on_commit_callbacks(execute=True):
        pages = [owner_client.get(address).content.decode() for _ in range(2)]
    assert sent == [(study.pk, "people", None, 16)] and all("being computed" in page for page in pages)
    task(*sent[0])
    assert owner_client.get(address).context["breakdown"].judgments == 16


def test_whoever_has_the_results_link_sees_the_parts_without_photographs(owner_client: Client) -> None:
    study = study_of_two()
    task(study.pk, "people", None, 16)
    link = share_results(study=study, by=make_user("ada", owner=study))
    address = reverse("shared-breakdown", args=[link.key])
    page = Client().get(address).content.decode()
    assert (
        "by-photograph" in page and reverse("shared-figure", args=[link.key, "by-photograph", "svg"]) in page
    )
    assert "/sources/" not in page and "/reconstructions/" not in page and "/studies/" not in page
    assert reverse("shared-results", args=[link.key]) in page
    assert "/sources/" in owner_client.get(reverse("study-breakdown", args=[study.slug])).content.decode()
    study.results_links.update(revoked_at=link.created_at)
    assert Client().get(address).status_code == 404
