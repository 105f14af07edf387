"""The likelihood explorer: one page on which a likelihood is moved by hand, computed from the sums alone.

`PAGES` says which families have one; the page's side of each is an entry of `MODELS` in page/models.js.
"""

from __future__ import annotations

import os
from typing import Any

from ..errors import FamilyError
from ..result import Fit
from ..stats import SufficientStats
from .models import PAGES
from .page import Page

__all__ = ["PAGES", "Page", "explore"]


def explore(fit_or_state: Fit | SufficientStats, path: str | os.PathLike[str] | None = None, *, feature: str | None = None) -> Page:
    """A self-contained page to explore the likelihood with, written to `path`; it shows itself in notebooks.

    fit_or_state: with `keep="bins"` (and `points=`) the data are seen too. feature: of a regression, the one whose slope
    moves; the others stay at their estimates. Raises FamilyError for families without a page, fits that have no sums
    (those of `from_dict`), and fits with no regular maximum to walk to.
    """
    fit = fit_or_state.fit() if isinstance(fit_or_state, SufficientStats) else fit_or_state
    if not isinstance(fit, Fit):
        raise FamilyError(f"a fit or a state is wanted, not {type(fit).__name__}")
    make = PAGES.get(type(fit.family))
    if make is None:
        known = ", ".join(sorted(family.name for family in PAGES))
        raise FamilyError(f"there is no page for {fit.family.name}; there is one for {known}")
    if fit.status != "ok":
        raise FamilyError(f"there is no maximum to walk to: {fit.status}: {fit.message}")
    payload: dict[str, Any] = make(fit, feature)
    page = Page(payload)
    if path is not None:
        page.save(path)
    return page
