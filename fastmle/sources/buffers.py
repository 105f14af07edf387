"""Memory for copies, used again once no array looks at it: pages given back and asked for anew cost more than the copy."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np

from fastmle.sources.base import Array

LEAST_ROWS, MOST_ROWS = 1 << 14, 1 << 20  # what is shorter costs little, what is longer would be kept for nothing
FLOAT64 = np.dtype(np.float64)
MOST_BUFFERS = 8  # more are in use only where somebody collects chunks


class _Kept(threading.local):
    """Each thread has its own, and they go with it."""

    def __init__(self) -> None:
        self.buffers: list[Array] = []


_kept = _Kept()


def take(rows: int, dtype: np.dtype[Any] = FLOAT64) -> Array:
    """An array of any content that nobody else has, of numbers of at most 8 bytes; every view of it, and of its parts, keeps
    it taken."""
    if not LEAST_ROWS <= rows <= MOST_ROWS:
        return np.empty(rows, dtype)
    buffers = _kept.buffers
    for i in range(len(buffers)):
        if buffers[i].size >= rows and _references(buffers, i) == _ALONE:
            return buffers[i].view(dtype)[:rows]
    buffer = np.empty(rows)
    if len(buffers) == MOST_BUFFERS:
        del buffers[0]  # lives on for those who look at it
    buffers.append(buffer)
    return buffer.view(dtype)[:rows]


def _references(buffers: list[Array], i: int) -> int:
    return sys.getrefcount(buffers[i])


_ALONE = _references([np.empty(1)], 0)  # what is counted where nobody but the list has it
