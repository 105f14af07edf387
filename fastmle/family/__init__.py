"""What a family is: the terms one row adds, and how a fit follows from their sums.

A family file declares a row function, the `Terms` it fills, and a class with the textbook formulas. It never meets
chunks, weights, nulls, threads or files: it is handed `Sums`, in which the weights are already.

Derivatives are dimensionless: `score` is ∂ℓ/∂θ_j · u_j and `information` −∂²ℓ/∂θ_i∂θ_j · u_i u_j with the units
u = `units(θ)` (the scale of each parameter), so that data of 1e300 and of 1e-300 are as good as any.
"""

from __future__ import annotations

from .anchors import Location, Scale, binary_scale, location_of, moment_anchor, scale_anchor
from .base import (
    Domain,
    Family,
    Param,
    Run,
    Solution,
)
from .ends import Ends, ends_terms
from .inverse_anchors import (
    Harmonic,
    add_logs_of_inverse,
    harmonic_anchor,
    harmonic_terms,
    inverse_log_anchor,
    inverse_log_gap,
)
from .location_matrix import LocationMatrix
from .location_scale import (
    At,
    LocationScale,
    SoftHeight,
    SoftSlopes,
    in_order,
    log_distance,
    mean_and_sd,
    quantiles,
    soft_slopes,
)
from .log_anchors import (
    Center,
    LogCenter,
    Logs,
    add_logs,
    center_at,
    center_mean,
    center_of,
    log_anchor,
    log_center_at,
    log_gap,
    log_moment_anchor,
    log_of_ratio,
    log_shares,
    log_terms,
)
from .terms import (
    LARGEST,
    Anchor,
    ColumnTerms,
    GramTerms,
    NoTheta,
    RowTerms,
    Sums,
    TableTerms,
    Terms,
    Vector,
    between,
    finite,
    normal,
    not_negative,
    positive,
    row_function,
    whole,
)
from .turn_anchors import Direction, Turns, add_turns, angle, direction_of, turn_anchor, turned
from .twins import (
    RowsFirst,
    zero_inflated,
)
from .unit_anchors import Middle, UnitLogs, add_unit_logs, middle_at, unit_anchor, unit_gaps

__all__ = [
    "LARGEST",
    "Anchor",
    "At",
    "Center",
    "ColumnTerms",
    "Direction",
    "Domain",
    "Ends",
    "Family",
    "GramTerms",
    "Harmonic",
    "Location",
    "LocationMatrix",
    "LocationScale",
    "LogCenter",
    "Logs",
    "Middle",
    "NoTheta",
    "Param",
    "RowTerms",
    "RowsFirst",
    "Run",
    "Scale",
    "SoftHeight",
    "SoftSlopes",
    "Solution",
    "Sums",
    "TableTerms",
    "Terms",
    "Turns",
    "UnitLogs",
    "Vector",
    "add_logs",
    "add_logs_of_inverse",
    "add_turns",
    "add_unit_logs",
    "angle",
    "between",
    "binary_scale",
    "center_at",
    "center_mean",
    "center_of",
    "direction_of",
    "ends_terms",
    "finite",
    "harmonic_anchor",
    "harmonic_terms",
    "in_order",
    "inverse_log_anchor",
    "inverse_log_gap",
    "location_of",
    "log_anchor",
    "log_center_at",
    "log_distance",
    "log_gap",
    "log_moment_anchor",
    "log_of_ratio",
    "log_shares",
    "log_terms",
    "mean_and_sd",
    "middle_at",
    "moment_anchor",
    "normal",
    "not_negative",
    "positive",
    "quantiles",
    "row_function",
    "scale_anchor",
    "soft_slopes",
    "turn_anchor",
    "turned",
    "unit_anchor",
    "unit_gaps",
    "whole",
    "zero_inflated",
]
