"""A pyarrow dataset: scanned anew for each pass, for the wanted columns only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastmle.sources.arrow import open_stream
from fastmle.sources.base import BATCH_ROWS, Batch, guarded, guarded_iterator
from fastmle.sources.pyarrow_ import FORMATS


class DatasetReader:
    reopenable = True
    in_memory = False
    waits = True
    description = "pyarrow dataset"

    def __init__(self, data: Any) -> None:
        self._data = data
        self.names: Sequence[str] = data.schema.names

    @property
    def rows(self) -> int | None:
        """From the metadata, where the format has them."""
        kind = getattr(getattr(self._data, "format", None), "default_extname", "")
        if kind not in ("parquet", "feather", "ipc"):
            return None
        return int(guarded(self.description, self._data.count_rows))

    def unsuitable(self, name: str) -> str | None:
        kind = str(self._data.schema.field(name).type)
        return None if kind in FORMATS else kind

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        def start() -> Any:
            scanner = self._data.scanner(
                columns=list(names),
                batch_size=chunk_rows or BATCH_ROWS,
                batch_readahead=4,
                fragment_readahead=1,
            )
            return open_stream(scanner.to_reader())

        stream = guarded(self.description, start)
        return guarded_iterator(self.description, stream.batches(range(len(names))))
