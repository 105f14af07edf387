"""What the same answers cost elsewhere: the question that each family puts to numpy and to the peers that are installed."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .engines import (
    Answer,
    Array,
    by_duckdb,
    by_mixle,
    by_polars,
    by_pyarrow,
    by_scikit,
    by_scipy,
    by_statsmodels,
    gram,
    log_means,
    plain,
    scipy_gammaln,
)

# family: engine: what prepares an answer for an array. numpy: the sums that decide the fit, as one would write them.
FITS: dict[str, dict[str, Callable[[Array], Answer]]] = {
    "gaussian": {
        "numpy": plain(lambda x: (x.mean(), x.std())),
        "polars": by_polars("mean", "std"),
        "duckdb": by_duckdb("avg(x), stddev_pop(x)"),
        "pyarrow": by_pyarrow,
        "scikit-learn": by_scikit,
        "scipy": by_scipy("norm", 0, 1),
        "mixle": by_mixle,
    },
    "exponential": {
        "numpy": plain(lambda x: 1.0 / x.mean()),
        "polars": lambda x: (lambda mean: lambda y: 1.0 / mean(y)[0])(by_polars("mean")(x)),
        "duckdb": by_duckdb("1 / avg(x)"),
    },
    "uniform": {
        "numpy": plain(lambda x: (x.min(), x.max())),
        "polars": by_polars("min", "max"),
        "duckdb": by_duckdb("min(x), max(x)"),
    },
    "bernoulli": {  # without polars: a column of bits keeps the number of those set, so that its mean reads nothing
        "numpy": plain(lambda x: x.mean()),
        "duckdb": by_duckdb("avg(x::int)"),
    },
    "lognormal": {"numpy": plain(lambda x: (lambda u: (u.mean(), u.std()))(np.log(x)))},
    "rayleigh": {"numpy": plain(lambda x: math.sqrt(0.5 * np.mean(x * x)))},
    "halfnormal": {"numpy": plain(lambda x: math.sqrt(np.mean(x * x)))},
    "pareto": {"numpy": plain(lambda x: (1.0 / (np.log(x).mean() - math.log(x.min())), x.min()))},
    "geometric": {"numpy": plain(lambda x: 1.0 / x.mean())},
}
# Iterations of others, which end less exactly: timed on few rows, and compared to 1 %.
ITERATED: dict[str, dict[str, Callable[[Array], Answer]]] = {
    "weibull": {"scipy": by_scipy("weibull_min", 0, 2, floc=0)},
    "gumbel": {"scipy": by_scipy("gumbel_r", 0, 1)},
    "logistic_dist": {"scipy": by_scipy("logistic", 0, 1)},
    "cauchy": {"scipy": by_scipy("cauchy", 0, 1)},
    "beta": {"scipy": by_scipy("beta", 0, 1, floc=0, fscale=1)},
    "negative_binomial": {"statsmodels": by_statsmodels},
}
# Its simplex stops far from the maximum of our sample: timed, and not compared.
SHORT: dict[str, dict[str, Callable[[Array], Answer]]] = {
    "student_t": {"scipy, which stops short": by_scipy("t", 0, 1, 2)},
}
# Not the estimates but the sums on which they rest: timed, and not compared.
SUMS: dict[str, dict[str, Callable[[Array], Answer]]] = {
    "gamma": {
        "numpy": plain(log_means),
        "polars": by_polars("mean", "log"),
        "duckdb": by_duckdb("avg(x), avg(ln(x))"),
    },
    "inverse_gamma": {"numpy": plain(lambda x: ((1.0 / x).mean(), np.log(x).mean()))},
    "inverse_gaussian": {"numpy": plain(lambda x: (x.mean(), (1.0 / x).mean(), np.log(x).mean()))},
    "beta": {"numpy": plain(lambda x: (np.log(x).mean(), np.log1p(-x).mean()))},
    "poisson": {"numpy": plain(lambda x: (x.mean(), scipy_gammaln(x + 1.0).sum()))},
    "mvn": {"numpy": plain(lambda x: np.cov(x, rowvar=False, ddof=0)), "one dsyrk": lambda x: partial(gram)},
}


# family: module of numba-stats, its function, and its arguments from the parameters
NUMBA_STATS: dict[str, tuple[str, str, Callable[..., tuple[float, ...]]]] = {
    "gaussian": ("norm", "logpdf", lambda m, s: (m, s)),
    "exponential": ("expon", "logpdf", lambda r: (0.0, 1.0 / r)),
    "lognormal": ("lognorm", "logpdf", lambda m, s: (s, 0.0, math.exp(m))),
    "student_t": ("t", "logpdf", lambda v, m, s: (v, m, s)),
    "poisson": ("poisson", "logpmf", lambda r: (r,)),
}

# what a Newton step adds, as one writes it in numpy: of (x, parameters in their order), the sums in the order of the family's
STEPS: dict[str, Callable[..., Any]] = {"weibull": lambda x, k, s: powers(np.log(x / s), k)}


def powers(z: Array, k: float) -> Any:
    t = np.exp(k * z)
    return z.sum(), t.sum(), (z * t).sum(), (z * z * t).sum()


# log-likelihoods as one writes them in numpy: of (x, parameters in their order)
LOGLIK: dict[str, Callable[..., Any]] = {
    "gaussian": lambda x, m, s: (-0.5 * ((x - m) / s) ** 2 - np.log(s * np.sqrt(2 * np.pi))).sum(),
    "exponential": lambda x, r: (np.log(r) - r * x).sum(),
    "gamma": lambda x, k, r: (k * np.log(r) - math.lgamma(k) + (k - 1) * np.log(x) - r * x).sum(),
    "lognormal": lambda x, m, s: (-0.5 * ((np.log(x) - m) / s) ** 2 - np.log(x * s * np.sqrt(2 * np.pi))).sum(),
    "student_t": lambda x, v, m, s: (
        math.lgamma((v + 1) / 2) - math.lgamma(v / 2) - 0.5 * np.log(v * np.pi) - np.log(s)
        - (v + 1) / 2 * np.log1p(((x - m) / s) ** 2 / v)
    ).sum(),
    "logistic_dist": lambda x, m, s: (lambda z: (-z - np.log(s) - 2 * np.logaddexp(0, -z)).sum())((x - m) / s),
    "gumbel": lambda x, m, s: (lambda z: (-np.log(s) - z - np.exp(-z)).sum())((x - m) / s),
    "cauchy": lambda x, m, s: (-np.log(np.pi * s) - np.log1p(((x - m) / s) ** 2)).sum(),
    "weibull": lambda x, k, s: (np.log(k / s) + (k - 1) * np.log(x / s) - (x / s) ** k).sum(),
    "laplace": lambda x, m, b: (-np.log(2 * b) - np.abs(x - m) / b).sum(),
    "poisson": lambda x, r: (x * np.log(r) - r - scipy_gammaln(x + 1.0)).sum(),
}  # fmt: skip
