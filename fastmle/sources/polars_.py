"""polars Series, DataFrame and LazyFrame; polars is imported only for these, and for files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.arrow import arrow_columns
from fastmle.sources.base import (
    Array,
    Batch,
    Column,
    guarded,
    guarded_iterator,
    rows_text,
)
from fastmle.sources.columns import ArrayColumn, NullColumn, glue
from fastmle.sources.forked import refuse_after_fork

BATCH_BYTES, LEAST_ROWS = 1 << 24, 1 << 16  # of a batch, several of which are on their way


def type_problem(dtype: Any) -> str | None:
    """None if the polars dtype is one that becomes a number."""
    name = str(dtype)
    numeric = (dtype.is_numeric() and not dtype.is_decimal()) or name in ("Boolean", "Null")
    return None if numeric and name not in ("Int128", "UInt128") else name


class _SeriesPart:
    """One chunk of a Series: a view without nulls, else a copy block by block, where only polars is installed."""

    breaks: Sequence[int] = ()

    def __init__(self, series: Any) -> None:
        self._series = series
        self.length = len(series)
        self._name = str(series.dtype)
        self._plain = self._name != "Boolean" and not series.null_count()
        self._column = ArrayColumn(series.to_numpy(allow_copy=False)) if self._plain else None
        self.direct = self._column is not None and self._column.direct

    def piece(self, start: int, stop: int) -> Array:
        if self._column is not None:
            return self._column.piece(start, stop)
        import polars

        part = self._series.slice(start, stop - start)
        if part.null_count():
            part = part.cast(polars.Float64)
        elif self._name == "Boolean":
            part = part.cast(polars.UInt8)
        return ArrayColumn(part.to_numpy()).piece(0, stop - start)


def series_column(series: Any) -> Column:
    if str(series.dtype) == "Null":
        return NullColumn(len(series))
    bits = len(series) > 0 and (str(series.dtype) == "Boolean" or series.null_count() > 0)
    parts: Sequence[Column] | None = arrow_columns(series) if bits else None
    if parts is None:
        parts = [_SeriesPart(part) for part in series.get_chunks() if len(part)]
    return glue(parts) if parts else ArrayColumn(np.empty(0))


class FrameReader:
    """A DataFrame or a Series."""

    reopenable = True
    in_memory = True
    waits = False

    def __init__(self, data: Any) -> None:
        frame = data.to_frame(data.name or "x") if data.__class__.__name__ == "Series" else data
        self._frame = frame
        self.names: Sequence[str] = frame.columns
        self.rows = len(frame)
        self.description = f"polars {type(data).__name__} of {rows_text(self.rows)}"

    def unsuitable(self, name: str) -> str | None:
        return type_problem(self._frame.schema[name])

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        yield Batch(self.rows, [series_column(self._frame[name]) for name in names])


def check_version() -> None:
    import polars

    if tuple(map(int, polars.__version__.split(".")[:2])) < (1, 37):
        raise DataError(
            f"reading files needs polars 1.37 or later, this is {polars.__version__}: "
            "older ones end quietly where a file is damaged"
        )


class LazyReader:
    """A query, run anew for each pass: the wanted columns only, a few batches at a time."""

    reopenable = True
    in_memory = False
    waits = True

    def __init__(
        self,
        query: Any,
        description: str = "polars LazyFrame",
        *,
        place: Callable[[], str] | None = None,
        count_rows: bool = False,
    ) -> None:
        refuse_after_fork()
        check_version()
        self._query = query
        self._count = count_rows
        self.description = description
        self._place = place or description
        self._schema = guarded(self._place, query.collect_schema)
        self.names: Sequence[str] = self._schema.names()

    @property
    def rows(self) -> int | None:
        if not self._count:
            return None
        import polars

        return int(guarded(self._place, self._query.select(polars.len()).collect).item())

    def unsuitable(self, name: str) -> str | None:
        return type_problem(self._schema[name])

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        refuse_after_fork()
        rows = chunk_rows or max(LEAST_ROWS, BATCH_BYTES // (8 * len(names)) // LEAST_ROWS * LEAST_ROWS)
        options = {"chunk_size": rows, "maintain_order": True, "engine": "streaming"}

        def start() -> Iterator[Batch]:
            from polars.selectors import by_name  # a name alone may be taken for a pattern

            for frame in self._query.select(by_name(*names)).collect_batches(lazy=True, **options):
                yield Batch(len(frame), [series_column(frame[name]) for name in names])

        return guarded_iterator(self._place, start())
