"""Plates and charts: drawn from a seed, readable by those they are for, silent about what they show."""

import re
from random import Random
from xml.etree import ElementTree

import numpy as np
import pytest

from annotation.core import plates

SEEDS = [f"seed {number}" for number in range(30)]


def test_a_plate_is_the_same_after_a_reload_and_another_for_another_seed() -> None:
    assert plates.colour_plate("a", 2) == plates.colour_plate("a", 2)
    assert plates.colour_plate("a", 2) != plates.colour_plate("b", 2)


def test_every_digit_comes_up() -> None:
    assert {digit for seed in SEEDS for digit in plates.plate_digits(seed)} == set(plates.DIGITS)


@pytest.mark.parametrize("digit", plates.DIGITS)
def test_a_figure_has_enough_dots_to_be_read_and_not_so_many_as_its_ground(digit: str) -> None:
    dots = list(plates.plate_dots(digit, Random(digit)))
    inside = [dot.inside for dot in dots]
    assert 60 < sum(inside) < 0.4 * len(dots)
    assert all(np.hypot(dot.x, dot.y) <= 100 for dot in dots)


@pytest.mark.parametrize("kind", ["protan", "deutan", "tritan"])
def test_the_two_hues_of_a_plate_differ_in_one_kind_of_cone_alone(kind: str) -> None:
    """Who lacks that cone has nothing to tell them apart by; both stay in the gamut under the noise."""
    figure, ground = plates.plate_hues(kind)
    seen = plates.CONES @ figure, plates.CONES @ ground
    missing = ["protan", "deutan", "tritan"].index(kind)
    differs = np.abs(seen[0] - seen[1]) / (seen[0] + seen[1])
    assert differs[missing] > 0.15
    assert np.delete(differs, missing).max() < 1e-9
    assert min(figure.min(), ground.min()) >= 0
    assert max(figure.max(), ground.max()) * (1 + plates.NOISE) <= 1 + 1e-9


@pytest.mark.parametrize("kind", ["protan", "deutan", "tritan"])
def test_the_noise_hides_what_the_hues_differ_in_luminance(kind: str) -> None:
    luminance = [np.dot([0.2126, 0.7152, 0.0722], hue) for hue in plates.plate_hues(kind)]
    darker, lighter = sorted(luminance)
    assert lighter * (1 - plates.NOISE) < darker * (1 + plates.NOISE)


def test_everybody_reads_the_control_plate() -> None:
    figure, ground = (np.dot([0.2126, 0.7152, 0.0722], hue) for hue in plates.plate_hues("control"))
    assert figure * (1 + plates.NOISE) < ground * (1 - plates.NOISE)


def test_a_drawing_does_not_name_what_it_shows() -> None:
    """Circles of fills and places: no text, no group, no order of drawing that is figure first."""
    drawing = ElementTree.fromstring(plates.colour_plate("a", 1))
    assert {element.tag.rpartition("}")[2] for element in drawing} == {"circle"}
    assert {name for element in drawing for name in element.attrib} == {"cx", "cy", "r", "fill"}
    rows = [float(element.get("cy", 0)) for element in drawing][1:]
    assert rows != sorted(rows)


def test_grey_panels_have_five_to_eight_squares_and_as_many_rectangles_whatever_they_show() -> None:
    for seed in SEEDS:
        for tone, ground in plates.GROUNDS.items():
            contrasts = plates.square_contrasts(seed, tone)
            fills = re.findall(r'fill="#(..)', plates.grey_panel(seed, tone))[1:]
            assert 5 <= len(contrasts) <= 8 == len(fills)
            assert len([fill for fill in fills if int(fill, 16) != ground]) == len(contrasts)
    assert len({len(plates.square_contrasts(seed, "dark")) for seed in SEEDS}) > 2


def test_rings_come_largest_first_and_open_to_all_sides() -> None:
    rings = plates.ring_gaps("a")
    assert [gap for gap, _ in rings] == sorted((gap for gap, _ in rings), reverse=True)
    assert {side for seed in SEEDS for _, side in plates.ring_gaps(seed)} == set(plates.DIRECTIONS)


@pytest.mark.parametrize(
    ("side", "x", "y"), [("up", 2.5, 0.5), ("right", 4.5, 2.5), ("down", 2.5, 4.5), ("left", 0.5, 2.5)]
)
def test_a_ring_opens_where_it_says(side: str, x: float, y: float) -> None:
    """All four ends of the arcs lie around the middle of the gap, within one gap."""
    drawn = plates.ring(side)
    ends = [tuple(map(float, end)) for end in re.findall(r"([\d.]+) ([\d.]+)(?=[ALZ])", drawn)]
    ends = [end for end in ends if end != (2.5, 2.5)]
    assert len(ends) == 4
    assert all(abs(end_x - x) <= 0.6 and abs(end_y - y) <= 0.6 for end_x, end_y in ends)
    assert side not in drawn
