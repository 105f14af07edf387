"""fastmle: exact maximum-likelihood fits of data of any size, at the speed of memory.

`fit`, `suffstats`, `loglik`, `nll`, `compare`, `explore`, `kl`, `entropy`, `load`; families as `Gaussian()`, `Gamma()`, ...
Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .api import fit as fit
    from .api import suffstats as suffstats
    from .comparison import Comparison as Comparison
    from .comparison import compare as compare
    from .divergence import entropy as entropy
    from .divergence import kl as kl
    from .errors import ConvergenceError as ConvergenceError
    from .errors import DataError as DataError
    from .errors import FamilyError as FamilyError
    from .errors import FastmleError as FastmleError
    from .explorer import Page as Page
    from .explorer import explore as explore
    from .family import Family as Family
    from .likelihood import loglik as loglik
    from .likelihood import nll as nll
    from .regression.kinds import CloglogRegression as CloglogRegression
    from .regression.kinds import GammaRegression as GammaRegression
    from .regression.kinds import InverseGaussianRegression as InverseGaussianRegression
    from .regression.kinds import LogisticRegression as LogisticRegression
    from .regression.kinds import NegativeBinomialRegression as NegativeBinomialRegression
    from .regression.kinds import PoissonRegression as PoissonRegression
    from .regression.kinds import ProbitRegression as ProbitRegression
    from .regression.linear import LinearRegression as LinearRegression
    from .regression.linear import RidgeRegression as RidgeRegression
    from .regression.multinomial import MultinomialRegression as MultinomialRegression
    from .result import Fit as Fit
    from .stats import SufficientStats as SufficientStats
    from .stats import load as load

_HOME = {
    "fit": "api", "suffstats": "api", "loglik": "likelihood", "nll": "likelihood",
    "compare": "comparison", "Comparison": "comparison",
    "explore": "explorer", "Page": "explorer",
    "kl": "divergence", "entropy": "divergence", "Fit": "result", "SufficientStats": "stats", "load": "stats",
    "Family": "family", "DataError": "errors", "FamilyError": "errors", "ConvergenceError": "errors", "FastmleError": "errors",
}  # fmt: skip
__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _HOME:
        value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    else:
        from .families import REGISTRY, family_class
        from .regression import REGRESSIONS

        by_class = {attribute: family for family, (_, attribute) in (REGISTRY | REGRESSIONS).items()}
        if name not in by_class:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = family_class(by_class[name])
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    from .families import REGISTRY
    from .regression import REGRESSIONS

    return sorted([*__all__, *(attribute for _, attribute in (REGISTRY | REGRESSIONS).values())])
