"""Every address and endpoint, for every role, a researcher who is no member, a stranger and a visitor."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotation.core.roles import ROLES, Reach
from annotation.models import Snapshot
from annotation.services.tokens import make_token
from metric.models import CodecTraining, TrainingRun
from tests.kit.factories import make_user

pytestmark = pytest.mark.django_db

PUBLIC, STAFF, SUPER, OTHER = "anybody", "any researcher", "superusers", "not ours"

# By the name of the address: what it needs. GET and POST both need it, where there are both.
NEEDED: dict[str, Reach | str] = {
    "home": PUBLIC, "login": PUBLIC, "logout": PUBLIC, "token": PUBLIC, "schema": PUBLIC, "join": PUBLIC,
    "judge": PUBLIC, "judge-step": PUBLIC, "judge-end": PUBLIC, "shared-results": PUBLIC,
    "password_reset": PUBLIC, "password_reset_done": PUBLIC, "password_reset_confirm": PUBLIC,
    "session-begin": PUBLIC, "assignment-next": PUBLIC, "judgment-submit": PUBLIC, "assignment-skip": PUBLIC,
    "assignment-image": PUBLIC,
    "help": STAFF, "help-page": STAFF, "help-picture": STAFF, "help-reference": STAFF,
    "study-list": STAFF, "study-new": STAFF, "metric-list": STAFF, "account": STAFF, "account-token": STAFF,
    "distance": STAFF, "distance-with-slash": STAFF, "preference": STAFF,
    "api-study-list": STAFF, "api-snapshot-list": STAFF, "api-metric-version-list": STAFF,
    "api-codec-training-list": STAFF, "api-training-run-list": STAFF,
    "account-invite": SUPER, "account-reset-link": SUPER,
    "api-plan": STAFF, "api-study-presets": STAFF, "api-study-import-answers": STAFF,
    "study-plan": Reach.DATA,
    "api-study-people": Reach.DATA, "api-study-person": Reach.RUN, "api-study-panel": Reach.RUN,
    "api-study-returned": Reach.RUN, "api-study-flags": Reach.DATA, "api-study-settle": Reach.RUN,
    "api-study-questionnaire": Reach.DATA,
    "study-annotator": Reach.DATA, "study-flags": Reach.DATA,
    "study-flag-settle": Reach.RUN, "study-pair-back": Reach.RUN, "study-panel": Reach.RUN,
    "study-panel-test": Reach.RUN, "study-panel-returned": Reach.RUN,
    "study-questionnaire": Reach.DATA, "study-questionnaire-save": Reach.RUN,
    "api-study-results": Reach.RESULTS,
    "study-figures": Reach.RESULTS, "study-figure": Reach.RESULTS, "study-paper-pack": Reach.DATA,
    "api-study-figures": Reach.RESULTS, "api-study-figure": Reach.RESULTS, "api-study-paper-pack": Reach.DATA,
    "study-pairs-csv": Reach.DATA, "study-gallery-csv": Reach.DATA,
    "study-breakdown": Reach.RESULTS, "source-thumbnail": Reach.RESULTS, "reconstruction-thumbnail": Reach.RESULTS,
    "api-study-pairs": Reach.DATA, "api-study-reconstructions": Reach.DATA, "api-study-known": Reach.RUN,
    "api-study-pair-back": Reach.RUN, "api-study-people-refresh": Reach.RUN,
    "shared-breakdown": PUBLIC, "shared-figures": PUBLIC, "shared-figure": PUBLIC,
    "study-results": Reach.RESULTS, "study-members": Reach.RESULTS, "source-image": Reach.RESULTS,
    "reconstruction-image": Reach.RESULTS, "api-study-detail": Reach.RESULTS,
    "study": Reach.DATA, "study-status": Reach.DATA, "study-people": Reach.DATA, "study-people-csv": Reach.DATA,
    "study-pairs": Reach.DATA, "study-gallery": Reach.DATA, "study-snapshots": Reach.DATA,
    "study-settings": Reach.DATA, "study-judgments": Reach.DATA, "study-snapshot": Reach.DATA,
    "snapshot-download": Reach.DATA, "api-snapshot-detail": Reach.DATA, "api-snapshot-archive": Reach.DATA,
    "training-run": Reach.DATA, "training-run-status": Reach.DATA, "metric-version": Reach.DATA,
    "metric-download": Reach.DATA, "metric-file": Reach.DATA, "codec-training": Reach.DATA,
    "codec-training-status": Reach.DATA, "codec-weights": Reach.DATA, "api-metric-version-detail": Reach.DATA,
    "api-codec-training-detail": Reach.DATA, "api-training-run-detail": Reach.DATA,
    "study-quality": Reach.RUN, "study-exclude": Reach.RUN, "study-take-back": Reach.RUN, "study-know": Reach.RUN,
    "study-invitations": Reach.RUN, "study-invitations-csv": Reach.RUN, "study-reconciliation": Reach.RUN,
    "study-open": Reach.RUN, "study-pause": Reach.RUN,
    "study-close": Reach.RUN, "study-add-codec": Reach.RUN, "study-retry": Reach.RUN, "metric-train": Reach.RUN,
    "training-run-cancel": Reach.RUN, "training-run-again": Reach.RUN, "codec-train": Reach.RUN,
    "codec-training-cancel": Reach.RUN, "codec-training-continue": Reach.RUN, "metric-back": Reach.RUN,
    "metric-stock": Reach.RUN, "api-metric-version-stock": Reach.RUN, "api-metric-version-back": Reach.RUN,
    "metric-schedule": Reach.RUN, "metric-promote": Reach.RUN, "api-metric-version-promote": Reach.RUN,
    "api-codec-training-cancel": Reach.RUN, "api-codec-training-resume": Reach.RUN,
    "api-training-run-cancel": Reach.RUN,
    "study-from-file": STAFF,
    "study-setup": Reach.RUN,
    "study-whole": Reach.DATA,
    **dict.fromkeys(
        ("study-preview", "study-preview-step", "study-preview-judge", "study-preview-end", "study-preview-next",
         "study-preview-judgment", "study-preview-skip", "study-preview-picture"), Reach.DATA,
    ),
    "study-copy": Reach.DATA,
    "study-file": Reach.DATA,
    "study-delete": Reach.OWN,
    "study-archive": Reach.OWN,
    "api-study-file": Reach.DATA,
    "api-study-progress": Reach.DATA, "api-study-photographs": Reach.RUN, "api-study-copy": Reach.DATA,
    "api-study-archive": Reach.OWN, "api-study-delete": Reach.OWN, "api-study-codecs": Reach.RUN,
    "api-study-retry": Reach.RUN, "api-study-judgments": Reach.DATA, "api-study-invitations": Reach.RUN,
    "api-study-members": Reach.RESULTS, "api-study-member-set": Reach.OWN, "api-study-share": Reach.OWN,
    "api-study-share-end": Reach.OWN,
    "api-study-pictures": Reach.RUN,
    "api-study-state": Reach.RUN,
    "study-member-set": Reach.OWN, "study-member-invite": Reach.OWN, "study-member-remove": Reach.OWN,
    "study-share": Reach.OWN, "study-share-end": Reach.OWN,
    "account-token-revoke": OTHER, "password_change": OTHER,
}  # fmt: skip


def named(patterns: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the site with its name, those of the admin apart."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from named(pattern.url_patterns, prefix)
        else:
            yield pattern.name or str(pattern.pattern), pattern


ADDRESSES = dict(named(get_resolver().url_patterns))


def test_every_address_says_what_it_needs() -> None:
    assert set(ADDRESSES) == set(NEEDED)


ROWS = {
    "study-whole": "source",
    "study-flag-settle": "triplet", "study-pair-back": "triplet",
    "study-know": "triplet", "source-image": "source", "reconstruction-image": "reconstruction",
    "source-thumbnail": "source", "reconstruction-thumbnail": "reconstruction",
    "snapshot-download": "snapshot", "metric-train": "snapshot", "api-snapshot-detail": "snapshot",
    "api-snapshot-archive": "snapshot", "training-run": "run", "training-run-status": "run",
    "training-run-cancel": "run", "training-run-again": "run", "api-training-run-detail": "run",
    "api-training-run-cancel": "run", "codec-training": "training", "codec-training-status": "training",
    "codec-training-cancel": "training", "codec-training-continue": "training", "codec-weights": "training",
    "api-codec-training-detail": "training", "api-codec-training-cancel": "training",
    "api-codec-training-resume": "training",
}  # fmt: skip


def address_of(name: str, world: dict[str, Any], someone: User) -> str:
    """The address of that name in this world."""
    pattern = ADDRESSES[name].pattern
    regex = getattr(pattern, "regex", None)
    wanted = list(pattern.converters) or list(regex.groupindex if regex else ())
    known = {
        "slug": world["slug"], "annotator": world["annotator"], "number": world["number"], "name": world["name"],
        "pair": world["triplet"],
        "user": someone.pk, "form": "svg", "kind": "crop", "pk": world.get(ROWS.get(name, ""), 1),
        "step": "review", "key": "preview-" + world["slug"], "position": 1, "slot": "left",
    }  # fmt: skip
    return reverse(name, kwargs={one: known[one] for one in wanted if one in known and one != "format"})


RESTRICTED = [name for name, need in NEEDED.items() if isinstance(need, Reach)]
# Whether a codec's weights or a picture that is not there exists is nobody's business: 404 for all.
ABSENT = {"codec-weights", "metric-file", "metric-download", "snapshot-download", "api-snapshot-archive",
          "study-whole"}  # fmt: skip


def answers(client: Client, address: str) -> set[int]:
    """The statuses of a look and of a change, without those of a method that the address does not take."""
    client.raise_request_exception = False
    kind = {"content_type": "application/json"} if address.startswith("/api/") else {}
    statuses = set()
    for response in (client.get(address), client.post(address, {}, **kind)):
        statuses.add(response.status_code)
        # close() would end the test's transaction too.
        for close in response._resource_closers:
            close()
    if statuses == {405}:
        statuses = {client.put(address, {}, content_type="application/json").status_code}
    return statuses - {405}


@pytest.mark.parametrize("name", RESTRICTED)
def test_a_role_reaches_so_far_and_no_farther(name: str, world: dict[str, Any]) -> None:
    need = NEEDED[name]
    for role, reach in ROLES.items():
        user = make_user(role, **{role: world["study"]})
        client = Client()
        client.force_login(user)
        result = answers(client, address_of(name, world, user))
        assert result, name
        if reach >= need:
            assert not result & ({401, 403, 404} - ({404, 500} if name in ABSENT else set())), (role, result)
        else:
            assert result <= {403, 404}, (role, result)


@pytest.mark.parametrize("name", RESTRICTED)
def test_a_researcher_who_is_no_member_finds_nothing_there(name: str, world: dict[str, Any]) -> None:
    outsider = make_user("outsider")
    client = Client()
    client.force_login(outsider)
    expected = (
        {403} if name.endswith(("-back", "-stock")) and "metric" in name else {404}
    )  # it names no study
    assert answers(client, address_of(name, world, outsider)) == expected


@pytest.mark.parametrize("name", [name for name, need in NEEDED.items() if need not in (PUBLIC, OTHER)])
def test_a_stranger_and_a_visitor_are_kept_out(name: str, world: dict[str, Any], stranger: User) -> None:
    client = Client()
    address = address_of(name, world, stranger)
    visitor = answers(client, address)
    assert visitor <= ({401} if name.startswith(("api-", "distance", "preference")) else {302})
    if visitor == {302}:
        assert (
            client.get(address).status_code == 405
            or reverse("login") in client.get(address).headers["Location"]
        )
    client.force_login(stranger)
    assert answers(client, address) == {403}


@pytest.mark.parametrize("name", [name for name, need in NEEDED.items() if need == SUPER])
def test_what_is_for_superusers_is_for_no_other(name: str, world: dict[str, Any]) -> None:
    user = make_user("somebody", owner=world["study"])
    client = Client()
    client.force_login(user)
    assert answers(client, address_of(name, world, user)) == {403}


LISTS = ["api-study-list", "api-snapshot-list", "api-metric-version-list", "api-codec-training-list",
         "api-training-run-list"]  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_lists_hold_what_one_is_a_member_of(name: str, world: dict[str, Any]) -> None:
    for user, count in ((make_user("outsider"), 0), (make_user("member", analyst=world["study"]), 1)):
        _, secret = make_token(user=user)
        page = Client().get(reverse(name), headers={"Authorization": f"Token {secret}"})
        assert len(page.json()["results"]) == count


@pytest.mark.parametrize("name", ["study-list", "metric-list"])
def test_pages_name_no_study_of_others(name: str, world: dict[str, Any]) -> None:
    for user, shown in ((make_user("outsider"), False), (make_user("member", analyst=world["study"]), True)):
        client = Client()
        client.force_login(user)
        page = client.get(reverse(name)).content.decode()
        assert (world["study"].name in page or f"{world['slug']}-1" in page) is shown


def test_a_snapshot_of_anothers_study_cannot_be_asked_for(world: dict[str, Any]) -> None:
    _, secret = make_token(user=make_user("outsider"))
    headers = {"Authorization": f"Token {secret}"}
    for name, body in (
        ("api-snapshot-list", {"study": world["slug"]}),
        ("api-training-run-list", {"snapshot": world["snapshot"]}),
        ("api-codec-training-list", {"version": world["number"], "codec": "checkerboard"}),
    ):
        answer = Client().post(reverse(name), body, content_type="application/json", headers=headers)
        assert answer.status_code in (400, 404), (name, answer.content)
    assert Snapshot.objects.count() == TrainingRun.objects.count() == CodecTraining.objects.count() == 1


def test_simulated_annotators_are_sent_by_those_who_run_the_study(world: dict[str, Any]) -> None:
    body = {"study": world["study"].key, "simulated": True}
    for user, status in (
        (make_user("outsider"), 403),
        (make_user("member", analyst=world["study"]), 403),
        (make_user("helper", editor=world["study"]), 201),
    ):
        headers = {"Authorization": f"Token {make_token(user=user)[1]}"}
        answered = Client().post(
            reverse("session-begin"), body, content_type="application/json", headers=headers
        )
        assert answered.status_code == status, answered.content


def test_the_admin_is_in_the_menu_of_superusers_alone(owner_client: Client, world: dict[str, Any]) -> None:
    client = Client()
    client.force_login(make_user("member", owner=world["study"]))
    assert reverse("admin:index") not in client.get(reverse("study-list")).content.decode()
    assert reverse("admin:index") in owner_client.get(reverse("study-list")).content.decode()
