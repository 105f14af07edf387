"""What a family is: the terms one row adds, and how a fit follows from their sums.

A family file declares a row function, the `Terms` it fills, and a class with the textbook formulas. It never meets
chunks, weights, nulls, threads or files: it is handed `Sums`, in which the weights are already.

Derivatives are dimensionless: `score` is ∂ℓ/∂θ_j · u_j and `information` −∂²ℓ/∂θ_i∂θ_j · u_i u_j with the units
u = `units(θ)` (the scale of each parameter), so that data of 1e300 and of 1e-300 are as good as any.
"""

from __future__ import annotations

from .anchors import (
    Center,
    Location,
    LogCenter,
    Logs,
    Scale,
    add_logs,
    add_logs_of_inverse,
    binary_scale,
    center_at,
    harmonic_anchor,
    inverse_log_anchor,
    inverse_log_gap,
    location_of,
    log_about,
    log_anchor,
    log_center_at,
    log_gap,
    log_moment_anchor,
    log_of_ratio,
    moment_anchor,
    scale_anchor,
)
from .base import (
    Domain,
    Family,
    Param,
    Run,
    Solution,
)
from .terms import (
    LARGEST,
    Anchor,
    GramTerms,
    NoTheta,
    RowTerms,
    Sums,
    TableTerms,
    Terms,
    Vector,
    finite,
    not_negative,
    positive,
    row_function,
    whole,
)

__all__ = [
    "LARGEST",
    "Anchor",
    "Center",
    "Domain",
    "Family",
    "GramTerms",
    "Location",
    "LogCenter",
    "Logs",
    "NoTheta",
    "Param",
    "RowTerms",
    "Run",
    "Scale",
    "Solution",
    "Sums",
    "TableTerms",
    "Terms",
    "Vector",
    "add_logs",
    "add_logs_of_inverse",
    "binary_scale",
    "center_at",
    "finite",
    "harmonic_anchor",
    "inverse_log_anchor",
    "inverse_log_gap",
    "location_of",
    "log_about",
    "log_anchor",
    "log_center_at",
    "log_gap",
    "log_moment_anchor",
    "log_of_ratio",
    "moment_anchor",
    "not_negative",
    "positive",
    "row_function",
    "scale_anchor",
    "whole",
]
