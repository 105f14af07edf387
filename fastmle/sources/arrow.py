"""Anything with `__arrow_c_stream__` or `__arrow_c_array__`: read by nanoarrow, else pyarrow, else polars."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.base import Batch, Column, guarded, guarded_iterator, rows_text
from fastmle.sources.columns import ArrayColumn, BitColumn, NullColumn, ValidColumn

# Arrow's format letters; besides the numbers b: bits, n: all null
NUMBERS = dict(
    zip("cCsSiIlLefg", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"], strict=True)
)
OTHERS = dict.fromkeys(["u", "U", "vu"], "string") | dict.fromkeys(["z", "Z", "vz", "w"], "binary")
OTHERS |= dict.fromkeys(["+l", "+L", "+w", "+v"], "list") | {"+s": "struct", "+m": "map", "+u": "union"}
OTHERS |= {"td": "date", "tt": "time", "ts": "timestamp", "tD": "duration", "ti": "interval"}
OTHERS |= {"+r": "run-end encoded", "d": "decimal"}


class Field(NamedTuple):
    name: str
    problem: str | None  # the name of the type, if it is not numeric


class ArrowStream(Protocol):
    """An opened stream; the columns of its batches are chosen by position."""

    @property
    def fields(self) -> Sequence[Field]: ...

    def batches(self, positions: Sequence[int]) -> Iterator[Batch]: ...


def format_problem(form: str, dictionary: bool) -> str | None:
    if dictionary:
        return "dictionary"
    if form in NUMBERS or form in ("b", "n"):
        return None
    return OTHERS.get(form) or OTHERS.get(form[:2]) or OTHERS.get(form[:1]) or form


def decode(form: str, length: int, offset: int, nulls: int, validity: Any, data: Any) -> Column:
    """A column over Arrow's buffers; `nulls` is -1 where their number is not known."""
    if form == "n":
        return NullColumn(length)
    if length == 0:
        return ArrayColumn(np.empty(0))
    if form == "b":
        column: Column = BitColumn(np.frombuffer(data, np.uint8), offset, length)
    else:
        dtype = np.dtype(NUMBERS[form])
        column = ArrayColumn(np.frombuffer(data, dtype, length, offset * dtype.itemsize))
    return with_validity(column, validity, offset) if nulls else column


def with_validity(column: Column, validity: Any, offset: int) -> Column:
    """Null where the bitmap has no bit; without a bitmap (none, or an empty buffer) nothing is."""
    if validity is None or not memoryview(validity).nbytes:
        return column
    return ValidColumn(column, np.frombuffer(validity, np.uint8), offset)


def open_stream(data: Any) -> ArrowStream:
    stream = first_stream(data, ("nano", "pyarrow_", "polars_stream"))
    if stream is None:
        raise DataError("reading Arrow data needs nanoarrow, pyarrow or polars: pip install 'fastmle[files]'")
    return stream


def first_stream(data: Any, modules: Sequence[str]) -> ArrowStream | None:
    """The stream as the first of these modules opens it whose library is installed."""
    for module in modules:
        try:
            opener: Callable[[Any], ArrowStream] = import_module(f"fastmle.sources.{module}").open_stream
        except ImportError:
            continue
        return opener(data)
    return None


def arrow_columns(data: Any) -> list[Column] | None:
    """The parts of a lone column in memory, over its own buffers; None without nanoarrow and pyarrow."""
    stream = first_stream(data, ("nano", "pyarrow_"))
    return None if stream is None else [batch.columns[0] for batch in stream.batches([0])]


def one_shot(data: Any) -> bool:
    """A reader, whose batches come once; tables and relations can be asked again."""
    return type(data).__name__ in ("ArrayStream", "CArrayStream") or any(
        hasattr(data, name) for name in ("__next__", "read_next_batch", "get_next")
    )


class ArrowReader:
    """The batches of an Arrow stream, as they come; no copy but for nulls and bits."""

    def __init__(self, data: Any) -> None:
        self._data = data
        package = type(data).__module__.partition(".")[0]
        self.reopenable = not one_shot(data)
        self.in_memory = self.reopenable and package in ("pyarrow", "nanoarrow")
        self.waits = not self.in_memory
        self.rows = len(data) if self.in_memory and hasattr(data, "__len__") else None
        self._stream: ArrowStream | None = open_stream(data)
        self._fields = list(self._stream.fields)
        if self.in_memory:
            self._stream = None
        self.names = tuple(field.name for field in self._fields)
        self.description = f"{package} {type(data).__name__}"
        if self.rows is not None:
            self.description += f" of {rows_text(self.rows)}"

    def unsuitable(self, name: str) -> str | None:
        return self._fields[self.names.index(name)].problem

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        stream, self._stream = self._stream, None
        if stream is None:
            stream = guarded(self.description, lambda: open_stream(self._data))
        batches = stream.batches([self.names.index(name) for name in names])
        return guarded_iterator(self.description, batches)
