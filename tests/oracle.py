"""Maximum likelihood without fastmle: Newton steps on a textbook log-likelihood, in 100 digits, derivatives by differences.

`loglik(x, w)` of a table entry takes lists of mpf and returns a function of the parameters; nothing else is needed
for estimates, standard errors, held parameters, and the sandwich of sampling weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np

DIGITS = 100
STEP = mp.mpf(10) ** -28  # of the differences
mp.mp.dps = DIGITS

LogLik = Callable[..., mp.mpf]


def exactly(x: Any) -> list[Any]:
    """The values of an array as mpf, a list of rows if it has columns."""
    return [mp.mpf(v) if np.ndim(v) == 0 else exactly(v) for v in np.asarray(x, float).tolist()]


def dot(a: Sequence[Any], b: Sequence[Any]) -> mp.mpf:
    return mp.fsum(u * v for u, v in zip(a, b, strict=True))


def tally(x: Sequence[Any], w: Sequence[Any]) -> list[tuple[mp.mpf, mp.mpf]]:
    """(value, weight) of each different value."""
    total: dict[Any, mp.mpf] = {}
    for v, u in zip(x, w, strict=True):
        total[v] = total.get(v, mp.mpf(0)) + u
    return list(total.items())


@dataclass
class Best:
    """The maximum: parameters, likelihood and covariance (inverse observed information; 0 where held), all in mpf."""

    theta: list[mp.mpf]
    llf: mp.mpf
    exact_cov: Any = None

    @property
    def bse(self) -> np.ndarray:
        """Standard errors; NaN where the likelihood has no curvature."""
        if self.exact_cov is None:
            return np.full(len(self.theta), np.nan)
        return np.array([float(mp.sqrt(self.exact_cov[i, i])) for i in range(len(self.theta))])

    @property
    def cov(self) -> np.ndarray:
        k = len(self.theta)
        return np.array([[float(self.exact_cov[i, j]) for j in range(k)] for i in range(k)])


def _inner(space: str, theta: Sequence[Any]) -> list[mp.mpf]:
    """dθ/dt: t is log θ for positive parameters ("p"), logit θ for probabilities ("u"), θ in units of itself ("r")."""
    units = {"p": lambda v: v, "u": lambda v: v * (1 - v), "r": lambda v: abs(v) if v else mp.mpf(1)}
    return [units[letter](mp.mpf(v)) for letter, v in zip(space, theta, strict=True)]


def _walk(space: str, theta: Sequence[Any], t: Sequence[Any]) -> list[mp.mpf]:
    """θ after a step t."""
    out = []
    for letter, v, unit, s in zip(space, theta, _inner(space, theta), t, strict=True):
        if letter == "p":
            out.append(v * mp.exp(s))
        elif letter == "u":
            odds = v / (1 - v) * mp.exp(s)
            out.append(odds / (1 + odds))
        else:
            out.append(v + s * unit)
    return out


def derivatives(f: LogLik, space: str, theta: Sequence[Any], free: Sequence[int]) -> tuple[Any, Any, Any]:
    """Value, gradient and Hessian in t along the free parameters."""
    k, m = len(theta), len(free)

    def at(*moves: tuple[int, int]) -> mp.mpf:
        t = [mp.mpf(0)] * k
        for i, sign in moves:
            t[free[i]] += sign * STEP
        return f(*_walk(space, theta, t))

    value = at()
    up, down = [at((i, 1)) for i in range(m)], [at((i, -1)) for i in range(m)]
    g = [(a - b) / (2 * STEP) for a, b in zip(up, down, strict=True)]
    h = mp.matrix(m, m)
    for i in range(m):
        h[i, i] = (up[i] - 2 * value + down[i]) / STEP**2
        for j in range(i):
            corners = at((i, 1), (j, 1)) - at((i, 1), (j, -1)) - at((i, -1), (j, 1)) + at((i, -1), (j, -1))
            h[i, j] = h[j, i] = corners / (4 * STEP**2)
    return value, g, h


def maximise(f: LogLik, space: str, start: Sequence[Any], free: Sequence[int] | None = None) -> Best:
    """Climb from `start` until the step is below 1e-25; raises if it never is."""
    theta = [mp.mpf(v) for v in start]
    free = list(range(len(theta))) if free is None else list(free)
    for _ in range(200):
        value, g, h = derivatives(f, space, theta, free)
        step = _step(g, h)
        size = max((abs(s) for s in step), default=mp.mpf(0))
        if size < mp.mpf(10) ** -25:
            return Best(theta, value, _covariance(h, _inner(space, theta), free))
        shrink = min(mp.mpf(1), 2 / size)
        for _ in range(60):
            t = [mp.mpf(0)] * len(theta)
            for i, s in zip(free, step, strict=True):
                t[i] = s * shrink
            new = _walk(space, theta, t)
            if f(*new) >= value:
                break
            shrink /= 2
        else:
            raise ArithmeticError("the oracle finds no step uphill")
        theta = new
    raise ArithmeticError("the oracle did not converge")


def _step(g: list[mp.mpf], h: Any) -> list[mp.mpf]:
    """−H⁻¹g, with the curvature of each eigenvector taken as downwards."""
    if not g:
        return []
    scale = [mp.sqrt(abs(h[i, i])) or mp.mpf(1) for i in range(len(g))]
    curvature = np.array(
        [[float(h[i, j] / scale[i] / scale[j]) for j in range(len(g))] for i in range(len(g))]
    )
    if np.linalg.eigvalsh(curvature)[-1] < 0.0:
        return list(-mp.lu_solve(h, mp.matrix(g)))
    values, vectors = np.linalg.eigh(curvature)
    values = np.maximum(np.abs(values), 1e-3)
    slope = np.array([float(v / s) for v, s in zip(g, scale, strict=True)])
    return [
        mp.mpf(float(v)) / s for v, s in zip(vectors @ ((vectors.T @ slope) / values), scale, strict=True)
    ]


def _covariance(h: Any, inner: list[mp.mpf], free: list[int]) -> Any:
    cov = mp.zeros(len(inner))
    if free:
        inverse = (-h) ** -1
        for a, i in enumerate(free):
            for b, j in enumerate(free):
                cov[i, j] = inverse[a, b] * inner[i] * inner[j]
    return cov


def sandwich(loglik: Callable[..., LogLik], space: str, x: list[Any], w: list[Any], best: Best) -> np.ndarray:
    """A⁻¹ B A⁻¹, B = Σ w² s sᵀ with the scores s of single rows: the covariance under sampling weights."""
    inner = [float(v) for v in _inner(space, best.theta)]
    meat = np.zeros((len(inner), len(inner)))
    one = [mp.mpf(1)]
    for v, weight in tally([tuple(a) if isinstance(a, list) else a for a in x], [u * u for u in w]):
        f = loglik([list(v) if isinstance(v, tuple) else v], one)
        score = []
        for i in range(len(inner)):
            t = [STEP if j == i else mp.mpf(0) for j in range(len(inner))]
            ends = [f(*_walk(space, best.theta, [sign * s for s in t])) for sign in (1, -1)]
            score.append(float((ends[0] - ends[1]) / (2 * STEP)) / inner[i])
        meat += float(weight) * np.outer(score, score)
    return best.cov @ meat @ best.cov


def digits(value: float, certified: Any) -> float:
    """How many leading digits agree: −log10 of the relative error, absolute where the certified value is 0."""
    error = abs(mp.mpf(value) - mp.mpf(certified))
    if error == 0:
        return math.inf
    return float(-mp.log10(error / abs(mp.mpf(certified)) if certified else error))
