"""The description of a published snapshot: title, summary, date, licences, citation."""

from collections.abc import Mapping
from typing import Any

from annotation.core.formats.published.licences import licence_named

NOT_STATED = "not stated"


def title_of(manifest: Mapping[str, Any]) -> str:
    """The title of the dataset."""
    study = manifest["study"]
    mark = " (SIMULATED)" if manifest["simulated"] else ""
    number = study.get("snapshot")
    return f"{study['name']}{f', snapshot {number}' if number else ''}{mark}"


def manifest_summary(manifest: Mapping[str, Any]) -> str:
    """Its contents, in one sentence."""
    counts = manifest["counts"]
    whose = "SIMULATED annotators" if manifest["simulated"] else "people"
    sentence = (
        f"{counts['judgments']:,} answers by {counts['annotators']:,} {whose} to the question which of two "
        f"reconstructions is closer to the original, about {counts['triplets']:,} pairs from "
        f"{counts['photographs']:,} photographs."
    )
    return f"{sentence} They say nothing about people." if manifest["simulated"] else sentence


def manifest_licences(manifest: Mapping[str, Any]) -> list[str]:
    """The licences of its photographs, as the study states them."""
    return sorted({source.get("licence") or NOT_STATED for source in manifest["sources"]})


def licence_addresses(manifest: Mapping[str, Any]) -> list[str]:
    """The same by their addresses, where those are known."""
    return [known.url if (known := licence_named(words)) else words for words in manifest_licences(manifest)]


def published_on(manifest: Mapping[str, Any]) -> str:
    """The day up to which answers are in it, as 2026-11-26; "" for a snapshot that does not say."""
    return str(manifest["filters"].get("received_until", ""))[:10]


def manifest_citation(manifest: Mapping[str, Any]) -> str:
    """A BibTeX entry; its authors are for whoever publishes the dataset to name."""
    year = published_on(manifest)[:4]
    number = manifest["study"].get("snapshot")
    key = "-".join(str(part) for part in (manifest["study"].get("slug", "study"), number) if part)
    fields = {
        "title": "{" + _tex(title_of(manifest)) + "}",
        "year": year,
        "note": f"Dataset of pair comparisons, collected with Closer {manifest['versions'].get('closer', '')}".strip(),
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@misc{{{key},\n{lines}\n}}"


def _tex(words: str) -> str:
    """Words in one line, without what BibTeX or TeX would read as a command."""
    return "".join(
        f"\\{sign}" if sign in "#$%&_" else sign for sign in " ".join(words.split()) if sign not in "{}\\~^"
    )
