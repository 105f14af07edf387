"""Arrow streams read by pyarrow, where nanoarrow is not installed; and pyarrow datasets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from fastmle.sources.arrow import NUMBERS, Field, decode
from fastmle.sources.base import Batch, Column

_pa: Any = import_module("pyarrow")  # absent: the caller takes the next library

FORMATS = dict(
    zip(
        [
            "int8",
            "uint8",
            "int16",
            "uint16",
            "int32",
            "uint32",
            "int64",
            "uint64",
            "halffloat",
            "float",
            "double",
        ],
        NUMBERS,
        strict=True,
    )
) | {"bool": "b", "null": "n"}


class PyarrowStream:
    """The batches of a table, a reader, a record batch, or a lone column."""

    def __init__(self, data: Any) -> None:
        self._batches: Iterator[Any]
        if hasattr(data, "__arrow_c_stream__") and isinstance(data, (_pa.ChunkedArray,)):
            named, self._batches = [("x", data.type)], iter(data.chunks)
        elif hasattr(data, "__arrow_c_stream__"):
            reader = _pa.RecordBatchReader.from_stream(data)
            named, self._batches = [(f.name, f.type) for f in reader.schema], iter(reader)
        else:
            array = _pa.record_batch(data) if _is_table(data) else _pa.array(data)
            table = isinstance(array, _pa.RecordBatch)
            named = [(f.name, f.type) for f in array.schema] if table else [("x", array.type)]
            self._batches = iter([array])
        self._types = [str(kind) for _, kind in named]
        self.fields: Sequence[Field] = [
            Field(name or "x", None if str(kind) in FORMATS else str(kind)) for name, kind in named
        ]

    def batches(self, positions: Sequence[int]) -> Iterator[Batch]:
        for batch in self._batches:
            table = isinstance(batch, _pa.RecordBatch)
            parts = [batch.column(position) if table else batch for position in positions]
            yield Batch(len(batch), [_decode(part) for part in parts])


def _is_table(data: Any) -> bool:
    return isinstance(data, (_pa.RecordBatch, _pa.StructArray)) or hasattr(data, "schema")


def _decode(part: Any) -> Column:
    buffers = part.buffers()
    data = buffers[1] if len(buffers) > 1 else None
    return decode(FORMATS[str(part.type)], len(part), part.offset, part.null_count, buffers[0], data)


def open_stream(data: Any) -> PyarrowStream:
    return PyarrowStream(data)
