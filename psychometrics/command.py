"""Rank, agree, plan, convert: statistics of people's choices without a database or pixels.

    python -m psychometrics rank answers.csv
    python -m psychometrics agree answers.csv --json
    python -m psychometrics plan --conditions 6 --sources 20 --annotators 30 --votes 5
    python -m psychometrics convert responses.csv answers.csv

ANSWERS is a CSV with the columns source,a,b,choice and, where known, annotator,ms,level: a and b name conditions,
METHOD or METHOD@LEVEL or original, and choice is a, b or tie, the closer one. pwcmp's CSV, AIC-3 responses
(JPEG-AI-SDR25) and mucped23's answers are read as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from psychometrics.answer_agreement import Agreement, measure_agreement
from psychometrics.answer_writers import WRITERS
from psychometrics.answers import Answers, ranking_answers, read_answer_rows, read_answers
from psychometrics.as_json import estimate_as_json, influence_as_json, results_as_json, section_as_json
from psychometrics.conditions import THE_ORIGINAL, AnswersError, ComparedMethod
from psychometrics.in_text import (
    estimate_as_text,
    influence_as_text,
    published_as_text,
    results_as_text,
    section_as_text,
    weighted_as_text,
)
from psychometrics.influence import Influence, influences
from psychometrics.plan_arguments import add_plan_arguments
from psychometrics.planning import Assumed, Plan, PlanError, Size, cheapest, plan
from psychometrics.published_scale import AgainstPublished, against_published, read_published_scale
from psychometrics.reliability import Weighted, weighted
from psychometrics.results import Section, by_source, rank_conditions
from psychometrics.scaling import TIES
from psychometrics.sentences import count, plan_in_words

Parser = argparse.ArgumentParser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 2 for what can't be done, with a sentence that says what to do."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = options.run
    try:
        run(options)
        sys.stdout.flush()
    except (AnswersError, PlanError) as error:
        print(f"psychometrics {options.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader closed the pipe: the rest of the output is discarded
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _rank(options: argparse.Namespace) -> None:
    answers = read_answers(options.answers)
    rows = answers.comparisons
    results = rank_conditions(rows, ties=options.ties, seed=options.seed)
    sections = (
        by_source(rows, answers.sources, ties=options.ties, seed=options.seed) if options.by_source else {}
    )
    hangs_on = _influences(results.main, answers)
    published = _against(results.main, options)
    if options.json:
        report = _file_as_json(answers) | results_as_json(results)
        report["weighted"] = _weighted_as_json(results.main)
        report["influence"] = {
            way: [influence_as_json(one) for one in each[:10]] for way, each in hangs_on.items()
        }
        if published is not None:
            report["against"] = asdict(published)
        if options.by_source:
            report["by_source"] = {name: section_as_json(section) for name, section in sections.items()}
        _print_json(report)
        return
    parts = [_file_in_words(answers), results_as_text(results)]
    beside = _weighted(results.main)
    parts += [weighted_as_text(beside)] if beside is not None else []
    parts += [influence_as_text(each, way) for way, each in hangs_on.items() if len(each) > 1]
    parts += [] if published is None else [published_as_text(published)]
    parts += [f"{name}\n{section_as_text(section)}" for name, section in sections.items()]
    print("\n\n".join(parts))


def _against(section: Section, options: argparse.Namespace) -> AgainstPublished | None:
    if options.against is None:
        return None
    published = read_published_scale(options.against, options.column)
    if section.ranking is None:
        raise AnswersError(f"There is no ranking to hold against {options.against}: {section.why}")
    return against_published(section.ranking, published)


def _influences(section: Section, answers: Answers) -> dict[str, list[Influence]]:
    """Of each person and photograph on the main scale."""
    if section.ranking is None:
        return {}
    ranked, scale, rows = {}, section.ranking.scale, section.comparisons
    if rows.annotator is not None:
        ranked["person"] = influences(scale, rows, rows.annotator, answers.annotators)
    if rows.source is not None:
        ranked["photograph"] = influences(scale, rows, rows.source, answers.sources)
    return ranked


def _weighted(section: Section) -> Weighted | None:
    return None if section.ranking is None else weighted(section.ranking.scale, section.comparisons)


def _weighted_as_json(section: Section) -> dict[str, float] | None:
    """Strengths in JND by condition, each answer weighted by its annotator's reliability."""
    weighted_scale = _weighted(section)
    if weighted_scale is None or section.ranking is None:
        return None
    return dict(zip(map(str, section.ranking.names), weighted_scale.values.tolist(), strict=True))


def _agree(options: argparse.Namespace) -> None:
    answers = read_answers(options.answers)
    agreement = measure_agreement(answers)
    if options.json:
        figures = {name: estimate_as_json(getattr(agreement, name)) for name in FIGURES}
        counts = {
            "triplets": agreement.triplets,
            "judged_twice": agreement.judged_twice,
            "raw_agreement": agreement.raw,
        }
        _print_json(_file_as_json(answers) | counts | figures)
        return
    print(f"{_file_in_words(answers)}\n\n{_agreement_as_text(agreement)}")


FIGURES = {
    "human_score": "Human score",
    "ceiling": "Ceiling",
    "alpha": "Krippendorff's alpha",
    "again": "Same answer again",
    "first": "Chose the first of a pair",
}


