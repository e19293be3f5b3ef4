"""croissant.json of a published snapshot: what is in the folder, for programs (MLCommons Croissant 1.0)."""

from collections.abc import Iterable, Mapping
from typing import Any

from annotation.core.formats.answers import COLUMNS as ANSWER_COLUMNS
from annotation.core.formats.bapps import JUDGMENT_COLUMNS, TRIPLET_COLUMNS
from annotation.core.formats.published.about import (
    licence_addresses,
    manifest_citation,
    manifest_summary,
    published_on,
    title_of,
)
from annotation.core.formats.published.reading import KINDS
from annotation.core.formats.published.tables import SOURCE_COLUMNS

VERSION = "http://mlcommons.org/croissant/1.0"
# The context that the specification sets.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "conformsTo": "dct:conformsTo",
    **{
        name: f"cr:{name}"
        for name in (
            *("citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject"),
            *(
                "fileSet",
                "format",
                "includes",
                "isLiveDataset",
                "jsonPath",
                "key",
                "md5",
                "parentField",
                "path",
            ),
            *(
                "recordSet",
                "references",
                "regex",
                "repeated",
                "replace",
                "samplingRate",
                "separator",
                "source",
            ),
            *("subField", "transform"),
        )
    },
}
_TYPES = {str: "sc:Text", int: "sc:Integer", float: "sc:Float", bool: "sc:Boolean"}
PAIR_COLUMNS = (
    *("ref_file_name", "p0_file_name", "p1_file_name"),
    *(column for column in TRIPLET_COLUMNS if column != "split"),
    "judge",
)
ABOUT = {
    "pairs": "Pairs of reconstructions with their original and their votes; pictures by name below the "
    "split's folder.",
    "judgments": "The answers that count as votes.",
    "answers": "Every answer as given.",
    "sources": "The photographs, with licence and attribution.",
}


def croissant(manifest: Mapping[str, Any], hashes: Mapping[str, str]) -> dict[str, Any]:
    """The whole file. `hashes`: the sha256 of each file that is described, by its name."""
    splits = {name.split("/")[1]: name for name in hashes if name.startswith("data/")}
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": title_of(manifest),
        "description": manifest_summary(manifest),
        "license": licence_addresses(manifest),
        "citeAs": manifest_citation(manifest),
        **({"datePublished": day} if (day := published_on(manifest)) else {}),
        "version": f"{manifest['study'].get('snapshot') or 1}.0.0",
        "distribution": [_file(name, sha256) for name, sha256 in hashes.items()],
        "recordSet": [
            *(
                _records(f"pairs-{split}", ABOUT["pairs"], name, PAIR_COLUMNS)
                for split, name in splits.items()
            ),
            *(
                _records(table, ABOUT[table], f"{table}.parquet", columns)
                for table, columns in (
                    ("judgments", JUDGMENT_COLUMNS),
                    ("answers", ANSWER_COLUMNS),
                    ("sources", SOURCE_COLUMNS),
                )
            ),
        ],
    }


def _file(name: str, sha256: str) -> dict[str, Any]:
    kind = "application/jsonlines" if name.endswith(".jsonl") else "application/x-parquet"
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "encodingFormat": kind,
        "sha256": sha256,
    }


def _records(name: str, about: str, file: str, columns: Iterable[str]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": about,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column}",
                "name": column,
                "dataType": _TYPES[float if column == "judge" else KINDS.get(column, str)],
                "source": {"fileObject": {"@id": file}, "extract": {"column": column}},
            }
            for column in columns
        ],
    }
