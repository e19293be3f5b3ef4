"""One study's tabs: progress, people, pairs, snapshots, and its files."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.core.protocol import Protocol
from annotation.models import Judgment, Reconstruction, Session, Snapshot, Study
from annotation.models.stimulus import as_decimal
from tests.kit.factories import (
    make_judgment,
    make_png,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_triplet,
)

pytestmark = pytest.mark.django_db


def page_of(client: Client, name: str, study: Study, **query: Any) -> Any:
    return client.get(reverse(name, args=[study.slug]), query)


def judged_study(pairs: int = 3, **fields: Any) -> Study:
    """A study in which one person and one program judged every pair."""
    study = make_study(**fields)
    for _ in range(pairs):
        make_triplet(study)
    for simulated in (False, True):
        session = make_session(study, simulated=simulated)
        for _ in range(pairs):
            make_judgment(session)
    return study


def test_the_bars_count_people_and_programs_apart(owner_client: Client) -> None:
    study = judged_study(3, votes_per_triplet=4)
    status = page_of(owner_client, "study-status", study).json()
    assert status["state"] == "open"
    assert status["meters"]["encoded"]["done"] == 6
    judged = status["meters"]["judged"]
    assert (judged["done"], judged["total"]) == (3, 12)
    assert "3 simulated in addition" in judged["words"]
    assert "an hour" in judged["words"]
    assert status["meters"]["people"]["done"] == 1


def test_while_encoding_goes_on_the_goal_is_the_planned_one(owner_client: Client) -> None:
    study = make_study(votes_per_triplet=2)
    source = make_source(study)
    for codec in study.codecs:
        for bpp in study.target_bpps:
            make_reconstruction(source, method=codec, level=as_decimal(bpp), state="queued")
    meters = page_of(owner_client, "study-status", study).json()["meters"]
    assert meters["encoded"]["words"] == "0 of 4"
    assert meters["judged"]["total"] == 2 * 2


def test_the_table_says_what_is_made_and_judged(owner_client: Client) -> None:
    study = judged_study(2)
    table = dict(page_of(owner_client, "study", study).context["table"])
    at_037, at_1 = table["jpeg"]
    assert (at_037.done, at_037.by_people, at_037.simulated) == (2, 2, 2)
    assert (at_1.done, at_1.by_people) == (0, 0)


def test_what_failed_is_shown_with_its_error_and_can_be_tried_again(owner_client: Client) -> None:
    study = make_study()
    failed = make_reconstruction(make_source(study), state="failed", error="jpeg can't reach 0.37 <bpp>")
    page = page_of(owner_client, "study", study).content.decode()
    assert "jpeg can&#x27;t reach 0.37 &lt;bpp&gt;" in page
    owner_client.post(reverse("study-retry", args=[study.slug]))
    failed.refresh_from_db()
    assert (failed.state, failed.error) == (Reconstruction.State.QUEUED, "")


def test_a_failed_anchor_of_the_checks_is_shown_too(owner_client: Client) -> None:
    study = make_study(protocol=Protocol.bare().replace(sentinel_percent=5).to_json())
    make_reconstruction(
        make_source(study), origin="coarse", method="jpeg", level=0, state="failed", error="no anchor"
    )
    assert "no anchor" in page_of(owner_client, "study", study).text


@pytest.mark.parametrize(
    ("name", "tab", "how"),
    [
        ("study-people", "study-people", "page"),
        ("study-invitations", "study-people", "true"),
        ("study-reconciliation", "study-people", "true"),
    ],
)
def test_the_tab_that_a_page_belongs_to_is_marked(
    owner_client: Client, name: str, tab: str, how: str
) -> None:
    study = make_study()
    page = page_of(owner_client, name, study).text
    assert f'href="{reverse(tab, args=[study.slug])}" aria-current="{how}"' in page


def test_trying_again_with_nothing_failed_says_so(owner_client: Client) -> None:
    study = make_study()
    page = owner_client.post(reverse("study-retry", args=[study.slug]), follow=True)
    assert "nothing to retry" in page.content.decode()


def test_a_draft_says_which_splits_are_still_empty(owner_client: Client) -> None:
    study = make_study(state="draft")
    make_source(study)
    page = owner_client.get(reverse("study-setup", args=[study.slug, "review"])).content.decode()
    assert "do not cover all of train, val and test" in page


@pytest.mark.parametrize(("name", "most"), [("study", 18), ("study-people", 15), ("study-pairs", 10)])
def test_a_tab_costs_the_same_with_more_rows(
    owner_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries, name: str, most: int
) -> None:
    study = judged_study(8)
    for _ in range(4):
        make_judgment(make_session(study))
    make_reconstruction(make_source(study), state="failed", error="no")
    page_of(owner_client, name, study)  # figures of the ranking are computed once and kept
    with django_assert_max_num_queries(most):
        page_of(owner_client, name, study)


def test_a_simulated_annotator_has_a_badge(owner_client: Client) -> None:
    page = page_of(owner_client, "study-people", judged_study(1)).content.decode()
    assert page.count("badge-simulated") == 1


def test_people_come_a_page_at_a_time(owner_client: Client) -> None:
    study = make_study()
    for _ in range(51):
        make_session(study)
    first = page_of(owner_client, "study-people", study).context["page"]
    second = page_of(owner_client, "study-people", study, after=first.next).context["page"]
    seen = {person.id for person in first.rows} | {person.id for person in second.rows}
    assert (len(first.rows), len(second.rows), len(seen)) == (50, 1, 51)
    assert Session.objects.count() == 51


def test_pairs_come_a_page_at_a_time_with_their_votes(owner_client: Client) -> None:
    study = make_study()
    source = make_source(study)
    first = make_reconstruction(source, method="jpeg")
    for n in range(51):
        other = make_reconstruction(source, method="webp", level=as_decimal(0.37 + n / 100))
        make_triplet(study, source=source, first=first, second=other)
    make_judgment(make_session(study))
    make_judgment(make_session(study, simulated=True))
    page = page_of(owner_client, "study-pairs", study).context["page"]
    rest = page_of(owner_client, "study-pairs", study, after=page.next).context["page"]
    assert (len(page.rows), len(rest.rows), rest.next) == (50, 1, None)
    votes = [one for _, each in page.rows + rest.rows for one in each]
    assert sorted(one.simulated for one in votes) == [False, True]
    assert all(one.first + one.second == 1 for one in votes)


@pytest.mark.parametrize("after", ["x", "-1", "9" * 30, "", "99999999999999999"])
def test_a_page_that_nobody_linked_to_is_no_error(owner_client: Client, after: str) -> None:
    assert page_of(owner_client, "study-pairs", judged_study(1), after=after).status_code == 200


def test_a_snapshot_is_asked_for_once_there_is_enough(owner_client: Client) -> None:
    study = judged_study(1)
    address = reverse("study-snapshot", args=[study.slug])
    page = owner_client.post(
        address, follow=True, HTTP_REFERER=f"http://testserver{study.get_absolute_url()}"
    )
    assert "needs at least 20" in page.content.decode()
    for _ in range(21):
        make_triplet(study)
    session = make_session(study, simulated=True)
    for _ in range(21):
        make_judgment(session)
    owner_client.post(address, {"population": "simulated"})
    snapshot = Snapshot.objects.get()
    assert (snapshot.simulated, snapshot.state, snapshot.number) == (True, "queued", 1)
    page = page_of(owner_client, "study-snapshots", study).content.decode()
    assert "Snapshot 1" in page
    assert "badge-queued" in page


def test_an_unfinished_snapshot_cannot_be_downloaded(owner_client: Client) -> None:
    study = make_study()
    snapshot = Snapshot.objects.create(study=study, number=1, simulated=False, until=study.created_at)
    page = owner_client.get(reverse("snapshot-download", args=[snapshot.pk]), follow=True)
    assert "Try again when its state is done" in page.content.decode()


def test_judgments_as_csv(owner_client: Client) -> None:
    study = judged_study(2)
    Study.objects.filter(pk=study.pk).update(name="kept")
    study.uses.update(name="=cmd()")
    answer = page_of(owner_client, "study-judgments", study)
    text = b"".join(answer.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 4
    assert {row["simulated"] for row in rows} == {"True", "False"}
    # Keys have pseudonyms: as many of them, and none leads to a row.
    assert len({row["judgment"] for row in rows}) == 4 and len(rows[0]["judgment"]) == 16
    keys = Judgment.objects.values_list("pk", "annotator_id")
    assert not any(str(key) in text for row in keys for key in row)
    assert rows[0]["received_at"].endswith("+00:00")
    assert "'=cmd()" in {row["source"] for row in rows}
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{study.slug}-judgments.csv"'


def test_images_are_for_researchers_alone(client: Client, owner_client: Client) -> None:
    made = make_reconstruction()
    for name, pk in [("source-image", made.source_id), ("reconstruction-image", made.pk)]:
        address = reverse(name, args=[pk])
        assert client.get(address).status_code == 302
        answer = owner_client.get(address)
        assert b"".join(answer.streaming_content)[:8] == make_png()[:8]
        assert "private" in answer.headers["Cache-Control"]


def test_a_reconstruction_that_is_not_made_has_no_image(owner_client: Client) -> None:
    waiting = make_reconstruction(state="queued")
    assert owner_client.get(reverse("reconstruction-image", args=[waiting.pk])).status_code == 404


def test_a_snapshot_of_nothing_is_not_offered(owner_client: Client) -> None:
    study = make_study()
    make_triplet(study)
    assert "Snapshot of" not in page_of(owner_client, "study-snapshots", study).text
    make_judgment(make_session(study))
    assert "Snapshot of people’s judgments" in page_of(owner_client, "study-snapshots", study).text
