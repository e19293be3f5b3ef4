"""`python -m metric fetch`: the public sets that are known, and one of them fetched."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metric.core.public_sets.sets import SETS, PublicSet, SetError, read_sets


def add_fetch(commands: Any) -> None:
    """The command's arguments, among other `commands` of a parser."""
    parser = commands.add_parser(
        "fetch",
        help="fetch a public set of people's answers",
        description="Without NAME: lists the public sets with their licences, without the network. With NAME: "
        "downloads the set, compares its hash and unpacks it.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="of a set")
    parser.add_argument("--to", type=Path, default=Path("sets"), metavar="FOLDER", help="where to (sets)")
    parser.add_argument(
        "--sha256", action="append", default=[], metavar="[FILE=]VALUE", help="what a file must hash to"
    )
    parser.add_argument(
        "--trust-first-download",
        action="store_true",
        help="of files that nobody has verified: keep the hash of what comes now, and require it later",
    )
    parser.add_argument(
        "--accept-terms", action="store_true", help="of a set whose owners forbid some uses: yours is allowed"
    )
    parser.add_argument("--sets", type=Path, default=SETS, metavar="FILE", help="a list of sets of your own")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    sets = read_sets(options.sets)
    if options.name is None:
        print("\n".join(_described(one) for one in sets.values()))
        return 0
    if options.name not in sets:
        raise SetError(f"No public set is called {options.name!r}. Known: {', '.join(sets)}.")
    _fetch(sets[options.name], options)
    return 0


def _fetch(one: PublicSet, options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from metric.core.public_sets.fetching import fetch

    bars: dict[str, tqdm[Any]] = {}

    def progress(name: str, done: int, total: int | None) -> None:
        if name not in bars:
            bars[name] = tqdm(desc=name, total=total, unit="B", unit_scale=True, file=sys.stderr)
        bars[name].update(done - bars[name].n)

    there = (options.to / one.name).exists()
    try:
        place = fetch(
            one,
            options.to,
            given=_given(one, options.sha256),
            trust_first=options.trust_first_download,
            accept_terms=options.accept_terms,
            progress=progress,
        )
    finally:
        for bar in bars.values():
            bar.close()
    print(f"{one.title}\nLicence: {one.licence}\n{'It is there already' if there else 'Fetched'}: {place}")
    print(f"Next: {one.use.format(folder=place)}")


def _given(one: PublicSet, values: Sequence[str]) -> dict[str, str]:
    given = {}
    for value in values:
        name, equals, sha256 = value.rpartition("=")
        if not equals and len(one.files) > 1:
            files = ", ".join(file.name for file in one.files)
            raise SetError(f"{one.name} has several files ({files}): give --sha256 FILE=VALUE.")
        given[name or one.files[0].name] = sha256.lower()
    return given


def _described(one: PublicSet) -> str:
    unverified = [file.name for file in one.files if not file.sha256]
    lines = [f"{one.name}: {one.title}", f"  licence: {one.licence}", f"  page: {one.page}"]
    if one.terms:
        lines.append(f"  needs --accept-terms: {one.terms}")
    if unverified:
        lines.append(f"  not verified by anybody: {', '.join(unverified)}")
    lines += [f"  {file.name}: sha256 {file.sha256}, {file.sha256_by}" for file in one.files if file.sha256]
    return "\n".join(lines)
