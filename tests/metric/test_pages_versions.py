"""The metric's pages: the versions, a model card, promotion, the report that stands alone."""

import hashlib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from config.run.circle.stages import agrees_with_promoted, write_report
from metric.models import MetricVersion
from metric.services.promotion import promote_version
from metric.templatetags.evaluation import evaluation_words
from tests.kit.factories import make_triplet, make_user
from tests.metric.versions import make_evaluation, make_row, make_run, make_snapshot, make_version

pytestmark = pytest.mark.django_db


def test_without_a_version_the_page_says_what_to_do(owner_client: Client) -> None:
    page = owner_client.get(reverse("metric-list")).content.decode()
    assert "No version yet" in page
    assert "First create a snapshot of a study" in page
    assert page.count("button-primary") == 1


def test_versions_stand_in_a_timeline_with_the_one_in_use_marked(owner_client: Client, owner: User) -> None:
    first, second = make_version(), make_version()
    owner_client.post(reverse("metric-promote", args=[first.number]), {"reason": "agrees best"})
    page = owner_client.get(reverse("metric-list")).content.decode()
    assert page.count('class="is-promoted"') == 1
    timeline = page[page.index('class="timeline"') :]
    assert timeline.index(second.get_absolute_url()) < timeline.index(first.get_absolute_url())
    assert "agrees best" in page
    assert "Version 1 is in use" in page


def test_the_list_costs_the_same_with_more_versions(
    owner_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(8):
        make_version()
    with django_assert_max_num_queries(9):
        owner_client.get(reverse("metric-list"))


def test_a_version_shows_its_whole_evaluation(owner_client: Client) -> None:
    page = owner_client.get(make_version().get_absolute_url()).content.decode()
    assert "The new version agrees with 72.4 % of votes by people (69.4 to 75.4)." in page
    assert "+2.4 points (+0.3 to +4.5), better: the interval is above zero." in page
    assert "unavailable: its weights are not here" in page
    assert "classical-classical" in page
    assert "0.37 bpp" in page
    assert "badge-simulated" not in page
    assert " style=" not in page


def test_a_simulated_version_says_so_and_calls_nobody_people(owner_client: Client) -> None:
    version = make_version(make_run(make_snapshot(simulated=True)))
    page = owner_client.get(version.get_absolute_url()).content.decode()
    assert "SIMULATED" in page
    assert "badge-simulated" in page
    assert "Simulated: one with another" in page
    assert "votes by people" not in page


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (
            {"mean": 0.01, "low": -0.01, "high": 0.03},
            "+1.0 points (−1.0 to +3.0), no significant difference.",
        ),
        (
            {"mean": -0.02, "low": -0.03, "high": -0.01},
            "−2.0 points (−3.0 to −1.0), worse: the interval is below zero.",
        ),
        ({"mean": 0.02, "low": None, "high": None}, "+2.0 points, without an interval."),
    ],
)
def test_words_claim_no_more_than_the_interval(difference: dict[str, float | None], words: str) -> None:
    assert words in evaluation_words(make_evaluation(difference_to_promoted=difference))


def test_a_version_that_could_not_be_scored_is_no_error(owner_client: Client) -> None:
    evaluation = make_evaluation(score=None, low=None, high=None, available=False, reason="no pictures")
    page = owner_client.get(make_version(evaluation=evaluation).get_absolute_url()).content.decode()
    assert "could not be scored" in page


def test_promotion_by_hand_keeps_who_and_why(owner_client: Client, owner: User) -> None:
    version = make_version()
    page = owner_client.post(
        reverse("metric-promote", args=[1]), {"reason": " better on faces "}, follow=True
    )
    version.refresh_from_db()
    assert (version.promoted, version.promotion_reason, version.promoted_by) == (
        True,
        "better on faces",
        owner,
    )
    assert "Version 1 is in use now." in page.content.decode()


def test_promotion_without_a_reason_is_refused(owner_client: Client) -> None:
    version = make_version()
    page = owner_client.post(
        reverse("metric-promote", args=[1]),
        {"reason": " "},
        follow=True,
        HTTP_REFERER="http://testserver/metric/",
    )
    assert "Give a reason" in page.content.decode()
    assert not MetricVersion.objects.get(pk=version.pk).promoted


def test_a_version_can_be_downloaded(owner_client: Client) -> None:
    make_version()
    answer = owner_client.get(reverse("metric-download", args=[1]))
    assert b"".join(answer.streaming_content) == b"PK not really"
    assert "closer-metric-1.zip" in answer.headers["Content-Disposition"]


