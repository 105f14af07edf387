"""A pyarrow dataset: scanned anew for each pass, for the wanted columns only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
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
        self._format = getattr(getattr(data, "format", None), "default_extname", "")
        self.names: Sequence[str] = data.schema.names

    @property
    def rows(self) -> int | None:
        """From the metadata, where the format has them."""
        if self._format not in ("parquet", "feather", "ipc"):
            return None
        return int(guarded(self.description, self._data.count_rows))

    def unsuitable(self, name: str) -> str | None:
        kind = str(self._data.schema.field(name).type)
        return None if kind in FORMATS else kind

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        stream = guarded(self.description, lambda: open_stream(self._scan(names, chunk_rows or BATCH_ROWS)))
        return guarded_iterator(self.description, stream.batches(range(len(names))))

    def _scan(self, names: Sequence[str], rows: int) -> Any:
        options: dict[str, Any] = {"batch_size": rows, "batch_readahead": 4, "fragment_readahead": 1}
        if self._format == "parquet":  # else pyarrow reads whole columns of the file ahead
            parquet = import_module("pyarrow.dataset").ParquetFragmentScanOptions
            options["fragment_scan_options"] = parquet(pre_buffer=False, use_buffered_stream=True)
        return self._data.scanner(columns=list(names), **options).to_reader()
