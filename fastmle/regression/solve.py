"""Least squares from a Gram matrix by the sweep operator, in decimal arithmetic of 60 digits where float64 is short.

Sweeping a symmetric matrix on the rows of the features leaves the inverse, the coefficients, and the residual sum of
squares in their places. Source: J. H. Goodnight, The American Statistician 33 (1979) 149-158.
"""

from __future__ import annotations

import decimal
import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import scipy

from ..family import Vector

DIGITS = decimal.Context(prec=60, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
FEW = 12  # columns: always in decimals
MOST = 160  # columns: never in decimals
POOR = 1e4  # condition number of the correlation matrix: in decimals
HOPELESS = 1e6  # of sums in float64: read the data again
_to_decimal = np.frompyfunc(lambda v: Decimal(v.numerator) / Decimal(v.denominator), 1, 1)


def decimals(values: Any) -> np.ndarray:
    """Rationals, or floats, as Decimals: call inside `decimal.localcontext(DIGITS)`."""
    array = np.array(values, dtype=object)
    return np.asarray(_to_decimal(array) if array.size and hasattr(array.flat[0], "numerator") else _float_to_decimal(array))


_float_to_decimal = np.frompyfunc(lambda v: Decimal(float(v)), 1, 1)


def floats(values: np.ndarray) -> Vector:
    return np.asarray(values, dtype=np.float64)


@dataclass
class Solved:
    """What a sweep leaves, for the swept columns; `rest` is the swept matrix of the others (RSS, ...)."""

    inverse: np.ndarray
    beta: np.ndarray  # (columns, right-hand sides)
    rest: np.ndarray
    factor: Vector  # upper triangular R with RᵀR the matrix of the swept columns, rounded only once it is known
    aliased: dict[int, Vector] = field(default_factory=dict)  # column -> its coefficients on the columns kept


def sweep(matrix: np.ndarray, columns: int, tolerance: float) -> Solved:
    """Sweep the first `columns` rows of a symmetric matrix, in order; a column is aliased if but `tolerance` of its
    own square is left when its turn comes. Works on floats and Decimals."""
    a = matrix.copy()
    first = [a[k, k] for k in range(columns)]
    done: list[int] = []
    aliased: dict[int, Vector] = {}
    factor = np.zeros((columns, columns))
    for k in range(columns):
        pivot = a[k, k]
        if not float(pivot) > tolerance * float(first[k]):
            combination = np.zeros(columns)
            combination[done] = floats(a[done, k])
            aliased[k] = combination
            a[k, :] = a[:, k] = 0 * pivot
            continue
        row = a[k].copy() / pivot
        factor[k, k:] = math.sqrt(pivot) * floats(row[k:columns])  # what earlier columns leave of the matrix: Cholesky's
        column = a[:, k].copy()
        a = a - np.outer(column, row)
        a[k], a[:, k] = row, -column / pivot
        a[k, k] = 1 / pivot
        done.append(k)
    # signs: rows of swept columns hold coefficients, their columns minus them
    block = a[:columns, :columns]
    return Solved(block, a[:columns, columns:], a[columns:, columns:], factor, aliased)


def full_rank(correlation: Vector, tolerance: float) -> bool:
    """Whether `sweep` would find no alias, where that is plain without its many steps."""
    _, _, rank, _ = scipy.linalg.lapack.dpstrf(correlation, tol=16.0 * tolerance)
    return bool(rank == len(correlation) and (np.diag(correlation) > 0.0).all())


def condition(correlation: Vector) -> float:
    """Of a correlation matrix; inf where it is not positive definite."""
    values = np.linalg.eigvalsh(correlation)
    return float(values[-1] / values[0]) if values[0] > 0.0 else float("inf")


def correlation_of(matrix: Vector) -> tuple[Vector, Vector]:
    """(R, scale) with matrix = R · scale scaleᵀ; columns of zeros stay."""
    scale = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    scale[scale == 0.0] = 1.0
    return matrix / np.outer(scale, scale), scale


def cholesky(matrix: Vector) -> Vector:
    """Upper triangular R with RᵀR the matrix, scaled to a correlation first; NaN where there is none."""
    if not matrix.size:
        return matrix
    correlation, scale = correlation_of(matrix)
    try:
        return np.asarray(np.linalg.cholesky(correlation).T * scale)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.nan)


def root_of(matrix: Vector) -> Vector:
    """C with C Cᵀ the matrix, positive semidefinite; NaN where it is not finite."""
    if not np.isfinite(matrix).all():
        return np.full_like(matrix, np.nan)
    correlation, scale = correlation_of(matrix)
    values, vectors = np.linalg.eigh(correlation)
    return np.asarray(scale[:, None] * vectors * np.sqrt(np.maximum(values, 0.0)))


def inverse(matrix: Vector) -> Vector:
    """Of a positive definite matrix, scaled to a correlation first; NaN where there is none."""
    if not matrix.size:
        return matrix
    correlation, scale = correlation_of(matrix)
    try:
        return np.asarray(np.linalg.inv(correlation) / np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.nan)
