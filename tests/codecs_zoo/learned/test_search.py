"""A search finds smaller files that the same decoder reads; it can be stopped."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn

from codecs_zoo import encode_progress, registry
from codecs_zoo.contract import Codec, CodecError, Pixels
from codecs_zoo.encode_progress import Progress
from codecs_zoo.learned._codec import LearnedCodec
from codecs_zoo.measure import psnr
from tests.codecs_zoo.conftest import make_picture

SETTINGS: dict[str, float | str] = {"quality": 3.0, "effort": 1}


@pytest.fixture(scope="module")
def codec() -> Codec:
    return registry.get("mean-scale-hyperprior")


@pytest.fixture(scope="module")
def scene() -> Pixels:
    return make_picture(70, 90)


@pytest.fixture(scope="module")
def searched(codec: Codec, scene: Pixels) -> bytes:
    return codec.encode(scene, **SETTINGS)


def cost(codec: Codec, pixels: Pixels, file: bytes) -> float:
    """Rate plus lambda times squared error, at quality 3."""
    from codecs_zoo.learned.networks.model import LAMBDA_HIGH, LAMBDA_LOW

    error = 255.0**2 / 10 ** (psnr(pixels, codec.decode(file)) / 10)
    return 8 * len(file) / pixels[..., 0].size + LAMBDA_LOW * (LAMBDA_HIGH / LAMBDA_LOW) ** (2 / 7) * error


def test_it_lowers_what_it_searches_for(codec: Codec, scene: Pixels, searched: bytes) -> None:
    plain = codec.encode(scene, quality=3.0)
    assert cost(codec, scene, searched) < 0.985 * cost(codec, scene, plain)
    assert len(searched) < len(plain)


def test_its_real_size_is_what_the_search_saw(codec: Codec, scene: Pixels) -> None:
    seen: list[Progress] = []
    with encode_progress.following(seen.append):
        file = codec.encode(scene, **SETTINGS)
    parts = 8 * codec.payload_bytes(file) / scene[..., 0].size
    # The picture is small: the coder's words of 32 bits are 1 % of it.
    assert parts == pytest.approx(seen[-1].bpp, rel=0.03)
    assert [each.done for each in seen] == list(range(1, 151))


def test_after_a_stop_it_ends_where_it_would_have(
    codec: Codec, scene: Pixels, searched: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encode_progress, "KEEP_EVERY", -1.0)
    state = tmp_path / "state"

    def stop(progress: Progress) -> None:
        if progress.done == 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), encode_progress.following(stop, state):
        codec.encode(scene, **SETTINGS)
    seen: list[Progress] = []
    with encode_progress.following(seen.append, state):
        assert codec.encode(scene, **SETTINGS) == searched
    assert seen[0].done == 40


def test_a_damaged_state_is_named_and_the_search_begins_anew(
    codec: Codec, scene: Pixels, searched: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    state.write_bytes(b"no state")
    with encode_progress.following(state=state):
        assert codec.encode(scene, **SETTINGS) == searched
    assert f"{state} is damaged (" in (err := capsys.readouterr().err)
    assert "the search starts from the beginning" in err


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"tune": "perceptual"}, "option tune applies only to a search: set effort to 1, 2 or 3"),
        ({"saliency": "contrast"}, "option saliency applies only to a search"),
        ({"effort": 4}, "effort is 4; use one of 0, 1, 2, 3"),
        (
            {"effort": 1, "tune": "/no/such/folder"},
            "tune is '/no/such/folder', which is not a metric version",
        ),
        ({"efort": 1}, "has no setting efort"),
    ],
)
def test_options_that_do_nothing_are_refused(codec: Codec, given: dict[str, str], reason: str) -> None:
    with pytest.raises(CodecError, match=reason):
        codec.complete_settings({"quality": 3, **given})


def test_a_damaged_metric_is_refused_in_words(codec: Codec, scene: Pixels, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(CodecError, match="The metric cannot be used"):
        codec.encode(scene, quality=3, effort=1, tune=str(tmp_path))


def test_figures_that_it_is_tuned_on_are_named(codec: Codec, tmp_path: Path) -> None:
    def tuned_on(name: str, **given: object) -> tuple[str, ...]:
        result = registry.get(name)
        return result.tuned_on(result.complete_settings({"quality": 3, **given}))  # type: ignore[dict-item]

    assert tuned_on("checkerboard") == tuned_on("checkerboard", effort=2) == ()
    assert tuned_on("checkerboard", effort=2, tune="perceptual") == ("lpips-alex", "lpips-squeeze")
    assert tuned_on("checkerboard-perceptual") == ("lpips-alex", "lpips-squeeze")
    (tmp_path / "manifest.json").write_text("{}")
    assert tuned_on("checkerboard", effort=1, tune=str(tmp_path)) == (str(tmp_path),)


def test_saliency_spends_the_error_elsewhere(codec: Codec, searched: bytes, scene: Pixels) -> None:
    from codecs_zoo.saliency import saliency_map

    weighed = codec.encode(scene, **SETTINGS, saliency="contrast")
    salient = saliency_map(scene, "contrast") > 0.6

    def error(file: bytes) -> float:
        squares = (codec.decode(file).astype(np.float64) - scene) ** 2
        return float(squares[salient].mean() / squares.mean())

    assert error(weighed) < error(searched)


def begun_search(codec: Codec, scene: Pixels, metric: bool = False, quality: float = 3.0) -> Any:
    """A search of 20 iterations that has not done any."""
    from codecs_zoo.learned.networks.objective import Objective
    from codecs_zoo.learned.networks.pictures import to_tensor
    from codecs_zoo.learned.networks.searching import Search, Subject
    from codecs_zoo.learned.networks.shape import quality_index

    assert isinstance(codec, LearnedCodec)
    x = to_tensor(scene).float()
    objective = Objective(_Looks() if metric else None)  # type: ignore[arg-type]
    return Search(
        codec.search_models()[1],
        objective,
        Subject(x, (70, 90), "key"),
        quality_index(quality),
        iterations=20,
    )


class _Looks(nn.Module):
    """A metric that counts how often it is asked for a distance, which is always 1."""

    minimum_side = 1

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def features(self, images: Tensor) -> Tensor:
        return images

    def between(self, a: Tensor, b: Tensor) -> Tensor:
        self.looks += 1
        return (a - b).square().mean().view(1, 1, 1, 1) * 0 + 1


def test_it_is_not_steered_before_its_rate_says_what_the_file_will_have(codec: Codec, scene: Pixels) -> None:
    search = begun_search(codec, scene)
    paths = []
    for _ in range(10):
        search.step(target_bpp=0.1)
        paths.append(search.log_lambda)
    assert paths[:9] == [search.middle] * 9
    assert paths[9] < search.middle


def test_it_is_steered_by_the_rate_of_rounded_latents(
    codec: Codec, scene: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values between whole numbers cost up to a tenth more: lambda fell, and searches missed their rate."""
    search = begun_search(codec, scene)
    monkeypatch.setattr(search, "rounded_bpp", lambda: 0.1)
    for _ in range(10):
        assert search.step(target_bpp=0.1).bpp > 0.11
    assert search.log_lambda == search.middle


