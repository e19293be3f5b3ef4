"""Codec versions trained on this site: in storage, and available by name wherever codecs run."""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import DatabaseError, IntegrityError, transaction

from annotation.errors import Refused
from annotation.models.codec import CodecVersion
from codecs_zoo.contract import Codec
from codecs_zoo.site_metrics import version_name
from imaging.files import write_atomic

log = structlog.get_logger(__name__)

NAME = re.compile(r"[a-z0-9-]+")


def keep_codec_version(*, name: str, family: str, weights: Path, **fields: Any) -> CodecVersion:
    """Puts the weights into storage and the row beside them, under `name` or `name`-2, -3, …, whichever is free."""
    content = weights.read_bytes()
    version = CodecVersion(family=family, sha256=hashlib.sha256(content).hexdigest(), **fields)
    version.weights.save(f"{name}.safetensors", ContentFile(content), save=False)
    for number in range(1, 100):
        version.name = name if number == 1 else f"{name}-{number}"
        try:
            with transaction.atomic():
                version.save(force_insert=True)
            return version
        except IntegrityError:
            continue
    version.weights.delete(save=False)
    raise Refused(f"There are already a hundred codecs named {name}. Choose another name.")


def provide(name: str) -> Codec | None:
    """The codec of a version of this site, its weights on this machine; None for a name that no version has."""
    if not NAME.fullmatch(name):
        return None
    try:
        version = CodecVersion.objects.filter(name=name).first()
    except DatabaseError:  # before the first migration, say: then no version has been made
        log.warning("codec versions cannot be looked up", codec=name)
        return None
    if version is None:
        return None
    return _codec(version.name, version.family, str(_fetched(version)), _tuned_on(version))


def _tuned_on(version: CodecVersion) -> tuple[str, ...]:
    """The metric version on which its weights were trained, as options and operating points call it."""
    of_metric = re.search(r"sha256 ([0-9a-f]{64})", version.metric)
    return (version_name(of_metric[1], simulated=version.simulated),) if of_metric else ()


def _fetched(version: CodecVersion) -> Path:
    """The weights on this machine, checked against the row's hash."""
    path: Path = settings.VAR_DIR / "cache" / "weights" / f"{version.sha256}.safetensors"
    if path.is_file():
        return path
    with version.weights.open("rb") as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != version.sha256:
        raise Refused(f"The stored weights of {version.name} are damaged. Restore them from a backup.")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, content)
    return path


@cache
def _codec(name: str, family: str, weights: str, tuned_on: tuple[str, ...]) -> Codec:
    """One codec for each version in this process: its networks are loaded once."""
    from codecs_zoo.learned._version import codec_version

    return codec_version(name, family, Path(weights), tuned_on)
