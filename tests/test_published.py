"""Regressions against figures printed in books and in R's own help pages, to the digits printed there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastmle as fm

BUDWORMS: dict[str, Any] = {
    "p": np.array([1.0, 4, 9, 13, 18, 20, 0, 2, 6, 10, 12, 16]) / 20,
    "dose": list(range(6)) * 2,
    "sex": ["M"] * 6 + ["F"] * 6,
    "n": np.full(12, 20.0),
}


def printed(fit: Any, wanted: dict[str, tuple[float, float, float]]) -> None:
    """wanted: name -> (estimate, standard error, half a unit of the last digit printed)."""
    for name, (estimate, error, unit) in wanted.items():
        assert fit.params[name] == pytest.approx(estimate, abs=unit), name
        assert fit.bse[name] == pytest.approx(error, abs=unit), name


def test_plant_weights() -> None:
    """A. J. Dobson, An Introduction to Statistical Modelling (1983), the plant weights; R's help of `lm`."""
    control = [4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14]
    treated = [4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69]
    fit = fm.fit("linear", {"weight": control + treated, "g": ["Ctl"] * 10 + ["Trt"] * 10}, formula="weight ~ g")
    printed(fit, {"intercept": (5.0320, 0.2202, 5e-5), "g[T.Trt]": (-0.3710, 0.3114, 5e-5)})
    assert fit.sigma_unbiased == pytest.approx(0.6964, abs=5e-5) and fit.df_resid == 18
    assert fit.rsquared == pytest.approx(0.07308, abs=5e-6) and fit.rsquared_adj == pytest.approx(0.02158, abs=5e-6)
    assert fit.fvalue == pytest.approx(1.419, abs=5e-4) and fit.f_pvalue == pytest.approx(0.249, abs=5e-4)
    assert fit.tvalues["g[T.Trt]"] == pytest.approx(-1.191, abs=5e-4) and fit.pvalues["g[T.Trt]"] == pytest.approx(0.249, abs=5e-4)


def test_randomised_trial() -> None:
    """A. J. Dobson, An Introduction to Generalized Linear Models (1990), p. 93: counts of a trial; R's help of `glm`."""
    data = {
        "counts": [18.0, 17, 15, 20, 10, 20, 25, 13, 12],
        "outcome": [1, 2, 3] * 3,
        "treatment": [1, 1, 1, 2, 2, 2, 3, 3, 3],
    }
    fit = fm.fit("poisson_regression", data, formula="counts ~ C(outcome) + C(treatment)")
    wanted = {
        "intercept": (3.045, 0.1709, 5e-4),
        "C(outcome)[T.2]": (-0.4543, 0.2022, 5e-5),
        "C(outcome)[T.3]": (-0.2930, 0.1927, 5e-5),
        "C(treatment)[T.2]": (0.0, 0.2000, 5e-5),
        "C(treatment)[T.3]": (0.0, 0.2000, 5e-5),
    }
    printed(fit, wanted)
    assert fit.null_deviance == pytest.approx(10.5814, abs=5e-5) and fit.deviance == pytest.approx(5.1291, abs=5e-5)
    assert fit.aic == pytest.approx(56.76, abs=5e-3) and fit.df_resid == 4


@pytest.mark.parametrize(
    ("times", "wanted", "dispersion", "deviances"),
    [
        (
            [118.0, 58, 42, 35, 27, 25, 21, 19, 18],
            {"intercept": (-0.01655438, 0.00092754, 5e-9), "u": (0.01534311, 0.00041496, 5e-9)},
            0.002446059,
            (3.51282597, 0.01672967),
        ),
        (
            [69.0, 35, 26, 21, 18, 16, 13, 12, 12],
            {"intercept": (-0.02390850, 0.00132645, 5e-9), "u": (0.02359922, 0.00057678, 5e-9)},
            0.001813354,
            (3.118557, 0.012672),
        ),
    ],
)
def test_blood_clotting(times: list[float], wanted: Any, dispersion: float, deviances: tuple[float, float]) -> None:
    """P. McCullagh & J. A. Nelder, Generalized Linear Models (1989), pp. 300-302: gamma, inverse link; R's help of `glm`."""
    u = np.log([5.0, 10, 15, 20, 30, 40, 60, 80, 100])
    fit = fm.fit("gamma_regression", {"y": np.array(times), "u": u}, target="y", features=["u"], link="inverse")
    # R stops where the deviance changes by 1e-8 of itself, so that the last one or two digits it prints are not the maximum's
    for name, (estimate, error, _) in wanted.items():
        assert fit.params[name] == pytest.approx(estimate, rel=2e-6) and fit.bse[name] == pytest.approx(error, rel=2e-5)
    assert fit.dispersion == pytest.approx(dispersion, rel=2e-5) and fit.score_norm < 1e-9
    assert fit.null_deviance == pytest.approx(deviances[0], rel=2e-7) and fit.deviance == pytest.approx(deviances[1], abs=5e-7)


def test_budworms() -> None:
    """W. N. Venables & B. D. Ripley, Modern Applied Statistics with S (2002), ch. 7.2: moths killed of twenty at each dose."""
    data = BUDWORMS
    fit = fm.fit("logistic", data, formula="p ~ sex * dose", trials="n")
    wanted = {
        "intercept": (-2.9935, 0.5527, 5e-5),
        "sex[T.M]": (0.1750, 0.7783, 5e-5),
        "dose": (0.9060, 0.1671, 5e-5),
        "sex[T.M]:dose": (0.3529, 0.2700, 5e-5),
    }
    printed(fit, {name: wanted[name.replace("sex:dose[T.M]", "sex[T.M]:dose")] for name in fit.params})
    assert fit.null_deviance == pytest.approx(124.8756, abs=5e-5) and fit.deviance == pytest.approx(4.9937, abs=5e-5)
    plain = fm.fit("logistic", data, formula="p ~ sex + dose - 1", trials="n")
    printed(plain, {"sex[F]": (-3.4732, 0.4685, 5e-5), "sex[M]": (-2.3724, 0.3855, 5e-5), "dose": (1.0642, 0.1311, 5e-5)})
    assert plain.deviance == pytest.approx(6.7571, abs=5e-5)
