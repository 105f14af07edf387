"""The linear sets of NIST's Statistical Reference Datasets: certified to 15 digits, chosen to defeat least squares."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

import fastmle as fm

SETS: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "nist" / "linear.json").read_text())
DIGITS = dict.fromkeys(SETS, (12.0, 11.0)) | {"Filip": (7.0, 7.0)}  # of coefficients, of standard errors


def columns(name: str) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    given = SETS[name]
    x = np.array(given["x"])
    if given["degree"]:
        x = np.hstack([x**j for j in range(1, given["degree"] + 1)])
    return x, np.array(given["y"]), given


def digits(got: Any, certified: Any) -> float:
    """The smallest number of right digits; where the certified value is 0, an error up to 1e-8 counts as 15."""
    worst = 15.0
    for a, b in zip(np.atleast_1d(got), np.atleast_1d(certified), strict=True):
        error = abs(a - b) / abs(b) if b else (0.0 if abs(a) <= 1e-8 else 1.0)
        assert not math.isnan(error)
        worst = min(worst, -math.log10(error) if error else 15.0)
    return worst


def check(fit: fm.Fit, name: str) -> None:
    given = SETS[name]
    beta, errors = DIGITS[name]
    assert digits(list(fit.params.values()), given["beta"]) >= beta
    assert digits(list(fit.bse.values()), given["sd"]) >= errors
    assert digits(fit.sigma_unbiased, given["rsd"]) >= errors
    assert digits(fit.rsquared, given["r2"]) >= errors


@pytest.mark.parametrize("name", SETS)
def test_whole(name: str) -> None:
    x, y, given = columns(name)
    check(fm.fit("linear", (x, y), intercept=given.get("intercept", True)), name)


@pytest.mark.parametrize("name", SETS)
def test_chunks_of_five(name: str) -> None:
    x, y, given = columns(name)

    def chunks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for lo in range(0, len(y), 5):
            yield x[lo : lo + 5], y[lo : lo + 5]

    named = {"target": "y", "features": [f"x{j}" for j in range(x.shape[1])]}
    check(fm.fit("linear", chunks, **named, intercept=given.get("intercept", True)), name)
    check(fm.fit("linear", (x, y), chunk_rows=5, intercept=given.get("intercept", True)), name)


@pytest.mark.parametrize("precision", [None, "double-double"])
@pytest.mark.parametrize("name", SETS)
def test_updates_and_merges_of_five(name: str, precision: str | None) -> None:
    x, y, given = columns(name)
    options = {"intercept": given.get("intercept", True), "precision": precision}
    state = fm.suffstats("linear", **options)
    merged = fm.suffstats("linear", **options)
    for lo in range(0, len(y), 5):
        state.update((x[lo : lo + 5], y[lo : lo + 5]))
        merged = fm.suffstats("linear", **options).update((x[lo : lo + 5], y[lo : lo + 5])) + merged
    check(state.fit(), name)
    check(merged.fit(), name)
    check(fm.SufficientStats.from_bytes(state.to_bytes()).fit(), name)


def peers(name: str) -> dict[str, float]:
    """Digits of the coefficients by numpy's and statsmodels' least squares."""
    x, y, given = columns(name)
    design = np.column_stack([np.ones(len(y)), x]) if given.get("intercept", True) else x
    found = {"numpy": np.linalg.lstsq(design, y, rcond=None)[0], "statsmodels": sm.OLS(y, design).fit().params}
    return {peer: digits(beta, given["beta"]) for peer, beta in found.items()}


def test_table() -> None:
    """What each set gives by default; `FASTMLE_NIST_TABLE=tests/nist_linear_table.md pytest -k table` writes it down."""
    lines = ["| set | coefficients | standard errors | sigma | R² | numpy lstsq | statsmodels OLS |", "|---|---|---|---|---|---|---|"]
    for name in SETS:
        x, y, given = columns(name)
        fit = fm.fit("linear", (x, y), intercept=given.get("intercept", True))
        own = (
            digits(list(fit.params.values()), given["beta"]), digits(list(fit.bse.values()), given["sd"]),
            digits(fit.sigma_unbiased, given["rsd"]), digits(fit.rsquared, given["r2"]),
        )  # fmt: skip
        others = peers(name)
        assert own[0] >= max(others.values()) - 1.0, "no set on which another least squares has a digit more"
        lines.append("| " + " | ".join([name, *(f"{max(0.0, d):.1f}" for d in (*own, *others.values()))]) + " |")
    said = "\n".join(["Right digits of NIST's linear sets (15: all that are certified), by `fm.fit(\"linear\", ...)`.", "", *lines, ""])
    print(said)  # noqa: T201
    if os.environ.get("FASTMLE_NIST_TABLE"):
        Path(os.environ["FASTMLE_NIST_TABLE"]).write_text(said)
