"""Simulated annotators: a hidden rule that makes sense, and noise that is as stated."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from annotation.core.simulation import (
    SimulatedAnnotator,
    choose,
    hidden_distance,
    make_annotator,
    response_ms,
)

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def original() -> Picture:
    """Soft shapes with fine texture in one half, 96 x 128."""
    draw = np.random.default_rng(4)
    texture = np.zeros((96, 128, 3))
    texture[:, 64:] = draw.normal(0, 25, (96, 64, 1))
    soft = gaussian_filter(draw.normal(0, 900, (96, 128, 3)), (9, 9, 0))
    return np.clip(128 + soft + texture, 0, 255).astype(np.uint8)


def jpeg(picture: Picture, quality: int) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def shifted(picture: Picture, error: NDArray[Any]) -> Picture:
    return np.clip(picture.astype(float) + error, 0, 255).round().astype(np.uint8)


def test_a_picture_is_at_no_distance_from_itself(original: Picture) -> None:
    assert hidden_distance(original, original) == 0.0


def test_more_compression_is_further_away(original: Picture) -> None:
    distances = [hidden_distance(original, jpeg(original, quality)) for quality in (95, 70, 40, 15, 5)]
    assert distances == sorted(distances) and distances[0] > 0


def test_texture_masks_an_error_of_the_same_size(original: Picture) -> None:
    noise = np.random.default_rng(1).normal(0, 8, (96, 64, 1))
    nothing = np.zeros_like(noise)
    in_texture = shifted(original, np.concatenate([nothing, noise], axis=1))
    in_flat = shifted(original, np.concatenate([noise, nothing], axis=1))
    assert hidden_distance(original, in_flat) > 1.3 * hidden_distance(original, in_texture)


def test_block_edges_are_worse_than_the_same_error_off_the_grid(original: Picture) -> None:
    steps = np.kron(np.random.default_rng(2).normal(0, 6, (13, 17)), np.ones((8, 8)))[..., None]
    on_grid = shifted(original, steps[:96, :128])
    off_grid = shifted(original, steps[4:100, 4:132])
    assert hidden_distance(original, on_grid) > 1.8 * hidden_distance(original, off_grid)


def test_lost_detail_is_worse_than_as_much_detail_added(original: Picture) -> None:
    """Blur and its mirror image, the same change with the other sign."""
    blurred = gaussian_filter(original.astype(float), (1.5, 1.5, 0)).round()
    change = blurred - original
    assert hidden_distance(original, shifted(original, change)) > 1.15 * hidden_distance(
        original, shifted(original, -change)
    )


def test_a_change_of_colour_alone_is_seen(original: Picture) -> None:
    same_luma = np.array([0.0, -20 * 0.114 / 0.587, 20.0])
    assert hidden_distance(original, shifted(original, np.broadcast_to(same_luma, original.shape))) > 1.0


def test_the_rule_is_not_psnr(original: Picture) -> None:
    """Two pictures of equal mean squared error lie at clearly different distances."""
    offset = shifted(original, np.full(original.shape, 6.0))
    noise = shifted(original, np.random.default_rng(5).choice([-6.0, 6.0], original.shape))
    errors = [np.mean((original.astype(float) - other) ** 2) for other in (offset, noise)]
    assert errors[0] == pytest.approx(errors[1], rel=0.05)
    distances = [hidden_distance(original, other) for other in (offset, noise)]
    assert max(distances) > 1.3 * min(distances)


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 5, 3), (8, 9, 3)])
def test_tiny_pictures_have_a_distance_too(shape: tuple[int, ...]) -> None:
    black, white = np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)
    assert hidden_distance(black, white) > 1


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8), "differ in size"),
        (np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 3), np.uint8), "need uint8"),
        (np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8), "need uint8"),
    ],
)
def test_what_cannot_be_compared_is_refused(one: Any, other: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hidden_distance(one, other)


def answers(annotator: SimulatedAnnotator, left: float, right: float, **options: bool) -> list[str]:
    return [choose(annotator, left, right, trial=trial, **options) for trial in range(2_000)]


def make_plain(**changes: float) -> SimulatedAnnotator:
    plain: dict[str, Any] = {
        "sharpness": 5.0,
        "lapse": 0.0,
        "side_bias": 0.0,
        "tie_width": 0.3,
        "pace_ms": 3_000,
    }
    return SimulatedAnnotator(seed=1, **(plain | changes))


def test_the_closer_one_is_chosen_as_often_as_the_curve_says() -> None:
    log_ratio = np.log(1.31 / 1.01)
    expected = 1 / (1 + np.exp(-5.0 * log_ratio))
    assert answers(make_plain(), 1.0, 1.3).count("left") / 2_000 == pytest.approx(expected, abs=0.03)
    assert answers(make_plain(), 1.3, 1.0).count("right") / 2_000 == pytest.approx(expected, abs=0.03)


def test_a_side_bias_shows_where_there_is_nothing_to_see() -> None:
    expected = 1 / (1 + np.exp(-0.8))
    assert answers(make_plain(side_bias=0.8), 1.0, 1.0).count("left") / 2_000 == pytest.approx(
        expected, abs=0.03
    )


def test_lapses_bound_the_accuracy() -> None:
    assert answers(make_plain(lapse=0.2), 0.1, 9.0).count("right") / 2_000 == pytest.approx(0.1, abs=0.02)


def test_ties_come_only_where_they_are_allowed_and_between_near_equals() -> None:
    assert "tie" not in answers(make_plain(), 1.0, 1.0)
    near, far = (answers(make_plain(), 1.0, right, allow_tie=True).count("tie") for right in (1.0, 3.0))
    assert near > 200 > 20 > far


def test_everything_follows_from_the_seed() -> None:
    assert make_annotator(3) == make_annotator(3) != make_annotator(4)
    annotator = make_annotator(3)
    assert (
        answers(annotator, 1.0, 1.1) == answers(annotator, 1.0, 1.1) != answers(make_annotator(4), 1.0, 1.1)
    )


def test_response_times_keep_the_minimum_view() -> None:
    times = [response_ms(make_plain(), trial=trial) for trial in range(2_000)]
    assert min(times) >= 1_000 and np.median(times) == pytest.approx(3_000, rel=0.05)
