"""Pieces of any data as things with columns by name, and their text or numbers as codes of levels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import DataError, FamilyError
from ..sources.base import guarded, guarded_iterator, rows_text
from ..sources.files import open_files
from ..sources.paths import is_path
from ..sources.resolve import hint

Start = Callable[[Sequence[str], int], Iterator[Any]]  # the columns wanted, and about how many rows at a time


def library(name: str, extra: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise FamilyError(f"formulas need the extra '{extra}': pip install 'fastmle[{extra}]'") from error


def frames_of(data: Any) -> tuple[Start, bool, int | None]:
    """Pieces of the data; whether they may be read again, and the rows if known. Raises DataError for a missing column."""
    if is_path(data):
        data = getattr(open_files(data), "_query", None)
        if data is None:
            raise DataError("a formula needs columns with names: this file has none")
    kind = type(data).__module__.partition(".")[0]
    if kind == "polars" and hasattr(data, "collect_batches"):

        def batches(wanted: Sequence[str], size: int) -> Iterator[Any]:
            _has(guarded("the query", data.collect_schema).names(), wanted)
            found = data.select(wanted).collect_batches(chunk_size=size, maintain_order=True, lazy=True)
            yield from guarded_iterator("the query", iter(found))

        return batches, True, None
    if isinstance(data, Mapping):
        columns = {str(k): _column(str(k), v) for k, v in data.items()}
        rows = max(map(len, columns.values()), default=0)
        return _checked(lambda lo, hi: {k: v[lo:hi] for k, v in columns.items()}, rows), True, rows
    if hasattr(data, "iloc"):
        return _checked(lambda lo, hi: data.iloc[lo:hi], len(data)), True, len(data)
    if kind == "polars":
        return _checked(lambda lo, hi: data[lo:hi], len(data)), True, len(data)
    if callable(data):

        def pieces(wanted: Sequence[str], size: int) -> Iterator[Any]:
            for piece in data():
                _has(_names(piece), wanted)
                yield piece

        return pieces, True, None
    if hasattr(data, "__arrow_c_stream__"):
        return frames_of(library("polars", "files").DataFrame(data))
    raise DataError(f"a formula needs columns with names, and {type(data).__name__} has none")


def _checked(cut: Callable[[int, int], Any], rows: int) -> Start:
    def start(wanted: Sequence[str], size: int) -> Iterator[Any]:
        for lo in range(0, max(rows, 1), size):
            piece = cut(lo, lo + size)
            _has(_names(piece), wanted)
            if isinstance(piece, dict):
                _of_one_length(piece, wanted, lo)
            yield piece

    return start


def _of_one_length(piece: dict[str, np.ndarray], wanted: Sequence[str], row: int) -> None:
    sizes = {name: row + len(piece[name]) for name in wanted}
    short = min(sizes, key=lambda name: sizes[name])
    if sizes[short] < max(sizes.values()):
        raise DataError(f"column {short!r} has {rows_text(sizes[short])}, others have more", column=short)


def _column(name: str, values: Any) -> np.ndarray:
    """Values as an array of one dimension; numbers with None among them are floats. Raises DataError if they are none."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise DataError(f"column {name!r}: {error}", column=name) from error
    if array.ndim != 1:
        raise DataError(f"column {name!r} has {array.ndim} dimensions: one is wanted", column=name)
    if array.dtype == object and all(v is None or isinstance(v, (int, float)) for v in array.tolist()):
        return array.astype(np.float64)
    return array


def values_of(column: Any, name: str) -> np.ndarray:
    """A column as an array; of truth values with nulls as floats, of which a chunk without nulls has the same kind."""
    kind = str(getattr(column, "dtype", "")).lower()
    if kind.startswith("decimal"):
        raise DataError(f"column {name!r} has type {column.dtype}, a number is wanted: cast it to a float first", column=name)
    if kind == "boolean" and nulls_of(column).any():
        column = column.cast(import_module("polars").Float64) if is_polars(column) else column.astype("Float64")
    return np.asarray(column)


def _names(piece: Any) -> list[str]:
    return list(piece.keys() if isinstance(piece, Mapping) else piece.columns)


def _has(names: Sequence[str], wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in names:
            raise DataError(f"no column {name!r} in the data{hint(name, names)}", column=name)


def is_polars(column: Any) -> bool:
    return type(column).__module__.partition(".")[0] == "polars"


def nulls_of(column: Any) -> np.ndarray:
    """Where a column is null or NaN."""
    if is_polars(column):
        null = column.is_null()
        return np.asarray((null | column.is_nan().fill_null(True) if column.dtype.is_float() else null).to_numpy())
    values = np.asarray(column)
    if values.dtype.kind in "biu":
        return np.zeros(values.size, bool)
    return np.asarray(np.isnan(values) if values.dtype.kind == "f" else library("pandas", "formula").isna(values))


def distinct(column: Any, kept: np.ndarray) -> set[Any]:
    """The values of a column in these rows, none of which is null."""
    if is_polars(column):
        return set((column if kept.all() else column.filter(kept)).unique().to_list())
    pandas = library("pandas", "formula")
    return set(pandas.Series(np.asarray(column)[kept]).unique().tolist())


def codes_of(column: Any, levels: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """The place of each value among the levels as float32, NaN for others; and which rows have a value that is none of them."""
    null = nulls_of(column)
    values = column if is_polars(column) else np.asarray(column)
    if all(isinstance(level, str) for level in levels) and is_polars(column):
        pl = import_module("polars")
        text = column.cast(pl.String)
        codes = text.cast(pl.Enum(list(levels)), strict=False).to_physical().cast(pl.Float32).to_numpy()
    else:
        values = np.asarray(values)
        if values.dtype.kind in "biuf":
            known = np.asarray(levels)
            at = np.minimum(np.searchsorted(known, values), len(known) - 1)
            codes = np.where(known[at] == values, at, -1).astype(np.float32)
        else:
            pandas = library("pandas", "formula")
            if values.dtype.kind in "mM":  # as `distinct` gives them
                values = np.array(column.to_list() if is_polars(column) else pandas.Series(values).tolist(), object)
            codes = pandas.Index(list(levels), dtype=object).get_indexer(values).astype(np.float32)
        codes[codes < 0] = np.nan
    return codes, np.isnan(codes) & ~null
