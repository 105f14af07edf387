"""Arrow streams read by nanoarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from fastmle.sources.arrow import Field, decode, format_problem, with_validity
from fastmle.sources.base import Array, Batch, Column
from fastmle.sources.columns import Window

_stream: Any = import_module("nanoarrow.c_array_stream")  # absent: the caller takes the next library
_array: Any = import_module("nanoarrow.c_array")


class NanoStream:
    """The batches of one stream: structs (tables) or, for a lone column, plain arrays."""

    def __init__(self, data: Any) -> None:
        if hasattr(data, "__arrow_c_stream__"):
            self._arrays = _stream.c_array_stream(data)
            schema = self._arrays.get_schema()
        else:  # a stream that nanoarrow makes of an array crashes where this has views of text
            self._arrays = [_array.c_array(data)]
            schema = self._arrays[0].schema
        self._table = schema.format == "+s" and schema.dictionary is None
        parts = list(schema.children) if self._table else [schema]
        self._formats = [part.format for part in parts]
        self.fields: Sequence[Field] = [
            Field(part.name or "x", format_problem(part.format, part.dictionary is not None))
            for part in parts
        ]

    def batches(self, positions: Sequence[int]) -> Iterator[Batch]:
        for array in self._arrays:
            view = array.view()
            if not self._table:
                yield Batch(view.length, [self._decode(array, view, 0)])
                continue
            columns: list[Column] = []
            for position in positions:
                column = self._decode(array, view.child(position), position)
                if view.offset or column.length != view.length:
                    column = Window(column, view.offset, view.length)
                columns.append(with_validity(column, held(view.buffer(0), array), view.offset))
            yield Batch(view.length, columns)

    def _decode(self, owner: Any, part: Any, position: int) -> Column:
        data = held(part.buffer(1), owner) if part.n_buffers > 1 else None
        validity = held(part.buffer(0), owner) if part.n_buffers else None
        return decode(self._formats[position], part.length, part.offset, part.null_count, validity, data)


class _Held:
    """Lets NumPy see an address and keeps its owner: nanoarrow's buffer views do not."""

    def __init__(self, values: Array, owner: Any) -> None:
        self.__array_interface__ = values.__array_interface__
        self.owner = owner


def held(buffer: Any, owner: Any) -> Array:
    """The bytes of a buffer; the batch they belong to lives as long as any view of them."""
    values = np.frombuffer(buffer, np.uint8) if memoryview(buffer).nbytes else np.empty(0, np.uint8)
    return np.asarray(_Held(values, owner))


def open_stream(data: Any) -> NanoStream:
    return NanoStream(data)
