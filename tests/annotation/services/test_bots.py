"""A program that looks at no pixel is right on sentinels as often as a coin, whatever else it goes by."""

import zlib
from collections.abc import Callable

import pytest
from django.test import Client

from annotation.core.damage import COARSE, DAMAGES, STRENGTHS, anchor_settings, damage
from annotation.core.protocol import Protocol
from annotation.models import Assignment, Study, Triplet
from annotation.services.encoding import encode_reconstruction
from annotation.services.studies import open_study
from tests.kit.factories import make_pixels, make_session, make_source, make_study

pytestmark = pytest.mark.django_db
SOURCES = 12
Files = dict[str, bytes]


def study_with_sentinels() -> Study:
    rules = Protocol.bare().replace(sentinel_percent=6.0).to_json()
    study = make_study(state=Study.State.DRAFT, codecs=["jpeg", "webp"], target_bpps=[1.5], protocol=rules)
    for _ in range(SOURCES):
        make_source(study)
    for pk in open_study(study=study):
        encode_reconstruction(pk=pk)
    return study


def shown(client: Client, study: Study) -> list[tuple[str, Files]]:
    """The right side of each sentinel, and what came over the wire."""
    session = make_session(study)
    result = []
    for number, triplet in enumerate(study.triplets.filter(role=Triplet.Role.SENTINEL).order_by("shuffle")):
        assignment = Assignment.objects.create(
            study=study, triplet=triplet, session=session, annotator=session.annotator, kind="sentinel",
            position=number, first_on_left=number % 2 == 0, expires_at="2099-01-01T00:00Z",
        )  # fmt: skip
        right = "left" if assignment.first_on_left == (triplet.known == Triplet.Known.FIRST) else "right"
        files = {
            slot: client.get(f"/api/v1/assignments/{assignment.pk}/{slot}.png").content
            for slot in ("left", "original", "right")
        }
        result.append((right, files))
    return result


def packed(file: bytes) -> int:
    return len(zlib.compress(file, 6))


def by(figure: Callable[[Files, str], float]) -> Callable[[Files], str]:
    """Answers the side of the higher figure; the left where they are equal, as a coin that fell."""
    return lambda files: max(("left", "right"), key=lambda side: figure(files, side))


BOTS = {
    "longer file": by(lambda files, side: len(files[side])),
    "more content": by(lambda files, side: packed(files[side])),
    "less content": by(lambda files, side: -packed(files[side])),
    "content like the original's": by(
        lambda files, side: -abs(packed(files[side]) - packed(files["original"]))
    ),
    "bytes like the original's": by(
        lambda files, side: sum(a == b for a, b in zip(files[side], files["original"], strict=True))
    ),
}


def test_no_figure_of_the_files_tells_the_worse_side(client: Client) -> None:
    pairs = shown(client, study_with_sentinels())
    assert len(pairs) >= 3 * SOURCES
    shares = {
        name: sum(bot(files) == right for right, files in pairs) / len(pairs) for name, bot in BOTS.items()
    }
    assert all(0.25 <= share <= 0.75 for share in shares.values()), shares


def test_anchors_are_of_many_kinds_and_follow_from_the_source() -> None:
    result = [anchor_settings(f"source {number}") for number in range(300)]
    assert result[7] == anchor_settings("source 7")
    assert {one[0] for one in result} == set(COARSE)
    assert {one[1:] for one in result} == {(name, strength) for name in DAMAGES for strength in STRENGTHS}


@pytest.mark.parametrize("method", DAMAGES)
def test_damage_is_plain_and_grows(method: str) -> None:
    pixels = make_pixels(3)
    errors = [
        float(((damage(pixels, method, strength).astype(float) - pixels) ** 2).mean())
        for strength in STRENGTHS
    ]
    assert errors == sorted(errors) and errors[0] > 200  # under 25 dB
