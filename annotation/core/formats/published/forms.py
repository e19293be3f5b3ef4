"""Which forms a snapshot can be published in."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from annotation.core.formats.manifest import parse_manifest
from annotation.core.formats.published.huggingface import hugging_face
from annotation.core.formats.published.pwcmp import pwcmp
from annotation.core.formats.published.reading import FolderFiles, SnapshotFiles, files_of_package
from annotation.core.formats.published.tables import json_lines, parquet
from annotation.core.formats.zip import in_full, stream
from annotation.core.panel_codes import without_panel_codes
from imaging.files import to_json
from imaging.folders import atomic_folder
from imaging.manifest import ITSELF, NAME, sealed

Writer = Callable[[SnapshotFiles, Mapping[str, Any]], Iterator[tuple[str, Iterable[bytes]]]]
BAPPS = "bapps"
WRITERS: dict[str, Writer] = {
    "huggingface": hugging_face,
    "parquet": parquet,
    "jsonl": json_lines,
    "pwcmp": pwcmp,
}
ABOUT = {
    BAPPS: "BAPPS: the snapshot folder, with every picture under each of its names",
    "huggingface": "Hugging Face: a folder for datasets.load_dataset, with a card and croissant.json",
    "parquet": "Parquet: the tables",
    "jsonl": "JSON Lines: the tables",
    "pwcmp": "pwcmp: a table of answers, and matrices of counts",
}
FORMS = tuple(ABOUT)


def published_zip(package: IO[bytes], form: str) -> Iterator[bytes]:
    """The kept zip file of a snapshot in another form, as a zip file in pieces.

    Raises KeyError for an unknown form, PackageError for a damaged file, ManifestError for a damaged manifest.
    """
    if form == BAPPS:
        yield from in_full(package, edit={NAME: publishable})
        return
    writer = WRITERS[form]
    with files_of_package(package) as files:
        yield from stream(writer(files, published_manifest(files)))


def write_published(snapshot: Path, out: Path, form: str) -> None:
    """The snapshot folder in another form at `out`, which appears whole or not at all.

    Raises KeyError for an unknown form, FolderError where `out` is occupied.
    """
    files = FolderFiles(snapshot)
    with atomic_folder(out) as draft:
        for name, pieces in WRITERS[form](files, published_manifest(files)):
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            with (draft / name).open("wb") as file:
                file.writelines(pieces)


def published_manifest(files: SnapshotFiles) -> dict[str, Any]:
    """The snapshot's manifest without a panel's codes, which old ones hold. Raises ManifestError for a damaged one."""
    with files.open(NAME) as file:
        manifest = parse_manifest(file.read())
    published = _without_codes(manifest)
    # Its hash of itself is that of the file in the snapshot, whose spelling is not kept.
    published.pop(ITSELF, None)
    return published


def publishable(content: bytes) -> bytes:
    """The bytes of a snapshot's manifest; sealed anew, without a panel's codes, where an old one holds them.

    Raises ManifestError for a damaged one.
    """
    manifest = parse_manifest(content)
    published = _without_codes(manifest)
    return content if published == manifest else to_json(sealed(published))


def _without_codes(manifest: Mapping[str, Any]) -> dict[str, Any]:
    study = manifest["study"]
    if "protocol" not in study:
        return dict(manifest)
    return dict(manifest) | {"study": study | {"protocol": without_panel_codes(study["protocol"])}}
