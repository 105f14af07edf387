"""The errors fastmle raises on purpose; anything else that escapes is a bug."""

from __future__ import annotations

from collections.abc import Iterable


class FastmleError(Exception):
    """Base of every error raised on purpose."""


class DataError(FastmleError, ValueError):
    """The data cannot be used: `column` and `row` (counted from 0) say where, when that is known."""

    def __init__(self, message: str, *, column: str | None = None, row: int | None = None) -> None:
        super().__init__(message)
        self.column = column
        self.row = row


class FamilyError(FastmleError, ValueError):
    """An unknown family or option, or a family asked for what it cannot do."""


class ConvergenceError(FastmleError, RuntimeError):
    """Under `strict=True`: the fit did not end in a regular maximum."""


def near(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, as the end of a message; "" if none is near."""
    from difflib import get_close_matches

    close = get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
