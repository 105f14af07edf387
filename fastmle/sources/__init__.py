"""Data of any kind as chunks of numeric columns: `open_source`."""

from __future__ import annotations

from fastmle.sources.opening import open_source
from fastmle.sources.source import Held, Source

__all__ = ["Held", "Source", "open_source"]
