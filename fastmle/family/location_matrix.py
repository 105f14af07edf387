"""Families of a location vector mu (k) and a symmetric positive definite matrix cov (k, k): how they lie in a flat vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..errors import FamilyError
from .base import Family, Param
from .terms import Vector


@cache
def _lower(k: int) -> tuple[Any, Any]:
    """Rows and columns of a lower triangle, by rows."""
    places = np.tril_indices(k)
    for values in places:
        values.flags.writeable = False
    return places


@dataclass(frozen=True)
class LocationMatrix(Family):
    """The flat order is mu, then the lower triangle of cov by rows."""

    k: int = 0  # columns; 0 until the data say

    def bind(self, columns: tuple[str, ...]) -> LocationMatrix:
        return type(self)(len(columns))

    @property
    def params(self) -> tuple[Param, ...]:
        rows, cols = self.lower
        mu = tuple(Param(f"mu[{i}]") for i in range(self.k))
        return mu + tuple(Param(f"cov[{i},{j}]") for i, j in zip(rows, cols, strict=True))

    @property
    def lower(self) -> tuple[Any, Any]:
        return _lower(self.k)

    def split(self, theta: Vector) -> tuple[Vector, Vector]:
        """(mu, cov) of a flat vector."""
        cov = np.zeros((self.k, self.k))
        cov[self.lower] = cov.T[self.lower] = theta[self.k :]
        return theta[: self.k], cov

    def join(self, mu: Any, cov: Any) -> Vector:
        return np.concatenate([np.asarray(mu, float), np.asarray(cov, float)[self.lower]])

    def pack(self, vector: Sequence[Any] | Vector) -> dict[str, Any]:
        mu, cov = self.split(np.asarray(vector, float))
        return {"mu": mu.copy(), "cov": cov}

    def unpack(self, mapping: dict[str, Any]) -> Vector:
        if set(mapping) != {"mu", "cov"}:
            raise FamilyError(f"{self.name}: its parameters are mu, cov, not {', '.join(mapping) or 'none'}")
        try:
            mu, cov = np.asarray(mapping["mu"], float), np.asarray(mapping["cov"], float)
        except (TypeError, ValueError) as error:
            raise FamilyError(f"{self.name}: mu and cov are arrays of numbers: {error}") from error
        if mu.shape != (self.k,) or cov.shape != (self.k, self.k):
            raise FamilyError(f"{self.name}: mu has the shape ({self.k},) and cov ({self.k}, {self.k}), not {mu.shape}, {cov.shape}")
        if not np.allclose(cov, cov.T, rtol=1e-12, atol=0.0, equal_nan=True):
            raise FamilyError(f"{self.name}: cov is not symmetric")
        return self.join(mu, cov)

    def hold(self, fixed: dict[str, Any]) -> Vector:
        blank = {"mu": np.full(self.k, np.nan), "cov": np.full((self.k, self.k), np.nan)}
        return self.unpack(blank | fixed)

    def valid(self, theta: Vector) -> bool:
        cov = self.split(theta)[1]
        variances = np.diag(cov)
        if not (np.isfinite(cov).all() and (variances > 0.0).all()):
            return False
        sd = np.sqrt(variances)
        return bool(np.linalg.eigvalsh(cov / sd / sd[:, None])[0] > 0.0)  # of the correlations: any scales may meet

    def units(self, theta: Vector) -> Vector:
        sd = np.sqrt(np.diag(self.split(theta)[1]))
        return self.join(sd, np.outer(sd, sd))
