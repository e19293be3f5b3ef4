"""Rows for tests: `make_triplet()` builds a triplet with all that it stands on, and each takes overrides."""

import hashlib
import itertools
import uuid
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.utils import timezone

from annotation.core.protocol import Protocol
from annotation.core.splits import assign_split
from annotation.models import (
    Annotator,
    Assignment,
    Enrolment,
    Judgment,
    Membership,
    Reconstruction,
    Session,
    Source,
    Study,
    Triplet,
)
from annotation.models.stimulus import as_decimal
from annotation.services.claims import NoPair
from codecs_zoo.contract import Pixels
from imaging.pixels import pixels_sha256
from imaging.png import encode_png
from tests.kit.answers import claim_next, record_judgment
from tests.kit.timing import browser_timing

_numbers = itertools.count(1)

# Two photographs to train on, and one each to choose and to test by.
SPLITS_OF_FOUR = ("train", "train", "val", "test")


def make_pixels(seed: int = 0, *, width: int = 96, height: int = 80) -> Pixels:
    """A smooth picture with some noise: small, and no two seeds alike."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 100 * np.sin(x / random.uniform(5, 25) + y / random.uniform(5, 25)) for _ in range(3)]
    noisy = np.stack(waves, axis=-1) + random.normal(0, 6, (height, width, 3))
    return noisy.clip(0, 255).astype(np.uint8)


def make_png(seed: int = 0, **size: int) -> bytes:
    """The bytes of a photograph that can be uploaded."""
    return encode_png(make_pixels(seed, **size))


def make_user(
    username: str = "owner", *, staff: bool = True, superuser: bool = False, **roles: Study
) -> User:
    """Somebody who can log in; `roles` name the studies that they are a member of: editor=study."""
    user = User.objects.create_user(
        username=username, password="not a common one", is_staff=staff, is_superuser=superuser
    )
    for role, study in roles.items():
        Membership.objects.create(study=study, user=user, role=role)
    return user


def make_study(**fields: Any) -> Study:
    """An open study of two codecs at two bitrates that asks for nothing but pairs, unless said otherwise."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "name": f"Study {number}",
        "slug": f"study-{number}",
        "codecs": ["jpeg", "webp"],
        "target_bpps": [0.37, 1.0],
        "state": Study.State.OPEN,
        "min_view_ms": 0,
        "protocol": Protocol.bare().to_json(),
    }
    study = Study(**(defaults | fields))
    if study.state != Study.State.DRAFT:
        study.opened_at = study.opened_at or timezone.now()
    study.save()
    return study


def make_source(study: Study | None = None, **fields: Any) -> Source:
    """A source with its pixels in storage; in `study` if one is given."""
    size = {side: fields.pop(side) for side in ("width", "height") if side in fields}
    pixels = make_pixels(next(_numbers), **size)
    sha256 = pixels_sha256(pixels)
    words = {key: fields.pop(key) for key in ("name", "licence", "attribution") if key in fields}
    source = Source(
        sha256=sha256,
        photograph=fields.pop("photograph", sha256),
        width=pixels.shape[1],
        height=pixels.shape[0],
        **fields,
    )
    source.split = assign_split(source.photograph)
    source.image.save("pixels.png", ContentFile(encode_png(pixels)), save=False)
    source.save()
    if study:
        study.sources.add(source, through_defaults={"name": f"photograph {sha256[:6]}"} | words)
    return source


def make_reconstruction(source: Source | None = None, **fields: Any) -> Reconstruction:
    """A finished reconstruction; its pixels are the source's with noise."""
    source = source or make_source()
    pixels = make_pixels(next(_numbers), width=source.width, height=source.height)
    defaults: dict[str, Any] = {
        "method": "jpeg",
        "level": as_decimal(0.37),
        "state": Reconstruction.State.DONE,
        "operating_point": {"quality": 30},
        "codec_version": "made for a test",
        "kind": "classical",
        "file_bytes": 355,
        "payload_bytes": 300,
        "bpp": 0.37,
        "payload_bpp": 0.31,
        "reached": True,
        "encodes": 3,
        "encode_ms": 1.5,
        "decode_ms": 0.5,
        "psnr": 30.0,
        "sha256": pixels_sha256(pixels),
    }
    made = Reconstruction(source=source, **(defaults | fields))
    if made.state == Reconstruction.State.DONE:
        made.image.save("pixels.png", ContentFile(encode_png(pixels)), save=False)
    made.save()
    return made


def make_triplet(study: Study | None = None, *, source: Source | None = None, **fields: Any) -> Triplet:
    """A triplet of two reconstructions by two codecs."""
    study = study or make_study()
    source = source or make_source(study)
    bpp = as_decimal(fields.pop("level", 0.37))
    first = fields.pop("first", None) or make_reconstruction(source, method="jpeg", level=bpp)
    second = fields.pop("second", None) or make_reconstruction(source, method="webp", level=bpp)
    number = next(_numbers)
    return Triplet.objects.create(
        study=study,
        source=source,
        first=first,
        second=second,
        level=bpp,
        **({"kind": "classical-classical", "shuffle": number} | fields),
    )


def make_session(study: Study | None = None, *, simulated: bool = False, **fields: Any) -> Session:
    """A session of a new annotator on a screen that has passed."""
    annotator = fields.pop("annotator", None) or Annotator.objects.create(simulated=simulated)
    study = study or make_study()
    Enrolment.objects.get_or_create(study=study, annotator=annotator)
    return Session.objects.create(
        **{"study": study, "annotator": annotator, "ready_at": timezone.now()} | fields
    )


def make_assignment(session: Session) -> Assignment:
    """The session's next pair."""
    result = claim_next(session=session, holding=session.assignments.values_list("pk", flat=True))
    assert not isinstance(result, NoPair), result
    return result


def make_timing(**fields: Any) -> dict[str, Any]:
    """What a browser sends with an answer, for a picture of `make_source`'s size."""
    return browser_timing(**fields)


def make_judgment(session: Session, *, answer: str = "left", **timing: Any) -> Judgment:
    """The answer to the session's next pair, through the same services that the web uses."""
    return record_judgment(
        session=session,
        judgment_id=uuid.uuid4(),
        assignment_id=make_assignment(session).pk,
        answer=answer,
        timing=make_timing(**timing),
    ).judgment


def make_source_in(study: Study, split: str, **size: int) -> Source:
    """A source whose photograph falls into `split`; `size`: its width and height."""
    used = set(Source.objects.values_list("photograph", flat=True))
    hashes = (hashlib.sha256(f"photograph {number}".encode()).hexdigest() for number in itertools.count())
    return make_source(
        study, photograph=next(h for h in hashes if assign_split(h) == split and h not in used), **size
    )


def make_judged_study(
    *, people: int, programs: int = 0, splits: tuple[str, ...] = SPLITS_OF_FOUR, **fields: Any
) -> Study:
    """A triplet of a photograph in each of `splits`, judged by everybody: people say left, programs right."""
    study = make_study(**({"votes_per_triplet": people + programs} | fields))
    for split in splits:
        make_triplet(study, source=make_source_in(study, split))
    for number in range(people + programs):
        session = make_session(study, simulated=number >= people)
        for _ in splits:
            make_judgment(session, answer="right" if number >= people else "left")
    return study
