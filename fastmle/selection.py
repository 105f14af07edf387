"""placeholder"""
from __future__ import annotations

from .passes import Passes


def median_interval(passes: Passes) -> tuple[float, float]:
    raise NotImplementedError
