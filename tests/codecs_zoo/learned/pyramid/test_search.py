"""The search in the encoder: it pays, keeps to the rate, and goes on where it was stopped."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from codecs_zoo.encode_progress import Progress, following
from codecs_zoo.learned.networks.rounding import annealed, rounded
from codecs_zoo.learned.pyramid import encoder
from codecs_zoo.learned.pyramid.codec import PyramidCodec
from codecs_zoo.learned.pyramid.networks import to_tensor
from codecs_zoo.learned.pyramid.search import Search
from codecs_zoo.learned.pyramid.shape import lambda_at
from tests.codecs_zoo.learned.pyramid.conftest import make_model, smooth_picture

INDEX = 200


def cost(search: Search, latents: Tensor) -> float:
    """Bits per pixel plus lambda times squared error of rounded latents."""
    output = search.model.reconstruct(latents, search.level, rounded)
    error = (output.x_hat - search.x).square().mean()
    return float(output.bits / search.x[0, 0].numel() + lambda_at(INDEX / 50) * 255**2 * error)


def test_a_search_lowers_the_cost() -> None:
    x = to_tensor(smooth_picture(64, 64))
    search = Search(make_model(), x, (64, 64), INDEX, 60, None)
    before = cost(search, search.latents_so_far)
    while search.done < search.iterations:
        search.step()
    after = cost(search, search.latents_so_far)
    assert after < 0.99 * before


def test_it_works_with_more_than_the_lambda_of_its_level() -> None:
    search = Search(make_model(), to_tensor(smooth_picture(64, 64)), (64, 64), INDEX, 20, None)
    assert math.exp(search.log_lambda) == pytest.approx(1.3 * lambda_at(INDEX / 50))


def test_lambda_rises_while_the_rate_is_too_low_and_falls_while_it_is_too_high() -> None:
    x = to_tensor(smooth_picture(64, 64))
    for target, sign in ((100.0, 1), (0.001, -1)):
        search = Search(make_model(), x, (64, 64), INDEX, 20, target)
        before = search.log_lambda
        for _ in range(5):
            search.step()
        assert search.log_lambda == before, "steered by what values between whole numbers cost early on"
        search.step()
        assert sign * (search.log_lambda - before) > 0


def test_a_correction_moves_lambda_against_the_miss() -> None:
    x = to_tensor(smooth_picture(64, 64))
    for miss, sign in ((1.1, -1), (0.9, 1)):
        search = Search(make_model(), x, (64, 64), INDEX, 20, 1.0)
        before = search.log_lambda
        search.correct(3, miss)
        assert sign * (search.log_lambda - before) > 0
        assert (search.aim, search.iterations) == (pytest.approx(1 / miss), 23)


def test_annealing_ends_at_whole_numbers() -> None:
    x = torch.rand(1000) * 10 - 5
    shown, counted = annealed(0.02, torch.Generator().manual_seed(0))(x)
    assert torch.equal(shown, counted)
    assert (shown - shown.round()).abs().mean() < 0.01
    assert (shown - x).abs().max() <= 1


def test_a_search_that_was_stopped_ends_as_if_it_had_not_been(
    codec: PyramidCodec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codecs_zoo.encode_progress.KEEP_EVERY", 0.0)
    monkeypatch.setattr(encoder, "ITERATIONS", (0, 12, 0, 0, 0))
    monkeypatch.setattr(encoder, "CORRECTIONS", 0)
    picture, state, seen = smooth_picture(64, 64), tmp_path / "state", []

    def stop_at_seven(progress: Progress) -> None:
        seen.append(progress.done)
        if progress.done == 7:
            raise KeyboardInterrupt

    whole = codec.encode(picture, bpp=1.0, effort=1)
    with pytest.raises(KeyboardInterrupt), following(stop_at_seven, state):
        codec.encode(picture, bpp=1.0, effort=1)
    with following(lambda progress: seen.append(progress.done), state):
        assert codec.encode(picture, bpp=1.0, effort=1) == whole
    assert seen == [1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11, 12]


def test_the_state_of_another_search_is_not_gone_on_with(
    codec: PyramidCodec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codecs_zoo.encode_progress.KEEP_EVERY", 0.0)
    monkeypatch.setattr(encoder, "ITERATIONS", (0, 3, 0, 0, 0))
    monkeypatch.setattr(encoder, "CORRECTIONS", 0)
    state, seen = tmp_path / "state", []
    for bpp in (1.0, 1.2):
        with following(lambda progress: seen.append(progress.done), state):
            codec.encode(smooth_picture(64, 64), bpp=bpp, effort=1)
    assert seen == [1, 2, 3] * 2


def test_a_damaged_state_is_named_and_the_search_begins_anew(
    codec: PyramidCodec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(encoder, "ITERATIONS", (0, 3, 0, 0, 0))
    monkeypatch.setattr(encoder, "CORRECTIONS", 0)
    whole = codec.encode(smooth_picture(64, 64), bpp=1.0, effort=1)
    state = tmp_path / "photograph.search"
    state.write_bytes(b"not a training state")
    with following(state=state):
        assert codec.encode(smooth_picture(64, 64), bpp=1.0, effort=1) == whole
    assert "photograph.search is damaged (" in (err := capsys.readouterr().err)
    assert "starts from the beginning" in err
