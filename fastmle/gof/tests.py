"""What a test of fit says, and tables of such tests."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..tables import html_table, text_table


class Test(NamedTuple):
    """A statistic, between which bounds the bins leave it, and its p-value (and at the bounds)."""

    name: str
    statistic: float
    low: float
    high: float
    pvalue: float
    pvalue_low: float
    pvalue_high: float
    method: str


class Tests(list[Test]):
    """Tests of one fit; its repr is a table, `tests["ks"]` one of them."""

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            found = [test for test in self if test.name == key]
            if not found:
                raise KeyError(key)
            return found[0]
        return super().__getitem__(key)

    def _cells(self) -> list[tuple[str, ...]]:
        rows = [("test", "statistic", "between", "and", "p", "p between", "and", "by")]
        return rows + [(t.name, *(f"{v:.5g}" for v in t[1:7]), t.method) for t in self]

    def __repr__(self) -> str:
        return text_table(self._cells(), left=(0, 7))

    def _repr_html_(self) -> str:
        head, *rows = self._cells()
        return html_table(rows, head=head)
