"""Distances are the lpips package's, and impossible input is refused."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from metric.core import LPIPS
from metric.core.distance.features import to_tensor
from tests.kit.reference_lpips import import_lpips
from tests.kit.snapshots import coded, photograph
from tests.metric.core.conftest import trunk_or_skip

# LPIPS v0.1 of the lpips repository's example images, as its README prints them.
KNOWN = {"alex": (0.722, 0.138), "squeeze": (0.711, 0.148), "vgg": (0.569, 0.422)}


@pytest.fixture(scope="module")
def lpips() -> ModuleType:
    return import_lpips()


@pytest.fixture(scope="module", params=sorted(KNOWN))
def both(request: pytest.FixtureRequest, lpips: ModuleType) -> tuple[LPIPS, torch.nn.Module]:
    """Our metric and the package's, on the same trunk."""
    trunk_or_skip(request.param)
    ours = LPIPS(request.param)
    with pytest.warns(UserWarning, match="pretrained|weights"):
        theirs = lpips.LPIPS(net=request.param, pnet_rand=True, verbose=False)
    theirs.net.load_state_dict(ours.net.state_dict())
    return ours, theirs.requires_grad_(False)


def example(shared: Path, name: str) -> Tensor:
    with Image.open(shared / "weights" / "example" / f"ex_{name}.png") as image:
        pixels = np.asarray(image.convert("RGB"), dtype=np.float32)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1


def noise(seed: int, count: int = 2, side: int = 64) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_example_images_have_their_published_distances(
    both: tuple[LPIPS, torch.nn.Module], shared: Path
) -> None:
    ours, theirs = both
    reference = example(shared, "ref")
    for name, known in zip(("p0", "p1"), KNOWN[ours.name], strict=True):
        distance = ours(reference, example(shared, name))
        assert distance.shape == (1, 1, 1, 1)
        assert float(distance) == pytest.approx(known, abs=6e-4)
        assert float(distance) == pytest.approx(float(theirs(reference, example(shared, name))), abs=1e-5)


def test_noise_and_flat_images_agree_with_the_package(both: tuple[LPIPS, torch.nn.Module]) -> None:
    ours, theirs = both
    a, b, flat = noise(1), noise(2), torch.zeros(2, 3, 64, 64)
    for x, y in ((a, b), (a, flat), (flat, flat + 0.5)):
        torch.testing.assert_close(ours(x, y), theirs(x, y), atol=1e-5, rtol=0)


def test_identical_images_are_at_zero(alex: LPIPS) -> None:
    images = noise(3)
    assert alex(images, images).abs().max() == 0


def test_spatial_maps_agree_with_the_package(alex: LPIPS, lpips: ModuleType) -> None:
    with pytest.warns(UserWarning, match="pretrained|weights"):
        theirs = lpips.LPIPS(net="alex", pnet_rand=True, spatial=True, verbose=False)
    theirs.net.load_state_dict(alex.net.state_dict())
    result = alex(noise(4), noise(5), spatial=True)
    assert result.shape == (2, 1, 64, 64)
    torch.testing.assert_close(result, theirs(noise(4), noise(5)).detach(), atol=1e-5, rtol=0)


def test_one_reference_serves_many(alex: LPIPS) -> None:
    many = noise(6, count=40)
    each = torch.cat([alex(many[:1], image[None]) for image in many])
    torch.testing.assert_close(alex(many[:1], many), each, atol=1e-6, rtol=0)
    torch.testing.assert_close(alex(many, many[:1]), each, atol=1e-6, rtol=0)


def test_gradient_is_finite_at_equal_and_at_flat_images(alex: LPIPS) -> None:
    for start in (noise(7, count=1), torch.zeros(1, 3, 64, 64)):
        moving = start.clone().requires_grad_()
        alex(start, moving).sum().backward()
        assert moving.grad is not None
        assert bool(torch.isfinite(moving.grad).all())


