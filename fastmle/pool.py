"""The one thread pool: kernels release the GIL, so plain threads reach the bandwidth of the machine."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

_pool: ThreadPoolExecutor | None = None


def cores() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


def _forget() -> None:
    global _pool
    _pool = None  # its threads did not come along into the forked child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


@cache
def _here() -> Callable[[], int] | None:
    """The system's call that tells on which processor a thread runs, where there is one."""
    call: Any = getattr(ctypes.CDLL(None), "sched_getcpu", None) if hasattr(os, "sched_setaffinity") else None
    return call  # type: ignore[no-any-return]


def _shares(count: int) -> list[set[int] | None]:
    """The processors besides the one that this thread runs on, dealt out to `count` others; None if they are too few.

    A system wakes a thread beside the one that calls it, and takes milliseconds, a whole pass, to move it elsewhere.
    """
    here = _here()
    if here is None:
        return [None] * count
    others = sorted(os.sched_getaffinity(0) - {here()})
    return [set(others[i::count]) if len(others) >= count else None for i in range(count)]


def _placed(job: Callable[[int, int], None], start: int, stop: int, share: set[int] | None) -> None:
    if share is not None:
        try:
            if os.sched_getaffinity(0) != share:
                os.sched_setaffinity(0, share)  # of this thread alone
        except OSError:  # forbidden, or the processor has gone
            pass
    job(start, stop)


def run_slices(job: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call job(start, stop) on `threads` nearly equal slices of range(count): the last one on this thread, the others
    each on a processor of its own."""
    global _pool
    threads = max(1, min(threads, count))
    edges = [count * t // threads for t in range(threads + 1)]
    waiting: list[Future[None]] = []
    if threads > 1:
        if _pool is None:
            _pool = ThreadPoolExecutor(max(1, cores() - 1), thread_name_prefix="fastmle")
        slices = zip(edges[:-2], edges[1:-1], _shares(threads - 1), strict=True)
        waiting = [_pool.submit(_placed, job, *slice_and_share) for slice_and_share in slices]
    try:
        job(edges[-2], edges[-1])
    finally:
        for future in waiting:
            future.exception()  # wait for all before the caller's buffers may go
    for future in waiting:
        future.result()
