"""scikit-learn's estimators on fastmle's fits: same names, penalties as scikit-learn defines them.

`LinearRegression`, `Ridge`, `LogisticRegression`, `PoissonRegressor`, `GammaRegressor`, `GaussianMLE`;
`partial_fit` where it is exact. The fastmle fit itself, with errors and tests, is `result_`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, DensityMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import d2_tweedie_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

import fastmle as fm
from fastmle.family import is_number


def _split(result: Any, intercept: bool, names: list[str]) -> tuple[np.ndarray, float]:
    coef = np.array([result.params.get(name, 0.0) for name in names])
    return coef, float(result.params["intercept"]) if intercept else 0.0


class _OfClass:
    """The parameters of one class of a multinomial fit, by column; 0 for the base."""

    def __init__(self, result: Any, code: int) -> None:
        start = f"{code}:"
        self.params = {"intercept": 0.0} | {n[len(start) :]: v for n, v in result.params.items() if n.startswith(start)}


def _names(count: int) -> list[str]:
    return [f"x{j}" for j in range(count)]


class _Linear(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """What least squares with and without a penalty share: the sums are kept, so that `partial_fit` is exact."""

    stats_: Any
    _family = "linear"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit to all rows."""
        for name in ("stats_", "n_features_in_"):
            self.__dict__.pop(name, None)
        return self.partial_fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Add rows; the fit is that of all rows so far."""
        first = not hasattr(self, "stats_")
        X, y = validate_data(self, X, y, reset=first, y_numeric=True, dtype=[np.float64, np.float32])
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        options = self._options()
        stats: Any = fm.suffstats(self._family, rank_deficient="drop", **options) if first else self.stats_
        stats.family = replace(stats.family, **options)  # they may have been set since
        self.stats_ = stats.update((X, np.asarray(y, np.float64)), weights=weights)
        return self._solve()

    def _solve(self) -> Any:
        self.result_ = self.stats_.fit()
        self.coef_, self.intercept_ = _split(self.result_, self.fit_intercept, _names(self.n_features_in_))
        return self

    def _options(self) -> dict[str, Any]:
        return {"intercept": self.fit_intercept}

    def predict(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        return np.asarray(X @ self.coef_ + self.intercept_)


class LinearRegression(_Linear):
    """Least squares; columns that repeat others get the coefficient 0."""

    def __init__(self, fit_intercept: bool = True) -> None:
        self.fit_intercept = fit_intercept


class Ridge(_Linear):
    """Minimise ‖y − Xβ‖² + alpha ‖β‖², the intercept free."""

    _family = "ridge"

    def __init__(self, alpha: float = 1.0, fit_intercept: bool = True) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept

    def _options(self) -> dict[str, Any]:
        return {"intercept": self.fit_intercept, "alpha": self.alpha}


class LogisticRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Two classes, or several by softmax; minimise ½ ‖β‖² + C Σ loss, the intercept free. C=np.inf: no penalty.

    With several classes the penalty is over the coefficients of all, whose mean over the classes is 0.
    """

    def __init__(self, C: float = 1.0, fit_intercept: bool = True) -> None:
        self.C = C
        self.fit_intercept = fit_intercept

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        if not (is_number(self.C) and self.C > 0.0):
            raise ValueError(f"C must be above 0, or np.inf for no penalty, not {self.C!r}")
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("Classifier can't train when only one class is present.")
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        held = len(np.unique(codes if weights is None else codes[weights > 0.0]))
        if held < 2:
            raise ValueError("Classifier can't train when only one class has a weight above 0.")
        alpha = 0.0 if np.isinf(self.C) else 1.0 / self.C
        options: dict[str, Any] = {"alpha": alpha, "intercept": self.fit_intercept, "rank_deficient": "drop"}
        several = len(self.classes_) > 2
        if several:
            options["classes"] = tuple(range(len(self.classes_)))
        self.result_ = fm.fit("multinomial" if several else "logistic", (X, codes.astype(np.float64)), weights=weights, **options)
        if not self.result_.converged:
            _warn(self.result_)
        names = _names(X.shape[1])
        if several:
            each = [_split(_OfClass(self.result_, c), self.fit_intercept, names) for c in range(len(self.classes_))]
            coef, intercept = np.array([c for c, _ in each]), np.array([b for _, b in each])
            self.coef_, self.intercept_ = coef - coef.mean(axis=0), intercept - intercept.mean()
        else:
            coef, constant = _split(self.result_, self.fit_intercept, names)
            self.coef_, self.intercept_ = coef.reshape(1, -1), np.array([constant])
        self.n_iter_ = np.array([self.result_.n_passes])
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        eta = np.asarray(X @ self.coef_.T + self.intercept_)
        return eta[:, 0] if len(self.classes_) == 2 else eta

    def predict_proba(self, X: Any) -> np.ndarray:
        from scipy.special import expit, softmax

        eta = self.decision_function(X)
        if eta.ndim == 2:
            return np.asarray(softmax(eta, axis=1))
        return np.column_stack([expit(-eta), expit(eta)])

    def predict(self, X: Any) -> np.ndarray:
        eta = self.decision_function(X)
        return np.asarray(self.classes_[eta.argmax(axis=1) if eta.ndim == 2 else (eta > 0.0).astype(int)])


