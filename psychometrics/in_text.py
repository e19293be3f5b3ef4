"""Results as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psychometrics.estimates import Estimate
from psychometrics.influence import Influence
from psychometrics.published_scale import AgainstPublished
from psychometrics.ranking import Ranking
from psychometrics.reliability import Weighted
from psychometrics.results import Results, Section
from psychometrics.sentences import best_in_words, count, crossing_in_words, ranking_in_words, signed
from psychometrics.shares import percent_in_words
from psychometrics.text_table import aligned

HEAD = ("condition", "JND", "95 % interval", "rank", "best", "preferred", "answers")


def results_as_text(results: Results) -> str:
    """Every section under its heading, and where orders turn round."""
    parts = []
    if results.joined is not None:
        parts += ["All conditions on one scale", section_as_text(results.joined), ""]
    for section in results.levels:
        parts += [f"At level {section.level:g}", section_as_text(section), ""]
    if len(results.levels) != 1 and results.overall.comparisons.judgments:
        title = "Over all levels, an average" if results.levels else "Ranking"
        parts += [title, section_as_text(results.overall), ""]
    if results.joined is None and len(results.levels) > 1:
        parts.append(
            "No comparison connects the levels, so conditions at different levels cannot be compared. Compare across "
            "levels, or with the original."
        )
    parts += [crossing_in_words(one) for one in results.crossings]
    return "\n".join(parts).rstrip()


def ranking_as_text(ranking: Ranking) -> str:
    """The table of one scale, the best first, and the conclusions that it supports."""
    return f"{_table(HEAD, [_row(ranking, n) for n in ranking.order])}\n{ranking_in_words(ranking)}"


def influence_as_text(influences: Sequence[Influence], what: str, most: int = 3) -> str:
    """What influences the ranking most."""
    if round(abs(influences[0].change), 2) == 0:
        return f"Without any one {what} the ranking stays as it is."
    each = [
        f"{one.label} ({count(one.judgments, 'answer')}): {one.first} − {one.second} by {signed(one.change)} JND"
        + (", and the order changes" if one.order else "")
        for one in influences[:most]
    ]
    return f"Without one {what}, most changes without {'; '.join(each)}."


def weighted_as_text(weighted_scale: Weighted) -> str:
    """What weighting answers by their annotators' reliability changes."""
    if round(abs(weighted_scale.change), 2) == 0:
        return "Weighting each answer by how far its annotator can be trusted (Crowd-BT) moves nothing by 0.01 JND."
    order = "and the order changes" if weighted_scale.order else "and the order stays"
    return (
        "With each answer weighted by how far its annotator can be trusted (Crowd-BT), "
        f"{weighted_scale.name} moves most, by {signed(weighted_scale.change)} JND, {order}."
    )


def published_as_text(one: AgainstPublished) -> str:
    """How far a ranking agrees with a published scale."""
    missing = f" ({one.missing} more are in one of the two only)" if one.missing else ""
    return (
        f"Against the published {one.column} of {one.conditions} conditions{missing}: Pearson {one.pearson:.4f}, "
        f"Spearman {one.spearman:.4f}, Kendall {one.kendall:.4f}; {percent_in_words(one.same_order, 1)} of pairs "
        f"in the same order; furthest from a straight line: {one.furthest}, by {signed(one.by)} JND."
    )


def estimate_as_text(one: Estimate, places: int = 3) -> str:
    """A figure with its interval; a dash where there is none."""
    if one.value is None:
        return "–"
    if one.low is None or one.high is None:
        return f"{one.value:.{places}f} (no interval), n = {one.n:,}"
    interval = f"{one.low:.{places}f} to {one.high:.{places}f}".replace("-", "−")
    return f"{one.value:.{places}f} ({interval}), n = {one.n:,}".replace("-", "−")


def section_as_text(section: Section) -> str:
    """The table of a section, or why there is none."""
    return ranking_as_text(section.ranking) if section.ranking is not None else f"No ranking: {section.why}"


def _row(ranking: Ranking, n: int) -> tuple[str, ...]:
    first, last = int(ranking.first_rank[n]), int(ranking.last_rank[n])
    share = ranking.preference[n]
    at_zero = ranking.names[n] == ranking.reference
    interval = f"{signed(float(ranking.low[n]))} to {signed(float(ranking.high[n]))}"
    return (
        str(ranking.names[n]),
        "0, by definition" if at_zero else signed(float(ranking.values[n])),
        "" if at_zero else interval,
        str(first) if first == last else f"{first} to {last}",
        best_in_words(ranking, n),
        "–" if share.value is None else percent_in_words(share.value),
        f"{share.n:,}",
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(aligned([head, *rows]))
