"""A dict of columns, and pandas objects: several columns held side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.arrays import array_column, type_text
from fastmle.sources.base import Array, Batch, Column, Reader, output_dtype, rows_text
from fastmle.sources.columns import ArrayColumn, glue


class DictReader:
    """Columns by name, each anything that is a single column by itself; looked at only when wanted."""

    def __init__(self, data: Mapping[Any, Any], open_column: Callable[[Any], Reader]) -> None:
        if not data:
            raise DataError("a dict without columns was given")
        self._keys = {str(key): key for key in data}
        self._data = data
        self._open = open_column
        self._opened: dict[str, Reader] = {}
        self.names = tuple(map(str, data))
        self.rows: int | None = None
        self.description = f"dict of {len(self.names)} columns"

    @property
    def reopenable(self) -> bool:
        return all(reader.reopenable for reader in self._opened.values())

    @property
    def in_memory(self) -> bool:
        return all(reader.in_memory for reader in self._opened.values())

    @property
    def on_device(self) -> bool:
        return any(getattr(reader, "on_device", False) for reader in self._opened.values())

    @property
    def waits(self) -> bool:
        return any(reader.waits for reader in self._opened.values())

    def _reader(self, name: str) -> Reader:
        if name not in self._opened:
            try:
                reader = self._open(self._data[self._keys[name]])
            except DataError as error:
                raise DataError(f"column {name!r}: {error}", column=name) from error
            if len(reader.names) != 1:
                raise DataError(f"column {name!r} has itself {len(reader.names)} columns", column=name)
            self._opened[name] = reader
            if self.rows is None:
                self.rows = reader.rows
            elif reader.rows is not None and reader.rows != self.rows:
                self._unequal({name: reader.rows for name, reader in self._opened.items()})
        return self._opened[name]

    def unsuitable(self, name: str) -> str | None:
        reader = self._reader(name)
        return reader.unsuitable(reader.names[0])

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        columns = [gather(self._reader(name)) for name in names]
        rows = columns[0].length if columns else self.rows or 0
        if any(column.length != rows for column in columns):
            self._unequal({name: column.length for name, column in zip(names, columns, strict=True)})
        yield Batch(rows, columns)

    def _unequal(self, lengths: Mapping[str, int | None]) -> NoReturn:
        listed = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        raise DataError(f"the columns have different numbers of rows: {listed}")


class PandasReader:
    """A DataFrame or Series, by way of NumPy: views where the dtype is NumPy's, blocks otherwise."""

    reopenable = True
    in_memory = True
    waits = False

    def __init__(self, data: Any) -> None:
        self._data = data
        if data.ndim == 1:
            self.names: Sequence[str] = ("x" if data.name is None else str(data.name),)
        else:
            self.names = tuple(str(label) for label in data.columns)
        self.rows = len(data)
        self.description = f"pandas {type(data).__name__} of {rows_text(self.rows)}"

    def unsuitable(self, name: str) -> str | None:
        series = self._series(name)
        if isinstance(series.dtype, np.dtype):
            values = series.to_numpy()
            return None if output_dtype(values.dtype) else type_text(values)
        return None if _extension_dtype(series) else str(series.dtype)

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        yield Batch(self.rows, [_pandas_column(self._series(name)) for name in names])

    def _series(self, name: str) -> Any:
        return self._data if self._data.ndim == 1 else self._data.iloc[:, self.names.index(name)]


def _extension_dtype(series: Any) -> Any:
    """The NumPy dtype behind pandas' nullable and Arrow dtypes, if it is numeric."""
    sparse = type(series.dtype).__name__ == "SparseDtype"
    dtype = getattr(series.dtype, "subtype" if sparse else "numpy_dtype", None)
    return dtype if isinstance(dtype, np.dtype) and output_dtype(dtype) else None


class _ExtensionColumn:
    direct = False
    breaks: Sequence[int] = ()

    def __init__(self, series: Any) -> None:
        self._series = series
        self._dtype = _extension_dtype(series)
        self.length = len(series)

    def piece(self, start: int, stop: int) -> Array:
        part = self._series.iloc[start:stop]
        if part.isna().any():
            values = part.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            values = part.to_numpy(dtype=self._dtype)
        return ArrayColumn(values).piece(0, stop - start)


def _pandas_column(series: Any) -> Column:
    return array_column(series.to_numpy()) if isinstance(series.dtype, np.dtype) else _ExtensionColumn(series)


def gather(reader: Reader) -> Column:
    """The one column of a reader which is held in memory."""
    batches = [batch.columns[0] for batch in reader.batches(reader.names, None)]
    return glue(batches) if batches else ArrayColumn(np.empty(0))
