"""The cuts of a breakdown as figures with their tables."""

from collections.abc import Collection

from annotation.core.bitrates import level_in_words
from annotation.core.formats.printed import Cell, Column, Table
from annotation.reports.breakdown import Breakdown, Cut
from annotation.reports.exhibits import WHOSE, Exhibit, dot
from annotation.reports.result_tables import ANSWERS, HIGH, JND, LOW, METHOD
from codecs_zoo.look import method_look
from imaging.plots.charts import Dot
from imaging.plots.key import add_key
from imaging.plots.strips import strips
from psychometrics.ranking import Ranking
from psychometrics.sentences import signed

PEOPLE = Column("annotators", "People", ",d")
GROUPS = {
    "photograph": "Photograph",
    "layout": "Layout",
    "pixel-ratio": "Pixel ratio",
    "response-time": "Response time",
    "exclusion": "Excluded",
}
BASIS = (
    "Strengths from the answers of each group alone, with 95 % intervals. With few answers they scatter "
    "widely, and a weak prior shrinks them towards each other."
)


def breakdown_exhibits(breakdown: Breakdown) -> list[Exhibit]:
    """A figure and a table for each cut; their names say the level, where there is one."""
    methods = _methods(breakdown)
    return [_exhibit(breakdown, cut, methods) for cut in breakdown.cuts]


def _methods(breakdown: Breakdown) -> list[str]:
    """Every method that is ranked somewhere, in the order of all figures."""
    rankings = [
        group.ranking for group in (breakdown.whole, *(g for cut in breakdown.cuts for g in cut.groups))
    ]
    return sorted({str(name) for ranking in rankings if ranking is not None for name in ranking.names})


def _exhibit(breakdown: Breakdown, cut: Cut, methods: list[str]) -> Exhibit:
    at = "" if breakdown.level is None else f"-at-{breakdown.level:g}"
    where = (
        "over all levels"
        if breakdown.level is None
        else f"at {level_in_words(breakdown.level, breakdown.bitrates)}"
    )
    original = any(group.ranking is not None and group.ranking.reference is not None for group in cut.groups)
    scene = strips(
        [(group.name, dots_of(group.ranking, methods, breakdown.own_methods)) for group in cut.groups],
        title=f"{cut.title}, {where}, {WHOSE[breakdown.population]}",
        unit=f"closeness to the original in JND; 0 is {'the original' if original else 'their mean'}",
        reference=0.0,
        spell=signed,
    )
    add_key(scene, [(name, method_look(name, breakdown.own_methods)) for name in methods])
    caption = f"{cut.words} {BASIS}".strip()
    return Exhibit(f"by-{cut.name}{at}", f"{cut.title}, {where}", caption, _table(cut), scene)


def dots_of(ranking: Ranking | None, methods: list[str], own: Collection[str]) -> list[Dot]:
    """A dot for each method in that order; an empty place where a group did not rank it."""
    if ranking is None:
        return [Dot(name, None) for name in methods]
    place = {str(name): n for n, name in enumerate(ranking.names)}
    return [dot(ranking, place[name], own) if name in place else Dot(name, None) for name in methods]


def _table(cut: Cut) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for group in cut.groups:
        if group.ranking is None:
            rows.append((group.name, None, None, None, None, group.judgments, group.annotators))
            continue
        for n in group.ranking.order:
            one = dot(group.ranking, n)
            rows.append(
                (group.name, one.name, one.value, one.low, one.high, group.judgments, group.annotators)
            )
    columns = (Column("group", GROUPS[cut.name]), METHOD, JND, LOW, HIGH, ANSWERS, PEOPLE)
    return Table(columns, tuple(rows))
