"""Files of tensors from anybody: read whole, or refused in words, and nothing in them is run."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from metric.core.distance.lpips import HeadsError, read_heads
from metric.core.distance.tensors import load_tensors, save_tensors


class Bomb:
    """Runs a command where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.mark),)


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    tensors = {"one": torch.rand(3), "two": torch.rand(2, 2)}
    save_tensors(tensors, tmp_path / "file.pth")
    save_file(tensors, tmp_path / "file.safetensors")
    for name in ("file.pth", "file.safetensors"):
        result = load_tensors(tmp_path / name)
        assert all(torch.equal(result[key], value) for key, value in tensors.items())


def test_code_is_not_run_and_nobody_is_told_how_to(tmp_path: Path) -> None:
    path, mark = tmp_path / "bomb.pth", tmp_path / "mark"
    torch.save({"heads": Bomb(mark)}, path)
    with pytest.raises(ValueError, match="contains something other than tensors") as refusal:
        load_tensors(path)
    assert "weights_only" not in str(refusal.value)
    assert not mark.exists()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeadsError, match=r"none\.pth cannot be read: No such file"):
        read_heads(tmp_path / "none.pth", "alex")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_damage_of_any_kind_is_refused_in_words(tmp_path: Path, suffix: str) -> None:
    whole, broken = tmp_path / f"whole{suffix}", tmp_path / f"broken{suffix}"
    tensors = {"one": torch.rand(50), "two": torch.rand(20, 2)}
    torch.save(tensors, whole) if suffix == ".pth" else save_file(tensors, whole)
    data, rng = whole.read_bytes(), np.random.default_rng(0)
    cut = [data[: int(share * len(data))] for share in np.linspace(0, 0.99, 25)]
    noise = [rng.integers(0, 256, size, dtype=np.uint8).tobytes() for size in range(1, 60)]
    for content in [*cut, *noise, b"hello"]:
        broken.write_bytes(content)
        with pytest.raises(HeadsError, match="No heads: "):
            read_heads(broken, "alex")


def test_a_full_disk_is_an_os_error() -> None:
    """torch's own writer raises a RuntimeError of another reason, which nobody would try again."""
    with pytest.raises(OSError, match="No space left") as refusal:
        save_tensors({"one": torch.rand(5000)}, Path("/dev/full"))
    assert refusal.value.errno == errno.ENOSPC
