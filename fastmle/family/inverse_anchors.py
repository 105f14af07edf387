"""Centers amid positive data, about which 1/x is summed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .log_anchors import (
    Center,
    Logs,
    center_at,
    center_of,
    drift_by_gap,
    log_anchor,
    log_of_ratio,
    rebase_logs,
)
from .terms import Anchor, RowTerms, Sums, positive, row_function


@row_function
def add_logs_of_inverse(x: float, a: Center) -> Logs:
    """What c/x adds, in place of x/c: u = c/x − 1, and still the logarithm of x/c."""
    return Logs((a.c - x) / x, x)


@row_function
def inverse_log_gap(s: Sums) -> float:
    """The log of the mean of 1/x minus the mean of log 1/x: 0 if and only if all values are equal."""
    return float(np.log1p(s.u / s.weight) + s.log / s.weight)


@row_function
def _inverse_log_drift(s: Sums) -> float:
    return drift_by_gap(s, inverse_log_gap(s))


def _rebase_inverse_logs(s: Sums, old: Any, new: Any) -> tuple[Any, Any]:
    shift = (new.c - old.c) / old.c
    return s.u * (new.c / old.c) + s.weight * shift, s.log + s.weight * log_of_ratio(old.c, new.c)


inverse_log_anchor = Anchor(
    of_block=lambda x, w: center_at(1.0 / center_of(1.0 / np.clip(x, 1e-300, 1e300), w).c),
    rebase=_rebase_inverse_logs,
    drift=_inverse_log_drift,
    of_sums=lambda s: center_at(s.c / (1.0 + s.u / s.weight)),
)
"""For terms with the slots of `Logs` taken by `add_logs_of_inverse`."""


class Harmonic(NamedTuple):
    """What x and 1/x add about a center: kinds "sssq"."""

    u: float  # (x − c)/c
    v: float  # = u + h = (x − c)²/(cx)
    h: float  # (c − x)/x
    log: float  # x, of which log(x/c) is summed


@row_function
def add_harmonic(x: float, a: Center) -> Harmonic:
    d = x - a.c
    u, share = d * a.per, d / x  # one division: it takes as long as all else
    return Harmonic(u, u * share, -share, x)


def _rebase_harmonic(s: Sums, old: Any, new: Any) -> tuple[Any, ...]:
    r, t = old.c / new.c, (old.c - new.c) / new.c
    u, log_sum = rebase_logs(s, old, new)
    h = s.h / r + s.weight * (new.c - old.c) / old.c
    near = s.v / r + s.u * t * (r + 1.0) / r + s.weight * t * t / r
    return u, near if abs(t) < 0.5 else u + h, h, log_sum


@row_function
def _harmonic_drift(s: Sums) -> float:
    """By half the log of (the mean times the mean of 1/x), which for narrow data is what `log_gap` is."""
    u = s.u / s.weight
    return drift_by_gap(s, 0.5 * np.log1p(max((1.0 + u) * s.v / s.weight - u * u, 0.0)))


harmonic_anchor = Anchor(center_of, _rebase_harmonic, _harmonic_drift, log_anchor.of_sums)
"""For terms with the slots of `Harmonic`."""

harmonic_terms = RowTerms(
    Harmonic, add_harmonic, positive, "x > 0", fill=1.0, theta=Center, kinds="sssq", anchor=harmonic_anchor
)
