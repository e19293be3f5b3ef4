"""The pairs on which a version and people disagree most, found again as rows that a page can show."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.models import Study, Triplet
from metric.models import MetricVersion
from psychometrics.tables import read_records


@dataclass(frozen=True)
class Disagreement:
    """A pair with what people chose and what the version expected. `chosen_votes` of `votes` were for `chosen`."""

    triplet: Triplet
    chosen: str
    chosen_votes: float
    votes: int
    chance: float


def with_triplets(*, evaluation: dict[str, Any], snapshot: Path, study: Study) -> dict[str, Any]:
    """The evaluation whose disagreements name the study's triplets by id, and say whether p0 is the first of it.

    Those that cannot be found any more keep None.
    """
    disagreements = evaluation.get("disagreements", [])
    if not disagreements:
        return evaluation
    places = _places(snapshot)
    return evaluation | {
        "disagreements": [one | _named(places.get(one.get("label", "")), study) for one in disagreements]
    }


def _places(snapshot: Path) -> dict[str, dict[str, str]]:
    columns = ("split", "index", "source", "p0_sha256", "p1_sha256")
    rows = read_records(snapshot / "triplets.csv", columns)
    return {f"{row['split']}/{row['index']}": row for _, row in rows}


def _named(row: dict[str, str] | None, study: Study) -> dict[str, Any]:
    if row is not None:
        pair = [row["p0_sha256"], row["p1_sha256"]]
        triplet = Triplet.objects.filter(
            study=study, source__sha256=row["source"], first__sha256__in=pair, second__sha256__in=pair
        ).first()
        if triplet is not None:
            return {"triplet": triplet.pk, "p0_is_first": triplet.first.sha256 == pair[0]}
    return {"triplet": None, "p0_is_first": None}


def version_disagreements(version: MetricVersion) -> list[Disagreement]:
    """The pairs of a version's evaluation that are still in the database, the most surprising first."""
    stated = [one for one in version.evaluation.get("disagreements", []) if one.get("triplet")]
    rows = Triplet.objects.with_images().with_source_names().in_bulk([one["triplet"] for one in stated])
    return [_shown(rows[one["triplet"]], one) for one in stated if one["triplet"] in rows]


def _shown(triplet: Triplet, one: dict[str, Any]) -> Disagreement:
    votes = one["n_p0"] + one["n_p1"] + one["n_tie"]
    for_p1 = one["n_p1"] + one["n_tie"] / 2
    p1_chosen = for_p1 >= votes / 2
    chosen_is_first = one["p0_is_first"] != p1_chosen
    return Disagreement(
        triplet=triplet,
        chosen="first" if chosen_is_first else "second",
        chosen_votes=for_p1 if p1_chosen else votes - for_p1,
        votes=votes,
        chance=one["chance"] if p1_chosen else 1 - one["chance"],
    )