def test_at_another_quality_the_picture_is_the_same_and_lambda_is_that_qualitys(
    codec: Codec, scene: Pixels
) -> None:
    search, fresh = begun_search(codec, scene), begun_search(codec, scene, quality=4.0)
    search.log_lambda += 0.3
    before = (search.latents.y * search.step_size).detach()
    search.retune(150)
    assert (search.latents.y * search.step_size).detach().allclose(before, atol=1e-5)
    assert search.latents.y.requires_grad
    assert search.log_lambda == search.middle == fresh.middle
    assert search.level == fresh.level


def test_the_metric_weighs_more_where_a_plain_file_has_large_errors(codec: Codec, scene: Pixels) -> None:
    smooth = scene // 8 + np.uint8(100)
    for pixels in (scene, smooth):
        search = begun_search(codec, pixels, metric=True)
        error = 255.0**2 / 10 ** (psnr(pixels, codec.decode(codec.encode(pixels, quality=3.0))) / 10)
        assert search.weight == pytest.approx(max(40.0, error / 2), rel=0.05)
        assert (search.weight > 100) == (pixels is scene)


def test_continued_after_its_quality_moved_the_metric_weighs_the_same(codec: Codec, scene: Pixels) -> None:
    search = begun_search(codec, scene, metric=True)
    search.step()
    search.retune(150)
    continued = begun_search(codec, scene, metric=True, quality=4.0)
    continued.resume(search.state())
    assert continued.weight == search.weight


def test_it_works_with_more_than_the_lambda_of_its_quality(codec: Codec, scene: Pixels) -> None:
    from codecs_zoo.learned.networks.model import lambdas

    search = begun_search(codec, scene)
    assert math.exp(search.middle) == pytest.approx(1.3 * float(lambdas(1 + search.level)))


def test_the_metric_looks_at_every_second_iteration_and_weighs_twice(codec: Codec, scene: Pixels) -> None:
    search = begun_search(codec, scene, metric=True)
    x = search.subject.x[..., :70, :90]
    with_metric, without = (float(search._distance(x, x)) for search.done in (0, 1))
    assert (with_metric, without) == (2 * search.weight, 0)
    search.done = 0
    looks = search.objective.metric.looks
    for _ in range(6):
        search.step()
    assert search.objective.metric.looks == looks + 3
