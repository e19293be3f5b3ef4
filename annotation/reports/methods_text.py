"""A paragraph of methods, written from a study's rules and counts, as a paper has it.

Its phrases are in the study's language, from the catalogues of the pages for annotators.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import reduce

from django.db.models import Count, Max, Min
from django.utils import translation
from django.utils.translation import gettext as phrase
from django.utils.translation import ngettext as counted

from annotation.core.annotator_quality import BY_HAND, RETURNED, RULES
from annotation.core.bitrates import rate_in_words
from annotation.core.conditions import ORIGINAL, levels
from annotation.core.protocol import Protocol
from annotation.models import Enrolment, Judgment, Study, Triplet
from annotation.reports.exclusions import reason_group
from annotation.reports.methods import method_facts, tuned_methods
from annotation.reports.results import StudyResults


def methods_text(study: Study, results: StudyResults) -> list[str]:
    """The paragraphs: stimuli, procedure, participants, analysis."""
    with translation.override(study.language):
        parts = (_stimuli(study), _procedure(study), _participants(study, results), _analysis(study, results))
        return [" ".join(part) for part in parts]


def _stimuli(study: Study) -> Iterator[str]:
    photographs = study.uses.count()
    yield counted(
        "The stimuli were made from %(count)s photograph of at most %(width)s × %(height)s pixels.",
        "The stimuli were made from %(count)s photographs of at most %(width)s × %(height)s pixels.",
        photographs,
    ) % {"count": photographs, "width": study.max_width, "height": study.max_height}
    if study.codecs:
        yield phrase("They were encoded with %(codecs)s at %(levels)s bits per pixel.") % {
            "codecs": _listed(_versions(study)),
            "levels": _listed(map(rate_in_words, sorted(study.target_bpps))),
        }
    for one in tuned_methods(study):
        yield phrase("%(codec)s was tuned on %(figures)s.") % {
            "codec": one.name,
            "figures": _listed(one.tuned_on),
        }
    own = study.own_pictures.order_by("method").values_list("method", flat=True).distinct()
    if own:
        yield phrase("Pictures made elsewhere were added: %(methods)s.") % {"methods": _listed(own)}
    yield from _pairs(study)


def _versions(study: Study) -> list[str]:
    """Each codec with the version that made its pictures."""
    versions = {one.name: one.versions for one in method_facts(study)}
    return [
        f"{name} ({', '.join(versions[name])})" if versions.get(name) else name
        for name in sorted(study.codecs)
    ]


def _pairs(study: Study) -> Iterator[str]:
    rules, conditions = study.rules, study.conditions()
    if rules.pairs_within and not study.listed_pairs:
        yield (
            phrase("At each level, every two methods made a pair.")
            if len(levels(conditions)) > 1
            else phrase("Every two methods made a pair.")
        )
    if rules.pairs_across != "off":
        yield phrase(
            "Conditions of neighbouring levels were paired too, so that all levels join on one scale."
        )
    if ORIGINAL in conditions:
        yield phrase("Each condition was also paired with the original itself.")
    if study.listed_pairs:
        yield phrase("Pairs were listed individually.")


def _layout(rules: Protocol) -> str:
    if rules.layout == "toggle":
        return phrase("The original and the two reconstructions were shown in one place, switched by key.")
    if rules.layout == "flicker":
        return phrase(
            "Each reconstruction alternated with the original in one place, %(hz)g times a second."
        ) % {"hz": rules.flicker_hz}
    return phrase(
        "The original was shown between the two reconstructions, all at one image pixel per device pixel."
    )


def _procedure(study: Study) -> Iterator[str]:
    rules = study.rules
    yield phrase("Annotators answered the question “%(question)s” for each pair.") % {
        "question": study.question
    }
    yield _layout(rules)
    if study.allow_ties:
        yield phrase("They could also answer that they cannot tell.")
    else:
        yield phrase("They had to choose one of the two.")
    if study.min_view_ms:
        yield phrase("No answer was taken before %(seconds)g s of viewing.") % {
            "seconds": study.min_view_ms / 1000
        }
    if rules.original_switches:
        yield phrase(
            "No answer was taken before the original had been put in the place of the reconstructions %(number)s times."
        ) % {"number": rules.original_switches}
    yield from _arrival(study)
    if rules.training_pairs:
        yield phrase(
            "Judging began after %(pairs)s training pairs with feedback, of which %(right)s had to be right."
        ) % {
            "pairs": rules.training_pairs,
            "right": rules.training_pass,
        }
    if rules.warm_up:
        yield phrase("The first %(pairs)s pairs of every session were not counted.") % {
            "pairs": rules.warm_up
        }
    checks = _checks(study)
    if checks:
        yield phrase("Hidden checks were included: %(checks)s.") % {"checks": _listed(checks)}
    yield phrase("Each pair was to be judged by %(votes)s annotators, in sessions of %(pairs)s pairs.") % {
        "votes": study.votes_per_triplet,
        "pairs": study.pairs_per_session,
    }


def _arrival(study: Study) -> Iterator[str]:
    """Which checks of screen and sight came before the first pair, and which had to be passed."""
    rules = study.rules
    checks = (
        (rules.screen_check, phrase("screen size")),
        (rules.brightness, phrase("brightness")),
        (rules.colour_vision, phrase("colour vision")),
        (rules.acuity, phrase("near acuity")),
    )
    if required := [words for rule, words in checks if rule == "require"]:
        yield phrase("Before judging, these checks had to be passed: %(checks)s.") % {
            "checks": _listed(required)
        }
    if recorded := [words for rule, words in checks if rule == "record"]:
        yield phrase("Recorded without a limit: %(checks)s.") % {"checks": _listed(recorded)}


def _checks(study: Study) -> list[str]:
    rules = study.rules
    kinds = (
        (rules.sentinel_percent, phrase("pairs with one obviously worse side")),
        (rules.identical_percent, phrase("identical pairs")),
        (rules.repeat_percent, phrase("repeats with the sides swapped")),
        (rules.golden_percent, phrase("pairs with an expert’s answer")),
    )
    return [f"{words} ({share:g} %)" for share, words in kinds if share]


def _participants(study: Study, results: StudyResults) -> Iterator[str]:
    people = results.population == "people"
    counts = {"count": f"{results.annotators:,}", "votes": f"{results.judgments:,}"}
    if people:
        yield (
            counted(
                "%(count)s person gave the %(votes)s answers that count.",
                "%(count)s people gave the %(votes)s answers that count.",
                results.annotators,
            )
            % counts
        )
    else:
        yield (
            phrase(
                "The answers are SIMULATED: %(count)s programs gave %(votes)s; they say nothing about people."
            )
            % counts
        )
    if dates := _dates(study, simulated=not people):
        one_day = phrase("They were collected on %(first)s.")
        several = phrase("They were collected from %(first)s to %(last)s.")
        yield (one_day if dates["first"] == dates["last"] else several) % dates
    if study.rules.panel != "none" and people:
        yield phrase("They were recruited on %(panel)s.") % {"panel": _panel(study.rules.panel)}
    screened_out = (
        study.enrolments.exclude(screened_out_by="").filter(annotator__simulated=not people).count()
    )
    if screened_out:
        yield counted(
            "%(number)s person failed a required check and was not admitted.",
            "%(number)s people failed a required check and were not admitted.",
            screened_out,
        ) % {"number": screened_out}
    for rule, number in _exclusions(study, simulated=not people):
        yield counted(
            "%(number)s annotator was excluded (%(rule)s).",
            "%(number)s annotators were excluded (%(rule)s).",
            number,
        ) % {"number": number, "rule": rule}
    if pairs := study.triplets.filter(role=Triplet.Role.EXCLUDED).count():
        yield counted(
            "%(number)s pair was excluded by hand, with its answers.",
            "%(number)s pairs were excluded by hand, with their answers.",
            pairs,
        ) % {"number": pairs}


def _panel(name: str) -> str:
    return {"prolific": "Prolific", "mturk": "Mechanical Turk"}.get(name, phrase("an online panel"))


def _dates(study: Study, *, simulated: bool) -> dict[str, str]:
    dates: dict[str, datetime | None] = (
        Judgment.objects.filter(study=study)
        .of_population(simulated=simulated)
        .aggregate(first=Min("received_at"), last=Max("received_at"))
    )
    return {name: f"{at:%Y-%m-%d}" for name, at in dates.items() if at is not None}


def _exclusions(study: Study, *, simulated: bool) -> list[tuple[str, int]]:
    """Each reason with how many it excludes; rules by their label and limit, reasons given by hand together."""
    rows = (
        Enrolment.objects.excluded()
        .filter(study=study, annotator__simulated=simulated)
        .order_by("excluded_by")
    )
    counts: dict[str, int] = {}
    for reason, number in rows.values_list("excluded_by").annotate(number=Count("pk")):
        words = _reason(reason_group(reason), study.rules)
        counts[words] = counts.get(words, 0) + number
    return list(counts.items())


def _reason(name: str, rules: Protocol) -> str:
    """Why somebody was excluded: a rule with its limit, or what happened; anything else as it is stored."""
    words = {
        "exclude_sentinel_under": phrase("obviously worse sides recognised in fewer than %(limit)g %%"),
        "exclude_repeat_under": phrase("repeats answered alike in fewer than %(limit)g %%"),
        "exclude_side_bias_over": phrase("one side chosen over %(limit)g percentage points too often"),
        "exclude_fast_over": phrase("more than %(limit)g %% of the answers under 600 ms"),
        "exclude_straight_over": phrase("one side more than %(limit)g times in a row"),
        "exclude_reliability_under": phrase("reliability under %(limit)g"),
        BY_HAND: phrase("by the researchers"),
        RETURNED: phrase("returned their place"),
    }.get(name, name)
    return words % {"limit": getattr(rules, name)} if name in RULES else words


def _analysis(study: Study, results: StudyResults) -> Iterator[str]:
    ranking = results.results.main.ranking
    yield phrase(
        "Answers were scaled with the Bradley–Terry model, ties by Davidson’s extension (1970); 1 JND is the "
        "difference at which 75 % of answers prefer the better one."
    )
    if ranking is not None and ranking.reference is not None:
        yield phrase("The original is the zero of the scale.")
    ways = () if ranking is None else ranking.uncertainty.ways
    over = {"annotators": phrase("annotators"), "sources": phrase("photographs")}
    if ways:
        yield phrase(
            "95 %% intervals are from a covariance that is robust to clusters of %(ways)s (Cameron, "
            "Gelbach and Miller "
            "2011), with t quantiles."
        ) % {"ways": _listed(over.get(way, way) for way in ways)}
    yield phrase("Differences were tested with Holm’s adjustment over all pairs of a scale.")
    alpha, human = results.agreement.alpha, results.agreement.human_score
    if alpha.value is not None and human.value is not None:
        yield phrase(
            "Agreement: Krippendorff’s alpha %(alpha).2f; one more person would score %(human).0f %% by the "
            "answers of the others."
        ) % {"alpha": alpha.value, "human": 100 * human.value}


def _listed(words: Iterable[object]) -> str:
    """Words one after the other, the last after "and"."""
    each = [str(word) for word in words]
    if len(each) < 2:
        return "".join(each)
    first = reduce(lambda one, two: phrase("%(one)s, %(two)s") % {"one": one, "two": two}, each[:-1])
    return phrase("%(first)s and %(last)s") % {"first": first, "last": each[-1]}
