"""`open_source`: any data as a `Source`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.arrays import plain
from fastmle.sources.base import Column, Reader, is_integer, rows_text
from fastmle.sources.files import open_files
from fastmle.sources.frames import gather
from fastmle.sources.memory import column_reader, memory_reader, query_reader
from fastmle.sources.paths import is_path
from fastmle.sources.resolve import advice, find, resolve
from fastmle.sources.source import Held, Source
from fastmle.sources.streams import StreamReader


def open_source(
    data: Any, columns: Any = None, extra: Mapping[str, Any] | None = None, *, chunk_rows: int | None = None
) -> Source:
    """The wanted columns of `data`, then those of `extra` (role -> column name, or values), chunk by chunk.

    columns: a name or several; numbers for the columns of an (n, k) array; None for all numeric columns
    which no role names. chunk_rows: the most rows of a chunk. Raises DataError, saying what is wrong where.
    """
    if chunk_rows is not None and (not is_integer(chunk_rows) or chunk_rows < 1):
        raise DataError(f"chunk_rows is a number of rows, not {chunk_rows!r}")
    extra = {role: part for role, part in (extra or {}).items() if part is not None}
    if columns is None and chunk_rows is None and not extra:
        values = plain(data)
        if values is not None and values.size:
            return Held((values,), description=f"array of {rows_text(values.size)}")
    reader = reader_of(data)
    roles: dict[str, str | Column] = {}
    for role, part in extra.items():
        roles[role] = find(reader, part) if isinstance(part, str) else role_column(role, part)
    return Source(reader, resolve(reader, columns, roles.values()), roles, chunk_rows)


def role_column(role: str, values: Any) -> Column:
    """The values of a role given as an array or another column in memory."""
    try:
        reader = column_reader(values)
        if len(reader.names) != 1:
            raise DataError(f"one column is wanted, not {len(reader.names)}")
        kind = reader.unsuitable(reader.names[0])
        if kind is not None:
            raise DataError(f"its type is {kind}, a number is wanted{advice(kind)}")
        return gather(reader)
    except DataError as error:
        raise DataError(f"{role}: {error}", column=role) from error


def reader_of(data: Any) -> Reader:
    """The reader for this kind of data."""
    if not isinstance(data, np.ndarray) and is_path(data):
        return open_files(data)
    reader = query_reader(data) or memory_reader(data)
    if reader is not None:
        return reader
    name = getattr(data, "__name__", type(data).__name__)
    if hasattr(data, "__next__"):
        return StreamReader(lambda: data, column_reader, reopenable=False, description=f"iterator {name}")
    if hasattr(data, "__iter__") and not isinstance(data, (bytes, np.generic)):
        return StreamReader(lambda: iter(data), column_reader, reopenable=True, description=name)
    if callable(data):
        return StreamReader(data, column_reader, reopenable=True, description=f"callable {name}")
    raise DataError(f"data of type {type(data).__name__} cannot be read")
