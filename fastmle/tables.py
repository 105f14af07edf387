"""Rows of cells as text for a terminal and as HTML for a notebook."""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence

Rows = Sequence[Sequence[str]]


def text_table(rows: Rows, left: Collection[int] = (0,)) -> str:
    """Columns as wide as their longest cell; those of `left` flush left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [[c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths, strict=True))] for r in rows]
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def html_table(rows: Rows, caption: str = "", head: Sequence[str] = ()) -> str:
    """A table whose rows begin with their names."""
    above = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = [
        f"<tr><th>{html.escape(name)}</th>{''.join(f'<td>{html.escape(cell)}</td>' for cell in rest)}</tr>" for name, *rest in rows
    ]
    said = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{said}{f'<tr>{above}</tr>' if above else ''}{''.join(body)}</table>"
