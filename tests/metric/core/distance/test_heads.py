"""Heads travel between us, the lpips package and torchmetrics, and wrong ones are refused."""

import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from metric.core import LPIPS
from metric.core.distance.lpips import HeadsError
from tests.kit.reference_lpips import import_lpips


def other_heads(alex: LPIPS) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {name: torch.rand(value.shape, generator=generator) for name, value in alex.heads.items()}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_of_heads_is_read_back(alex: LPIPS, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"heads{suffix}"
    heads = other_heads(alex)
    torch.save(heads, path) if suffix == ".pth" else save_file(heads, path)
    read = LPIPS("alex", path, alex.net).heads
    assert all(torch.equal(read[name], value) for name, value in heads.items())


def test_the_lpips_package_loads_our_heads(alex: LPIPS, tmp_path: Path) -> None:
    path = tmp_path / "heads.pth"
    torch.save(other_heads(alex), path)
    with pytest.warns(UserWarning, match="pretrained|weights"):
        theirs = import_lpips().LPIPS(net="alex", pnet_rand=True, model_path=str(path), verbose=False)
    theirs.net.load_state_dict(alex.net.state_dict())
    ours = LPIPS("alex", path, alex.net)
    a, b = torch.rand(2, 3, 64, 64) * 2 - 1, torch.rand(2, 3, 64, 64) * 2 - 1
    torch.testing.assert_close(ours(a, b), theirs(a, b).detach(), atol=1e-5, rtol=1e-6)
    assert not torch.allclose(ours(a, b), alex(a, b))


def test_torchmetrics_loads_our_heads(alex: LPIPS, tmp_path: Path) -> None:
    import_lpips()  # torchmetrics looks at torchvision too
    from torchmetrics.functional.image.lpips import _LPIPS

    path = tmp_path / "heads.pth"
    torch.save(other_heads(alex), path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = _LPIPS(net="alex", pnet_rand=True, model_path=str(path))
    theirs.net.load_state_dict(alex.net.state_dict())
    ours = LPIPS("alex", path, alex.net)
    a, b = torch.rand(2, 3, 64, 64) * 2 - 1, torch.rand(2, 3, 64, 64) * 2 - 1
    torch.testing.assert_close(ours(a, b), theirs(a, b).detach(), atol=1e-5, rtol=1e-5)


def test_wrong_keys_raise_with_the_expected_ones(alex: LPIPS, tmp_path: Path) -> None:
    path = tmp_path / "heads.pth"
    torch.save({f"lin{i}.weight": value for i, value in enumerate(alex.heads.values())}, path)
    with pytest.raises(HeadsError, match=r"exactly these keys: lin0\.model\.1\.weight"):
        LPIPS("alex", path, alex.net)


def test_heads_of_another_trunk_raise(alex: LPIPS) -> None:
    from metric.core.distance.weights import stock_heads

    with pytest.raises(HeadsError, match="has shape"):
        LPIPS("alex", stock_heads("vgg"), alex.net)


def test_heads_that_are_not_finite_raise(alex: LPIPS) -> None:
    heads = alex.heads | {"lin2.model.1.weight": torch.full((1, 384, 1, 1), float("inf"))}
    with pytest.raises(HeadsError, match=r"lin2\.model\.1\.weight"):
        LPIPS("alex", heads, alex.net)
