"""Arrow streams read by polars, where neither nanoarrow nor pyarrow is installed: all of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from fastmle.sources.arrow import Field
from fastmle.sources.base import Batch
from fastmle.sources.polars_ import FrameReader

_pl: Any = import_module("polars")  # absent: the caller says what to install


class PolarsStream:
    def __init__(self, data: Any) -> None:
        frame = _pl.from_arrow(data) if hasattr(data, "to_pylist") else _pl.DataFrame(data)
        if isinstance(frame, _pl.Series) and frame.dtype == _pl.Struct:
            frame = frame.struct.unnest()
        self._reader = FrameReader(frame)
        self.fields: Sequence[Field] = [
            Field(name, self._reader.unsuitable(name)) for name in self._reader.names
        ]

    def batches(self, positions: Sequence[int]) -> Iterator[Batch]:
        return self._reader.batches([self._reader.names[position] for position in positions], None)


def open_stream(data: Any) -> PolarsStream:
    return PolarsStream(data)
