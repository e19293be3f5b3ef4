"""The original as a side: nothing that is sent tells it from a reconstruction, before its pixels are decoded.

A script that knows the answer by a length, a header, an id or a place would answer every such pair right, blindly.
"""

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from django.test import Client

from annotation.core.protocol import Protocol
from annotation.models import Assignment, Reconstruction, Study
from annotation.services.encoding import encode_reconstruction
from annotation.services.studies import open_study
from imaging.png import chunks, decode_png
from tests.kit.factories import make_reconstruction, make_source, make_study, make_timing

pytestmark = pytest.mark.django_db
PHOTOGRAPHS, ANNOTATORS = 6, 8
# Of each request by itself.
OF_THE_REQUEST = {"x-request-id"}


@dataclass(frozen=True)
class Served:
    """A side or the middle of a pair as a client receives it; `is_original` is what it must not be able to know."""

    slot: str
    address: str
    content: bytes
    headers: dict[str, str]
    is_original: bool


@pytest.fixture
def study() -> Study:
    """Pairs of the original with a reconstruction and pairs of two reconstructions, of several photographs."""
    protocol = Protocol.bare().replace(pairs_with_original=True).to_json()
    study = make_study(
        state="draft",
        codecs=["jpeg", "webp"],
        target_bpps=[1.0],
        votes_per_triplet=ANNOTATORS,
        protocol=protocol,
    )
    for _ in range(PHOTOGRAPHS):
        source = make_source(study)
        own = make_reconstruction(
            source, origin=Reconstruction.Origin.OWN, method="mine", level=1, bpp=None, kind="own"
        )
        study.own_pictures.add(own)
    for pk in open_study(study=study):
        assert encode_reconstruction(pk=pk) == "done"
    return study


def post(client: Client, path: str, body: object) -> dict[str, object]:
    answer = client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")
    return dict(answer.json())


def pairs_of_annotator(client: Client, study: Study, *, number: int) -> Iterator[dict[str, object]]:
    """The pairs that one new annotator is given and answers, as the API sends them."""
    key = str(post(client, "sessions/", {"study": study.key})["key"])
    for _ in range(number):
        pair = post(client, f"sessions/{key}/next/", {"holding": []}).get("assignment")
        if not isinstance(pair, dict):
            return
        yield pair
        answer = {"assignment": pair["id"], "answer": "left", "timing": make_timing()}
        address, headers = f"/api/v1/judgments/{uuid.uuid4()}/", {"X-Closer-Session": key}
        assert client.put(address, json.dumps(answer), "application/json", headers=headers).status_code == 201


def serve(client: Client, pair: dict[str, object]) -> list[Served]:
    """The three pictures of a pair, and which side is the original."""
    row = Assignment.objects.select_related("triplet__first", "triplet__second").get(pk=str(pair["id"]))
    first, second = row.triplet.first, row.triplet.second
    left, right = (first, second) if row.first_on_left else (second, first)
    images = pair["images"]
    assert isinstance(images, dict)
    sides = {"left": left.condition.is_original, "right": right.condition.is_original, "original": False}
    served = []
    for slot, address in images.items():
        answer = client.get(address)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        kept = {name: value for name, value in headers.items() if name not in OF_THE_REQUEST}
        served.append(Served(slot, address, answer.content, kept, sides[slot]))
    return served


def is_with_original(pair: dict[str, object]) -> bool:
    triplet = Assignment.objects.get(pk=str(pair["id"])).triplet
    return triplet.first.condition.is_original or triplet.second.condition.is_original


@pytest.fixture
def pairs(client: Client, study: Study) -> list[dict[str, object]]:
    given = pairs_of_annotator(client, study, number=30)
    kinds: dict[bool, list[dict[str, object]]] = {True: [], False: []}
    while not min(len(kind) for kind in kinds.values()) >= 2:
        pair = next(given)
        kinds[is_with_original(pair)].append(pair)
    return [*kinds[True], *kinds[False]]


def test_lengths_and_headers_are_those_of_any_side(client: Client, pairs: list[dict[str, object]]) -> None:
    served = [one for pair in pairs for one in serve(client, pair)]
    assert any(one.is_original for one in served)
    assert len({len(one.content) for one in served}) == 1
    assert len({tuple(sorted(one.headers.items())) for one in served}) == 1
    shapes = {tuple((part.name, len(part.content)) for part in chunks(one.content)) for one in served}
    assert len(shapes) == 1


def test_it_is_another_file_than_the_original_in_the_middle(
    client: Client, pairs: list[dict[str, object]]
) -> None:
    for pair in filter(is_with_original, pairs):
        served = {one.slot: one for one in serve(client, pair)}
        (side,) = [one for one in served.values() if one.is_original]
        assert np.array_equal(decode_png(side.content), decode_png(served["original"].content))
        # As far from the middle as the other side's bytes are: no filter of a row, no block, no checksum is shared.
        assert side.content != served["original"].content
        middle = served["original"].content
        ends = {one.slot: one.content[-20:] for one in served.values()}
        assert len(set(ends.values())) == 3
        assert side.content[:41] == middle[:41]  # signature, header, and the length and name of the pixels


def test_ids_and_addresses_tell_nothing(client: Client, pairs: list[dict[str, object]]) -> None:
    for pair in pairs:
        addresses = {one.slot: one.address for one in serve(client, pair)}
        assert addresses == {slot: f"/api/v1/assignments/{pair['id']}/{slot}.png" for slot in addresses}
    kinds: dict[bool, set[tuple[str, ...]]] = {True: set(), False: set()}
    for pair in pairs:
        kinds[is_with_original(pair)].add(_fields(pair))
    assert len(kinds[True] | kinds[False]) == 1
    assert "origin" not in str([[key for key in pair if key != "images"] for pair in pairs])


def _fields(pair: dict[str, object]) -> tuple[str, ...]:
    """What is sent about a pair but its own id and addresses."""
    return tuple(f"{name}={value}" for name, value in sorted(pair.items()) if name not in OWN_OF_A_PAIR)


OWN_OF_A_PAIR = {"id", "images", "issued_at", "expires_at", "position"}


def test_it_stands_left_as_often_as_right_and_at_any_place(client: Client, study: Study) -> None:
    sides: Counter[str] = Counter()
    sequences = []
    for _ in range(ANNOTATORS):
        given = list(pairs_of_annotator(Client(), study, number=18))
        sequences.append([is_with_original(pair) for pair in given])
        for pair in filter(is_with_original, given):
            row = Assignment.objects.get(pk=str(pair["id"]))
            on_left = row.triplet.first.condition.is_original == row.first_on_left
            sides["left" if on_left else "right"] += 1
    assert min(sides.values()) >= 0.35 * sides.total() and sides.total() >= 20
    assert len({tuple(one) for one in sequences}) > 1
    # Neither all of one kind first, nor one after the other.
    changes = [sum(one != other for one, other in pairwise(sequence)) for sequence in sequences]
    assert any(1 < change < len(sequences[0]) - 1 for change in changes)
