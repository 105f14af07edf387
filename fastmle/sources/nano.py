"""Arrow streams read by nanoarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from fastmle.sources.arrow import Field, decode, format_problem, with_validity
from fastmle.sources.base import Batch, Column
from fastmle.sources.columns import Window

_stream: Any = import_module("nanoarrow.c_array_stream")  # absent: the caller takes the next library


class NanoStream:
    """The batches of one stream: structs (tables) or, for a lone column, plain arrays."""

    def __init__(self, data: Any) -> None:
        self._stream = _stream.c_array_stream(data)
        schema = self._stream.get_schema()
        self._table = schema.format == "+s" and schema.dictionary is None
        parts = list(schema.children) if self._table else [schema]
        self._formats = [part.format for part in parts]
        self.fields: Sequence[Field] = [
            Field(part.name or "x", format_problem(part.format, part.dictionary is not None))
            for part in parts
        ]

    def batches(self, positions: Sequence[int]) -> Iterator[Batch]:
        for array in self._stream:
            view = array.view()
            if not self._table:
                yield Batch(view.length, [self._decode(view, 0)])
                continue
            columns: list[Column] = []
            for position in positions:
                column = self._decode(view.child(position), position)
                if view.offset or column.length != view.length:
                    column = Window(column, view.offset, view.length)
                columns.append(with_validity(column, view.buffer(0), view.offset))
            yield Batch(view.length, columns)

    def _decode(self, part: Any, position: int) -> Column:
        data = part.buffer(1) if part.n_buffers > 1 else None
        validity = part.buffer(0) if part.n_buffers else None
        return decode(self._formats[position], part.length, part.offset, part.null_count, validity, data)


def open_stream(data: Any) -> NanoStream:
    return NanoStream(data)
