"""Data of any kind as chunks of numeric columns: `open_source`."""

from __future__ import annotations

from fastmle.sources.source import Source, open_source

__all__ = ["Source", "open_source"]
