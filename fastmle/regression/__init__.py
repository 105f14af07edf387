"""Regressions: a target whose mean is a function of a linear combination of features. One module a kind."""

from __future__ import annotations

# name: (module, class), as in fastmle.families
REGRESSIONS: dict[str, tuple[str, str]] = {
    "linear": ("linear", "LinearRegression"),
    "ridge": ("linear", "RidgeRegression"),
}
