"""Symbols through integer tables and back, at the size that the tables promise."""

import math

import numpy as np
import pytest
import torch

from codecs_zoo.learned.networks.densities import (
    LOG_SCALE_LOW,
    LOG_SCALE_STEP,
    SCALES,
    ChannelDensity,
    gaussian_likelihood,
    gaussian_tables,
    scale_rows,
)
from codecs_zoo.learned.networks.exact import UNITS
from codecs_zoo.learned.networks.tables import PartDecoder, RangeEncoder, Symbols, Tables, to_bytes


def coded(tables: Tables, symbols: Symbols, rows: np.ndarray) -> bytes:
    encoder = RangeEncoder()
    tables.encode(encoder, symbols, rows)
    return to_bytes(encoder)


def test_gaussian_symbols_cost_their_entropy() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(8, SCALES, 20_000)
    scales = 2.0 ** (LOG_SCALE_LOW + rows * LOG_SCALE_STEP)
    symbols = np.rint(rng.normal(0, scales)).astype(np.int32)
    tables = gaussian_tables()
    content = coded(tables, symbols, rows)
    assert np.array_equal(tables.decode(PartDecoder(content), rows), symbols)
    log_scale = torch.from_numpy(LOG_SCALE_LOW + rows * LOG_SCALE_STEP)
    promised = -gaussian_likelihood(torch.from_numpy(symbols).double(), log_scale).log2().sum().item()
    assert 8 * len(content) == pytest.approx(promised, rel=0.01)


def test_symbols_that_no_table_expects_come_back_too() -> None:
    symbols = np.array([0, 30_000, -32_767, 1, -4], np.int32)
    rows = np.array([0, 0, 5, 63, 0])
    tables = gaussian_tables()
    assert np.array_equal(tables.decode(PartDecoder(coded(tables, symbols, rows)), rows), symbols)


def test_symbols_beyond_the_limit_are_clipped() -> None:
    tables, rows = gaussian_tables(), np.zeros(2, np.int64)
    content = coded(tables, np.array([99_999, -99_999], np.int32), rows)
    assert tables.decode(PartDecoder(content), rows).tolist() == [32_767, -32_767]


def test_channel_tables_follow_the_density_at_each_step() -> None:
    density = ChannelDensity(2)
    tables = density.tables(torch.tensor([[1.0, 1.0], [0.25, 0.5]]))
    for row, (channel, step) in enumerate(((0, 1.0), (1, 1.0), (0, 0.25), (1, 0.5))):
        counts = tables.counts[tables.starts[row] : tables.starts[row + 1]]
        at_zero = counts[-int(tables.lowest[row])] / counts.sum()
        values = torch.zeros(1, 2, 1, 1)
        promised = density.likelihood(values, torch.full((1, 1, 1, 1), step))[0, channel].item()
        assert at_zero == pytest.approx(promised, rel=0.01)


def test_tables_survive_being_stored() -> None:
    tables = gaussian_tables()
    again = Tables(**tables.as_arrays())
    rows, symbols = np.arange(SCALES), np.arange(SCALES, dtype=np.int32)
    assert coded(again, symbols, rows) == coded(tables, symbols, rows)


def test_tables_of_two_files_are_refused() -> None:
    with pytest.raises(ValueError, match="are inconsistent"):
        Tables(np.array([0, 3]), np.array([0]), np.array([1, 2]))


def test_scales_choose_the_nearest_table() -> None:
    log_scales = torch.tensor([-9.0, LOG_SCALE_LOW, LOG_SCALE_LOW + 0.9 * LOG_SCALE_STEP, 0.0, 99.0])
    nearest = [0, 0, 1, round(-LOG_SCALE_LOW / LOG_SCALE_STEP), SCALES - 1]
    assert scale_rows((log_scales * UNITS).round()).tolist() == nearest


def test_unlikely_values_still_teach() -> None:
    residual = torch.tensor([60.0], requires_grad=True)
    log_scale = torch.tensor([-2.0], requires_grad=True)
    bits = -gaussian_likelihood(residual, log_scale).log2()
    bits.backward()  # type: ignore[no-untyped-call]
    assert math.isfinite(bits.item())
    assert residual.grad is not None
    assert torch.isfinite(residual.grad).all()


def test_a_part_that_is_too_short_for_the_picture_stops_before_the_rest_is_read() -> None:
    tables, few = gaussian_tables(), np.full(400, 20)
    content = coded(tables, np.zeros(400, np.int32), few)
    decoder = PartDecoder(content)
    assert not tables.decode(decoder, few).any()
    with pytest.raises(ValueError, match="ends before the picture does"):
        for _ in range(100):
            tables.decode(decoder, few)


@pytest.mark.parametrize("row", [0, 20, 63])
def test_no_part_is_called_too_short_that_holds_its_symbols(row: int) -> None:
    tables = gaussian_tables()
    for symbols in (
        np.zeros(100_000, np.int32),
        np.zeros(3, np.int32),
        np.array([20_000, -20_000] * 50, np.int32),
    ):
        rows = np.full(len(symbols), row)
        assert np.array_equal(tables.decode(PartDecoder(coded(tables, symbols, rows)), rows), symbols)
