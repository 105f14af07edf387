"""scipy's distributions where their layout is not ours, and what it has not."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import scipy


class RowsFirst:
    """A multivariate distribution of scipy that wants the coordinates first; here points are rows."""

    def __init__(self, twin: Any) -> None:
        self.twin = twin
        self.rvs = twin.rvs

    def logpdf(self, x: Any) -> Any:
        return self.twin.logpdf(np.moveaxis(np.asarray(x, float), -1, 0))


@cache
def with_log_pdf(name: str, log_pdf: Any) -> Any:
    """scipy's distribution of this name with log_pdf(x, *shapes) for its own, which is the logarithm of what leaves float64."""
    base = getattr(scipy.stats, name)

    class Twin(type(base)):  # type: ignore[misc]
        def _logpdf(self, x: Any, *shapes: Any) -> Any:
            return log_pdf(x, *shapes)

    return Twin(a=base.a, b=base.b, name=base.name, shapes=base.shapes)


@cache
def zero_inflated(log_pmf: Any) -> Any:
    """The zero-inflated Poisson, which scipy has not; its shapes are rate and pi."""

    class ZeroInflatedPoisson(scipy.stats.rv_discrete):  # type: ignore[misc]
        def _argcheck(self, rate: Any, pi: Any) -> Any:
            return (rate >= 0.0) & (pi >= 0.0) & (pi < 1.0)

        def _logpmf(self, x: Any, rate: Any, pi: Any) -> Any:
            return log_pmf(x, float(np.ravel(rate)[0]), float(np.ravel(pi)[0]))

        def _pmf(self, x: Any, rate: Any, pi: Any) -> Any:
            return np.exp(self._logpmf(x, rate, pi))

        def _cdf(self, x: Any, rate: Any, pi: Any) -> Any:
            return pi + (1.0 - pi) * scipy.stats.poisson.cdf(x, rate)

        def _ppf(self, q: Any, rate: Any, pi: Any) -> Any:
            return scipy.stats.poisson.ppf(np.maximum((q - pi) / (1.0 - pi), 0.0), rate).clip(0.0)

        def _stats(self, rate: Any, pi: Any) -> Any:
            mean = (1.0 - pi) * rate
            return mean, mean * (1.0 + pi * rate), None, None

    return ZeroInflatedPoisson(name="zero_inflated_poisson", shapes="rate, pi")
