"""Runs last (see conftest.py): how many kernels the whole test run compiled, each of which costs about half a second."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import fastmle.kernels

MOST = 230


def compiled() -> dict[str, int]:
    """Variants asked for in this process, by the function that makes them."""
    counts: dict[str, int] = {}
    for module in pkgutil.iter_modules(fastmle.kernels.__path__, "fastmle.kernels."):
        made = import_module(module.name)
        for name, maker in vars(made).items():
            if name.startswith("compile_") and hasattr(maker, "cache_info") and maker.__module__ == module.name:
                counts[f"{module.name}.{name}"] = maker.cache_info().misses
    return counts


def test_the_makers_of_kernels_are_found() -> None:
    assert {"fastmle.kernels.fold.compile_fold", "fastmle.kernels.table.compile_count"} <= set(compiled())


def test_few_variants_are_compiled_in_the_whole_run() -> None:
    assert sum(compiled().values()) <= MOST, compiled()
