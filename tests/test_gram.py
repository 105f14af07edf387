"""The Gram matrix of a block beside its naive twin, for every number of columns and every way in which they may lie."""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pytest

from fastmle.families.mvn import MVN
from fastmle.kernels.fold import BLOCK
from fastmle.kernels.rowwise import FEW
from fastmle.states.base import Options
from fastmle.states.gram import GramState, Locations

WIDTHS = (1, 2, 3, *range(FEW // 4, FEW + 2))


def matrix(rows: int, k: int) -> np.ndarray:
    """Whole numbers up to 2^20, which all dtypes but bytes hold."""
    rng = np.random.default_rng(rows * 100 + k)
    return np.round(rng.standard_normal((rows, k)) * 1000.0 + np.arange(k) * 10_000.0)


def theta(k: int) -> Locations:
    return Locations(tuple(10_000.0 * j + 3.0 for j in range(k)), tuple(2.0 ** (j % 3 - 9) for j in range(k)))


def sums_of(columns: list[np.ndarray], w: np.ndarray | None = None, nulls: Any = "raise") -> tuple[np.ndarray, np.ndarray]:
    """Of all blocks, as the kernel gives them."""
    k, rows = len(columns), columns[0].size
    state = GramState(MVN(k).terms, Options(weighted=w is not None, nulls=nulls), theta(k))
    blocks = -(-rows // BLOCK)
    sums, counts = np.empty((blocks, len(state.letters))), np.empty((blocks, 3), np.int64)
    state._kernel(tuple(columns), np.empty(0) if w is None else w)(0, blocks, sums, counts)
    return sums, counts


def naive(x: np.ndarray, w: np.ndarray) -> tuple[list[float], list[float]]:
    """Σ w t tᵀ of rows that count, t = (1, u), and what it would be without any cancellation."""
    at = theta(x.shape[1])
    t = np.column_stack([np.ones(len(x)), (x - at.c) * at.per])
    exact, size = [], []
    for i, j in combinations_with_replacement(range(t.shape[1]), 2):
        terms = [a * b * c for a, b, c in zip(w.tolist(), t[:, i].tolist(), t[:, j].tolist(), strict=True)]
        exact.append(math.fsum(terms))
        size.append(math.fsum(map(abs, terms)))
    return exact, size


def check(sums: np.ndarray, x: np.ndarray, w: np.ndarray) -> None:
    for b, got in enumerate(sums.tolist()):
        rows = slice(b * BLOCK, (b + 1) * BLOCK)
        for have, want, size in zip(got, *naive(x[rows], w[rows]), strict=True):
            assert abs(have - want) <= 2e-15 * size * math.sqrt(len(x))


def layouts(x: np.ndarray) -> dict[str, list[np.ndarray]]:
    k = x.shape[1]
    wide = np.full((len(x), k + 5), np.nan)
    wide[:, 2 : 2 + k] = x
    backwards = np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    found = {
        "rows": np.ascontiguousarray(x), "columns": np.asfortranarray(x), "part of a matrix": wide[:, 2 : 2 + k],
        "backwards": backwards, "float32": x.astype(np.float32), "int32": x.astype(np.int32),
    }  # fmt: skip
    every = {name: [m[:, j] for j in range(k)] for name, m in found.items()}
    for beside in (1, 2, 3):
        if k > beside:
            head, tail = np.ascontiguousarray(x[:, :-beside]), np.ascontiguousarray(x[:, -beside:])
            every[f"rows, {beside} beside"] = [*(head[:, j] for j in range(k - beside)), *(c.copy() for c in tail.T)]
    return every


@pytest.mark.parametrize("rows", [1, 64, 255, BLOCK, 2 * BLOCK + 321])
@pytest.mark.parametrize("k", WIDTHS)
def test_every_number_of_columns(k: int, rows: int) -> None:
    """To rounding what the naive twin gives, and however the columns lie the same bits."""
    x = matrix(rows, k)
    sums, counts = sums_of(layouts(x)["rows"])
    check(sums, x, np.ones(rows))
    assert not counts.any()
    for name, columns in layouts(x).items():
        assert np.array_equal(sums_of(columns)[0], sums), name


@pytest.mark.parametrize("k", WIDTHS)
def test_weights_and_rows_that_do_not_count(k: int) -> None:
    rows = 2 * BLOCK - 77
    x, rng = matrix(rows, k), np.random.default_rng(k)
    w = rng.random(rows) * (rng.random(rows) < 0.9)
    x[rng.random(rows) < 0.05, k // 2] = np.nan
    seen = np.isfinite(x).all(axis=1)
    clean = np.where(seen[:, None], x, 0.0)
    for columns in ([x[:, j] for j in range(k)], [c.copy() for c in x.T]):
        sums, counts = sums_of(columns, w, "drop")
        check(sums, clean, np.where(seen, w, 0.0))
        assert counts.sum(axis=0).tolist() == [0, (~seen & (w > 0.0)).sum(), (w == 0.0).sum()]
        sums, counts = sums_of(columns, nulls="drop")
        check(sums, clean, seen * 1.0)
        assert counts.sum(axis=0).tolist() == [0, (~seen).sum(), 0]
        assert sums_of(columns)[1].sum(axis=0).tolist() == [(~seen).sum(), 0, 0]


@pytest.mark.skipif(sys.platform != "linux", reason="mprotect")
def test_nothing_behind_the_last_row_is_read() -> None:
    """The matrix ends where memory does."""
    script = """
        import ctypes, mmap
        import numpy as np
        import fastmle as fm

        size, page = 1 << 20, mmap.PAGESIZE
        room = mmap.mmap(-1, size + page)
        start = ctypes.addressof(ctypes.c_char.from_buffer(room))
        assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + size), page, 0) == 0
        everything = np.frombuffer(room, np.float64, size // 8)
        everything[:] = np.random.default_rng(0).standard_normal(everything.size)
        for k in range(1, 20):
            for rows in (100, 4096, 5000):
                x = everything[everything.size - rows * k :].reshape(rows, k)
                for data in (x, x.reshape(k, rows).T):
                    r = fm.fit("mvn", data)
                    assert np.allclose(r.params.cov, np.cov(data.T, bias=True).reshape(k, k), rtol=1e-12, atol=1e-13)
        print("read")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout == "read\n", done.stderr[-2000:]
