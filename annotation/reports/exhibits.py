"""Figures and tables of a study's results, each drawn and written once: for the page, for files, for the paper pack."""

from collections.abc import Collection
from dataclasses import dataclass

from annotation.core.bitrates import level_in_words, rate_in_words
from annotation.core.formats.printed import Table
from annotation.reports import result_tables as tables
from annotation.reports.jnd_chart import quality_curves
from annotation.reports.results import StudyResults
from codecs_zoo.look import method_look
from imaging.plots import charts
from imaging.plots.heat_map import heat_map
from imaging.plots.key import add_key
from imaging.plots.scene import Scene
from psychometrics.conditions import ComparedMethod
from psychometrics.ranking import Ranking
from psychometrics.results import Section
from psychometrics.sentences import ranking_in_words, signed

WHOSE = {"people": "judgments by people", "simulated": "simulated judgments"}
CURVES = "Curves with 95 % bands; marks and whiskers are the conditions that were judged."
PREFERENCE = (
    "The share of comparisons that each method is expected to win against the average other condition of "
    "its level; a tie counts half. Whiskers are 95 % intervals."
)
MATRIX = (
    "How often the method of the row was preferred to that of the column, within levels; a tie counts "
    "half. A dash: they were never compared. These are raw shares: they depend on which pairs were shown."
)


@dataclass(frozen=True)
class Exhibit:
    """One figure with the numbers in it, or a table alone (`scene` None). `name` is that of its files."""

    name: str
    title: str
    caption: str
    table: Table
    scene: Scene | None = None


def result_exhibits(results: StudyResults) -> list[Exhibit]:
    """Everything that may be published of the results, in the order of the page; what is not known is not in it."""
    whose = WHOSE[results.population]
    exhibits = []
    for name, title, section in exhibit_sections(results):
        if section.ranking is not None:
            exhibits += _of_scale(name, title, section.ranking, whose, results.own_methods)
    exhibits += _curves(results, whose) + _preference(results, whose) + _matrix(results, whose)
    return exhibits + _further(results)


def exhibit_sections(results: StudyResults) -> list[tuple[str, str, Section]]:
    """(name, title, section) of each scale, the joined one first and an average over levels last."""
    every = results.results
    sections = [("joined", "All conditions on one scale", every.joined)] if every.joined else []
    sections += [
        (f"at-{section.level:g}", f"At {level_in_words(section.level, results.bitrates)}", section)
        for section in every.levels
        if section.level is not None
    ]
    if len(every.levels) != 1:
        sections.append(
            ("overall", "Over all levels, an average" if every.levels else "Ranking", every.overall)
        )
    return sections


def _of_scale(name: str, title: str, ranking: Ranking, whose: str, own: Collection[str]) -> list[Exhibit]:
    words = ranking_in_words(ranking)
    return [
        Exhibit(
            f"ranking-{name}",
            f"Ranking: {title}",
            words,
            tables.ranking(ranking),
            ranking_dots(ranking, f"{title}, {whose}", own=own),
        ),
        Exhibit(
            f"differences-{name}",
            f"Differences: {title}",
            "Each interval is that of the difference itself; p is adjusted for all pairs of this scale (Holm).",
            tables.differences(ranking),
        ),
    ]


def ranking_dots(
    ranking: Ranking,
    title: str,
    *,
    within: tuple[float, float] | None = None,
    best_first: bool = True,
    own: Collection[str] = (),
) -> Scene:
    """A scale as dots with whiskers; `within` as in `charts.dots`."""
    zero = "the original" if ranking.reference is not None else "their mean"
    unit = f"closeness to the original in JND; 0 is {zero}"
    order = ranking.order if best_first else range(len(ranking.names))
    rows = [dot(ranking, n, own) for n in order]
    return charts.dots(rows, title=f"Ranking: {title}", unit=unit, reference=0.0, within=within, spell=signed)


def dot(ranking: Ranking, n: int, own: Collection[str] = ()) -> charts.Dot:
    """One condition of a scale; what is at 0 by definition has no interval. `own`: the study's `own_methods`."""
    at_zero = ranking.names[n] == ranking.reference
    low, high = (None if at_zero else float(end[n]) for end in (ranking.low, ranking.high))
    name = ranking.names[n]
    return charts.Dot(
        str(name), float(ranking.values[n]), low, high, look=method_look(method_name(name), own)
    )


def method_name(name: object) -> str:
    """The method of a condition, or of a method's own name."""
    return name.method if isinstance(name, ComparedMethod) else str(name)


def _curves(results: StudyResults, whose: str) -> list[Exhibit]:
    if not results.curves:
        return []
    joined = results.results.joined
    original = joined is not None and joined.ranking is not None and joined.ranking.reference is not None
    zero = "the original" if original else "the mean of all"
    scene = quality_curves(
        results.curves, title=f"Quality over bits, {whose}", zero=zero, own=results.own_methods
    )
    add_key(scene, [(one.method, method_look(one.method, results.own_methods)) for one in results.curves])
    return [
        Exhibit("quality-over-bits", "Quality over bits", CURVES, tables.curves(results.curves), scene),
        Exhibit(
            "equal-quality",
            "Bits at equal quality",
            "The mean logarithm of the ratio of bits over the range of quality that both methods reach.",
            tables.equal_quality(results.equal_quality),
        ),
    ]


def _preference(results: StudyResults, whose: str) -> list[Exhibit]:
    series = [
        charts.Series(
            method,
            method_look(method, results.own_methods),
            [
                charts.Point(level, one.value, one.low, one.high)
                for level, one in cells
                if level is not None and one.value is not None
            ],
        )
        for method, cells in tables.preference_by_method(results)
    ]
    if not any(one.points for one in series):
        return []
    rates = all(one.level in results.bitrates for one in results.results.levels)
    spell = rate_in_words if rates else "{:g}".format
    labels = {
        "x_label": "target bitrate, bpp" if rates else "level",
        "y_label": "expected share of wins against the average other condition",
    }
    scene = charts.curves(
        series, title=f"Preference by level, {whose}", reference=0.5, spell_x=spell, **labels
    )
    add_key(scene, [(one.name, one.look) for one in series])
    return [
        Exhibit("preference-by-level", "Preference by level", PREFERENCE, tables.preference(results), scene)
    ]


def _matrix(results: StudyResults, whose: str) -> list[Exhibit]:
    if len(results.methods) < 2:
        return []
    shares = [[None if share != share else float(share) for share in row] for row in results.wins]
    scene = heat_map(results.methods, shares, title=f"How often row was preferred to column, {whose}")
    return [Exhibit("pair-against-pair", "Pair against pair", MATRIX, tables.matrix(results), scene)]


def _further(results: StudyResults) -> list[Exhibit]:
    agreement = Exhibit(
        "agreement",
        "Agreement",
        "From the counted votes. 95 % intervals are over photographs; those of self-agreement and of the "
        "share of left answers are over annotators.",
        tables.agreement(results),
    )
    if not tables.has_unfiltered(results):
        return [agreement]
    return [
        agreement,
        Exhibit(
            "with-the-excluded",
            "With and without the excluded annotators",
            "The main scale as shown, and with the answers of everybody, including excluded annotators.",
            tables.unfiltered(results),
        ),
    ]
