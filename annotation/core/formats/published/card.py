"""The dataset card of a published snapshot: README.md with the header that Hugging Face reads."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from annotation.core.formats.published.about import (
    NOT_STATED,
    manifest_citation,
    manifest_licences,
    manifest_summary,
    published_on,
    title_of,
)
from annotation.core.formats.published.licences import licence_named

MOST_LISTED = 200
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"
SPLITS = ("train", "validation", "test")


def card(manifest: Mapping[str, Any]) -> str:
    """The whole file."""
    return "\n".join([*_header(manifest), "", *_body(manifest)]) + "\n"


def _header(manifest: Mapping[str, Any]) -> Iterator[str]:
    size = next((name for most, name in SIZES if manifest["counts"]["triplets"] < most), _LARGEST)
    yield "---"
    # JSON's strings are YAML's too, whatever stands in them.
    yield f"pretty_name: {json.dumps(title_of(manifest), ensure_ascii=False)}"
    yield from _licence(manifest)
    yield f"annotations_creators: [{'machine-generated' if manifest['simulated'] else 'crowdsourced'}]"
    yield "task_categories: [image-classification]"
    yield "tags: [image-quality-assessment, perceptual-metric, image-compression, 2afc]"
    yield f"size_categories: [{size}]"
    yield "configs:"
    yield "- config_name: pairs"
    yield "  default: true"
    yield "  data_files:"
    for split in SPLITS:
        yield f"  - split: {split}"
        yield f"    path: data/{split}/**"
    yield "---"


def _licence(manifest: Mapping[str, Any]) -> Iterator[str]:
    """One that Hugging Face knows, where all photographs have it."""
    stated = manifest_licences(manifest)
    known = licence_named(stated[0]) if len(stated) == 1 else None
    yield f"license: {known.name if known else 'other'}"
    if known is None:
        yield "license_name: as-stated-for-each-photograph"


def _body(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {_plain(title_of(manifest))}"
    yield ""
    yield manifest_summary(manifest)
    yield ""
    yield from _collection(manifest)
    yield from _usage()
    yield from _splits(manifest)
    yield "## Personal information"
    yield ""
    yield (
        "Annotators, answers and assignments have pseudonyms that are valid in this export only. "
        "`answers.parquet` holds the timing "
        "of each answer with window, screen and pixel ratio; no name, address or panel's id is in the dataset."
    )
    yield ""
    yield "## Limits"
    yield ""
    yield from _limits(manifest)
    yield ""
    yield from _photographs(manifest)
    yield "## Citation"
    yield ""
    yield "```bibtex"
    yield manifest_citation(manifest)
    yield "```"


def _usage() -> Iterator[str]:
    yield "## Use"
    yield ""
    yield "```python"
    yield "from datasets import load_dataset"
    yield ""
    yield 'pairs = load_dataset("FOLDER")  # ref, p0 and p1 are pictures; judge is the share of answers for p1'
    yield 'answers = load_dataset("parquet", data_files="FOLDER/answers.parquet")'
    yield "```"
    yield ""
    yield "| file | what is in it |"
    yield "| --- | --- |"
    yield (
        "| `data/SPLIT/metadata.jsonl` | one pair per line: pictures, conditions (`p0_codec` at "
        "`p0_level`), votes |"
    )
    yield "| `data/SPLIT/pictures/` | each picture once, a lossless PNG, named by the sha256 of its file |"
    yield "| `judgments.parquet` | the answers that count as votes |"
    yield "| `answers.parquet` | every answer as given, including checks and practice, with its timing |"
    yield "| `sources.parquet` | the photographs, with licence and attribution |"
    yield "| `snapshot.json` | the manifest of the snapshot: the study's rules, filters, versions and hashes |"
    yield ""


def _photographs(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "## Photographs"
    yield ""
    yield f"Licences: {', '.join(map(_plain, manifest_licences(manifest)))}."
    yield ""
    yield "| name | licence | attribution |"
    yield "| --- | --- | --- |"
    for source in manifest["sources"][:MOST_LISTED]:
        cells = (_plain(source.get(word, "")) or "–" for word in ("name", "licence", "attribution"))
        yield f"| {' | '.join(cells)} |"
    if len(manifest["sources"]) > MOST_LISTED:
        yield ""
        yield f"And {len(manifest['sources']) - MOST_LISTED:,} more, in `sources.parquet`."
    yield ""


_LAYOUTS = {
    "side": "beside each other, the original between them",
    "toggle": "one at a time in one place, by key",
    "flicker": "alternating with the original in one place",
}


def _collection(manifest: Mapping[str, Any]) -> Iterator[str]:
    """How the answers were given."""
    study, rules = manifest["study"], manifest["study"].get("protocol", {})
    yield "## Collection"
    yield ""
    yield f"- Question: “{_plain(study.get('question', ''))}”"
    if study.get("conditions"):
        yield f"- Conditions: {_plain(', '.join(study['conditions']))}"
    if rules.get("layout") in _LAYOUTS:
        yield f"- Pictures were shown {_LAYOUTS[rules['layout']]}, a pixel of theirs on a pixel of the screen."
    if "votes_per_triplet" in study:
        ties = "“can't tell” was offered" if study.get("allow_ties") else "“can't tell” was not offered"
        yield f"- Votes planned for each pair: {study['votes_per_triplet']}; {ties}."
    if rules.get("panel", "none") != "none":
        yield f"- People came from {_plain(rules['panel'])}."
    if excluded := manifest["filters"].get("exclusions", {}).get("rules"):
        yield (
            f"- Rules that exclude people: "
            f"{_plain(', '.join(f'{name} {limit}' for name, limit in excluded.items()))}"
        )
    if day := published_on(manifest):
        yield f"- Answers up to {day}."
    yield ""


def _splits(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "## Splits"
    yield ""
    yield "By photograph and permanent: no photograph is in two splits."
    yield ""
    yield "| split | photographs | pairs | answers |"
    yield "| --- | --- | --- | --- |"
    for split, name in zip(("train", "val", "test"), SPLITS, strict=True):
        row = manifest["splits"][split]
        yield f"| {name} | {len(row['photographs'])} | {row['triplets']} | {row['judgments']} |"
    yield ""


def _limits(manifest: Mapping[str, Any]) -> Iterator[str]:
    if manifest["simulated"]:
        yield "- Every answer is SIMULATED: nothing about people follows from it."
    yield "- Answers are about these pictures on these people's screens; pairs with few votes are uncertain (`n`)."
    yield "- Votes are those of `judgments.parquet`: no checks, no practice, nobody whom a rule excludes."
    if NOT_STATED in manifest_licences(manifest):
        yield "- The licence of some photographs is not stated: ask before you pass them on."


def _plain(words: str) -> str:
    """Words in Markdown's text and tables, without being Markdown or HTML."""
    text = " ".join(str(words).split())
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|" else sign for sign in text)
