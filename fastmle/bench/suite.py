"""The lines: for each registered family its fit and its log-likelihood; and how the time grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from .. import api
from ..families import REGISTRY
from ..family import Family, RowTerms
from ..likelihood import loglik
from ..request import passes_over
from . import data, peers
from .data import Array
from .engines import installed

SLOW = {"scipy": 1_000_000, "numpy": 10_000_000, "numba-stats": 10_000_000, "scikit-learn": 10_000_000}
ITERATIVE = 20_000_000
DTYPES = {"gaussian": ("float32", "int32"), "bernoulli": ("float64",)}  # beside that of the sample
FEW = {"scipy": 200_000, "scipy, which stops short": 50_000, "statsmodels": 50_000}  # of a peer's iterations


@dataclass(frozen=True)
class Engine:
    """`prepare(x)` gives what is timed; `most` rows; `rtol`: how near its answer is to fastmle's, None if it is another;
    `numbers(answer)`: what of it is compared."""

    prepare: Callable[[Array], Callable[[Array], Any]]
    most: int = 1 << 62
    rtol: float | None = 1e-6
    numbers: Callable[[Any], Array] = np.ravel


@dataclass(frozen=True)
class Line:
    """Engines that answer one question about one sample."""

    name: str
    sample: str
    engines: dict[str, Engine]
    most: int = 1 << 62
    family: Family | None = None
    theta: Any = None
    dtype: str | None = None
    step: bool = False  # a pass of all that a Newton step needs

    @property
    def terms(self) -> Any:
        """What it adds, None where it has no family."""
        if self.family is None:
            return None
        return self.family.terms if self.theta is None or self.step else self.family.loglik_terms

    def data(self, rows: int) -> Array:
        x = data.make(self.sample, min(rows, self.most))
        return x if self.dtype is None else x.astype(self.dtype)


def _ours(call: Callable[..., Any], numbers: Callable[[Any], Array] = np.ravel) -> dict[str, Engine]:
    return {
        "fastmle": Engine(lambda x: lambda x: call(x), numbers=numbers),
        "fastmle, 1 thread": Engine(lambda x: lambda x: call(x, threads=1), numbers=numbers),
    }


def estimates(fit: Any) -> Array:
    """The numbers of a fit, in one row."""
    return np.concatenate([np.ravel(v) for v in fit.params.values()])


def fit_line(family: Family, sample: str, dtype: str | None = None) -> Line:
    """The fit of a family, against the peers that know its estimates or their sums."""
    engines = _ours(partial(api.fit, family), estimates)
    kinds = ((peers.FITS, SLOW, 1e-6), (peers.SUMS, SLOW, None), (peers.ITERATED, FEW, 1e-2), (peers.SHORT, FEW, None))
    for table, most, rtol in kinds:
        for name, prepare in table.get(family.name, {}).items():
            if name in ("numpy", "one dsyrk") or installed(name):
                engines[name] = Engine(prepare, most.get(name, 1 << 62), rtol)
    rows = ITERATIVE if not family.one_pass else 1 << 62
    return Line(
        f"{family.name} fit{f', {dtype}' if dtype else ''}", sample, engines, rows, family, None, dtype
    )


def loglik_line(family: Family, sample: str) -> Line:
    """The log-likelihood at given parameters, against numpy's formula and scipy.stats."""
    fit = api.fit(family, data.make(sample, data.TRY))
    given, theta = dict(fit.params), fit.theta
    engines = _ours(lambda x, **options: loglik(family, x, given, **options))
    if family.name in peers.LOGLIK:
        formula = peers.LOGLIK[family.name]
        engines["numpy"] = Engine(lambda x: lambda x: formula(x, *theta), SLOW["numpy"])
    twin = fit.dist()
    log_density = getattr(twin, "logpmf" if family.discrete else "logpdf", None)
    if log_density is not None:
        engines["scipy"] = Engine(lambda x: lambda x: log_density(x).sum(), SLOW["scipy"])
    if family.name in peers.NUMBA_STATS and installed("numba-stats"):
        module, function, arguments = peers.NUMBA_STATS[family.name]
        other = getattr(import_module(f"numba_stats.{module}"), function)
        constants = arguments(*theta)
        engines["numba-stats"] = Engine(lambda x: lambda x: other(x, *constants).sum(), SLOW["numba-stats"])
    return Line(f"{family.name} log-likelihood", sample, engines, family=family, theta=theta)


def step_line(family: Family, sample: str) -> Line | None:
    """One pass of the terms that a Newton step needs; None for a family without such steps."""
    terms = family.terms
    if family.one_pass or not isinstance(terms, RowTerms):
        return None
    theta = api.fit(family, data.make(sample, data.TRY)).theta

    def added(x: Array, **options: Any) -> Any:
        _, passes = passes_over(family, x, **options)
        sums = passes.run(terms, family.row_theta(theta)).sums()
        return np.array([getattr(sums, name) for name in terms.sums._fields[: len(terms.letters())]])

    engines = _ours(added)
    if family.name in peers.STEPS:
        formula = peers.STEPS[family.name]
        engines["numpy"] = Engine(lambda x: lambda x: formula(x, *theta), SLOW["numpy"])
    return Line(f"{family.name} Newton pass", sample, engines, family=family, theta=theta, step=True)


def lines(only: tuple[str, ...] = ()) -> Iterator[Line]:
    """All lines; of the families named, if any are."""
    for name in only or REGISTRY:
        found = data.chosen(name)
        if found is None:
            continue
        family, sample = found
        yield fit_line(family, sample)
        yield from (fit_line(family, sample, dtype) for dtype in DTYPES.get(name, ()))
        step = step_line(family, sample)
        if step is not None:
            yield step
        try:
            yield loglik_line(family, sample)
        except (NotImplementedError, TypeError, AttributeError):  # without a density at all
            continue
