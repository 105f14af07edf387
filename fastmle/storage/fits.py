"""Fits as JSON-safe dicts: everything but the sums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..errors import FamilyError
from ..values import from_json, to_json

if TYPE_CHECKING:
    from ..family import Family
    from ..result import Fit

    AnyFit = TypeVar("AnyFit", bound=Fit)

FORMAT = 1


def fit_to_dict(fit: Fit) -> dict[str, Any]:
    """See `Fit.to_dict`."""
    return {
        "format": FORMAT,
        "family": fit.family.name,
        "constants": to_json(fit.family.constants()),
        "params": to_json(fit.params),
        "bse": to_json(fit.bse),
        "cov_params": to_json(fit.cov_params()),
        "units": to_json(fit.units),  # of the parameters; with the next, the covariance where float64 ends
        "cov_in_units": to_json(fit.cov),
        "llf": to_json(fit.llf),
        "nll": to_json(fit.nll),
        "aic": to_json(fit.aic),
        "bic": to_json(fit.bic),
        "nobs": to_json(fit.nobs),
        "nobs_dropped": fit.nobs_dropped,
        "converged": fit.converged,
        "status": fit.status,
        "message": fit.message,
        "n_passes": fit.n_passes,
        "fitted_by": fit.fitted_by,
        "score_norm": to_json(fit.score_norm),
        "weight_kind": fit.weight_kind,
        "fixed": list(fit.fixed),
        "columns": list(fit.columns),
    }


def fit_from_dict(kind: type[AnyFit], stored: Mapping[str, Any], family: Family | None = None) -> AnyFit:
    """A fit of this kind from what `fit_to_dict` made. Raises FamilyError if it is none, or of another format."""
    from ..families import family_of

    if not isinstance(stored, Mapping) or stored.get("format") != FORMAT:
        raise FamilyError(f"this is no fit of format {FORMAT}")
    try:
        if family is None:
            family = family_of(stored["family"], **stored["constants"])
        elif (family.name, to_json(family.constants())) != (stored["family"], stored["constants"]):
            raise FamilyError(f"this is a fit of {stored['family']} with {stored['constants']}, not of {family}")
        return kind(
            family=family,
            theta=family.unpack(from_json(stored["params"])),
            cov=np.array(from_json(stored["cov_in_units"])),
            units=np.array(from_json(stored["units"])),
            llf=from_json(stored["llf"]),
            nobs=float(stored["nobs"]),
            nobs_dropped=int(stored["nobs_dropped"]),
            status=stored["status"],
            message=stored["message"],
            n_passes=int(stored["n_passes"]),
            fitted_by=stored["fitted_by"],
            score_norm=from_json(stored["score_norm"]),
            weight_kind=stored["weight_kind"],
            fixed=tuple(stored["fixed"]),
            columns=tuple(stored["columns"]),
        )
    except FamilyError:
        raise
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise FamilyError(f"this is no fit: {error!r} is missing or damaged") from error
