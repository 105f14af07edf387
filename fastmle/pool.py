"""The one pool of threads: kernels release the GIL, so plain threads reach the bandwidth of the machine.

A launch costs a few microseconds beside the waking of a thread: a queue, and two locks a slice in place of futures.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

Job = Callable[[int, int], None]


def cores() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


class _Slice:
    """A part of a job, done once by whoever comes first: a thread of the pool, or the one that asked for it."""

    def __init__(self, job: Job, start: int, stop: int) -> None:
        self._job, self._start, self._stop = job, start, stop
        self._begun, self._done = threading.Lock(), threading.Lock()
        self._done.acquire()
        self.error: BaseException | None = None

    def run(self) -> None:
        if not self._begun.acquire(blocking=False):
            return
        try:
            self._job(self._start, self._stop)
        except BaseException as error:  # noqa: BLE001  (raised where it was asked for)
            self.error = error
        finally:
            self._done.release()

    def wait(self) -> None:
        """Until it is done; here, if nobody has begun."""
        self.run()
        with self._done:
            pass


class _Pool:
    def __init__(self, threads: int) -> None:
        self.queue: SimpleQueue[_Slice] = SimpleQueue()
        for number in range(threads):
            threading.Thread(target=_work, args=(self.queue,), name=f"fastmle_{number}", daemon=True).start()


def _work(queue: SimpleQueue[_Slice]) -> None:
    while True:
        part = queue.get()
        part.run()
        del part  # and what the job looks at


_pool: _Pool | None = None


def _forget() -> None:
    global _pool
    _pool = None  # its threads did not come along into the forked child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def run_slices(job: Job, count: int, threads: int) -> None:
    """Call job(start, stop) on `threads` nearly equal slices of range(count): the last one on this thread."""
    global _pool
    threads = max(1, min(threads, count))
    edges = [count * t // threads for t in range(threads + 1)]
    waiting: list[_Slice] = []
    if threads > 1:
        if _pool is None:
            _pool = _Pool(max(1, cores() - 1))
        waiting = [_Slice(job, a, b) for a, b in zip(edges[:-2], edges[1:-1], strict=True)]
        for part in waiting:
            _pool.queue.put(part)
    try:
        job(edges[-2], edges[-1])
    finally:
        for part in waiting:
            part.wait()  # for all, before the caller's buffers may go
    for part in waiting:
        if part.error is not None:
            raise part.error
