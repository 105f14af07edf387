"""The gaussian sums with `prange`, to keep the claim honest that a thread pool is as fast."""

from __future__ import annotations

from numba import njit, prange


@njit(cache=True, parallel=True, fastmath={"reassoc", "contract", "nsz", "arcp"})
def gaussian_prange(x):  # type: ignore[no-untyped-def]
    """Mean and standard deviation from moments about x[0]."""
    c = x[0]
    first = second = 0.0
    for i in prange(x.size):
        u = x[i] - c
        first += u
        second += u * u
    mean = first / x.size
    return c + mean, (second / x.size - mean * mean) ** 0.5
