"""House rules that a program can check: who may import whom, where kernels are compiled, what stays unimported."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastmle

ROOT = Path(fastmle.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
OPTIONAL = {
    "polars",
    "pyarrow",
    "nanoarrow",
    "pandas",
    "duckdb",
    "h5py",
    "zarr",
    "matplotlib",
    "sklearn",
    "torch",
}
FAMILY_MAY_IMPORT = ("fastmle.family", "fastmle.errors", "fastmle.kernels.vecmath", "numpy", "scipy")
COMPILERS = {"njit", "jit", "vectorize", "guvectorize", "cfunc", "jitclass"}


def named(path: Path) -> str:
    """The dotted name of a module of ours."""
    parts = ("fastmle", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, tree: ast.AST | None = None) -> Iterator[str]:
    """The absolute names of all that a module imports, at any depth."""
    package = (named(path) if path.name == "__init__.py" else named(path).rpartition(".")[0]).split(".")
    for node in ast.walk(tree or ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *filter(None, [node.module])])
            # `from . import x` imports the module x; `from .x import y` is counted as x
            yield from ([stem] if node.module else [f"{stem}.{alias.name}" for alias in node.names])


def inside(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(one + ".") for one in allowed)


def test_the_rules_see_the_package() -> None:
    assert len(MODULES) > 20
    assert "fastmle.family" in set(imports(ROOT / "families" / "gamma.py"))


@pytest.mark.parametrize("path", sorted((ROOT / "families").glob("[!_]*.py")), ids=lambda p: p.stem)
def test_a_family_imports_only_what_a_family_needs(path: Path) -> None:
    wrong = [
        name
        for name in imports(path)
        if not inside(name, FAMILY_MAY_IMPORT) and name.partition(".")[0] not in sys.stdlib_module_names
    ]
    assert not wrong


@pytest.mark.parametrize("path", sorted((ROOT / "kernels").rglob("*.py")), ids=named)
def test_a_kernel_imports_nothing_of_ours_but_kernels(path: Path) -> None:
    ours = [name for name in imports(path) if inside(name, ("fastmle",))]
    assert all(inside(name, ("fastmle.kernels",)) for name in ours), ours


def test_sources_know_nothing_of_statistics() -> None:
    for path in (ROOT / "sources").glob("*.py"):
        ours = [name for name in imports(path) if inside(name, ("fastmle",))]
        assert all(inside(name, ("fastmle.sources", "fastmle.errors", "fastmle.kernels.validity")) for name in ours), path


def test_one_module_a_target_compiles() -> None:
    for path in MODULES:
        if path in (ROOT / "kernels" / "jit.py", ROOT / "kernels" / "cuda" / "__init__.py"):
            continue
        used = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        used |= {
            node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)
        }
        assert not used & COMPILERS, path


def test_only_commands_print() -> None:
    for path in MODULES:
        if path.is_relative_to(ROOT / "commands"):
            continue
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        assert "print" not in names, path


def test_optional_libraries_are_imported_when_used() -> None:
    for path in MODULES:
        if path == ROOT / "sklearn.py":  # for those who have it
            continue
        head = [
            node
            for node in ast.parse(path.read_text()).body
            if isinstance(node, (ast.Import, ast.ImportFrom))
        ]
        found = {name.partition(".")[0] for name in imports(path, ast.Module(head, []))}
        assert not found & OPTIONAL, path


def loaded_after(code: str) -> set[str]:
    """The top-level modules that a fresh process has loaded after `code`."""
    report = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split("\n")[-2].split())


def test_importing_fastmle_is_light() -> None:
    loaded = loaded_after("import fastmle")
    assert "fastmle" in loaded
    assert not loaded & {"numba", "llvmlite", "scipy", "numpy", "click", "rich", *OPTIONAL}


def test_help_is_light() -> None:
    loaded = loaded_after("from fastmle.cli import main; main(['--help'])")
    assert not loaded & {"numba", "scipy", "numpy", *OPTIONAL}


def test_fitting_an_array_needs_no_optional_library() -> None:
    loaded = loaded_after("import fastmle; fastmle.fit('gaussian', [1.0, 2.0, 4.0])")
    assert not loaded & OPTIONAL