def test_gradient_points_uphill(alex: LPIPS) -> None:
    reference, moving = noise(8, count=1), noise(9, count=1).mul(0.9).requires_grad_()
    before = alex(reference, moving).sum()
    before.backward()
    assert moving.grad is not None
    step = moving.grad / moving.grad.norm()
    after = alex(reference, moving.detach() + 1e-2 * step)
    assert float(after) - float(before.detach()) == pytest.approx(1e-2 * float(moving.grad.norm()), rel=0.05)


def test_normalize_takes_zero_to_one(alex: LPIPS) -> None:
    a, b = noise(10), noise(11)
    torch.testing.assert_close(alex((a + 1) / 2, (b + 1) / 2, normalize=True), alex(a, b), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("scale", "normalize", "message"),
    [(255.0, False, r"\[-1, 1\]"), (1.0, True, r"\[0, 1\]"), (float("nan"), False, "must lie in")],
)
def test_values_out_of_range_raise(alex: LPIPS, scale: float, normalize: bool, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        alex(noise(12) * scale, noise(13), normalize=normalize)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ((1, 3, 64, 64), (1, 3, 64, 32), "match in size"),
        ((2, 3, 64, 64), (3, 3, 64, 64), "match in size"),
        ((1, 1, 64, 64), (1, 1, 64, 64), "N×3×H×W"),
        ((1, 3, 16, 64), (1, 3, 16, 64), "at least 31 pixels"),
    ],
)
def test_shapes_that_make_no_sense_raise(
    alex: LPIPS, a: tuple[int, ...], b: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        alex(torch.zeros(a), torch.zeros(b))


def test_whole_numbers_raise(alex: LPIPS) -> None:
    with pytest.raises(ValueError, match="floating point"):
        alex(torch.zeros(1, 3, 64, 64, dtype=torch.uint8), torch.zeros(1, 3, 64, 64))


@pytest.mark.parametrize("kind", [torch.float64, torch.float16, torch.bfloat16])
def test_another_type_than_the_weights_raises_with_what_to_do(alex: LPIPS, kind: torch.dtype) -> None:
    images = torch.zeros(1, 3, 64, 64)
    with pytest.raises(ValueError, match=r"b is .*: convert with b\.to\(torch\.float32\) first"):
        alex(images, images.to(kind))
    with pytest.raises(ValueError, match=r"a is .* but the metric is torch\.float32"):
        alex.train_loss()(images.to(kind), images)
    with torch.autocast("cpu", torch.bfloat16):
        assert alex(images.to(torch.bfloat16), images.to(torch.bfloat16)).item() == 0


def test_an_unknown_trunk_raises_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="alex, vgg, squeeze"):
        LPIPS("resnet")


def test_the_known_smallest_side_is_the_smallest() -> None:
    from metric.core.distance.trunks import SHAPES, Trunk

    for net, shape in SHAPES.items():
        trunk = Trunk(net)
        assert len(trunk(torch.zeros(1, 3, shape.minimum_side, shape.minimum_side))) == len(shape.channels)
        with pytest.raises(RuntimeError):
            trunk(torch.zeros(1, 3, shape.minimum_side - 1, shape.minimum_side - 1))


def test_autocast_of_the_caller_changes_no_distance_of_56_qualities(alex: LPIPS) -> None:
    picture = photograph(7, (96, 96))
    reference = to_tensor([picture])
    qualities = to_tensor([coded(picture, "JPEG", quality) for quality in range(40, 96)])
    with torch.inference_mode():
        plain = alex(reference, qualities).flatten()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            under = alex(reference, qualities).flatten()
            half = alex(reference.bfloat16(), qualities.bfloat16())
            loss = alex.train_loss()(qualities[:1], reference)
            heat = alex(reference, qualities[:1], spatial=True)
    assert torch.equal(plain, under)
    assert len(set(plain.tolist())) == 56
    assert under.dtype == half.dtype == loss.dtype == heat.dtype == torch.float32
    assert float(loss) == pytest.approx(float(plain[0]), rel=1e-5)
    one_by_one = torch.cat([alex(reference, one[None]) for one in qualities]).flatten()
    assert float((one_by_one - plain).abs().max()) <= 1e-6
