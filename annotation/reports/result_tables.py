"""The numbers of each figure of the results as tables."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from annotation.core.formats.printed import P_VALUE, Cell, Column, Table
from annotation.reports.results import StudyResults
from psychometrics.conditions import ComparedMethod
from psychometrics.curves import Curve, EqualQuality
from psychometrics.estimates import NOTHING, Estimate
from psychometrics.ranking import Ranking

CONDITION = Column("condition", "Condition")
METHOD, LEVEL = Column("method", "Method"), Column("level", "Level", "g")
JND = Column("jnd", "JND", "+.2f")
INTERVAL = "95 % interval"
LOW, HIGH = Column("jnd_low", INTERVAL, "+.2f"), Column("jnd_high", "to", "+.2f", joins=True)
SHARE = (
    Column("share", "Preferred", ".0%"),
    Column("share_low", INTERVAL, ".0%"),
    Column("share_high", "to", ".0%", joins=True),
)
ANSWERS = Column("answers", "Answers", ",d")


def _table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Table:
    return Table(tuple(columns), tuple(tuple(row) for row in rows))


def ranking(scale: Ranking) -> Table:
    """The conditions of a scale, the best first."""
    columns = (
        *(CONDITION, replace(METHOD, in_print=False), replace(LEVEL, in_print=False), JND, LOW, HIGH),
        *(Column("rank_first", "Rank", "d"), Column("rank_last", "to", "d", joins=True)),
        *(Column("best_with", "Best with", ".0%"), *SHARE, ANSWERS),
    )
    return _table(columns, (_condition(scale, n) for n in scale.order))


def _condition(scale: Ranking, n: int) -> tuple[Cell, ...]:
    name, share = scale.names[n], scale.preference[n]
    method, level = (name.method, name.level) if isinstance(name, ComparedMethod) else (str(name), None)
    return (
        *(str(name), method, level, *_values(scale, n)),
        *(int(scale.first_rank[n]), int(scale.last_rank[n]), float(scale.best[n])),
        *(share.value, share.low, share.high, share.n),
    )


def differences(scale: Ranking) -> Table:
    """Every two conditions, the better first, from the top of the ranking down."""
    names = [scale.names[n] for n in scale.order]
    pairs = (scale.difference(one, other) for n, one in enumerate(names) for other in names[n + 1 :])
    columns = (
        *(Column("ahead", "Ahead"), Column("behind", "Behind"), JND, LOW, HIGH),
        *(Column("p_holm", "p (Holm)", P_VALUE), Column("distinguishable", "Distinguishable")),
    )
    return _table(
        columns,
        (
            (
                str(one.first),
                str(one.second),
                one.estimate,
                one.low,
                one.high,
                one.p_holm,
                one.distinguishable,
            )
            for one in pairs
        ),
    )


def curves(each: Sequence[Curve]) -> Table:
    """The conditions that were judged ("condition") and the curve between them ("curve"), with their intervals."""
    columns = (METHOD, Column("what", "What"), Column("bpp", "Bits per pixel", ".3f"), JND, LOW, HIGH)
    judged: list[tuple[Cell, ...]] = [
        (curve.method, "condition", *map(float, row))
        for curve in each
        for row in zip(curve.bits, curve.quality, curve.low, curve.high, strict=True)
    ]
    between: list[tuple[Cell, ...]] = [
        (curve.method, "curve", *map(float, row))
        for curve in each
        for row in zip(curve.grid, curve.line, curve.band_low, curve.band_high, strict=True)
    ]
    return Table(columns, tuple(judged), tuple(between))


def equal_quality(each: Sequence[EqualQuality]) -> Table:
    """How many more bits (a share of 1) the second method needs than the first, for equal quality."""
    columns = (
        *(Column("first", "First"), Column("second", "Second"), Column("more_bits", "More bits", "+.1%")),
        *(Column("more_low", INTERVAL, "+.1%"), Column("more_high", "to", "+.1%", joins=True)),
        *(Column("jnd_from", "Quality, JND", "+.2f"), Column("jnd_to", "to", "+.2f", joins=True)),
    )
    return _table(
        columns,
        (
            (
                one.first,
                one.second,
                one.more.value,
                one.more.low,
                one.more.high,
                one.low_quality,
                one.high_quality,
            )
            for one in each
        ),
    )


def preference_by_method(results: StudyResults) -> list[tuple[str, list[tuple[float | None, Estimate]]]]:
    """Each method's standardised preference at each level; unknown where it was not ranked."""
    levels = []
    for section in results.results.levels:
        scale = section.ranking
        shares = {} if scale is None else dict(zip(map(str, scale.names), scale.preference, strict=True))
        levels.append((section.level, shares))
    return [
        (name, [(level, shares.get(name, NOTHING)) for level, shares in levels]) for name in results.methods
    ]


