"""polars hangs in a forked child whose parent has used it: know when we are one, and refuse at once."""

from __future__ import annotations

import os
import sys

from fastmle.errors import DataError

_polars_is_stale = False


def _after_fork() -> None:
    global _polars_is_stale
    _polars_is_stale = _polars_is_stale or "polars" in sys.modules


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def refuse_after_fork() -> None:
    if _polars_is_stale:
        raise DataError(
            "files and lazy frames cannot be read in a forked process whose parent has loaded polars "
            '(it would hang): start the workers with multiprocessing.get_context("spawn"); arrays work'
        )
