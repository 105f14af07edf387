"""Read ahead in a thread: the next items are made while the present one is worked on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Empty, Full, Queue
from typing import TypeVar

T = TypeVar("T")

DEPTH = 2  # items waiting
WAIT = 0.2  # seconds between two looks for Ctrl-C (where a lock cannot be interrupted) or for the end


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


_END = object()


def prefetch(start: Callable[[], Iterator[T]], depth: int = DEPTH) -> Iterator[T]:
    """The items of `start()`, which runs in a thread of its own, at most `depth` ahead of their use.

    Its errors are raised here. Leaving early (close, error, Ctrl-C) stops the thread after its present item.
    """
    queue: Queue[object] = Queue(maxsize=depth)
    left = threading.Event()

    def offer(item: object) -> None:
        while not left.is_set():
            try:
                queue.put(item, timeout=WAIT)
                return
            except Full:
                continue

    def produce() -> None:
        end: object = _END
        try:
            items = start()
            try:
                for item in items:
                    offer(item)
                    del item
                    if left.is_set():
                        break
            finally:
                close = getattr(items, "close", None)
                if close is not None:
                    close()
        except BaseException as error:  # noqa: BLE001  (raised where the items are used)
            end = _Failure(error)
        offer(end)

    thread = threading.Thread(target=produce, name="fastmle-prefetch", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = queue.get(timeout=WAIT)
            except Empty:
                continue
            if item is _END:
                return
            if isinstance(item, _Failure):
                raise item.error
            yield item  # type: ignore[misc]
            del item
    finally:
        left.set()
        while not queue.empty():
            queue.get_nowait()
        if thread is not threading.current_thread():  # the collector may close us there
            thread.join(timeout=1.0)
