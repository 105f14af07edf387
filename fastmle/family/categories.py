"""Families of k categories, by number or by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import FamilyError
from .base import Family, Param, is_count

MOST = 1 << 16  # categories, of text too


@dataclass(frozen=True)
class Categories(Family):
    """A family whose data are the codes 0, ..., k − 1 of categories; those of text have names."""

    k: int = 0  # 0 until the text says
    categories: tuple[str, ...] = ()  # in order: code j is categories[j]

    discrete = True
    takes_text = True

    def __post_init__(self) -> None:
        names = self.categories
        if isinstance(names, str) or not isinstance(names, Iterable) or len(set(names)) < len(tuple(names)):
            raise FamilyError(f"{self.name}: categories is a list of different names, not {names!r}")
        object.__setattr__(self, "categories", tuple(names))
        object.__setattr__(self, "k", self.k or len(self.categories))
        wrong = not is_count(self.k) or self.k == 1 or not 0 <= self.k <= MOST
        if wrong or len(self.categories) not in (0, self.k):
            raise FamilyError(f"{self.name}: k is a number of categories, from 2 to {MOST:,}, not {self.k!r}")

    def bind(self, columns: tuple[str, ...]) -> Family:
        if not self.k:
            raise FamilyError(f"{self.name} needs k=, the number of categories, or categories=, the names of them")
        return super().bind(columns)

    def of_text(self, categories: tuple[str, ...]) -> Categories:
        if self.k not in (0, len(categories)) or self.categories not in ((), categories):
            raise FamilyError(f"{self.name}: k = {self.k}, and the column has {len(categories)} categories")
        return type(self)(len(categories), categories)

    def known_categories(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return self.categories or tuple(name.removeprefix("p_") for name in names)

    @property
    def params(self) -> tuple[Param, ...]:
        return tuple(Param(f"p_{name}", "unit") for name in self.categories or range(self.k))
