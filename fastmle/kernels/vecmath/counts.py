"""Functions of counts x and a real r > 0 that cancel, or lose digits for large counts, if they are taken literally; for the
host, on NumPy arrays. Sources: DLMF 5.5.2, 5.11.2, 5.15.5."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .gaps import log1p_minus, log_beta, log_minus_digamma, trigamma_minus_inverse

Vector = np.ndarray[Any, np.dtype[np.float64]]

FEW = 1e6  # values up to which ψ is summed


def digamma_rise(x: Vector, r: float) -> Vector:
    """ψ(x + r) − ψ(r) for whole x >= 0: Σ_{j<x} 1/(r + j)."""
    if x.size and x.max() < FEW:
        j = np.arange(int(x.max()))
        return np.concatenate([[0.0], np.cumsum(1.0 / (r + j))])[x.astype(np.intp)]
    return np.log1p(x / r) + log_minus_digamma(r) - log_minus_digamma(x + r)


def trigamma_fall(x: Vector, r: float) -> Vector:
    """ψ'(r) − ψ'(x + r) for x >= 0."""
    return x / r / (x + r) + (trigamma_minus_inverse(r) - trigamma_minus_inverse(x + r))


def digamma_excess(x: Vector, share: Vector, mean: float, r: float) -> float:
    """E ψ(x + r) − ψ(r) − log(1 + x̄/r), with no cancellation for large r, where both are about x̄/r."""
    if x.max() < FEW:
        j = np.arange(int(x.max()) + 1, dtype=float)
        bent = np.concatenate([[0.0], np.cumsum(j / (r * (r + j)))])[x.astype(np.intp)]  # x/r − (ψ(x + r) − ψ(r))
        return math.fsum(-share * bent) - float(log1p_minus(mean / r))
    log = log1p_minus if mean < r else np.log1p
    fall = log_minus_digamma(r) - log_minus_digamma(x + r)
    return math.fsum(share * (log(x / r) + fall)) - float(log(mean / r))


def log_binomial(x: Vector, r: float) -> Vector:
    """log Γ(x + r)/(x! Γ(r)), by the beta function: no difference of large logarithms."""
    v = np.where(x > 0.0, x, 1.0)
    return np.where(x > 0.0, -log_beta(r, v) - np.log(v), 0.0)
