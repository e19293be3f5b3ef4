"""The dataset card of a published snapshot: README.md with the header that Hugging Face reads."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

MOST_LISTED = 200
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"
SPLITS = ("train", "validation", "test")


def card(manifest: Mapping[str, Any]) -> str:
    """The whole file."""
    return "\n".join([*_header(manifest), "", *_body(manifest)]) + "\n"


def title_of(manifest: Mapping[str, Any]) -> str:
    """What the dataset is called."""
    study = manifest["study"]
    mark = " (SIMULATED)" if manifest["simulated"] else ""
    number = study.get("snapshot")
    return f"{study['name']}{f', snapshot {number}' if number else ''}{mark}"


def summary_of(manifest: Mapping[str, Any]) -> str:
    """What it holds, in one sentence."""
    counts = manifest["counts"]
    whose = "simulated annotators; they say nothing about people" if manifest["simulated"] else "people"
    return (
        f"{counts['judgments']:,} answers by {counts['annotators']:,} {whose}, to which of two reconstructions is "
        f"closer to the original, about {counts['triplets']:,} pairs from {counts['photographs']:,} photographs."
    )


def licences_of(manifest: Mapping[str, Any]) -> list[str]:
    """The licences of its photographs, as the study states them."""
    return sorted({source.get("licence") or "not stated" for source in manifest["sources"]})


def _header(manifest: Mapping[str, Any]) -> Iterator[str]:
    size = next((name for most, name in SIZES if manifest["counts"]["triplets"] < most), _LARGEST)
    yield "---"
    # JSON's strings are YAML's too, whatever stands in them.
    yield f"pretty_name: {json.dumps(title_of(manifest), ensure_ascii=False)}"
    yield "license: other"
    yield "license_name: as-stated-for-each-photograph"
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


def _body(manifest: Mapping[str, Any]) -> Iterator[str]:
    study = manifest["study"]
    yield f"# {_plain(title_of(manifest))}"
    yield ""
    yield summary_of(manifest)
    yield ""
    yield f"The question was “{_plain(study.get('question', ''))}”."
    yield "Splits are by photograph, for ever: no photograph is in two."
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
    yield "| `data/SPLIT/metadata.jsonl` | a pair a line: pictures, conditions (`p0_codec` at `p0_level`), votes |"
    yield "| `data/SPLIT/pictures/` | each picture once, a lossless PNG, named by the sha256 of its file |"
    yield "| `judgments.parquet` | the answers that count as votes |"
    yield "| `answers.parquet` | every answer as it was given, checks and practice too, with its timing |"
    yield "| `sources.parquet` | the photographs, with licence and attribution |"
    yield "| `snapshot.json` | the manifest of the snapshot: the study's rules, filters, versions and hashes |"
    yield ""
    yield "Annotators, answers and assignments have pseudonyms of this export alone."
    yield ""
    yield "## Photographs"
    yield ""
    yield f"Licences: {', '.join(map(_plain, licences_of(manifest)))}."
    yield ""
    yield "| name | licence | attribution |"
    yield "| --- | --- | --- |"
    for source in manifest["sources"][:MOST_LISTED]:
        cells = (_plain(source.get(word, "")) or "–" for word in ("name", "licence", "attribution"))
        yield f"| {' | '.join(cells)} |"
    if len(manifest["sources"]) > MOST_LISTED:
        yield ""
        yield f"And {len(manifest['sources']) - MOST_LISTED:,} more, in `sources.parquet`."


def _plain(words: str) -> str:
    """Words in Markdown's text and tables, without being Markdown or HTML."""
    text = " ".join(str(words).split())
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|" else sign for sign in text)