def preference(results: StudyResults) -> Table:
    """The same, a row for each method at each level where it was ranked."""
    rows = (
        (method, level, one.value, one.low, one.high, one.n)
        for method, cells in preference_by_method(results)
        for level, one in cells
        if one.known
    )
    return _table((METHOD, LEVEL, *SHARE, ANSWERS), rows)


def matrix(results: StudyResults) -> Table:
    """Raw shares of each method over each other, and from how many answers."""
    columns = (Column("row", "Row"), Column("column", "Column"), SHARE[0], ANSWERS)
    rows = (
        (one, other, None if share != share else float(share), int(results.met[i, j]))
        for i, one in enumerate(results.methods)
        for j, other in enumerate(results.methods)
        if i != j
        for share in [results.wins[i, j]]
    )
    return _table(columns, rows)


def agreement(results: StudyResults) -> Table:
    """Each figure of agreement with its interval, as shares of 1."""
    agreement = results.agreement
    figures: tuple[tuple[str, Estimate], ...] = (
        ("Krippendorff's alpha", agreement.alpha),
        ("Raw agreement", Estimate(agreement.raw, None, None, agreement.triplets)),
        ("Human score", agreement.human_score),
        ("Ceiling", agreement.ceiling),
        ("Self-agreement on repeats", agreement.again),
        ("Chose the left (in imports: the first named)", agreement.left),
    )
    columns = (
        Column("figure", "Figure"),
        *(
            Column("value", "Value", ".3f"),
            Column("low", INTERVAL, ".3f"),
            Column("high", "to", ".3f", joins=True),
        ),
        Column("n", "n", ",d"),
    )
    return _table(columns, ((name, one.value, one.low, one.high, one.n) for name, one in figures))


def has_unfiltered(results: StudyResults) -> bool:
    """Whether somebody is excluded, and both scales are known."""
    other = results.unfiltered
    return other is not None and other.ranking is not None and results.results.main.ranking is not None


def unfiltered(results: StudyResults) -> Table:
    """Each condition of the main scale without and with the excluded annotators."""
    main = results.results.main.ranking
    other = None if results.unfiltered is None else results.unfiltered.ranking
    if main is None or other is None:
        raise ValueError("nobody is excluded, or a scale is not known")
    place = {name: n for n, name in enumerate(other.names)}
    columns = (
        *(CONDITION, JND, LOW, HIGH),
        *(
            replace(column, name=f"{column.name}_with_excluded")
            for column in (replace(JND, head="JND with the excluded"), LOW, HIGH)
        ),
    )
    return _table(
        columns,
        (
            (str(name), *_values(main, n), *(_values(other, place[name]) if name in place else (None,) * 3))
            for n in main.order
            for name in [main.names[n]]
        ),
    )


def _values(scale: Ranking, n: int) -> tuple[Cell, ...]:
    """A condition's JND and its interval; the original, where it stands at 0, is known and has none."""
    at_zero = scale.names[n] == scale.reference
    ends = (None if at_zero else float(end[n]) for end in (scale.low, scale.high))
    return float(scale.values[n]), *ends
