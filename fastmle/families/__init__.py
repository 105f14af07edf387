"""The registry of families: one line each, imported when asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields
from functools import cache
from importlib import import_module
from typing import Any

from ..errors import FamilyError, near
from ..family import Family
from ..family.checks import check_family
from ..regression import REGRESSIONS

# name: (module, class)
REGISTRY: dict[str, tuple[str, str]] = {
    "gaussian": ("gaussian", "Gaussian"),
    "gamma": ("gamma", "Gamma"),
    "weibull": ("weibull", "Weibull"),
    "uniform": ("uniform", "Uniform"),
    "bernoulli": ("bernoulli", "Bernoulli"),
    "poisson": ("poisson", "Poisson"),
    "negative_binomial": ("negative_binomial", "NegativeBinomial"),
    "mvn": ("mvn", "MVN"),
    "exponential": ("exponential", "Exponential"),
    "lognormal": ("lognormal", "LogNormal"),
    "halfnormal": ("halfnormal", "HalfNormal"),
    "rayleigh": ("rayleigh", "Rayleigh"),
    "geometric": ("geometric", "Geometric"),
    "inverse_gamma": ("inverse_gamma", "InverseGamma"),
    "inverse_gaussian": ("inverse_gaussian", "InverseGaussian"),
    "pareto": ("pareto", "Pareto"),
    "binomial": ("binomial", "Binomial"),
    "categorical": ("categorical", "Categorical"),
    "student_t": ("student_t", "StudentT"),
    "logistic_dist": ("logistic_dist", "LogisticDist"),
    "gumbel": ("gumbel", "Gumbel"),
    "cauchy": ("cauchy", "Cauchy"),
    "loglogistic": ("loglogistic", "LogLogistic"),
    "beta": ("beta", "Beta"),
    "von_mises": ("von_mises", "VonMises"),
    "zero_inflated_poisson": ("zero_inflated_poisson", "ZeroInflatedPoisson"),
    "laplace": ("laplace", "Laplace"),
    "dirichlet": ("dirichlet", "Dirichlet"),
}


ELSEWHERE = {
    "normal": "gaussian", "norm": "gaussian", "expon": "exponential", "t": "student_t", "lognorm": "lognormal",
    "invgamma": "inverse_gamma", "weibull_min": "weibull", "gumbel_r": "gumbel", "fisk": "loglogistic",
    "vonmises": "von_mises", "invgauss": "inverse_gaussian", "geom": "geometric", "nbinom": "negative_binomial",
    "negbin": "negative_binomial", "multivariate_normal": "mvn", "halfnorm": "halfnormal", "ols": "linear",
    "logit": "logistic",
}  # fmt: skip
"""Names of families in scipy and R, for a message."""


@cache
def family_class(name: str) -> type[Family]:
    """The class of a registered family."""
    every = REGISTRY | REGRESSIONS
    if name not in every:
        meant = ELSEWHERE.get(name.lower())
        hint = f"; did you mean {meant!r}?" if meant else near(name, every) or f"; there are {', '.join(every)}"
        raise FamilyError(f"unknown family {name!r}{hint}")
    module, attribute = every[name]
    home = __name__ if name in REGISTRY else "fastmle.regression"
    found: type[Family] = getattr(import_module(f".{module}", home), attribute)
    return found


@cache
def _needs(cls: type[Family]) -> dict[str, bool]:
    """The constants of a family, and whether each must be given."""
    return {field.name: field.default is MISSING for field in fields(cls)}  # type: ignore[arg-type]


def family_of(family: str | Family, options: Iterable[str] | None = None, /, **constants: Any) -> Family:
    """A family by name or object; its constants (`n=10`) go with a name. `options`: what else its caller takes."""
    if not isinstance(family, str):
        if isinstance(family, Family):
            if constants:
                raise FamilyError(
                    f"unknown option {', '.join(constants)}: {family.name} carries its constants already"
                    f"{near(next(iter(constants)), options or ())}"
                )
            check_family(family)
            return family
        made = f"; write {family.__name__}()" if isinstance(family, type) and issubclass(family, Family) else ""
        raise FamilyError(f"a family is a name or a family object, not {type(family).__name__}{made}")
    cls = family_class(family)
    needs = _needs(cls)
    unknown = [c for c in constants if c not in needs]
    if unknown:
        said = f"its constants are {', '.join(needs)}" if needs else "it has no constants"
        raise FamilyError(f"unknown option {', '.join(unknown)} for {family}: {said}{near(unknown[0], [*needs, *(options or ())])}")
    missing = [c for c, needed in needs.items() if needed and c not in constants]
    if missing:
        raise FamilyError(f"{family} needs {', '.join(f'{c}=' for c in missing)}")
    return cls(**constants)
