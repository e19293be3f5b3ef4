"""What goes to the screen tells nothing but its pixels: no length, no equal bytes, no stored file."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client

from annotation.models import Assignment, Triplet
from annotation.services import pictures
from annotation.services.pictures import SLOTS, PixelCache, Turns, picture_bytes, read_stored
from imaging.pixels import pixels_sha256
from imaging.png import chunks, decode_png
from tests.kit.factories import (
    make_assignment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_triplet,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pictures, "_cache", PixelCache(2**20))
    yield


def idat(file: bytes) -> bytes:
    return b"".join(part.content for part in chunks(file) if part.name == b"IDAT")


def shown(assignment: Assignment) -> dict[str, bytes]:
    return {slot: picture_bytes(assignment.pk, slot) for slot in SLOTS}


def test_each_slot_has_its_pixels_and_the_same_bytes_at_every_call() -> None:
    assignment = make_assignment(make_session(make_triplet().study))
    files = shown(assignment)
    want = assignment.left.sha256, assignment.triplet.source.sha256, assignment.right.sha256
    assert tuple(pixels_sha256(decode_png(files[slot])) for slot in SLOTS) == want
    assert shown(assignment) == files
    assert len({len(file) for file in files.values()}) == 1


def test_the_sides_of_an_identical_pair_are_two_files() -> None:
    study = make_study()
    source = make_source(study)
    one = make_reconstruction(source)
    triplet = make_triplet(study, source=source, first=one, second=one, role=Triplet.Role.IDENTICAL)
    session = make_session(study)
    assignment = Assignment.objects.create(
        study=study, triplet=triplet, session=session, annotator=session.annotator, position=1,
        first_on_left=True, expires_at="2099-01-01T00:00Z",
    )  # fmt: skip
    files = shown(assignment)
    assert files["left"] != files["right"]
    assert (decode_png(files["left"]) == decode_png(files["right"])).all()
    # Not by a chunk that can be cut off: the rows themselves differ.
    data = [
        b"".join(part.content for part in chunks(files[side]) if part.name == b"IDAT")
        for side in ("left", "right")
    ]
    assert data[0] != data[1] and len(data[0]) == len(data[1])


def test_a_reconstruction_that_comes_again_cannot_be_told_by_its_bytes() -> None:
    study = make_study(votes_per_triplet=2)
    make_triplet(study)
    first, again = (shown(make_assignment(make_session(study))) for _ in range(2))
    assert not set(first.values()) & set(again.values())


def test_a_picture_is_read_once_and_forgotten_when_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(pictures, "read_stored", lambda name: read.append(name) or read_stored(name))
    source = make_source()
    size = decode_png(read_stored(source.image.name)).nbytes
    kept = PixelCache(3 * size)
    names = [source.image.name, *(make_source().image.name for _ in range(3))]
    for name in (names[0], names[0], names[1], names[2], names[3], names[3], names[0]):
        kept.pixels(name)
    assert read == [*names, names[0]]


@pytest.mark.parametrize("asked_first", SLOTS)
def test_the_first_request_reads_the_whole_pair_and_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch, asked_first: str
) -> None:
    """Time distinguished the side that had been read for an earlier pair from a check's, which is seldom shown."""
    read: list[str] = []
    monkeypatch.setattr(pictures, "read_stored", lambda name: read.append(name) or read_stored(name))
    assignment = make_assignment(make_session(make_triplet().study))
    picture_bytes(assignment.pk, asked_first)
    triplet = assignment.triplet
    names = {each.image.name for each in (triplet.first, triplet.second, triplet.source)}
    assert len(read) == 3 and set(read) == names
    shown(assignment)
    assert len(read) == 3


def test_of_pictures_too_large_to_be_kept_together_none_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = make_assignment(make_session(make_triplet().study))
    size = decode_png(picture_bytes(assignment.pk, "left")).nbytes
    read: list[str] = []
    monkeypatch.setattr(pictures, "read_stored", lambda name: read.append(name) or read_stored(name))
    monkeypatch.setattr(pictures, "_cache", PixelCache(3 * size - 1))
    for slot in (*SLOTS, *SLOTS):
        picture_bytes(assignment.pk, slot)
    assert len(read) == 6


@pytest.mark.parametrize("fails", [False, True])
def test_threads_that_need_a_picture_at_once_read_it_once(fails: bool) -> None:
    turns, calls, may_end = Turns[str](), [], threading.Event()

    def work() -> str:
        calls.append(1)
        assert may_end.wait(10)
        if fails:
            raise TimeoutError("no answer")
        return "pixels"

    with ThreadPoolExecutor(3) as pool:
        results = [pool.submit(turns.do, "a.png", work) for _ in range(3)]
        while pool._work_queue.qsize():
            time.sleep(0.001)
        time.sleep(0.02)  # the last one has been taken, and now waits for the first
        may_end.set()
        errors = [type(each.exception()) for each in results]
    assert errors == [TimeoutError if fails else type(None)] * 3
    assert len(calls) == 1
    if not fails:
        assert turns.do("a.png", lambda: "anew") == "anew"


class Bucket:
    """A store that reads whole files, and nothing else."""

    def read_whole(self, name: str) -> bytes:
        return name.encode()


def test_no_head_and_no_opening_where_the_store_reads_whole_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "default_storage", Bucket())
    assert read_stored("reconstructions/a.png") == b"reconstructions/a.png"


def test_a_store_that_is_away_is_asked_again_later(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = make_assignment(make_session(make_triplet().study))

    def away(name: str) -> bytes:
        raise TimeoutError("no answer")

    monkeypatch.setattr(pictures, "read_stored", away)
    answer = client.get(f"/api/v1/assignments/{assignment.pk}/left.png")
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (
        503,
        "store_away",
        "5",
    )


def test_nobody_on_the_way_may_compress_it(client: Client) -> None:
    """A file that was compressed on its way would be as long as its picture is busy."""
    assignment = make_assignment(make_session(make_triplet().study))
    answer = client.get(f"/api/v1/assignments/{assignment.pk}/left.png", headers={"Accept-Encoding": "gzip"})
    assert "no-transform" in answer.headers["Cache-Control"]
    assert "Content-Encoding" not in answer.headers
