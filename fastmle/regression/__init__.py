"""Regressions: a target whose mean is a function of a linear combination of features. One module a kind."""

from __future__ import annotations

from typing import Literal

# name: (module, class), as in fastmle.families
REGRESSIONS: dict[str, tuple[str, str]] = {
    "linear": ("linear", "LinearRegression"),
    "ridge": ("linear", "RidgeRegression"),
    "logistic": ("kinds", "LogisticRegression"),
    "probit": ("kinds", "ProbitRegression"),
    "cloglog": ("kinds", "CloglogRegression"),
    "poisson_regression": ("kinds", "PoissonRegression"),
    "gamma_regression": ("kinds", "GammaRegression"),
    "inverse_gaussian_regression": ("kinds", "InverseGaussianRegression"),
    "negative_binomial_regression": ("kinds", "NegativeBinomialRegression"),
    "multinomial": ("multinomial", "MultinomialRegression"),
}
RegressionName = Literal[
    "linear", "ridge", "logistic", "probit", "cloglog", "poisson_regression", "gamma_regression", "inverse_gaussian_regression",
    "negative_binomial_regression", "multinomial",
]  # fmt: skip
