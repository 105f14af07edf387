"""`fastmle warmup`: compile the common kernels into the disk cache, for images and CI."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import click

# tiny columns, one of which lies in the support of any family: each kernel is compiled at its first use
COLUMNS: tuple[tuple[float, ...], ...] = ((0.2, 0.5, 0.4, 0.7), (1, 2, 2, 4), (0, 1, 1, 0))


@click.command()
@click.argument("families", nargs=-1)
def warmup(families: tuple[str, ...]) -> None:
    """Compile the kernels of FAMILIES (default: all) into the disk cache.

    For each: columns of float64 (plain, with nulls dropped, weighted, both), float32, int64, int32 and bool.
    And those that all families share: sums of blocks, copies of Arrow columns with nulls, counts of ones in bytes.
    """
    from fastmle.families import REGISTRY, family_class
    from fastmle.family import RowTerms
    from fastmle.kernels import drift, exact
    from fastmle.kernels.ones import compile_ones
    from fastmle.kernels.validity import compile_blank
    from fastmle.states.rows import compile_leaves

    chosen = families or tuple(REGISTRY)
    for name in chosen:
        family_class(name)  # an unknown one is refused before anything is compiled
    start = time.perf_counter()
    sums = drift.running_sums, exact.add_slice, exact.add_multiples, exact.merge_totals, exact.read_totals
    for compile_common in (compile_blank, compile_ones, *sums):
        compile_common()
    for name in chosen:
        begun = time.perf_counter()
        terms = getattr(family_class(name), "terms", None)
        if isinstance(terms, RowTerms):
            compile_leaves(terms)
        done = [what for what, options in _variants() if _fits(name, what, options)]
        click.echo(
            f"{name:20} {time.perf_counter() - begun:6.2f} s  {', '.join(done) or 'needs its constants'}"
        )
    click.echo(f"{'all':20} {time.perf_counter() - start:6.2f} s")


def _variants() -> Iterator[tuple[str, dict[str, Any]]]:
    """What to compile: the name of a dtype, and what was asked besides."""
    yield "float64", {}
    yield "float64 with nulls", {"nulls": "drop"}
    yield "float64 weighted", {"weights": [1.0, 2.0, 1.0, 2.0]}
    yield "float64 weighted, with nulls", {"weights": [1.0, 2.0, 1.0, 2.0], "nulls": "drop"}
    yield "float32", {}
    yield "float32 with nulls", {"nulls": "drop"}
    yield "int64", {}
    yield "int32", {}
    yield "bool", {}


def _fits(name: str, what: str, options: dict[str, Any]) -> bool:
    """Fit the first of the tiny columns which the family and the dtype allow."""
    import numpy as np

    import fastmle as fm

    dtype = np.dtype(what.split()[0])
    for values in COLUMNS:
        x = np.array(values, dtype)
        if not np.array_equal(x, np.array(values)):
            continue
        for data in (x, np.column_stack([x, x[::-1] ** 2])):
            try:
                fm.fit(name, data, **options)
                if not options:
                    _stream(name, data)
                return True
            except (fm.DataError, fm.FamilyError, TypeError):
                continue
    return False


def _stream(name: str, data: Any) -> None:
    """What small updates and merges compile besides; a family of several passes has none."""
    import fastmle as fm

    try:
        state = fm.suffstats(name).update(data).update(data)
        (state + fm.suffstats(name).update(data[1:])).fit()
    except (fm.DataError, fm.FamilyError):
        pass