class _Generalized(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Log link; minimise half the mean unit deviance + ½ alpha ‖β‖², the intercept free."""

    def __init__(self, alpha: float = 1.0, fit_intercept: bool = True) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept

    _family = ""
    _power = 0

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        X, y = validate_data(self, X, y, y_numeric=True, dtype=[np.float64, np.float32])
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        if (y < 0.0).any() or (self._power == 2 and (y <= 0.0).any()):
            raise ValueError(f"Some value(s) of y are out of the valid range of the model {type(self).__name__}")
        total = float(len(y) if weights is None else weights.sum())
        options: dict[str, Any] = {"alpha": self.alpha * total, "intercept": self.fit_intercept, "rank_deficient": "drop"}
        self.result_ = fm.fit(self._family, (X, np.asarray(y, np.float64)), weights=weights, **options)
        if not self.result_.converged:
            _warn(self.result_)
        self.coef_, self.intercept_ = _split(self.result_, self.fit_intercept, _names(X.shape[1]))
        self.n_iter_ = self.result_.n_passes
        return self

    def predict(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        return np.asarray(np.exp(X @ self.coef_ + self.intercept_))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """D², the share of deviance explained, as scikit-learn's own."""
        return float(d2_tweedie_score(y, self.predict(X), sample_weight=sample_weight, power=self._power))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags


class PoissonRegressor(_Generalized):
    """Counts, or any target that is not negative."""

    _family = "poisson_regression"
    _power = 1


class GammaRegressor(_Generalized):
    """Positive targets with a constant coefficient of variation."""

    _family = "gamma_regression"
    _power = 2


class GaussianMLE(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """The multivariate normal density: means and covariance with divisor n."""

    stats_: Any

    def fit(self, X: Any, y: Any = None) -> Any:
        self.__dict__.pop("stats_", None)
        return self.partial_fit(X)

    def partial_fit(self, X: Any, y: Any = None) -> Any:
        first = not hasattr(self, "stats_")
        X = validate_data(self, X, reset=first, dtype=np.float64)
        self.stats_ = (fm.suffstats("mvn") if first else self.stats_).update(X)
        self.result_ = self.stats_.fit()
        self.mean_, self.covariance_ = self.result_.params["mu"], self.result_.params["cov"]
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """The log-density of each row."""
        from scipy.stats import multivariate_normal

        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return np.atleast_1d(multivariate_normal(self.mean_, self.covariance_, allow_singular=True).logpdf(X))

    def score(self, X: Any, y: Any = None) -> float:
        """The log-likelihood of all rows."""
        return float(self.score_samples(X).sum())


def _warn(result: Any) -> None:
    import warnings

    warnings.warn(f"{result.status}: {result.message}", ConvergenceWarning, stacklevel=3)
