"""Counting beside its naive twin, a dictionary: few values and many, small ones and large, in bytes and not, odd rows amid."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmle.states.table as table_state
from fastmle.errors import DataError
from fastmle.family import TableTerms
from fastmle.kernels.octets import TILE
from fastmle.kernels.table import FEW, FEWER, WAYS, compile_count
from fastmle.states import Options, new_state

DTYPES = ("float64", "int64", "uint8", "int32", "float32")


def counted(x: np.ndarray, lowest: int, size: int) -> tuple[np.ndarray, list[int]]:
    table, left = np.zeros((WAYS, size), np.int64), np.empty(x.size, np.int64)
    m = compile_count(x.dtype.name, False)(x, np.empty(0), float(lowest), table, left)
    return table.sum(axis=0), left[:m].tolist()


def same(x: np.ndarray, lowest: int, size: int) -> None:
    table, left = counted(x, lowest, size)
    known = [v == math.floor(v) and lowest <= v < size if math.isfinite(v) else False for v in x.tolist()]
    twin = Counter(int(v) for v, yes in zip(x.tolist(), known, strict=True) if yes)
    assert left == [i for i, yes in enumerate(known) if not yes]
    assert {k: n for k, n in enumerate(table.tolist()) if n} == twin


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1 << 20),
    rows=st.sampled_from([0, 1, TILE - 1, TILE, TILE + 1, 3 * TILE + 517]),
    lowest=st.sampled_from([0, 1]),
    size=st.sampled_from([2, 11, 256, 1024]),
    bottom=st.sampled_from([0, 1, 5, 190, 250, 900]),
    spread=st.sampled_from([1, 2, 7, FEWER, FEWER + 1, 40, FEW, FEW + 1, 200, 3000]),
    odd=st.lists(st.sampled_from([-1.0, 0.0, 0.5, 255.0, 256.0, 257.0, 1e6, 3e9, 1e300, math.nan, math.inf, -math.inf])),
)
def test_counts(dtype: str, seed: int, rows: int, lowest: int, size: int, bottom: int, spread: int, odd: list[float]) -> None:
    rng = np.random.default_rng(seed)
    x = bottom + rng.integers(0, spread, rows).astype(np.float64)
    if rows:
        x[rng.integers(0, rows, len(odd))] = odd
    if dtype[0] == "f":
        with np.errstate(over="ignore"):
            same(x.astype(dtype), lowest, size)
        return
    ends = np.iinfo(dtype)
    x = np.clip(np.nan_to_num(np.floor(x)), ends.min, min(float(ends.max), 2.0**60))
    same(x.astype(dtype), lowest, size)


def test_every_value_of_a_byte() -> None:
    """At each place of a register and of a tile."""
    for step in (1, 7, 31):
        x = (np.arange(2 * TILE) * step % 256).astype(np.uint8)
        for part in (x, np.sort(x), x % 5, x // 64 * 64):
            same(part.astype(np.uint8), 0, 1024)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_rows_without_a_place_in_the_table_are_taken_a_part_at_a_time(
    weighted: bool, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than a launch has room for, at the end of a long column."""
    monkeypatch.setattr(table_state, "ROOM", 5000)
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.integers(0, 9, 600_000), rng.integers(1 << 15, 1 << 18, 12_000)]).astype(np.float64)
    w = (rng.integers(1, 4, x.size) * 0.5,) if weighted else ()
    state = new_state(TableTerms(), Options(threads=threads, weighted=weighted))
    state.add((x, *w))
    sums, values = state.sums(), np.unique(x)
    assert state.rows == state.seen == x.size and sums.values.tolist() == values.tolist()
    naive = np.bincount(np.searchsorted(values, x), *w)
    assert sums.weights.tolist() == naive.tolist()
    x[[600_100, 611_000]] = 0.5
    with pytest.raises(DataError, match="row 600100"):
        state.add((x, *w))
    assert state.rows == x.size and state.sums().weights.tolist() == naive.tolist()
