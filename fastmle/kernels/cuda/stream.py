"""Columns to the device and sums back: two streams with pinned buffers, so that copying overlaps computing.

Columns that lie on the device are used there. Others go through two stages in turn: while one is copied and
computed, the host fills the pinned buffer of the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numba import cuda

from ..fold import BLOCK
from ..tiles import KINDS

STAGE = 1 << 25  # bytes of a pinned buffer
MOST_ROWS = 1 << 26  # rows of a launch whose columns all lie on the device
ALIGN = 256  # bytes

Place = tuple[int, int, int]  # address, step in bytes, kind


def interface_of(array: Any) -> Any:
    """The `__cuda_array_interface__` of what lies on the device; None for arrays of the host."""
    return None if isinstance(array, np.ndarray) else getattr(array, "__cuda_array_interface__", None)


def _address(array: Any) -> int:
    return int((interface_of(array) or array.__array_interface__)["data"][0])


def _place(interface: Any) -> Place:
    dtype = np.dtype(interface["typestr"])
    strides = interface.get("strides")
    return int(interface["data"][0]), int(strides[0]) if strides else dtype.itemsize, KINDS[dtype]


class Stage:
    """A stream, its pinned buffer and its device buffer, and where the sums go that it is working on."""

    def __init__(self) -> None:
        self.stream = cuda.stream()
        self.pinned: Any = None
        self.device: Any = None
        self.waiting: tuple[Any, ...] = ()

    def hold(self, size: int) -> None:
        if self.pinned is None or self.pinned.size < size:
            self.pinned = cuda.pinned_array(size, np.uint8)
            self.device = cuda.device_array(size, np.uint8)

    def send(self, columns: Sequence[np.ndarray]) -> list[Place]:
        """Copy columns into the pinned buffer, and from there, without waiting, to the device."""
        self.hold(sum(c.nbytes + ALIGN for c in columns))
        places, at = [], 0
        base = _address(self.device)
        for c in columns:
            np.copyto(self.pinned[at : at + c.nbytes].view(c.dtype), c)
            places.append((base + at, c.itemsize, KINDS[c.dtype]))
            at += -(-c.nbytes // ALIGN) * ALIGN
        if at:
            self.device[:at].copy_to_device(self.pinned[:at], stream=self.stream)
        return places

    def launch(self, run: Callable[..., Any], places: Sequence[Place], rows: int, sums: np.ndarray, counts: np.ndarray) -> None:
        device = cuda.device_array(sums.shape, np.float64), cuda.device_array(counts.shape, np.int64)
        host = cuda.pinned_array(sums.shape, np.float64), cuda.pinned_array(counts.shape, np.int64)
        kept = run(self.stream, places, rows, *device)
        for d, h in zip(device, host, strict=True):
            d.copy_to_host(h, stream=self.stream)
        self.waiting = (sums, counts, *host, (device, kept))

    def finish(self) -> None:
        """Wait for what was launched and hand its sums out."""
        if self.waiting:
            self.stream.synchronize()
            sums, counts, host_sums, host_counts, _ = self.waiting
            sums[:], counts[:] = host_sums, host_counts
            self.waiting = ()


@cache
def _stages() -> tuple[Stage, Stage]:
    return Stage(), Stage()


_lock = threading.Lock()


def forget() -> None:
    """In a forked child: its parent's streams are not its own."""
    global _lock
    _lock = threading.Lock()
    _stages.cache_clear()


def run_blocks(run: Callable[..., Any], columns: Sequence[Any], sums: np.ndarray, counts: np.ndarray) -> None:
    """Fill the sums and counts of all blocks of `columns`: run(stream, places, rows, device sums, device counts),
    which returns what must live until the launch has ended."""
    rows = columns[0].size
    interfaces = [interface_of(c) for c in columns]
    sent = [c for c, i in zip(columns, interfaces, strict=True) if i is None]
    width = sum(c.itemsize if c.dtype in KINDS else 8 for c in sent)
    step = max(BLOCK, STAGE // width // BLOCK * BLOCK) if sent else MOST_ROWS
    with _lock:
        stages = _stages()
        try:
            for turn, lo in enumerate(range(0, rows, step)):
                stage, hi = stages[turn % 2], min(lo + step, rows)
                stage.finish()
                parts = [c[lo:hi] for c in sent]
                given = iter(stage.send([c if c.dtype in KINDS else c.astype(np.float64) for c in parts]))
                places = []
                for interface in interfaces:
                    if interface is None:
                        places.append(next(given))
                    else:
                        address, stride, kind = _place(interface)
                        places.append((address + lo * stride, stride, kind))
                blocks = slice(lo // BLOCK, -(-hi // BLOCK))
                stage.launch(run, places, hi - lo, sums[blocks], counts[blocks])
        finally:
            for stage in stages:
                stage.finish()
