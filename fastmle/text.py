"""Columns of text for the families that take them: the codes of their categories in place of the column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .family import Family
from .sources.categories import coded


def with_text(family: Family, data: Any, column: Any, names: Iterable[str] = ()) -> tuple[Family, Any, Any]:
    """(family, data, column), with codes and their family where the column holds text; `names` are parameters given.

    Raises FamilyError where the categories are not the family's, DataError for too many of them.
    """
    if not family.takes_text:
        return family, data, column
    data, column, categories = coded(data, column, family.known_categories(tuple(names)))
    return family.of_text(categories) if categories else family, data, column
