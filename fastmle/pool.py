"""The one pool of threads: kernels release the GIL, so plain threads reach the bandwidth of the machine.

A launch costs a few microseconds beside the waking of a thread: a queue, and two locks a thread in place of futures.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

WORTH = 400e-6  # seconds of one thread's work, from which on other threads save more than to wake them costs
Job = Callable[[int, int], None]
Thing = TypeVar("Thing")


def cores() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


class _Work:
    """A job over range(start, count), given out in rounds of slices of one size, one for each thread: large ones first, then
    smaller, so that all threads end together, also where one starts late or is held up by another process."""

    def __init__(self, job: Job, count: int, threads: int, least: int, start: int = 0) -> None:
        self.error: BaseException | None = None
        self._job, self._count, self._threads, self._least = job, count, threads, least
        self._next, self._lock = start, threading.Lock()
        self._size = self._due = 0  # of the slices of this round, and how many of them are left

    def _take(self) -> tuple[int, int]:
        with self._lock:
            start = self._next
            if not self._due:
                self._due = self._threads
                self._size = max(self._least, 3 * (self._count - start) // (4 * self._threads))
            self._due -= 1
            self._next = min(start + self._size, self._count)
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


class _Shared:
    """A job whose threads find out in compiled code what each does."""

    def __init__(self, job: Callable[[bool], bool]) -> None:
        self.error: BaseException | None = None
        self._job = job

    def run(self) -> None:
        try:
            self._job(False)
        except BaseException as error:  # noqa: BLE001  (raised where the job was asked for)
            self.error = error


class _Help:
    """A thread's share of the work, which is done once or called off."""

    def __init__(self, work: _Work | _Shared) -> None:
        self._work: _Work | _Shared | None = work
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
_forks = 0  # between the first process and this one


def _forget() -> None:
    global _pool, _forks
    _pool = None  # its threads did not come along into the forked child
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class Turn:
    """A lock for one thread at a time, which may take it again; open in a forked child, whoever had it in the parent."""

    def __init__(self) -> None:
        self._lock, self._forks = threading.RLock(), _forks

    def __enter__(self) -> None:
        if self._forks != _forks:
            self._lock, self._forks = threading.RLock(), _forks
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


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


def threads_for(count: int, threads: int, trial: int = 0) -> int:
    """How many threads `run_slices` asks for at most: who makes something for each needs no more."""
    return 1 if count <= 2 * trial else max(1, min(threads, count))


def run_slices(job: Job, count: int, threads: int, least: int = 1, trial: int = 0) -> None:
    """Call job(start, stop) on slices that make up range(count), on `threads` threads, this one among them.

    Slices get smaller down to `least`, which should be some 100 µs of work: then no thread waits for another for longer.
    `trial`: so many are done first, to see whether the rest is WORTH the other threads.
    """
    threads = threads_for(count, threads, trial)
    if threads == 1:
        job(0, count)
        return
    if trial:
        start = time.perf_counter()
        job(0, trial)
        each = (time.perf_counter() - start) / trial
        if each * (count - trial) < WORTH:
            job(trial, count)
            return
    work = _Work(job, count, threads, least, trial)
    helps = _call(work, threads - 1)
    work.run()
    _wait(work, helps)


def share(job: Callable[[bool], bool], threads: int) -> None:
    """Call job(leads) once on each of `threads` threads, this one among them, which leads; see kernels/sharing.py.

    The job tells whether all is done: then the other threads, which may not have come back yet, are not waited for.
    """
    if threads == 1:
        job(True)
        return
    work = _Shared(job)
    helps = _call(work, threads - 1)
    done = False
    try:
        done = job(True)
    finally:
        if not done:
            _wait(work, helps)


def _call(work: _Work | _Shared, number: int) -> list[_Help]:
    """Ask so many threads to help."""
    global _pool
    if _pool is None:
        _pool = _Pool(max(1, cores() - 1))
    helps = [_Help(work) for _ in range(number)]
    for part in helps:
        _pool.queue.put(part)
    return helps


def _wait(work: _Work | _Shared, helps: list[_Help]) -> None:
    for part in helps:
        part.wait()  # before the caller's buffers may go
    if work.error is not None:
        raise work.error
