"""The help of every command shows commands that can be given as they stand."""

import argparse
import shlex

import pytest

from codecs_zoo.__main__ import _parser

PROGRAM = "python -m codecs_zoo "


def commands() -> dict[str, argparse.ArgumentParser]:
    subparsers = (each for each in _parser()._actions if isinstance(each, argparse._SubParsersAction))
    return dict(next(subparsers).choices)


def examples(description: str) -> list[str]:
    lines = description.replace("\\\n", " ").splitlines()
    return [line[line.index(PROGRAM) :] for line in lines if PROGRAM in line and "`" not in line]


def test_the_list_of_commands_names_every_command() -> None:
    shown = {shlex.split(line)[3] for line in examples(_parser().description or "")}
    assert shown == set(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_help_of_a_command_has_examples_that_it_accepts(name: str) -> None:
    lines = examples(commands()[name].description or "")
    assert lines
    for line in lines:
        words = shlex.split(line)[3:]
        assert words[0] == name
        _parser().parse_args(words)
