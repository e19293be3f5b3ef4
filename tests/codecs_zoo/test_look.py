"""A codec's look: its own, the same on every page, and the same colours on the site as in reports and files."""

import re
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from codecs_zoo import registry
from codecs_zoo.classical.jpeg import Jpeg
from codecs_zoo.look import is_of_codec, key_mark, method_look
from imaging.plots.looks import SHAPES, Look, by_name
from imaging.plots.palette import COLOURS

ROOT = Path(__file__).parents[2]
DEFAULT = ("jpeg", "jpeg2000", "webp", "avif", "jpegxl")


def palettes(style: str, name: str) -> dict[str, list[tuple[str, str]]]:
    """(number, colour) of the variables `name`-1 … in light and in dark."""
    light, dark = (ROOT / style).read_text().split("@media (prefers-color-scheme: dark)", 1)
    result = re.compile(rf"--{name}(\d): (#[0-9a-f]{{6}});")
    return {"light": result.findall(light), "dark": result.findall(dark)}


def test_every_codec_states_a_look_and_no_two_have_one_colour_and_shape() -> None:
    looks = [registry.get(name).look for name in registry.names()]
    assert None not in looks
    assert all(one != other for one, other in combinations(looks, 2))


def test_the_default_five_differ_in_shape_and_in_colour() -> None:
    looks = [method_look(name) for name in DEFAULT]
    assert len({look.shape for look in looks}) == len({look.colour for look in looks}) == 5


def test_a_codec_that_joins_changes_no_others_look(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: method_look(name) for name in registry.names()}
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    registry.register(type("First", (Jpeg,), {"name": "aaa", "look": Look(7, "cross")}))
    assert {name: method_look(name) for name in before} == before
    assert method_look("aaa") == Look(7, "cross")


def test_a_look_that_is_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    with pytest.raises(ValueError, match="'aaa' and 'avif' have the same look"):
        registry.register(type("First", (Jpeg,), {"name": "aaa", "look": method_look("avif")}))


def test_options_and_versions_have_a_look_that_is_derived_from_the_codecs() -> None:
    version, checkerboard = method_look("checkerboard-v3"), method_look("checkerboard")
    assert (version.colour, version.shape) == (checkerboard.colour, checkerboard.shape)
    assert version.variant > 0
    assert method_look("jpeg-444").variant == 0
    own, grain, sharp = (method_look(name) for name in ("avif", "avif@grain=estimated", "avif@sharpness=2"))
    assert {(look.colour, look.shape) for look in (grain, sharp)} == {(own.colour, own.shape)}
    assert own.variant == 0 and grain.variant > 0 and own.dash == () and grain.dash
    assert method_look("avif@grain=estimated") == grain
    assert "hollow" in key_mark("avif@grain=estimated") and "hollow" not in key_mark("avif")


@pytest.mark.parametrize(
    "name", ["my method", "lost", "avifs", "@", "original", *map("mine {}".format, range(60))]
)
def test_a_method_of_ones_own_has_a_look_that_follows_from_its_name_and_is_no_codecs(name: str) -> None:
    codecs = [registry.get(each).look for each in registry.names()]
    assert method_look(name) == method_look(name) not in codecs
    if by_name(name) not in codecs:
        assert method_look(name) == by_name(name)


def test_where_every_look_is_taken_there_is_still_one() -> None:
    every = [
        Look(colour, shape, variant) for variant in range(3) for colour in range(1, 8) for shape in SHAPES
    ]
    assert by_name("mine", taken=every) == by_name("mine")
    assert by_name("mine", taken=every[1:]) == every[0]


@pytest.mark.parametrize("fields", [{"colour": 0}, {"colour": 8}, {"shape": "star"}])
def test_a_look_that_cannot_be_drawn_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="colour from 1 to 7 and one of the shapes"):
        Look(**({"colour": 1, "shape": "circle"} | fields))


def test_every_shape_is_another() -> None:
    assert len({Look(1, shape).outline(6, 6) for shape in SHAPES}) == len(SHAPES)


def test_a_key_mark_is_silent_and_in_the_colour_of_its_look() -> None:
    root = ElementTree.fromstring(key_mark("webp"))
    assert root.get("class") == "mark codec-3"
    assert root.get("aria-hidden") == "true"


def test_the_site_the_report_and_files_have_one_palette() -> None:
    site = palettes("annotation/static/annotation/closer.css", "codec-")
    assert [number for number, _ in site["light"]] == list("1234567")
    assert site["dark"]
    assert site == palettes("codecs_zoo/sweep/page.css", "c")
    assert site["light"] == [
        (name[-1], colour) for name, colour in COLOURS.items() if name.startswith("codec-")
    ]


def test_own_methods_of_one_study_look_different_as_long_as_there_are_looks() -> None:
    names = [f"own method {n}" for n in range(24)]
    looks = [method_look(name, names) for name in names]
    assert len(set(looks)) == len(names)
    codecs = {method_look(name) for name in registry.names()}
    assert not codecs & set(looks)
    assert method_look(names[3], names[::-1]) == looks[3]
    assert (
        method_look("avif", names) == method_look("avif")
        and is_of_codec("avif-v2")
        and not is_of_codec("own")
    )
