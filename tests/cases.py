"""The ONE table of families: `CASES`. All oracle, law and bad-input tests walk it; a new family needs one entry, no test.

To add a family: write its log-likelihood as in the textbook, in mpmath, and append an entry to CASES:

    def rayleigh(x, w):                                 # x: values (rows, if of several columns), w: weights, as mpf
        n, xx, logs = mp.fsum(w), dot(w, [v * v for v in x]), dot(w, map(mp.log, x))    # sums once ...
        return lambda sigma: logs - 2 * n * mp.log(sigma) - xx / (2 * sigma**2)         # ... then a function of θ

    CASES["rayleigh"] = Case(
        draw=lambda rng, n, sigma: rng.rayleigh(sigma, n),          # rows with known parameters
        space="p",                                                  # a letter a parameter: r real, p positive, u in (0, 1)
        theta={"usual": (2.0,), "small": (1e-300,)},                # true parameters; "usual" first, then hard ones
        loglik=rayleigh,
        support=(0.0, math.inf),                                    # where p > 0
        equal="ok",                                                 # the status where all values are equal
        hard={"ten rows": (ten_values, (2.0,))},                    # data given, and where the oracle may start; see Hard
        ends={"zero": ([1e-320], "ok")},                            # data that end in the stated status
        scale=lambda theta, c: (theta[0] * c,),                     # parameters of c·x; shift=: of x + a
        outside=(-1.0, 0.0),                                        # values that the family cannot produce
    )

The estimate, its errors, held parameters, profiles and sandwich errors are then made by tests/oracle.py. Where the
maximum is not a zero of the gradient (ends of the support, medians, probabilities that add up to 1), give
`exact(x, w) -> θ`, `smooth=False`, `held=()`, and `errors(θ, n)` where there are errors; `exact` alone, beside a
smooth likelihood, is only a better start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np
from oracle import Best, LogLik, dot, exactly, maximise, tally

Theta = tuple[float, ...]


class Hard(NamedTuple):
    """Data written out: values, where the oracle starts, and weights."""

    x: Any
    start: Theta
    weights: Any = None


@dataclass(frozen=True)
class Case:
    draw: Callable[..., np.ndarray]  # (rng, n, *theta) -> (n,) or (n, columns)
    space: str
    theta: dict[str, Theta]
    loglik: Callable[[Any, Any], LogLik]
    exact: Callable[[Any, Any], Sequence[Any]] | None = None
    smooth: bool = True  # the maximum is a zero of the gradient, with a Hessian there
    nonregular: tuple[int, ...] = ()  # places of parameters on which the support depends: they have no errors
    errors: Callable[[Any, float], Sequence[Any]] | None = (
        None  # (θ, n): standard errors, where not from the Hessian
    )
    one_pass: bool = True
    discrete: bool = False
    column: str = "float"  # what a column holds by nature: float, int, bool
    whole: Callable[..., np.ndarray] | None = lambda rng, n: rng.integers(
        1, 100, n
    )  # whole numbers it can fit
    constants: dict[str, Any] = field(default_factory=dict)
    support: tuple[float, float] = (-math.inf, math.inf)
    shift: Callable[[Any, float], Sequence[Any]] | None = None
    scale: Callable[[Any, float], Sequence[Any]] | None = None
    precision: Callable[[Any, Any], LogLik] | None = None  # the log-likelihood under precision weights
    hard: dict[str, Hard] = field(default_factory=dict)
    ends: dict[str, tuple[Any, str]] = field(default_factory=dict)
    equal: str = "degenerate"  # status where all values are equal
    held: tuple[str, ...] | None = None  # parameters that `fixed=` may hold one at a time; None: all of them
    near: Callable[[str, Any], Any] | None = None  # (name, estimate) -> where to hold it; None: a tenth off
    outside: tuple[float, ...] = ()
    rounds: bool = True  # values rounded to float32 are still possible
    rows: int = 120  # rows for the oracle, in 100 digits
    covered: Theta | None = None  # the parameters at which 95 % intervals are tried on 200 rows; None: usual
    tries: int = 2000  # samples of them

    @property
    def regular(self) -> bool:
        """Whether every parameter has a standard error."""
        return not self.nonregular

    @property
    def usual(self) -> Theta:
        return next(iter(self.theta.values()))

    def sample(self, rng: Any, n: int, kind: str = "usual") -> np.ndarray:
        """n rows with the parameters of this name; `rng` a Generator or a seed."""
        return self.draw(np.random.default_rng(rng), n, *self.theta[kind])

    def best(
        self,
        x: Any,
        weights: Any = None,
        start: Theta | None = None,
        held: dict[int, float] | None = None,
        loglik: Callable[[Any, Any], LogLik] | None = None,
    ) -> Best:
        """The maximum without fastmle; `held` parameters by place."""
        values = exactly(x)
        w = exactly(np.ones(len(values)) if weights is None else weights)
        f = (loglik or self.loglik)(values, w)
        begin = list(start or self.usual)
        if self.exact is not None and not held:
            begin = [mp.mpf(t) for t in self.exact(values, w)]
        if not self.smooth and not held:
            cov = mp.zeros(len(begin))
            if self.errors is not None:
                for i, error in enumerate(self.errors(begin, mp.fsum(w))):
                    cov[i, i] = mp.mpf(error) ** 2
            return Best(begin, f(*begin), cov if self.errors is not None else None)
        for place, value in (held or {}).items():
            begin[place] = value
        free = [i for i in range(len(begin)) if i not in (held or {})]
        return maximise(f, self.space, begin, free)

    def at(self, x: Any, weights: Any, theta: Any) -> Any:
        """The log-likelihood at these parameters."""
        values = exactly(x)
        return self.loglik(values, exactly(np.ones(len(values)) if weights is None else weights))(
            *exactly(theta)
        )

    def hold_at(self, held: str, value: Any) -> Any:
        """A value near the estimate at which to hold a parameter."""
        if self.near is not None:
            return self.near(held, value)
        return value * 0.9 if np.ndim(value) == 0 else np.asarray(value) * 1.1

    def estimate(self, x: Any) -> tuple[list[Any], Any]:
        """The parameters in order and the log-likelihood."""
        best = self.best(x)
        return best.theta, best.llf

    def logp(self, *theta: Any) -> Callable[[float], float]:
        """log p(x) of one value, in double precision or better."""
        one = [mp.mpf(1)]
        return lambda x: float(self.loglik([mp.mpf(float(x))], one)(*theta))


CASES: dict[str, Case] = {}

# -- log-likelihoods as in the textbook ------------------------------------------------------------------------------


def gaussian(x: Any, w: Any) -> LogLik:
    n, sx, sxx = mp.fsum(w), dot(w, x), dot(w, [v * v for v in x])
    return lambda mu, sigma: (
        -n * mp.log(2 * mp.pi * sigma**2) / 2 - (sxx - 2 * mu * sx + n * mu**2) / (2 * sigma**2)
    )


def gaussian_precision(x: Any, w: Any) -> LogLik:
    """x_i ~ N(mu, sigma²/w_i)."""
    rows, logs = len(x), mp.fsum(map(mp.log, w))
    n, sx, sxx = mp.fsum(w), dot(w, x), dot(w, [v * v for v in x])
    return lambda mu, sigma: (
        (logs - rows * mp.log(2 * mp.pi * sigma**2)) / 2 - (sxx - 2 * mu * sx + n * mu**2) / (2 * sigma**2)
    )


def gamma(x: Any, w: Any) -> LogLik:
    n, sx, logs = mp.fsum(w), dot(w, x), dot(w, list(map(mp.log, x)))
    return lambda shape, rate: (
        n * (shape * mp.log(rate) - mp.loggamma(shape)) + (shape - 1) * logs - rate * sx
    )


def weibull(x: Any, w: Any) -> LogLik:
    n, logs = mp.fsum(w), list(map(mp.log, x))
    total = dot(w, logs)
    return lambda k, scale: (
        n * (mp.log(k) - k * mp.log(scale))
        + (k - 1) * total
        - dot(w, [mp.exp(k * (z - mp.log(scale))) for z in logs])
    )


def uniform(x: Any, w: Any) -> LogLik:
    n, first, last = mp.fsum(w), min(x), max(x)
    return lambda low, high: -n * mp.log(high - low) if low <= first and last <= high else -mp.inf


def bernoulli(x: Any, w: Any) -> LogLik:
    n, ones = mp.fsum(w), dot(w, x)
    return lambda p: ones * mp.log(p) + (n - ones) * mp.log(1 - p)


def poisson(x: Any, w: Any) -> LogLik:
    n, sx, constant = mp.fsum(w), dot(w, x), mp.fsum(u * mp.loggamma(v + 1) for v, u in tally(x, w))
    return lambda rate: sx * mp.log(rate) - n * rate - constant


def negative_binomial(x: Any, w: Any) -> LogLik:
    n, sx, table = mp.fsum(w), dot(w, x), tally(x, w)
    constant = mp.fsum(u * mp.loggamma(v + 1) for v, u in table)
    return lambda r, p: (
        mp.fsum(u * mp.loggamma(v + r) for v, u in table)
        - n * mp.loggamma(r)
        - constant
        + n * r * mp.log(p)
        + sx * mp.log(1 - p)
    )


def mvn(x: Any, w: Any) -> LogLik:
    """Two columns; θ = mu_0, mu_1, cov_00, cov_10, cov_11."""
    n, (sx, sy) = mp.fsum(w), (dot(w, [row[i] for row in x]) for i in range(2))
    sxx, sxy, syy = (dot(w, [row[i] * row[j] for row in x]) for i, j in ((0, 0), (0, 1), (1, 1)))

    def f(a: Any, b: Any, vaa: Any, vab: Any, vbb: Any) -> mp.mpf:
        det = vaa * vbb - vab**2
        if det <= 0 or vaa <= 0:
            return -mp.inf
        qaa = sxx - 2 * a * sx + n * a * a
        qbb = syy - 2 * b * sy + n * b * b
        qab = sxy - a * sy - b * sx + n * a * b
        return (
            -n * mp.log(2 * mp.pi) - n * mp.log(det) / 2 - (qaa * vbb - 2 * qab * vab + qbb * vaa) / (2 * det)
        )

    return f


def moments(x: Any, w: Any) -> list[Any]:
    n = mp.fsum(w)
    mean = dot(w, x) / n
    return [mean, mp.sqrt(dot(w, [(v - mean) ** 2 for v in x]) / n)]


def moments_of_two(x: Any, w: Any) -> list[Any]:
    n = mp.fsum(w)
    mean = [dot(w, [row[i] for row in x]) / n for i in range(2)]
    cov = [
        dot(w, [(row[i] - mean[i]) * (row[j] - mean[j]) for row in x]) / n
        for i, j in ((0, 0), (1, 0), (1, 1))
    ]
    return [*mean, *cov]


def two_normals(rng: Any, n: int, a: float, b: float, vaa: float, vab: float, vbb: float) -> np.ndarray:
    sd = np.sqrt([vaa, vbb])
    corr = vab / sd[0] / sd[1]
    z = rng.normal(size=(n, 2)) @ np.array([[1.0, corr], [0.0, math.sqrt(1.0 - corr * corr)]])
    return z * sd + [a, b]


# Shapes of 1e-3 need values beyond float64 in families of log x (weibull, loglogistic, pareto): there 0.05 and 0.01 stand in.

# -- the table -------------------------------------------------------------------------------------------------------

TEN = np.array([0.7, 1.9, 0.2, 3.3, 1.1, 0.9, 2.4, 1.6, 0.5, 1.3])

CASES["gaussian"] = Case(
    draw=lambda rng, n, mu, sigma: rng.normal(mu, sigma, n),
    space="rp",
    theta={
        "usual": (5.0, 2.0),
        "offset 1e8": (1e8, 1.0),
        "offset 1e12": (1e12, 1.0),
        "1e-300": (3e-300, 1e-300),
        "1e300": (3e300, 1e300),
        "1e154": (3e153, 1e154),
    },
    loglik=gaussian,
    exact=moments,
    precision=gaussian_precision,
    hard={"ten rows": Hard(TEN, (1.0, 1.0)), "two rows": Hard([1.0, 3.0], (1.0, 1.0))},
    ends={"one row": ([3.0], "degenerate"), "subnormals": ([5e-324, 1e-323, 1.5e-323, 2e-323], "ok")},
    shift=lambda theta, a: (theta[0] + a, theta[1]),
    scale=lambda theta, c: (theta[0] * c, theta[1] * c),
)

CASES["gamma"] = Case(
    draw=lambda rng, n, shape, rate: np.maximum(rng.gamma(shape, 1.0 / rate, n), 1e-305 / rate),
    space="pp",
    theta={
        "usual": (2.5, 0.3),
        "shape 1e-3": (1e-3, 2.0),
        "shape 1e8": (1e8, 1e3),
        "1e-300": (2.0, 1e300),
        "1e300": (20.0, 1e-299),
    },
    loglik=gamma,
    support=(0.0, math.inf),
    hard={"ten rows": Hard(TEN, (2.0, 1.0))},
    ends={"one row": ([3.0], "degenerate")},
    scale=lambda theta, c: (theta[0], theta[1] / c),
    outside=(0.0, -1.0),
)

CASES["weibull"] = Case(
    draw=lambda rng, n, shape, scale: scale * np.maximum(rng.weibull(shape, n), 1e-12 ** (1 / shape)),
    space="pp",
    theta={
        "usual": (1.5, 2.0),
        "shape 0.05": (0.05, 1.0),
        "shape 1e4": (1e4, 5.0),
        "shape 1e8": (1e8, 5.0),
        "1e-300": (2.0, 1e-300),
        "1e300": (5.0, 1e300),
    },
    loglik=weibull,
    one_pass=False,
    support=(0.0, math.inf),
    hard={"ten rows": Hard(TEN, (1.5, 1.5))},
    ends={"one row": ([3.0], "degenerate")},
    scale=lambda theta, c: (theta[0], theta[1] * c),
    outside=(0.0, -1.0),
    rows=80,
)

CASES["uniform"] = Case(
    draw=lambda rng, n, low, high: rng.uniform(low, high, n),
    space="rr",
    theta={"usual": (-3.0, 4.0), "1e300": (1e299, 1e300), "1e-300": (1e-301, 1e-300)},
    loglik=uniform,
    exact=lambda x, w: (min(x), max(x)),
    smooth=False,
    nonregular=(0, 1),
    held=(),
    hard={"ten rows": Hard(TEN, (0.0, 4.0))},
    ends={"one row": ([3.0], "degenerate")},
    shift=lambda theta, a: (theta[0] + a, theta[1] + a),
    scale=lambda theta, c: (theta[0] * c, theta[1] * c),
)

CASES["bernoulli"] = Case(
    draw=lambda rng, n, p: (rng.random(n) < p).astype(float),
    space="u",
    theta={"usual": (0.3,), "often": (0.95,)},
    loglik=bernoulli,
    discrete=True,
    column="bool",
    whole=lambda rng, n: rng.integers(0, 2, n),
    support=(0, 1),
    hard={
        "p = 1e-12": Hard([0.0, 1.0], (1e-12,), [1e12 - 1.0, 1.0]),
        "ten rows": Hard([0, 1, 0, 0, 1, 0, 0, 0, 0, 1], (0.3,)),
    },
    ends={
        "k = 0": ([0.0, 0.0, 0.0], "boundary"),
        "k = n": ([1.0, 1.0], "boundary"),
        "one row": ([1.0], "boundary"),
    },
    equal="boundary",
    outside=(0.5, 2.0, -1.0),
)

CASES["poisson"] = Case(
    draw=lambda rng, n, rate: rng.poisson(rate, n).astype(float),
    space="p",
    theta={"usual": (4.0,), "rare": (0.03,), "1e9": (1e9,)},
    loglik=poisson,
    discrete=True,
    column="int",
    whole=lambda rng, n: rng.poisson(4.0, n),
    support=(0, math.inf),
    hard={
        "rate 1e-12": Hard([0.0, 1.0], (1e-12,), [1e12, 1.0]),
        "ten rows": Hard([0, 3, 1, 2, 0, 5, 1, 1, 2, 4], (2.0,)),
    },
    ends={"all zero": ([0.0, 0.0], "boundary"), "one row": ([3.0], "ok")},
    equal="ok",
    outside=(1.5, -1.0),
)

CASES["negative_binomial"] = Case(
    draw=lambda rng, n, r, p: rng.negative_binomial(r, p, n).astype(float),
    space="pu",
    theta={"usual": (3.0, 0.4), "r 0.05": (0.05, 0.05), "wide": (2.0, 1e-4), "p 1e-12": (2.0, 1e-12), "r 50": (50.0, 0.1)},
    loglik=negative_binomial,
    discrete=True,
    column="int",
    whole=lambda rng, n: rng.negative_binomial(3, 0.4, n),
    support=(0, math.inf),
    hard={
        "ten rows": Hard([0, 9, 1, 2, 0, 15, 1, 1, 2, 4], (1.0, 0.3)),
        "p near 1": Hard([0.0, 1.0, 2.0], (1e-3, 0.9), [1e6, 100.0, 10.0]),
    },
    ends={
        "underdispersed": ([1.0, 2.0, 3.0, 2.0, 2.0], "boundary"),
        "all zero": ([0.0, 0.0], "boundary"),
        "one row": ([3.0], "boundary"),
    },
    equal="boundary",
    outside=(1.5, -1.0),
)

CASES["mvn"] = Case(
    draw=two_normals,
    space="rrprp",
    theta={
        "usual": (3.0, -1.0, 1.0, 0.4, 4.0),
        "offset": (1e8, -1e7, 1.0, 0.9, 1.0),
        "mixed scales": (1e-150, 3e150, 1e-300, 0.3, 1e300),
        "1e150": (1e150, 1e149, 1e300, 1e299, 2e300),
        "nearly flat": (1.0, 2.0, 1.0, 0.999, 1.0),
    },
    loglik=mvn,
    exact=moments_of_two,
    whole=None,
    hard={"ten rows": Hard(np.stack([TEN, TEN[::-1] ** 2], axis=1), (1.0, 3.0, 1.0, 0.0, 5.0))},
    ends={
        "one row": ([[1.0, 2.0]], "degenerate"),
        "on a line": ([[1.0, 2.0], [2.0, 4.0], [4.0, 8.0]], "degenerate"),
    },
    shift=lambda theta, a: (theta[0] + a, theta[1] + a, *theta[2:]),
    scale=lambda theta, c: (theta[0] * c, theta[1] * c, *(v * c * c for v in theta[2:])),
    held=("mu", "cov"),
)

# -- of one pass -------------------------------------------------------------------------------------------------------


def exponential(x: Any, w: Any) -> LogLik:
    n, sx = mp.fsum(w), dot(w, x)
    return lambda rate: n * mp.log(rate) - rate * sx


def halfnormal(x: Any, w: Any) -> LogLik:
    n, sxx = mp.fsum(w), dot(w, [v * v for v in x])
    return lambda sigma: n * mp.log(2 / mp.pi) / 2 - n * mp.log(sigma) - sxx / (2 * sigma**2)


def rayleigh(x: Any, w: Any) -> LogLik:
    n, sxx, logs = mp.fsum(w), dot(w, [v * v for v in x]), dot(w, list(map(mp.log, x)))
    return lambda sigma: logs - 2 * n * mp.log(sigma) - sxx / (2 * sigma**2)


def lognormal(x: Any, w: Any) -> LogLik:
    logs = list(map(mp.log, x))
    f, total = gaussian(logs, w), dot(w, logs)
    return lambda mu, sigma: f(mu, sigma) - total


def lognormal_precision(x: Any, w: Any) -> LogLik:
    """log x_i ~ N(mu, sigma²/w_i)."""
    logs = list(map(mp.log, x))
    f, total = gaussian_precision(logs, w), mp.fsum(logs)
    return lambda mu, sigma: f(mu, sigma) - total


def geometric(x: Any, w: Any) -> LogLik:
    n, sx = mp.fsum(w), dot(w, x)
    return lambda p: n * mp.log(p) + (sx - n) * mp.log(1 - p)


CASES["exponential"] = Case(
    draw=lambda rng, n, rate: rng.exponential(1.0, n) / rate,
    space="p",
    theta={"usual": (2.0,), "1e-300": (1e300,), "1e300": (1e-300,)},
    loglik=exponential,
    support=(0.0, math.inf),
    hard={"ten rows": Hard(TEN, (1.0,)), "with zeros": Hard([0.0, 1.0, 2.0], (1.0,))},
    ends={"one row": ([3.0], "ok"), "all zero": ([0.0, 0.0], "degenerate")},
    equal="ok",
    scale=lambda theta, c: (theta[0] / c,),
    outside=(-1.0, -1e-300),
)

CASES["halfnormal"] = Case(
    draw=lambda rng, n, sigma: np.abs(rng.normal(0.0, 1.0, n)) * sigma,
    space="p",
    theta={"usual": (2.0,), "1e-300": (1e-300,), "1e300": (1e300,)},
    loglik=halfnormal,
    support=(0.0, math.inf),
    hard={"ten rows": Hard(TEN, (1.0,)), "with zeros": Hard([0.0, 1.0, 2.0], (1.0,))},
    ends={"one row": ([3.0], "ok"), "all zero": ([0.0, 0.0], "degenerate")},
    equal="ok",
    scale=lambda theta, c: (theta[0] * c,),
    outside=(-1.0, -1e-300),
)

CASES["rayleigh"] = Case(
    draw=lambda rng, n, sigma: rng.rayleigh(1.0, n) * sigma,
    space="p",
    theta={"usual": (2.0,), "1e-300": (1e-300,), "1e300": (1e300,)},
    loglik=rayleigh,
    support=(0.0, math.inf),
    hard={"ten rows": Hard(TEN, (1.0,))},
    ends={"one row": ([3.0], "ok")},
    equal="ok",
    scale=lambda theta, c: (theta[0] * c,),
    outside=(-1.0, 0.0),
)

CASES["lognormal"] = Case(
    draw=lambda rng, n, mu, sigma: np.exp(rng.normal(mu, sigma, n)),
    space="rp",
    theta={
        "usual": (0.5, 0.8),
        "narrow": (10.0, 1e-8),
        "wide": (1.0, 90.0),
        "1e-300": (-690.0, 1.5),
        "1e300": (690.0, 1.5),
    },
    loglik=lognormal,
    exact=lambda x, w: moments(list(map(mp.log, x)), w),
    precision=lognormal_precision,
    support=(0.0, math.inf),
    hard={
        "ten rows": Hard(TEN, (0.0, 1.0)),
        "from end to end": Hard([5e-324, 1e-300, 1.0, 1e300, 1.7e308], (0.0, 500.0)),
    },
    ends={"one row": ([3.0], "degenerate")},
    scale=lambda theta, c: (theta[0] + math.log(c), theta[1]),
    outside=(-1.0, 0.0),
)

CASES["geometric"] = Case(
    draw=lambda rng, n, p: np.floor(rng.exponential(1.0, n) / -np.log1p(-p)) + 1.0,
    space="u",
    theta={"usual": (0.3,), "p 1e-12": (1e-12,)},
    loglik=geometric,
    discrete=True,
    column="int",
    support=(1, math.inf),
    hard={
        "ten rows": Hard([1, 3, 1, 2, 1, 5, 1, 1, 2, 4], (0.5,)),
        "p near 1": Hard([1.0, 2.0], (0.9,), [1e6, 1.0]),
    },
    ends={"all ones": ([1.0, 1.0], "boundary"), "one row": ([3.0], "ok")},
    equal="ok",
    outside=(0.0, 1.5, -1.0),
)


def inverse_gamma(x: Any, w: Any) -> LogLik:
    n, inverse, logs = mp.fsum(w), dot(w, [1 / v for v in x]), dot(w, list(map(mp.log, x)))
    return lambda a, b: n * (a * mp.log(b) - mp.loggamma(a)) - (a + 1) * logs - b * inverse


def inverse_gaussian(x: Any, w: Any) -> LogLik:
    n, sx, inverse = mp.fsum(w), dot(w, x), dot(w, [1 / v for v in x])
    logs = dot(w, list(map(mp.log, x)))
    return lambda mu, lam: (
        n * mp.log(lam / (2 * mp.pi)) / 2 - logs * 3 / 2 - lam * (sx / mu**2 - 2 * n / mu + inverse) / 2
    )


def pareto(x: Any, w: Any) -> LogLik:
    n, logs, least = mp.fsum(w), dot(w, list(map(mp.log, x))), min(x)
    return lambda alpha, xm: (
        n * (mp.log(alpha) + alpha * mp.log(xm)) - (alpha + 1) * logs if xm <= least else -mp.inf
    )


def least_and_power(x: Any, w: Any) -> list[Any]:
    return [mp.fsum(w) / dot(w, [mp.log(v / min(x)) for v in x]), min(x)]


def binomial(x: Any, w: Any) -> LogLik:
    """Ten trials."""
    n, sx = mp.fsum(w), dot(w, x)
    constant = mp.fsum(u * mp.log(mp.binomial(10, v)) for v, u in tally(x, w))
    return lambda p: constant + sx * mp.log(p) + (10 * n - sx) * mp.log(1 - p)


def categorical(x: Any, w: Any) -> LogLik:
    table = tally(x, w)
    return lambda *p: mp.fsum(u * mp.log(p[int(v)]) for v, u in table)


def fractions_of_four(x: Any, w: Any) -> list[Any]:
    n, table = mp.fsum(w), dict(tally(x, w))
    return [table.get(mp.mpf(j), mp.mpf(0)) / n for j in range(4)]


CASES["inverse_gamma"] = Case(
    draw=lambda rng, n, shape, scale: scale / np.maximum(rng.gamma(shape, 1.0, n), 1e-290),
    space="pp",
    theta={
        "usual": (2.5, 3.0),
        "shape 1e-3": (1e-3, 2.0),
        "shape 1e8": (1e8, 1e3),
        "1e-300": (3.0, 1e-300),
        "1e300": (30.0, 1e301),
    },
    loglik=inverse_gamma,
    support=(0.0, math.inf),
    hard={"ten rows": Hard(TEN, (2.0, 1.0))},
    ends={"one row": ([3.0], "degenerate")},
    scale=lambda theta, c: (theta[0], theta[1] * c),
    outside=(0.0, -1.0),
)

CASES["inverse_gaussian"] = Case(
    draw=lambda rng, n, mu, lam: rng.wald(1.0, lam / mu, n) * mu,
    space="pp",
    theta={
        "usual": (2.0, 3.0),
        "lam 1e8 mu": (5.0, 5e8),
        "lam 1e-3 mu": (1.0, 1e-3),
        "1e-300": (1e-300, 3e-300),
        "1e300": (1e300, 20e300),
    },
    loglik=inverse_gaussian,
    support=(0.0, math.inf),
    hard={"ten rows": Hard(TEN, (1.0, 1.0))},
    ends={"one row": ([3.0], "degenerate")},
    scale=lambda theta, c: (theta[0] * c, theta[1] * c),
    outside=(0.0, -1.0),
)

CASES["pareto"] = Case(
    draw=lambda rng, n, alpha, xm: xm * np.exp(rng.exponential(1.0 / alpha, n)),
    space="pp",
    theta={
        "usual": (2.5, 3.0),
        "alpha 1e8": (1e8, 3.0),
        "alpha 0.01": (0.01, 1e-100),
        "1e-300": (2.0, 1e-300),
        "1e300": (5.0, 1e300),
    },
    loglik=pareto,
    exact=least_and_power,
    smooth=False,
    nonregular=(1,),
    errors=lambda theta, n: (theta[0] / mp.sqrt(n), 0),
    held=("xm",),
    support=(0.0, math.inf),
    hard={"ten rows": Hard(TEN, (1.0, 0.2))},
    ends={"one row": ([3.0], "degenerate")},
    scale=lambda theta, c: (theta[0], theta[1] * c),
    outside=(0.0, -1.0),
)

CASES["binomial"] = Case(
    draw=lambda rng, n, p: rng.binomial(10, p, n).astype(float),
    space="u",
    theta={"usual": (0.3,), "often": (0.95,)},
    loglik=binomial,
    discrete=True,
    column="int",
    whole=lambda rng, n: rng.binomial(10, 0.3, n),
    constants={"n": 10},
    support=(0, 10),
    hard={
        "p = 1e-12": Hard([0.0, 1.0], (1e-12,), [1e11, 1.0]),
        "ten rows": Hard([0, 3, 10, 2, 0, 5, 1, 1, 2, 4], (0.3,)),
    },
    ends={
        "all zero": ([0.0, 0.0], "boundary"),
        "all n": ([10.0, 10.0], "boundary"),
        "one row": ([3.0], "ok"),
    },
    equal="ok",
    outside=(1.5, -1.0, 11.0),
)

CASES["categorical"] = Case(
    draw=lambda rng, n, *p: rng.choice(4, n, p=p).astype(float),
    space="uuuu",
    theta={"usual": (0.1, 0.2, 0.3, 0.4), "one rare": (0.03, 0.47, 0.2, 0.3)},
    covered=(0.15, 0.3, 0.4, 0.15),  # by the binomial exactly 94.4, 94.4, 94.9 %; at p = 0.1 it is 92.7
    loglik=categorical,
    exact=fractions_of_four,
    smooth=False,
    errors=lambda theta, n: [mp.sqrt(p * (1 - p) / n) for p in theta],
    held=(),
    discrete=True,
    column="int",
    whole=lambda rng, n: rng.integers(0, 4, n),
    constants={"k": 4},
    support=(0, 3),
    hard={
        "ten rows": Hard([0, 3, 1, 2, 0, 3, 1, 1, 2, 3], (0.1, 0.2, 0.3, 0.4)),
        "p = 1e-12": Hard([0, 1, 2, 3], (1e-12, 0.3, 0.3, 0.4), [1.0, 4e11, 4e11, 2e11]),
    },
    ends={"one absent": ([0.0, 1.0, 3.0], "boundary"), "one row": ([3.0], "boundary")},
    equal="boundary",
    outside=(1.5, -1.0, 4.0),
)

# -- of several passes -------------------------------------------------------------------------------------------------


def student_t(x: Any, w: Any) -> LogLik:
    n = mp.fsum(w)

    def f(df: Any, mu: Any, sigma: Any) -> mp.mpf:
        constant = mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2) - mp.log(df * mp.pi) / 2 - mp.log(sigma)
        return n * constant - (df + 1) / 2 * dot(w, [mp.log1p(((v - mu) / sigma) ** 2 / df) for v in x])

    return f


def logistic_dist(x: Any, w: Any) -> LogLik:
    n = mp.fsum(w)
    return lambda mu, scale: (
        -n * mp.log(scale) - dot(w, [(v - mu) / scale + 2 * mp.log(1 + mp.exp(-(v - mu) / scale)) for v in x])
    )


def gumbel(x: Any, w: Any) -> LogLik:
    n = mp.fsum(w)
    return lambda mu, scale: (
        -n * mp.log(scale) - dot(w, [(v - mu) / scale + mp.exp(-(v - mu) / scale) for v in x])
    )


def cauchy(x: Any, w: Any) -> LogLik:
    n = mp.fsum(w)
    return lambda mu, sigma: (
        -n * mp.log(mp.pi * sigma) - dot(w, [mp.log(1 + ((v - mu) / sigma) ** 2) for v in x])
    )


def loglogistic(x: Any, w: Any) -> LogLik:
    logs = list(map(mp.log, x))
    total = dot(w, logs)
    return lambda shape, scale: logistic_dist(logs, w)(mp.log(scale), 1 / shape) - total


CASES["student_t"] = Case(
    draw=lambda rng, n, df, mu, sigma: mu + sigma * rng.standard_t(df, n),
    space="prp",
    whole=lambda rng, n: np.clip(np.rint(50 + 5 * rng.standard_t(3, n)), 0, 120).astype(int),
    theta={
        "usual": (3.0, 5.0, 2.0),
        "offset 1e8": (4.0, 1e8, 1.0),
        "1e-300": (3.0, 3e-300, 1e-300),
        "1e300": (8.0, 3e300, 1e300),
        "df 0.5": (0.5, 1.0, 1.0),
        "df 0.05": (0.05, 1.0, 1.0),
    },
    loglik=student_t,
    one_pass=False,
    hard={"ten rows": Hard([0.1, 1.9, 0.2, 3.3, 1.1, 0.9, 2.4, 1.6, 20.5, -11.3], (1.0, 1.0, 1.0))},
    ends={
        "one row": ([3.0], "degenerate"),
        "light tails": ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "boundary"),
    },
    shift=lambda theta, a: (theta[0], theta[1] + a, theta[2]),
    scale=lambda theta, c: (theta[0], theta[1] * c, theta[2] * c),
    rows=100,
)

CASES["logistic_dist"] = Case(
    draw=lambda rng, n, mu, scale: mu + scale * rng.logistic(0.0, 1.0, n),
    space="rp",
    theta={
        "usual": (5.0, 2.0),
        "offset 1e8": (1e8, 1.0),
        "1e-300": (3e-300, 1e-300),
        "1e300": (3e300, 1e300),
    },
    loglik=logistic_dist,
    one_pass=False,
    hard={"ten rows": Hard(TEN, (1.0, 1.0)), "one at 1e100": Hard([*TEN, 1e100], (5e98, 1e99))},
    ends={"one row": ([3.0], "degenerate")},
    shift=lambda theta, a: (theta[0] + a, theta[1]),
    scale=lambda theta, c: (theta[0] * c, theta[1] * c),
    rows=80,
)

CASES["gumbel"] = Case(
    draw=lambda rng, n, mu, scale: mu + scale * rng.gumbel(0.0, 1.0, n),
    space="rp",
    theta={
        "usual": (5.0, 2.0),
        "offset 1e8": (1e8, 1.0),
        "1e-300": (3e-300, 1e-300),
        "1e300": (3e300, 1e300),
    },
    loglik=gumbel,
    one_pass=False,
    hard={"ten rows": Hard(TEN, (1.0, 1.0)), "one at -1e200": Hard([*TEN, -1e200], (-4e199, 4e199))},
    ends={"one row": ([3.0], "degenerate")},
    shift=lambda theta, a: (theta[0] + a, theta[1]),
    scale=lambda theta, c: (theta[0] * c, theta[1] * c),
    rows=80,
)

CASES["cauchy"] = Case(
    draw=lambda rng, n, mu, sigma: mu + sigma * rng.standard_cauchy(n),
    space="rp",
    theta={
        "usual": (5.0, 2.0),
        "offset 1e8": (1e8, 1.0),
        "1e-300": (3e-300, 1e-300),
        "1e300": (3e299, 1e299),
    },
    loglik=cauchy,
    one_pass=False,
    hard={
        "ten rows": Hard(TEN, (1.0, 1.0)),
        "one at 1e200": Hard([*TEN, 1e200], (1.0, 0.7)),
        "three rows": Hard([0.0, 1.0, 1e9], (1.0, 1.0)),
    },
    ends={"one row": ([3.0], "degenerate")},
    shift=lambda theta, a: (theta[0] + a, theta[1]),
    scale=lambda theta, c: (theta[0] * c, theta[1] * c),
    rows=80,
)

CASES["loglogistic"] = Case(
    draw=lambda rng, n, shape, scale: scale * np.exp(rng.logistic(0.0, 1.0, n) / shape),
    space="pp",
    theta={
        "usual": (2.5, 3.0),
        "shape 0.05": (0.05, 1.0),
        "shape 1e8": (1e8, 5.0),
        "1e-300": (3.0, 1e-300),
        "1e300": (5.0, 1e300),
    },
    loglik=loglogistic,
    one_pass=False,
    support=(0.0, math.inf),
    hard={"ten rows": Hard(TEN, (2.0, 1.0))},
    ends={"one row": ([3.0], "degenerate")},
    scale=lambda theta, c: (theta[0], theta[1] * c),
    outside=(0.0, -1.0),
    rows=80,
)

# -- on an interval, on the circle, with more zeros ----------------------------------------------------------------------


def beta(x: Any, w: Any) -> LogLik:
    n, logs, rest = mp.fsum(w), dot(w, list(map(mp.log, x))), dot(w, [mp.log(1 - v) for v in x])
    return lambda a, b: (
        n * (mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b)) + (a - 1) * logs + (b - 1) * rest
    )


def von_mises(x: Any, w: Any) -> LogLik:
    n, c, s = mp.fsum(w), dot(w, list(map(mp.cos, x))), dot(w, list(map(mp.sin, x)))
    return lambda mu, kappa: (
        kappa * (c * mp.cos(mu) + s * mp.sin(mu)) - n * mp.log(2 * mp.pi * mp.besseli(0, kappa))
    )


def mean_direction(x: Any, w: Any) -> list[Any]:
    n, c, s = mp.fsum(w), dot(w, list(map(mp.cos, x))), dot(w, list(map(mp.sin, x)))
    length = mp.hypot(c, s) / n
    start = length * (2 - length**2) / (1 - length**2)
    ratio = lambda k: mp.besseli(1, mp.exp(k)) / mp.besseli(0, mp.exp(k)) - length  # noqa: E731
    return [mp.atan2(s, c), mp.exp(mp.findroot(ratio, mp.log(start)))]


def zero_inflated_poisson(x: Any, w: Any) -> LogLik:
    table = [(v, u) for v, u in tally(x, w) if v > 0]
    n, positive, sx = mp.fsum(w), mp.fsum(u for _, u in table), dot(w, x)
    constant = mp.fsum(u * mp.loggamma(v + 1) for v, u in table)
    return lambda rate, pi: (
        (n - positive) * mp.log(pi + (1 - pi) * mp.exp(-rate))
        + positive * (mp.log(1 - pi) - rate)
        + sx * mp.log(rate)
        - constant
    )


CASES["beta"] = Case(
    draw=lambda rng, n, a, b: np.clip(rng.beta(a, b, n), 1e-300, 1 - 2.0**-53),
    space="pp",
    theta={
        "usual": (2.5, 4.0),
        "shapes 1e-3": (1e-3, 2e-3),
        "shapes 1e8": (1e8, 3e8),
        "small values": (3.0, 3e10),
        "near 1": (1e6, 2.0),
    },
    loglik=beta,
    whole=None,
    support=(0.0, 1.0),
    hard={"ten rows": Hard(TEN / 4.0, (1.0, 2.0))},
    ends={"one row": ([0.3], "degenerate")},
    outside=(0.0, 1.0, -1.0, 1.5),
)

CASES["von_mises"] = Case(
    draw=lambda rng, n, mu, kappa: np.remainder(rng.vonmises(mu, kappa, n) + np.pi, 2 * np.pi) - np.pi,
    space="rp",
    theta={
        "usual": (0.5, 2.0),
        "kappa 1e6": (1.0, 1e6),
        "kappa 1e-3": (1.0, 1e-3),
        "kappa 300": (-3.1, 300.0),
        "kappa 1e12": (1.0, 1e12),
    },
    loglik=von_mises,
    exact=mean_direction,
    support=(-math.pi, math.pi),
    hard={"ten rows": Hard(TEN, (1.0, 2.0))},
    ends={"one row": ([3.0], "degenerate")},
    outside=(2e6,),
)

CASES["zero_inflated_poisson"] = Case(
    draw=lambda rng, n, rate, pi: rng.poisson(rate, n) * (rng.random(n) >= pi) * 1.0,
    space="pu",
    theta={"usual": (3.0, 0.3), "often zero": (5.0, 0.8), "rate 100": (100.0, 0.1)},
    loglik=zero_inflated_poisson,
    discrete=True,
    column="int",
    whole=lambda rng, n: rng.poisson(3.0, n) * (rng.random(n) > 0.3),
    support=(0, math.inf),
    hard={
        "ten rows": Hard([0, 3, 0, 2, 0, 5, 1, 0, 2, 4], (2.0, 0.3)),
        "pi near 1": Hard([0.0, 1.0, 2.0, 3.0], (1.0, 0.9), [1e9, 3.0, 2.0, 1.0]),
        "rate 1e-6": Hard([0.0, 1.0, 2.0], (1e-6, 0.6), [5e12, 2e6, 1.0]),
    },
    ends={
        "no more zeros": ([1.0, 2.0, 3.0, 0.0, 2.0], "boundary"),
        "all zero": ([0.0, 0.0], "boundary"),
        "one row": ([3.0], "boundary"),
    },
    equal="boundary",
    outside=(1.5, -1.0),
)


def laplace(x: Any, w: Any) -> LogLik:
    n = mp.fsum(w)
    return lambda mu, b: -n * mp.log(2 * b) - dot(w, [abs(v - mu) for v in x]) / b


def median_and_distance(x: Any, w: Any) -> list[Any]:
    rows, half = sorted(zip(x, w, strict=True)), mp.fsum(w) / 2
    running = [mp.fsum(u for _, u in rows[: i + 1]) for i in range(len(rows))]
    low = next(v for (v, _), c in zip(rows, running, strict=True) if c >= half)
    high = next(v for (v, _), c in zip(rows, running, strict=True) if c > half)
    mu = (low + high) / 2
    return [mu, dot(w, [abs(v - mu) for v in x]) / mp.fsum(w)]


CASES["laplace"] = Case(
    draw=lambda rng, n, mu, b: mu + b * rng.laplace(0.0, 1.0, n),
    space="rp",
    theta={
        "usual": (5.0, 2.0),
        "offset 1e8": (1e8, 1.0),
        "about 0": (0.0, 1.0),
        "1e-300": (3e-300, 1e-300),
        "1e300": (3e299, 1e299),
    },
    loglik=laplace,
    exact=median_and_distance,
    smooth=False,
    errors=lambda theta, n: (theta[1] / mp.sqrt(n), theta[1] / mp.sqrt(n)),
    # the median is slowly normal: at 200 rows its interval covers 93.37 % (0.06 %, by 200,000 samples in NumPy alone), so
    # that of 2,000 samples one in four falls short of 93; b's covers 94.5 %
    tries=20_000,
    one_pass=False,
    held=("mu",),
    hard={
        "ten rows": Hard(TEN, (1.0, 1.0)),
        "weights": Hard(TEN, (1.0, 1.0), [1.0, 0.5, 2.0, 4.0, 0.0, 1.5, 3.0, 2.5, 1.0, 0.5]),
        "ties": Hard([1.0, 2.0, 2.0, 2.0, 3.0, 9.0], (2.0, 1.0)),
        "heavy and large": Hard([1e299, 3e299, 2e299, 7e299], (2e299, 1e299), [1e12, 2e12, 2e12, 1e12]),
    },
    ends={"one row": ([3.0], "degenerate")},
    shift=lambda theta, a: (theta[0] + a, theta[1]),
    scale=lambda theta, c: (theta[0] * c, theta[1] * c),
)

def dirichlet(x: Any, w: Any) -> LogLik:
    """Three columns."""
    n, logs = mp.fsum(w), [dot(w, [mp.log(row[j]) for row in x]) for j in range(3)]
    return lambda *alpha: (
        n * (mp.loggamma(mp.fsum(alpha)) - mp.fsum(map(mp.loggamma, alpha)))
        + mp.fsum((a - 1) * v for a, v in zip(alpha, logs, strict=True))
    )


def compositions(rng: Any, n: int, *alpha: float) -> np.ndarray:
    x = np.maximum(rng.gamma(alpha, 1.0, (n, 3)), 1e-290)
    return np.maximum(x / x.sum(axis=1, keepdims=True), 1e-300)


CASES["dirichlet"] = Case(
    draw=compositions,
    space="ppp",
    theta={
        "usual": (2.5, 1.0, 4.0),
        "small": (1e-2, 2e-2, 3e-2),
        "large": (1e8, 3e8, 2e8),
        "mixed": (1e4, 0.5, 20.0),
    },
    loglik=dirichlet,
    whole=None,
    constants={"k": 3},
    rounds=False,
    support=(0.0, 1.0),
    hard={"ten rows": Hard(compositions(np.random.default_rng(5), 10, 1.0, 2.0, 3.0), (1.0, 2.0, 3.0))},
    ends={
        "one row": ([[0.2, 0.3, 0.5]], "degenerate"),
        "equal rows": ([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]], "degenerate"),
    },
    outside=(0.0, -1.0, 1.5),
)
