"""Distances do not depend on the precision that the caller asks of torch, and its settings stay as they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from metric.core import LPIPS
from metric.core.distance.base import full_precision
from metric.core.distance.features import pair_vectors, to_tensor
from metric.core.distance.images import as_picture
from tests.kit.snapshots import coded, photograph

PICTURE = photograph(1, (96, 96))
QUALITIES = (10, 50, 51, 90)
BACKENDS = torch.backends


@contextmanager
def matmul_precision(precision: str) -> Iterator[None]:
    """As trainers' advice has it: torch.set_float32_matmul_precision("medium")."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        assert torch.get_float32_matmul_precision() == precision
        torch.set_float32_matmul_precision(before)


@contextmanager
def setting(owner: Any, precision: str) -> Iterator[None]:
    before = owner.fp32_precision
    owner.fp32_precision = precision
    try:
        yield
    finally:
        assert owner.fp32_precision == precision
        owner.fp32_precision = before


CALLERS = {
    "high": lambda: matmul_precision("high"),
    "medium": lambda: matmul_precision("medium"),
    "all libraries": lambda: setting(BACKENDS, "bf16"),
    "the library of CPUs": lambda: setting(BACKENDS.mkldnn, "bf16"),
    "its convolutions": lambda: setting(BACKENDS.mkldnn.conv, "bf16"),
    "its products of matrices": lambda: setting(BACKENDS.mkldnn.matmul, "bf16"),
}


def distances(metric: LPIPS) -> list[Tensor]:
    """By a call, as a loss, as a map and by vectors."""
    reference = to_tensor([PICTURE])
    others = to_tensor([coded(PICTURE, "JPEG", quality) for quality in QUALITIES])
    pairs = [(as_picture(PICTURE), as_picture(coded(PICTURE, "JPEG", quality))) for quality in QUALITIES]
    return [
        metric(reference, others),
        metric.train_loss()(others[:1], reference),
        metric(reference, others[:1], spatial=True),
        torch.from_numpy(pair_vectors(metric, pairs)),
    ]


@pytest.mark.parametrize("caller", CALLERS)
def test_less_precision_that_the_caller_wants_changes_nothing(alex: LPIPS, caller: str) -> None:
    plain = distances(alex)
    inherited = BACKENDS.mkldnn.conv.fp32_precision
    with CALLERS[caller]():
        under = distances(alex)
    assert all(torch.equal(one, other) for one, other in zip(plain, under, strict=True))
    assert BACKENDS.mkldnn.conv.fp32_precision == inherited


def test_the_callers_setting_is_back_after_an_error() -> None:
    with matmul_precision("medium"):
        with pytest.raises(ZeroDivisionError), full_precision(torch.device("cpu")):
            assert BACKENDS.mkldnn.matmul.fp32_precision == "ieee"
            raise ZeroDivisionError
        assert BACKENDS.mkldnn.matmul.fp32_precision == "bf16"


def test_of_several_threads_the_last_one_restores_the_setting() -> None:
    """Entered and left as two threads may: the second is still within when the first leaves."""
    cpu, mkldnn = torch.device("cpu"), BACKENDS.mkldnn
    with matmul_precision("medium"):
        first, second = full_precision(cpu), full_precision(cpu)
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert mkldnn.matmul.fp32_precision == "ieee"
        second.__exit__(None, None, None)
        assert mkldnn.matmul.fp32_precision == "bf16"


@pytest.mark.parametrize("tf32", [True, False])
def test_a_gpus_settings_are_back_for_the_older_switch_too(tf32: bool) -> None:
    """The settings of a GPU's libraries exist without one."""
    with BACKENDS.cudnn.flags(enabled=True, allow_tf32=tf32):
        before = BACKENDS.cudnn.conv.fp32_precision, BACKENDS.cuda.matmul.fp32_precision
        with full_precision(torch.device("cuda")):
            assert BACKENDS.cudnn.conv.fp32_precision == BACKENDS.cuda.matmul.fp32_precision == "ieee"
        assert (BACKENDS.cudnn.conv.fp32_precision, BACKENDS.cuda.matmul.fp32_precision) == before
        assert BACKENDS.cudnn.allow_tf32 == tf32


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_a_metric_of_sixteen_bits_is_refused(kind: torch.dtype) -> None:
    metric = LPIPS(net="alex").to(kind)
    image = torch.zeros((1, 3, 64, 64), dtype=kind)
    for call in (metric, metric.train_loss()):
        with pytest.raises(ValueError, match="in which near pairs change places"):
            call(image, image)
