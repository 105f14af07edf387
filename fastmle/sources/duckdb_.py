"""A duckdb relation: run anew for each pass, for the wanted columns only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastmle.sources.arrow import open_stream
from fastmle.sources.base import Batch, guarded, guarded_iterator

NUMBERS = {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE"} | {
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
}
WIDE = {"HUGEINT", "UHUGEINT"}  # what sum() of integers is: read as DOUBLE


class RelationReader:
    reopenable = True
    in_memory = False
    waits = True
    rows = None
    description = "duckdb relation"

    def __init__(self, data: Any) -> None:
        self._data = data
        self.names: Sequence[str] = list(data.columns)
        self._types = [str(kind) for kind in data.types]

    def unsuitable(self, name: str) -> str | None:
        kind = self._types[self.names.index(name)]
        return None if kind in NUMBERS or kind in WIDE or kind == '"NULL"' else kind

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        parts = ", ".join(self._expression(name) for name in names)
        stream = guarded(self.description, lambda: open_stream(self._data.project(parts)))
        return guarded_iterator(self.description, stream.batches(range(len(names))))

    def _expression(self, name: str) -> str:
        quoted = '"' + name.replace('"', '""') + '"'
        wide = self._types[self.names.index(name)] in WIDE
        return f"CAST({quoted} AS DOUBLE) AS {quoted}" if wide else quoted
