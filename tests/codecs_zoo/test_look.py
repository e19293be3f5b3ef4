"""A codec's look: its own, the same on every page, and the same colours on the site as in a sweep's report."""

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

from codecs_zoo import registry
from codecs_zoo.look import key_mark, look_class, look_of, outline

ROOT = Path(__file__).parents[2]


def palettes(style: str, name: str) -> dict[str, list[tuple[str, str]]]:
    """(number, colour) of the variables `name`-1 … in light and in dark."""
    light, dark = (ROOT / style).read_text().split("@media (prefers-color-scheme: dark)", 1)
    found = re.compile(rf"--{name}(\d): (#[0-9a-f]{{6}});")
    return {"light": found.findall(light), "dark": found.findall(dark)}


def test_every_codec_has_a_look_of_its_own_and_a_lost_one_comes_last() -> None:
    looks = [look_of(name) for name in registry.names()]
    assert looks == list(range(len(looks)))
    assert look_of("lost") == len(looks)


def test_colour_and_shape_tell_35_codecs_apart() -> None:
    looks = [(look_class(look), outline(look, 0, 0)) for look in range(35)]
    assert all(one != other for one, other in combinations(looks, 2))


def test_a_key_mark_is_silent_and_in_the_colour_of_its_look() -> None:
    root = ElementTree.fromstring(key_mark(9))
    assert root.get("class") == "mark codec-3"
    assert root.get("aria-hidden") == "true"


def test_the_site_and_the_report_have_one_palette() -> None:
    site = palettes("annotation/static/annotation/closer.css", "codec-")
    assert [number for number, _ in site["light"]] == list("1234567")
    assert site["dark"]
    assert site == palettes("codecs_zoo/sweep/page.css", "c")