def test_the_report_stands_alone(tmp_path: Path) -> None:
    version = make_version()
    write_report(study=version.run.snapshot.study, version=version, path=tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "The new version agrees with 72.4 %" in page
    assert "<link" not in page
    assert "src=" not in page
    svg = page[page.index("<svg") : page.index("</svg>") + 6]
    assert ElementTree.fromstring(svg) is not None


@pytest.mark.parametrize("name", ["metric-version", "metric-download"])
def test_an_unknown_version_is_not_found(owner_client: Client, name: str) -> None:
    assert owner_client.get(reverse(name, args=[7])).status_code == 404


@pytest.mark.parametrize(
    "address", ["/metric/", "/metric/versions/1/", "/metric/runs/1/", "/metric/runs/1/status.json"]
)
def test_only_researchers_see_the_metric(client: Client, stranger: User, address: str) -> None:
    assert client.get(address).headers["Location"].startswith(reverse("login"))
    client.force_login(stranger)
    assert client.get(address).status_code == 403


def test_going_back_puts_the_version_before_to_use_and_says_why(owner_client: Client, owner: User) -> None:
    first, second = make_version(), make_version()
    assert "Return to" not in owner_client.get(reverse("metric-list")).content.decode()
    for version in (first, second):
        owner_client.post(reverse("metric-promote", args=[version.number]), {"reason": "agrees best"})
    assert "Return to" in owner_client.get(reverse("metric-list")).content.decode()
    owner_client.post(reverse("metric-back"), {"reason": " "})
    assert MetricVersion.objects.get(promoted=True) == second
    owner_client.post(reverse("metric-back"), {"reason": "worse on portraits"})
    first.refresh_from_db()
    assert first.promoted
    assert first.promotion_reason == "back from version 2: worse on portraits"


def test_stock_lpips_is_one_button_away(owner_client: Client) -> None:
    promote_version(version=make_version(), reason="the first")
    assert "Return to stock LPIPS" in owner_client.get(reverse("metric-list")).content.decode()
    owner_client.post(reverse("metric-stock"), {"reason": "it fails on faces"})
    version = MetricVersion.objects.get()
    assert (version.promoted, version.promotion_reason) == (False, "taken out of use: it fails on faces")
    page = owner_client.get(reverse("metric-list")).content.decode()
    assert "Return to stock LPIPS" not in page and "No version is in use: stock LPIPS is." in page


def test_a_version_in_use_that_one_may_not_see_is_not_denied() -> None:
    promote_version(version=make_version(), reason="the first")
    client = Client()
    client.force_login(make_user("outsider"))
    page = client.get(reverse("metric-list")).content.decode()
    assert "was trained on a study that you have no access to" in page and "Version 1" not in page


def test_without_a_version_before_there_is_no_way_back(owner_client: Client) -> None:
    page = owner_client.post(reverse("metric-back"), {"reason": "so"}, follow=True).content.decode()
    assert "no earlier version to return to" in page


def test_calibration_votes_and_pairs_are_shown_where_they_are_known(owner_client: Client) -> None:
    triplet = make_triplet()
    bins = [{"stated": 0.62, "seen": 0.55, "n_votes": 40}, {"stated": 0.9, "seen": 0.8, "n_votes": 60}]
    groups = {name: {"score": 0.7, "low": None, "high": None} for name in ("3-4", "1")}
    evaluation = make_evaluation(calibration=bins, by_votes=groups, score_where_known=0.618)
    evaluation["disagreements"] = [
        {"n_p0": 4, "n_p1": 1, "n_tie": 0, "chance": 0.9, "triplet": triplet.pk, "p0_is_first": False},
        {"n_p0": 4, "n_p1": 1, "n_tie": 0, "chance": 0.9, "triplet": None, "p0_is_first": None},
    ]
    page = owner_client.get(make_version(evaluation=evaluation).get_absolute_url()).content.decode()
    assert "The metric is overconfident: where it predicts 90 %, about 80 % of votes agree." in page
    assert "1 vote<" in page
    assert "two rows of people are computed from pairs with two or more votes" in page
    assert "On pairs with two or more votes</th>" in page and '<td class="num">61.8</td>' in page
    assert "the new version agrees with 61.8 % of the votes on these" in page
    assert page.count("the version predicted") == 1
    assert "on the right,\n        was chosen 4 of 5 times; the version predicted 10\xa0%" in page
    assert page.index("1 vote<") < page.index("3-4 votes<")
    assert " style=" not in page


def test_what_it_was_held_against_and_what_came_of_it_is_said(owner_client: Client) -> None:
    gained = {"difference_to_promoted": {"mean": 0.01, "low": -0.01, "high": 0.03}}
    evaluation = make_evaluation(**gained)
    evaluation["decision"] = {"held_against": 7, "outcome": "not promoted: version 8 came into use"}
    evaluation["rows"].insert(0, make_row("promoted", "promoted", 0.7))
    page = owner_client.get(make_version(evaluation=evaluation).get_absolute_url()).content.decode()
    assert "Against version 7<" in page
    assert ">Version 7, in use at that time<" in page
    assert "Not promoted: version 8 came into use." in page
    without = owner_client.get(make_version().get_absolute_url()).content.decode()
    assert "Against version" not in without
    assert "Against the version" not in without


def test_files_of_a_version_one_by_one(owner_client: Client, version_on_disk: MetricVersion) -> None:
    page = owner_client.get(version_on_disk.get_absolute_url()).content.decode()
    for name in ("heads.pth", "metric.safetensors", "MODEL_CARD.md"):
        address = reverse("metric-file", args=[version_on_disk.number, name])
        assert address in page
    answer = owner_client.get(reverse("metric-file", args=[version_on_disk.number, "settings.json"]))
    assert b"".join(answer) == b"{}"  # type: ignore[arg-type]
    for name in ("MODEL_CARD.md", "../manifest.json", "log.jsonl"):
        address = f"/metric/versions/{version_on_disk.number}/files/{name}"
        assert owner_client.get(address).status_code in (302, 404)


@pytest.fixture
def version_on_disk(settings: Settings) -> MetricVersion:
    """A version whose folder is on this machine; it was made before there were model cards."""
    version = make_version()
    folder = Path(settings.VAR_DIR) / "metric" / "versions" / str(version.number)
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text("{}")
    (folder / "manifest.json").write_text("{}")
    version.manifest |= {"files": {"heads.pth": "", "metric.safetensors": "", "settings.json": ""}}
    version.sha256 = hashlib.sha256(b"{}").hexdigest()
    version.save()
    return version


def test_the_circle_knows_a_version_that_decides_as_the_promoted_one_does() -> None:
    for low, same in ((0.0, True), (-0.1, False), (None, False)):
        difference = {"mean": 0.0, "low": low, "high": 0.0}
        assert agrees_with_promoted(make_evaluation(difference_to_promoted=difference)) == same
    assert not agrees_with_promoted(make_evaluation())
