"""A snapshot for pwcmp (github.com/mantiuk/pwcmp): its table of answers, and matrices of counts.

pwcmp.csv              observer,session,scene,condition_A,condition_B,is_A_selected
matrices/all.csv       how often the condition of the row was chosen over that of the column, a tie half to each
matrices/SCENE.csv     the same of one scene
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from annotation.core.formats.published.reading import SnapshotFiles, rows_of
from imaging.files import to_json
from psychometrics.conditions import THE_ORIGINAL, ComparedMethod
from psychometrics.tables import stream, to_text

COLUMNS = ("observer", "session", "scene", "condition_A", "condition_B", "is_A_selected")
SELECTED = {"p0": 1, "p1": 0, "tie": 0.5}
_UNSAFE = re.compile(r"[^\w .+-]+")
_LONGEST = 120
"""Bytes of a file's name in UTF-8 that come from the study: with the hash and the ending, file systems take 255."""
_OF_WINDOWS = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)),
}
"""Names that Windows gives to devices, whatever their ending."""

Counts = dict[tuple[str, str], float]


def pwcmp(files: SnapshotFiles, manifest: Mapping[str, Any]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The table and the matrices. Counts take memory with the pairs, not with the answers."""
    scenes = manifest_scenes(manifest)
    pairs = {(row["split"], row["index"]): _pair(row, scenes) for row in rows_of(files, "triplets")}
    counts: dict[str, Counts] = defaultdict(lambda: defaultdict(float))
    yield "snapshot.json", (to_json(manifest),)
    yield "pwcmp.csv", (line.encode() for line in stream(COLUMNS, _rows(files, pairs, counts)))
    names = sorted({name for _, one, other in pairs.values() for name in (one, other)})
    yield "matrices/all.csv", (_matrix(_sum(counts.values()), names),)
    for scene in sorted(counts):
        yield f"matrices/{scene}.csv", (_matrix(counts[scene], names),)


def manifest_scenes(manifest: Mapping[str, Any]) -> dict[str, str]:
    """A name for each source that can be a file's: what the study calls it, with its hash where two are called so."""
    plain = {one["sha256"]: _file_name(one["name"]) for one in manifest["sources"]}
    taken = [name.casefold() for name in plain.values()] + ["all"]
    return {
        sha: name if taken.count(name.casefold()) == 1 else f"{name}-{sha[:8]}" for sha, name in plain.items()
    }


def _file_name(name: str) -> str:
    """The name as every system takes it: composed, so that letters keep their accents, and not too long."""
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", name)).encode()[:_LONGEST].decode(errors="ignore")
    safe = safe.strip(". ") or "photograph"
    return f"{safe}_" if safe.partition(".")[0].casefold() in _OF_WINDOWS else safe


def _pair(row: Mapping[str, Any], scenes: Mapping[str, str]) -> tuple[str, str, str]:
    one, other = (
        _condition(row[f"{side}_codec"], row[f"{side}_level"], row["target_bpp"]) for side in ("p0", "p1")
    )
    return scenes[row["source"]], one, other


def _condition(method: str, level: float | None, target: float | None) -> str:
    if method == THE_ORIGINAL.method:
        return str(THE_ORIGINAL)
    # Snapshots from before conditions had levels of their own state the bitrate that both sides aimed at.
    return str(ComparedMethod(method, target if level is None else level))


def _rows(
    files: SnapshotFiles, pairs: Mapping[tuple[str, str], tuple[str, str, str]], counts: dict[str, Counts]
) -> Iterator[tuple[Any, ...]]:
    """The rows of the table; what is counted on the way is whole once they are read."""
    for row in rows_of(files, "judgments"):
        scene, one, other = pairs[row["triplet_split"], row["triplet_index"]]
        selected = SELECTED[row["choice"]]
        counts[scene][one, other] += selected
        counts[scene][other, one] += 1 - selected
        yield row["annotator"], 1, scene, one, other, selected


def _sum(each: Iterable[Counts]) -> Counts:
    total: Counts = defaultdict(float)
    for counts in each:
        for pair, number in counts.items():
            total[pair] += number
    return total


def _matrix(counts: Counts, names: list[str]) -> bytes:
    rows = ([one, *(f"{counts.get((one, other), 0.0):g}" for other in names)] for one in names)
    return to_text(["", *names], rows).encode()
