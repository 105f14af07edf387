"""The row functions on a GPU: kernels over blocks of 4096 rows, for the states of fastmle/states.

Each function here fills the same sums (blocks, slots) and counts (blocks, 3) as its twin on the CPU; the host adds them
exactly. Nothing of this is imported unless a device is asked for.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

GRID = 4096  # CUDA blocks of a launch, which step over its blocks of rows


def simulated() -> bool:
    from numba import config

    return bool(config.ENABLE_CUDASIM)


def why_not() -> str:
    """Why no GPU can be used; empty if one can."""
    if not simulated() and importlib.util.find_spec("numba_cuda") is None:
        return "numba-cuda is not installed: pip install 'fastmle[cuda]'"
    from numba import cuda

    if cuda.is_available():
        return ""
    reason = cuda.cuda_error()
    said = " ".join(str(reason).split()).strip(" :") if reason else "no NVIDIA GPU was found"
    return f"no CUDA driver or device can be used ({said})"


@cache
def compiled(kernel: Any) -> Any:
    """The one place that calls `cuda.jit`; compiled for the present device at its first launch."""
    from numba import cuda

    return cuda.jit(kernel.signature)(kernel.function)


def _launch(kernel: Any, stream: Any, blocks: int, shared: int, *args: Any) -> None:
    compiled(kernel)[min(blocks, GRID), kernel.threads, stream, shared](*args)


def run_fold(
    terms: Any, layout: str, drop: bool, constants: Sequence[float], columns: Sequence[Any], sums: np.ndarray, counts: np.ndarray
) -> None:
    """What rows of row terms add; `columns` are x and, for a layout of weighted rows, w."""
    from .fold import make_fold
    from .stream import run_blocks

    kernel = make_fold(terms.row, terms.support, terms.theta, layout, drop)
    theta = (*constants, 0.0)

    def run(stream: Any, places: Any, rows: int, out: Any, tally: Any) -> None:
        w = places[1] if len(places) > 1 else (0, 0, 0)
        _launch(kernel, stream, out.shape[0], 0, *places[0], *w, rows, theta, out, tally)

    run_blocks(run, columns, sums, counts)


def _products(
    kernel: Any, width: int, factors: np.ndarray, constants: np.ndarray, flags: Sequence[int],
    columns: Sequence[Any], sums: np.ndarray, counts: np.ndarray,
) -> None:  # fmt: skip
    from numba import cuda

    from .products import tile_for
    from .stream import run_blocks

    tile, lanes, shared = tile_for(width, len(factors))
    shape = (tile, lanes, factors.shape[1])
    given = [cuda.to_device(a) for a in (constants, np.array(flags, np.int64), factors)]

    def run(stream: Any, places: Any, rows: int, out: Any, tally: Any) -> Any:
        table = cuda.to_device(np.ascontiguousarray(np.array(places, np.int64).T), stream=stream)
        _launch(kernel, stream, out.shape[0], shared, table, width, rows, *given, shape, out, tally)
        return table

    run_blocks(run, columns, sums, counts)


def run_gram(
    columns: Sequence[Any], center: np.ndarray, per: np.ndarray, options: tuple[bool, bool, bool, bool],
    sums: np.ndarray, counts: np.ndarray,
) -> None:  # fmt: skip
    """Gram matrices; options: (weighted, outer, precision, drop); `columns` end with the weights if there are any."""
    from .products import GRAM_EXTRA, gram_factors, make_gram

    weighted, outer, precision, drop = options
    k = len(center) + 1
    factors = gram_factors(k, weighted, outer, precision)
    constants = np.ascontiguousarray(np.stack([center, per]))
    _products(make_gram(), k + GRAM_EXTRA, factors, constants, (k - 1, weighted, drop), columns, sums, counts)


def run_glm(terms: Any, place: Any, roles: Sequence[int], columns: Sequence[Any], sums: np.ndarray, counts: np.ndarray) -> None:
    """A pass of a generalized linear model; roles: (weighted, drop, precision)."""
    from .products import GLM_EXTRA, glm_factors, make_glm

    beta, center, per, shape = place
    k = terms.k
    constants = np.zeros((4, k))
    constants[0, 1:], constants[1, 1:], constants[2], constants[3] = center, per, beta, shape
    weighted, drop, precision = roles
    flags = (k - 1, terms.offset, terms.trials, weighted, drop, terms.constants_too, terms.matrix, precision)
    kernel = make_glm(terms.row, terms.constants, terms.support)
    _products(kernel, k + GLM_EXTRA, glm_factors(k), constants, flags, columns, sums, counts)


def run_count(x: Any, lowest: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(How often each whole number from `lowest` to below `size` comes, how many rows of each block are something else)."""
    from numba import cuda

    from ..fold import BLOCK
    from .count import make_count
    from .stream import run_blocks

    kernel = make_count()
    table = cuda.to_device(np.zeros(size, np.int64))
    blocks = -(-x.size // BLOCK)
    left, unused = np.zeros((blocks, 1)), np.zeros((blocks, 3), np.int64)

    def run(stream: Any, places: Any, rows: int, out: Any, tally: Any) -> None:
        _launch(kernel, stream, out.shape[0], 0, *places[0], rows, lowest, table, out, tally)

    run_blocks(run, (x,), left, unused)
    return np.asarray(table.copy_to_host()), left[:, 0].astype(np.int64)


def _forget() -> None:
    import sys

    stream = sys.modules.get(__name__ + ".stream")
    if stream is not None:
        stream.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)

