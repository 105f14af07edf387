"""Which columns of the data are meant: names, numbers of columns, or all that can be used."""

from __future__ import annotations

import operator
from collections.abc import Collection, Sequence
from typing import Any

from fastmle.errors import DataError, near
from fastmle.sources.base import Reader

SHOWN = 8  # names listed in a message


def resolve(reader: Reader, columns: Any, taken: Collection[Any]) -> tuple[str, ...]:
    """The names asked for, or, if none are, all numeric columns but those `taken` by a role."""
    if columns is not None:
        wanted = [columns] if isinstance(columns, str) or not hasattr(columns, "__iter__") else list(columns)
        return tuple(find(reader, column) for column in wanted)
    free = [name for name in reader.names if name not in taken]
    usable = tuple(name for name in free if reader.unsuitable(name) is None)
    if not usable and len(free) == 1:
        check_type(reader, free[0])
    if not usable and free:
        kinds = [f"{name!r} ({reader.unsuitable(name)})" for name in free[:SHOWN]]
        raise DataError(f"{reader.description} has no numeric column: {', '.join(kinds)}")
    return usable


def find(reader: Reader, column: Any) -> str:
    """The name of a wanted column, which exists once and is numeric."""
    names = reader.names
    name = column if isinstance(column, str) else _by_number(names, column)
    if name not in names:
        raise DataError(f"no column {column!r} in {reader.description}{hint(name, names)}", column=name)
    if list(names).count(name) > 1:
        raise DataError(f"{reader.description} has several columns named {name!r}", column=name)
    check_type(reader, name)
    return name


def check_type(reader: Reader, name: str) -> None:
    kind = reader.unsuitable(name)
    if kind is not None:
        raise DataError(f"column {name!r} has type {kind}, a number is wanted{advice(kind)}", column=name)


def advice(kind: str) -> str:
    low = kind.lower()
    if any(word in low for word in ("date", "time", "duration", "timestamp")):
        return ": convert it first, for instance to seconds since some start"
    if "decimal" in low:
        return ": cast it to a float (double) first"
    if low.startswith("object"):
        return ": convert it first, for instance with .astype(float)"
    if "complex" in low:
        return ": take its real part or modulus first"
    return ""


def _by_number(names: Sequence[str], column: Any) -> str:
    try:
        number = operator.index(column)
    except TypeError:
        raise DataError(f"a column is chosen by its name, not by {column!r}") from None
    return f"x{number}" if f"x{number}" in names else str(number)


def hint(name: str, names: Sequence[str]) -> str:
    """The end of a message about a column that is not there: what may have been meant, and what there is."""
    listed = ", ".join(repr(n) for n in names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    meant = near(name, names)
    if meant:
        return f"{meant} (columns: {listed})"
    return f"; it has {listed}" if names else "; it has no columns"
