"""The client for notebooks: every step of a study by program, and what is refused is a Refusal with its sentence."""

import threading
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotation import api_people
from annotation.client import Closer, Refusal
from annotation.models import Assignment, Flag, Study
from annotation.services.flags import raise_flag
from annotation.services.tokens import make_token
from tests.kit.factories import make_judged_study, make_png, make_user

pytestmark = pytest.mark.django_db


def send(request: Request) -> BytesIO:
    """What urlopen does, by Django's test client."""
    parts = urlsplit(request.full_url)
    headers = dict(request.header_items())
    answer = Client().generic(
        request.get_method(),
        f"{parts.path}?{parts.query}",
        request.data or b"",
        content_type=headers.get("Content-type", ""),
        headers={"Authorization": headers["Authorization"]},
    )
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if answer.status_code >= 400:
        raise HTTPError(request.full_url, answer.status_code, "", Message(), BytesIO(content))
    return BytesIO(content)


def site_of(user: User) -> Closer:
    return Closer("http://testserver/", make_token(user=user, name="notebook", days=1)[1], send=send)


def test_a_draft_from_a_preset_is_filled_copied_and_deleted(owner: User, tmp_path: Path) -> None:
    closer = site_of(owner)
    study = closer.create("laboratory", "Six codecs", title="Pictures")
    photograph = tmp_path / 'sun"set.png'
    photograph.write_bytes(make_png(3))
    assert study.add_photograph(photograph, licence="CC BY 4.0")["width"] == 96
    row = Study.objects.get(slug=study.slug)
    assert (row.title, row.uses.get().licence) == ("Pictures", "CC BY 4.0")
    again = closer.create_from_file(study.save("file/", tmp_path / "study.toml"))
    copy = study.copy("Spare")
    assert {one["slug"] for one in closer.studies()} == {study.slug, again.slug, copy.slug}
    copy.delete()
    assert not Study.objects.filter(slug=copy.slug).exists()
    with pytest.raises(Refusal, match="to the archive|has no|closed|opened") as refusal:
        study.post("archive/", {"archived": True})
    assert (refusal.value.status, refusal.value.code) == (409, "study_not_ready")


def test_flags_are_read_from_all_pages(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_people, "FLAGGED_A_PAGE", 1)
    row = make_judged_study(people=1)
    row.memberships.create(user=owner, role="owner")
    for assignment in Assignment.objects.all()[:3]:
        raise_flag(assignment=assignment, cause="flagged", detail="")
    flagged = [one["pair"] for one in site_of(owner).study(row.slug).flags()]
    assert (
        flagged == sorted(Flag.objects.values_list("triplet", flat=True), reverse=True) and len(flagged) == 3
    )


def test_a_judged_study_is_read_and_paused(owner: User, tmp_path: Path) -> None:
    row = make_judged_study(people=6)
    row.memberships.create(user=owner, role="owner")
    study = site_of(owner).study(row.slug)
    assert study.progress()["state"] == "open"
    assert study.results()["judgments"] == 24
    name = study.figures()[0]["name"]
    assert study.save_figure(name, "svg", tmp_path / "a.svg").read_bytes().startswith(b"<svg")
    assert study.save_judgments(tmp_path / "j.csv").read_text().count("\n") == 25
    assert study.pause()["state"] == "paused" and study.open()["state"] == "open"


def test_the_figures_of_simulated_answers_are_listed_where_nobody_has_judged(
    owner: User, tmp_path: Path
) -> None:
    row = make_judged_study(people=0, programs=6)
    row.memberships.create(user=owner, role="owner")
    study = site_of(owner).study(row.slug)
    name = study.figures("simulated")[0]["name"]
    assert study.save_figure(name, "csv", tmp_path / "a.csv", population="simulated").stat().st_size
    with pytest.raises(Refusal, match="no judgments by people yet"):
        study.figures()


def test_what_is_not_theirs_is_refused_in_words() -> None:
    study = site_of(make_user("stranger")).study(make_judged_study(people=1).slug)
    with pytest.raises(Refusal, match="There is no such study, or you have no access to it") as refusal:
        study.get()
    assert (refusal.value.status, refusal.value.code) == (404, "not_found")


@pytest.fixture
def redirecting() -> Iterator[tuple[str, list[str]]]:
    """A site that redirects every address to one of its own, and the paths that were requested."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/elsewhere/")
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *words: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()
        thread.join()


def test_no_redirect_is_followed_with_the_token(redirecting: tuple[str, list[str]]) -> None:
    site, paths = redirecting
    closer = Closer(site, "secret")
    with pytest.raises(Refusal, match="redirects to /elsewhere/: use that address") as refusal:
        closer.create("laboratory", "Six codecs")
    assert refusal.value.status == 302
    with pytest.raises(Refusal, match="redirects"):
        closer.studies()
    assert paths == ["/api/v1/studies/", "/api/v1/studies/"]
