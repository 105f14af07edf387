"""scipy's distributions where their layout is not ours."""

from __future__ import annotations

from typing import Any

import numpy as np


class RowsFirst:
    """A multivariate distribution of scipy that wants the coordinates first; here points are rows."""

    def __init__(self, twin: Any) -> None:
        self.twin = twin
        self.rvs = twin.rvs

    def logpdf(self, x: Any) -> Any:
        return self.twin.logpdf(np.moveaxis(np.asarray(x, float), -1, 0))
