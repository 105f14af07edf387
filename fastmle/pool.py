"""The one pool of threads: kernels release the GIL, so plain threads reach the bandwidth of the machine.

A launch costs a few microseconds beside the waking of a thread: a queue, and two locks a thread in place of futures.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

Job = Callable[[int, int], None]
Thing = TypeVar("Thing")


def cores() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


class _Work:
    """A job over range(count), given out in slices: large ones first, then smaller, so that all threads end together,
    also where one starts late or is held up by another process."""

    def __init__(self, job: Job, count: int, threads: int, least: int) -> None:
        self.error: BaseException | None = None
        self._job, self._count, self._threads, self._least = job, count, threads, least
        self._next, self._lock = 0, threading.Lock()

    def _take(self) -> tuple[int, int]:
        with self._lock:
            start, left = self._next, self._count - self._next
            self._next = start + min(left, max(self._least, 3 * left // (4 * self._threads)))
            return start, self._next

    def run(self) -> None:
        """Slice after slice, until none is left."""
        try:
            while True:
                start, stop = self._take()
                if start == stop:
                    return
                self._job(start, stop)
        except BaseException as error:  # noqa: BLE001  (raised where the job was asked for)
            with self._lock:
                self.error = self.error or error
                self._next = self._count  # nobody begins another one


class _Help:
    """A thread's share of the work, which is done once or called off."""

    def __init__(self, work: _Work) -> None:
        self._work: _Work | None = work
        self._begun, self._done = threading.Lock(), threading.Lock()
        self._done.acquire()

    def run(self) -> None:
        if self._begun.acquire(blocking=False):
            try:
                assert self._work is not None  # it is called off by who begins it
                self._work.run()
            finally:
                self._done.release()

    def wait(self) -> None:
        """Until it is done, if it was begun at all; if not, it never will be."""
        if self._begun.acquire(blocking=False):
            self._work = None  # and what the job looks at
            return
        with self._done:
            pass


class _Pool:
    def __init__(self, threads: int) -> None:
        self.queue: SimpleQueue[_Help] = SimpleQueue()
        for number in range(threads):
            threading.Thread(target=_work, args=(self.queue,), name=f"fastmle_{number}", daemon=True).start()


def _work(queue: SimpleQueue[_Help]) -> None:
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


def with_own(job: Callable[[int, int, Thing], None], things: list[Thing]) -> Job:
    """The job, each slice of which has one of the things, one a thread, to itself.

    They are made before the threads start: to ask numpy for memory is to give up Python's lock, and a thread that does may
    wait until all the others are done.
    """

    def run(start: int, stop: int) -> None:
        own = things.pop()
        job(start, stop, own)
        things.append(own)

    return run


def run_slices(job: Job, count: int, threads: int, least: int = 1) -> None:
    """Call job(start, stop) on slices that make up range(count), on `threads` threads, this one among them.

    Slices get smaller down to `least`, which should be some 100 µs of work: then no thread waits for another for longer.
    """
    global _pool
    threads = max(1, min(threads, count))
    if threads == 1:
        job(0, count)
        return
    if _pool is None:
        _pool = _Pool(max(1, cores() - 1))
    work = _Work(job, count, threads, least)
    helps = [_Help(work) for _ in range(threads - 1)]
    for part in helps:
        _pool.queue.put(part)
    work.run()
    for part in helps:
        part.wait()  # before the caller's buffers may go
    if work.error is not None:
        raise work.error
