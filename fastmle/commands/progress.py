"""A progress bar on stderr, for a terminal and for work of more than a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

Callback = Callable[[int, "int | None", int], None]
PATIENCE = 1.0  # seconds without a bar


@contextmanager
def progress_bar() -> Iterator[Callback | None]:
    """A callback for `fit(progress=)`; None where stderr is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    bar = _Bar()
    try:
        yield bar
    finally:
        bar.close()


class _Bar:
    def __init__(self) -> None:
        self._start = time.monotonic()
        self._bar: Progress | None = None
        self._number = 0

    def __call__(self, done: int, total: int | None, number: int) -> None:
        if self._bar is None:
            if time.monotonic() - self._start < PATIENCE:
                return
            self._bar = _new_bar()
            self._bar.start()
        if number != self._number:
            for task in self._bar.task_ids:
                self._bar.remove_task(task)
            self._bar.add_task(f"read {number}", total=total)
            self._number = number
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def _new_bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
