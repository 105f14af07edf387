"""Arrow streams read by pyarrow, where nanoarrow is not installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from fastmle.sources.arrow import NUMBERS, Field, decode
from fastmle.sources.base import Batch, Column

_pa: Any = import_module("pyarrow")  # absent: the caller takes the next library

_INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
FORMATS = dict(zip([*_INTEGERS, "halffloat", "float", "double"], NUMBERS, strict=True))
FORMATS |= {"bool": "b", "null": "n"}


class PyarrowStream:
    """The batches of one stream: record batches or, for a lone column, plain arrays."""

    def __init__(self, data: Any) -> None:
        self._batches, kind = _open(data)
        self._table = isinstance(kind, _pa.Schema)
        named = [(field.name, field.type) for field in kind] if self._table else [("x", kind)]
        self.fields: Sequence[Field] = [
            Field(name or "x", None if str(dtype) in FORMATS else str(dtype)) for name, dtype in named
        ]

    def batches(self, positions: Sequence[int]) -> Iterator[Batch]:
        for batch in self._batches:
            parts = [batch.column(position) if self._table else batch for position in positions]
            yield Batch(len(batch), [_decode(part) for part in parts])


def _open(data: Any) -> tuple[Iterator[Any], Any]:
    """The batches and their schema, or the arrays and their type."""
    if hasattr(data, "__arrow_c_stream__") and not isinstance(data, _pa.ChunkedArray):
        try:
            reader = _pa.RecordBatchReader.from_stream(data)
            return iter(reader), reader.schema
        except _pa.ArrowInvalid:  # not a table: a stream of arrays
            pass
    arrays = (
        _pa.chunked_array(data)
        if hasattr(data, "__arrow_c_stream__")
        else _pa.chunked_array([_pa.array(data)])
    )
    if not _pa.types.is_struct(arrays.type):
        return iter(arrays.chunks), arrays.type
    names = [field.name for field in arrays.type]
    batches = [_pa.RecordBatch.from_arrays(chunk.flatten(), names) for chunk in arrays.chunks]
    return iter(batches), _pa.schema(arrays.type)


def _decode(part: Any) -> Column:
    buffers = part.buffers()
    data = buffers[1] if len(buffers) > 1 else None
    return decode(FORMATS[str(part.type)], len(part), part.offset, part.null_count, buffers[0], data)


def open_stream(data: Any) -> PyarrowStream:
    return PyarrowStream(data)