def _agreement_as_text(agreement: Agreement) -> str:
    lines = [f"{label:<26}{estimate_as_text(getattr(agreement, name))}" for name, label in FIGURES.items()]
    if not agreement.judged_twice:
        lines.append(
            "No pair was judged by two people, so agreement among people is unknown. "
            "Collect two votes or more on a pair."
        )
    twice = f"{agreement.judged_twice:,} of {agreement.triplets:,} pairs of pictures have at least two votes."
    return "\n".join([*lines, twice])


def _plan(options: argparse.Namespace) -> None:
    assumed = Assumed(
        step=options.step,
        of_people=options.spread_people,
        of_sources=options.spread_sources,
        seconds=options.seconds,
        arrival_minutes=options.arrival,
        pay_per_hour=options.pay,
    )
    if options.halfwidth:
        limits = {"most_sources": options.sources or 60, "most_annotators": options.annotators or 200}
        planned = cheapest(options.halfwidth, options.conditions, assumed, levels=options.levels, **limits)
    else:
        missing = [name for name in ("sources", "annotators", "votes") if getattr(options, name) is None]
        if missing:
            raise PlanError(
                f"Give --{', --'.join(missing)} too, or --halfwidth for the cheapest study that reaches it."
            )
        size = Size(options.conditions, options.sources, options.annotators, options.votes, options.levels)
        planned = plan(size, assumed, seed=options.seed)
    if options.json:
        _print_json(plan_as_json(planned))
    else:
        print(plan_in_words(planned))


def plan_as_json(planned: Plan) -> dict[str, Any]:
    """A plan as plain values."""
    size = asdict(planned.size) | {"judgments": planned.size.judgments, "each_annotator": planned.size.each}
    return asdict(planned) | {"size": size, "in_words": plan_in_words(planned)}


def _convert(options: argparse.Namespace) -> None:
    read = read_answer_rows(options.answers)
    answers = ranking_answers(read)
    try:
        with options.out.open("x", newline="", encoding="utf-8") as file:
            WRITERS[options.to](file, [row for _, row in read.rows])
    except FileExistsError:
        raise AnswersError(f"{options.out} already exists: give the name of a new file.") from None
    except OSError as error:
        raise AnswersError(f"{options.out} cannot be written: {error.strerror or error}.") from error
    print(f"{_file_in_words(answers)} Written to {options.out}.")


def _file_as_json(answers: Answers) -> dict[str, Any]:
    return {
        "format": answers.format,
        "judgments": int(answers.outcome.size),
        "annotators": len(answers.annotators) or None,
        "sources": len(answers.sources),
        "notes": list(answers.notes),
    }


def _file_in_words(answers: Answers) -> str:
    methods = {one.method for one in answers.conditions if one != THE_ORIGINAL}
    levels = {one.level for one in answers.conditions if isinstance(one, ComparedMethod)} - {None}
    people = count(len(answers.annotators), "annotator") if answers.annotators else "annotators not recorded"
    read = (
        f"Read {count(answers.outcome.size, 'answer')} ({answers.format}): {count(len(methods), 'method')}"
        f"{' at ' + count(len(levels), 'level') if levels else ''}, {count(len(answers.sources), 'source')}, {people}."
    )
    return " ".join([read, *answers.notes])


def _print_json(report: dict[str, Any]) -> None:
    print(json.dumps(report, indent=2, allow_nan=False))


def _parser() -> argparse.ArgumentParser:
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="psychometrics", description=__doc__, formatter_class=style)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], words: str, example: str) -> Parser:
        epilog = f"example:\n  {example}"
        one = commands.add_parser(name, help=words, description=words, epilog=epilog, formatter_class=style)
        one.set_defaults(run=run)
        return one

    rank = command(
        "rank", _rank, "Rank the conditions, with intervals.", "python -m psychometrics rank answers.csv"
    )
    agree = command(
        "agree", _agree, "Measure agreement between people.", "python -m psychometrics agree answers.csv"
    )
    convert = command(
        "convert", _convert, "Write the answers in another format.",
        "python -m psychometrics convert responses.csv answers.csv",
    )  # fmt: skip
    for one in (rank, agree, convert):
        one.add_argument("answers", type=Path, metavar="ANSWERS", help="a CSV of answers")
    convert.add_argument("out", type=Path, metavar="OUT", help="the file to write, which must not exist")
    convert.add_argument("--to", choices=list(WRITERS), default="plain", help="format (default: plain)")
    rank.add_argument("--by-source", action="store_true", help="also rank each source")
    rank.add_argument(
        "--ties", choices=TIES, default="davidson", help="ties: Davidson's model, or half a win each"
    )
    rank.add_argument(
        "--against",
        type=Path,
        metavar="SCALE",
        help="a CSV of a published scale: condition or method, and a value",
    )
    rank.add_argument("--column", default="", help="of SCALE (default: the first that holds numbers)")
    rank.add_argument("--seed", type=int, default=0, help="seed for the probability of being best")
    planned = command(
        "plan", _plan, "Predict the precision of a study, or find the cheapest study that is precise enough.",
        "python -m psychometrics plan --conditions 6 --sources 20 --annotators 30 --votes 5\n"
        "  python -m psychometrics plan --conditions 6 --halfwidth 0.3 --pay 12",
    )  # fmt: skip
    add_plan_arguments(planned)
    for one in (rank, agree, planned):
        one.add_argument("--json", action="store_true", help="print JSON")
    return parser
