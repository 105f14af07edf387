"""The one thread pool: kernels release the GIL, so plain threads reach the bandwidth of the machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

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


def run_slices(job: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call job(start, stop) on `threads` nearly equal slices of range(count): the last one on this thread."""
    global _pool
    threads = max(1, min(threads, count))
    edges = [count * t // threads for t in range(threads + 1)]
    waiting: list[Future[None]] = []
    if threads > 1:
        if _pool is None:
            _pool = ThreadPoolExecutor(max(1, cores() - 1), thread_name_prefix="fastmle")
        waiting = [_pool.submit(job, a, b) for a, b in zip(edges[:-2], edges[1:-1], strict=True)]
    try:
        job(edges[-2], edges[-1])
    finally:
        for future in waiting:
            future.exception()  # wait for all before the caller's buffers may go
    for future in waiting:
        future.result()
