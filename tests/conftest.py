"""The one table of families: how to draw data, and an estimate made without fastmle.

To add a family, add an entry: constants, sample(rng, n), and estimate(x) -> (parameters in order, log-likelihood).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import mpmath as mp
import numpy as np
from scipy import stats

mp.mp.dps = 40


@dataclass
class Case:
    sample: Callable[[np.random.Generator, int], np.ndarray]
    estimate: Callable[[np.ndarray], tuple[list[float], float]]
    outside: float | None = None  # a value that the family cannot produce
    constants: dict[str, Any] = field(default_factory=dict)
    discrete: bool = False


def exactly(values: np.ndarray) -> list[mp.mpf]:
    return [mp.mpf(float(v)) for v in values]


def gaussian(x: np.ndarray) -> tuple[list[float], float]:
    v = exactly(x)
    mean = mp.fsum(v) / len(v)
    variance = mp.fsum((a - mean) ** 2 for a in v) / len(v)
    return [mean, mp.sqrt(variance)], -len(v) * (mp.log(2 * mp.pi * variance) + 1) / 2


def gamma(x: np.ndarray) -> tuple[list[float], float]:
    v = exactly(x)
    mean, mean_log = mp.fsum(v) / len(v), mp.fsum(mp.log(a) for a in v) / len(v)
    gap = mp.log(mean) - mean_log
    start = (3 - gap + mp.sqrt((gap - 3) ** 2 + 24 * gap)) / (12 * gap)
    around = (mp.log(start) - 1, mp.log(start) + 1)
    k = mp.exp(mp.findroot(lambda u: u - mp.digamma(mp.exp(u)) - gap, around, solver="anderson"))
    rate = k / mean
    return [k, rate], len(v) * (k * mp.log(rate) - mp.loggamma(k) + (k - 1) * mean_log - rate * mean)


def weibull(x: np.ndarray) -> tuple[list[float], float]:
    v = exactly(x)
    logs = [mp.log(a) for a in v]
    mean_log = mp.fsum(logs) / len(v)

    def equation(k: mp.mpf) -> mp.mpf:
        powers = [mp.exp(k * z) for z in logs]
        return mp.fsum(p * z for p, z in zip(powers, logs, strict=True)) / mp.fsum(powers) - 1 / k - mean_log

    k = mp.findroot(equation, mp.mpf(stats.weibull_min.fit(x, floc=0)[0]))
    scale = (mp.fsum(mp.exp(k * z) for z in logs) / len(v)) ** (1 / k)
    return [k, scale], len(v) * (mp.log(k) - k * mp.log(scale) - 1) + (k - 1) * mp.fsum(logs)


def uniform(x: np.ndarray) -> tuple[list[float], float]:
    return [x.min(), x.max()], -x.size * math.log(x.max() - x.min())


def bernoulli(x: np.ndarray) -> tuple[list[float], float]:
    p = mp.mpf(int(x.sum())) / x.size
    return [p], x.size * (p * mp.log(p) + (1 - p) * mp.log(1 - p))


def poisson(x: np.ndarray) -> tuple[list[float], float]:
    rate = mp.mpf(int(x.sum())) / x.size
    return [rate], mp.fsum(a * mp.log(rate) - rate - mp.loggamma(a + 1) for a in exactly(x))


def negative_binomial(x: np.ndarray) -> tuple[list[float], float]:
    v = exactly(x)
    mean = mp.fsum(v) / len(v)

    def equation(r: mp.mpf) -> mp.mpf:
        return mp.fsum(mp.digamma(a + r) for a in v) / len(v) - mp.digamma(r) + mp.log(r / (r + mean))

    r = mp.findroot(equation, mean**2 / (mp.mpf(float(x.var())) - mean))
    p = r / (r + mean)
    return [r, p], mp.fsum(
        mp.loggamma(a + r) - mp.loggamma(r) - mp.loggamma(a + 1) + r * mp.log(p) + a * mp.log(1 - p) for a in v
    )


def mvn(x: np.ndarray) -> tuple[list[float], float]:
    mean, cov = x.mean(axis=0), np.cov(x.T, bias=True)
    llf = stats.multivariate_normal(mean, cov).logpdf(x).sum()
    return [*mean, *cov[np.tril_indices(x.shape[1])]], llf


CASES: dict[str, Case] = {
    "gaussian": Case(lambda rng, n: rng.normal(5.0, 2.0, n), gaussian),
    "gamma": Case(lambda rng, n: rng.gamma(2.5, 3.0, n), gamma, -1.0),
    "weibull": Case(lambda rng, n: 2.0 * rng.weibull(1.5, n) + 1e-12, weibull, 0.0),
    "uniform": Case(lambda rng, n: rng.uniform(-3.0, 4.0, n), uniform),
    "bernoulli": Case(lambda rng, n: (rng.random(n) < 0.3).astype(float), bernoulli, 0.5, discrete=True),
    "poisson": Case(lambda rng, n: rng.poisson(4.0, n).astype(float), poisson, 1.5, discrete=True),
    "negative_binomial": Case(
        lambda rng, n: rng.negative_binomial(3.0, 0.4, n).astype(float), negative_binomial, -1.0, discrete=True
    ),
    "mvn": Case(lambda rng, n: rng.normal(size=(n, 2)) @ np.array([[1.0, 0.4], [0.0, 2.0]]) + 3.0, mvn),
}

