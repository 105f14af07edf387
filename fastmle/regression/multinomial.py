"""The multinomial logit model: P(y = class a) ∝ exp(Xβ_a), β of the base class 0.

log L = Σ w log P(y). Ridge: ½ alpha Σ_a ‖β_a − β̄‖² over all classes, the base too, so that its choice does not matter.
Source: A. Agresti, Categorical Data Analysis (2013), ch. 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from ..errors import FamilyError
from ..family import Vector
from .design import Roles, open_design
from .model import Regression
from .predict import features_of
from .result import RegressionFit


@dataclass(frozen=True)
class MultinomialRegression(Regression):
    """Targets of several classes, as whole numbers or text. `classes` are found in a read of their own unless they are
    given; `base` is the first of them by default. Coefficients are named "class:column"."""

    classes: tuple[Any, ...] = ()
    base: Any = None

    name: ClassVar[str] = "multinomial"
    discrete: ClassVar[bool] = True
    one_pass: ClassVar[bool] = False
    of_classes: ClassVar[bool] = True

    def check(self) -> None:
        if isinstance(self.classes, str) or not hasattr(self.classes, "__iter__"):
            raise FamilyError(f"classes are a sequence of values of the target, not {self.classes!r}")
        object.__setattr__(self, "classes", tuple(plain(c) for c in self.classes))
        if len(set(map(str, self.classes))) != len(self.classes):
            raise FamilyError(f"a class is given twice: {self.classes}")
        object.__setattr__(self, "base", plain(self.base))
        if self.classes and self.base is not None and str(self.base) not in map(str, self.classes):
            raise FamilyError(f"base={self.base!r} is none of the classes {', '.join(map(str, self.classes))}")

    @property
    def base_at(self) -> int:
        return 0 if self.base is None else [str(c) for c in self.classes].index(str(self.base))

    @property
    def order(self) -> list[int]:
        """Places of the classes, the base last, as the sums have them."""
        return [j for j in range(len(self.classes)) if j != self.base_at] + [self.base_at]

    @property
    def others(self) -> list[str]:
        """The classes that have coefficients."""
        return [str(self.classes[j]) for j in self.order[:-1]]

    @property
    def names(self) -> tuple[str, ...]:
        own = (("intercept",) if self.intercept else ()) + tuple(f for f in self.features if f not in self.dropped)
        return tuple(f"{c}:{name}" for c in self.others for name in own)

    @property
    def intercepts(self) -> tuple[str, ...]:
        return tuple(f"{c}:intercept" for c in self.others)

    def fit_data(self, data: Any, roles: Roles, fixed: dict[str, Any]) -> RegressionFit:
        from .softmax import fit_multinomial

        return fit_multinomial(self, data, roles, fixed)

    def probabilities(self, eta: Vector) -> Vector:
        """(rows, classes), in the order of `classes`, from η (rows, others)."""
        p = np.empty((len(eta), len(self.classes)))
        p[:, self.order] = scipy.special.softmax(np.column_stack([eta, np.zeros(len(eta))]), axis=1)
        return p

    def predicted(self, fit: RegressionFit, data: Any, interval: str | None, level: float, extra: Mapping[str, Any]) -> Any:
        """The probability of each class, (rows, classes)."""
        if interval is not None:
            raise FamilyError("intervals of probabilities are not offered: use interval=None")
        source = features_of(fit, data, extra)
        parts = [self.probabilities(self._eta(fit, chunk)) for chunk in source.host_chunks()]
        return np.concatenate(parts) if parts else np.empty((0, len(self.classes)))

    def _eta(self, fit: RegressionFit, chunk: tuple[np.ndarray, ...]) -> Vector:
        columns = [np.asarray(c, np.float64) for c, kept in zip(chunk, self.kept, strict=False) if kept]
        x = np.stack(([np.ones(chunk[0].size)] if self.intercept else []) + columns)
        return np.asarray((fit.theta.reshape(len(self.others), -1) @ x).T)

    def residual(self, fit: RegressionFit, data: Any, kind: str, target: Any, extra: Mapping[str, Any]) -> Iterator[Vector]:
        """1 for the class of a row, less its probability: (rows, classes); "pearson": over its standard deviation."""
        if kind not in ("response", "pearson"):
            raise FamilyError(f"residuals of a multinomial model are response or pearson, not {kind!r}")
        from .classes import as_codes

        if self.formula is not None:
            roles = Roles(formula=self.formula, levels=self.levels, of_classes=True)
        elif isinstance(data, tuple):
            roles = Roles(target=target)
        else:
            roles = Roles(target=self.target if target is None else target, features=list(self.features))
        data, roles, values = as_codes(self, data, roles)
        values = values or tuple(map(float, range(len(self.classes))))
        k = len(self.features)
        for chunk in open_design(data, roles).host_chunks():
            p = self.probabilities(self._eta(fit, chunk))
            hit = np.asarray(chunk[k], float)[:, None] == np.asarray(values)
            yield hit - p if kind == "response" else (hit - p) / np.sqrt(p * (1.0 - p))


def plain(value: Any) -> Any:
    """A class as JSON knows it: text, or a whole number."""
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value
