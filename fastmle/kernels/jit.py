"""The one place that calls `numba.njit` on a kernel, with a disk cache that cannot hand out stale code.

Numba's own cache knows the file a kernel is written in, but not the row functions it was closed over, and two
variants of one function share one index file. So each variant gets a name of its own, which carries a hash of
all the sources it is made of: one cache file a variant, and an edited family is simply another variant.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numba import njit
from numba.core.caching import FunctionCache
from numba.core.codegen import CPUCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.runtime import rtsys

log = logging.getLogger("fastmle")

CONSTANTS = (bool, int, float, complex, str, bytes, np.generic)
LIBRARIES = ("cmath", "math", "numba", "numpy", "scipy")  # of whose names the code tells enough

if hasattr(os, "register_at_fork"):  # else a child forked amid a compilation waits for its end, which never comes there
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )


def _file_bytes(path: str) -> bytes:
    try:
        now = os.stat(path)
    except OSError:  # a function typed at a prompt has no file: its code must do
        return b""
    return _read(path, now.st_mtime_ns, now.st_size)


@cache
def _read(path: str, changed: int, size: int) -> bytes:
    """A file as it was at that time: a module may be edited and loaded again."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


@cache
def _own_sources() -> bytes:
    """All kernel sources: cheap to read, and any of them may be inlined into a kernel."""
    here = Path(__file__).parent
    return b"".join(_file_bytes(str(path)) for path in sorted(here.rglob("*.py")))


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code, and that of the functions written inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _named(names: list[str], namespace: dict[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[Any]:
    """What these names mean: globals, and of modules among them what they hold by such names (`rates.K`)."""
    for value in [namespace[name] for name in names if name in namespace]:
        if not isinstance(value, ModuleType):
            yield value
        elif value.__name__ not in seen and value.__name__.partition(".")[0] not in LIBRARIES:
            yield from _named(names, vars(value), seen | {value.__name__})


def _value_bytes(value: Any, seen: frozenset[Any]) -> bytes:
    """What identifies a function, or a constant that a kernel takes as it is; b"" for what it cannot take so."""
    function = getattr(value, "py_func", value)  # of what Numba has compiled
    if isinstance(function, FunctionType):
        return b"itself" if function.__code__ in seen else _code_bytes(function, seen)
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}".encode() + value.tobytes()
    if isinstance(value, (tuple, list)):
        return b"(" + b",".join(_value_bytes(part, seen) for part in value) + b")"
    if isinstance(value, type):
        return repr(getattr(value, "_fields", "")).encode()
    return repr(value).encode() if value is None or isinstance(value, CONSTANTS) else b""


def _code_bytes(function: FunctionType, seen: frozenset[Any] = frozenset()) -> bytes:
    """What identifies a function: the bytes of its file, its code, its defaults, and the functions and constants that it
    names or closes over."""
    seen |= {function.__code__}
    parts, names = [_file_bytes(function.__code__.co_filename)], set[str]()
    for code in _codes(function.__code__):
        parts += [code.co_code, repr(code.co_names).encode()]
        constants = [c for c in code.co_consts if not isinstance(c, CodeType)]
        parts += [repr(sorted(map(repr, c)) if isinstance(c, frozenset) else c).encode() for c in constants]  # a set has no order
        names.update(code.co_names)
    taken = [function.__defaults__, *(function.__kwdefaults__ or {}).values(), *_named(sorted(names), function.__globals__)]
    parts += [_value_bytes(value, seen) for value in taken]
    held = [cell.cell_contents for cell in function.__closure__ or ()]
    parts += [_value_bytes(value, seen) or repr(value).encode() for value in held]
    return b"\0".join(parts)


def fingerprint(*functions: FunctionType | None) -> str:
    """A short hash of the kernels' sources and of the given row functions."""
    digest = hashlib.sha256(_own_sources())
    for function in functions:
        digest.update(b"\1" if function is None else _code_bytes(function))
    return digest.hexdigest()[:16]


_told = False


def _tell_once(error: Exception) -> None:
    global _told
    if not _told:
        log.warning("no writable cache directory, kernels are compiled anew in each process (%s)", error)
    _told = True


class _Cache(FunctionCache):
    """Numba's cache on disk, with a key that is the same in every process.

    Its own key pickles what a kernel closes over, and an intrinsic in there pickles under a number drawn anew by each
    process: such kernels would be compiled again and leave a file each run.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """A kernel from disk, without the lowering rules of all of NumPy, which only a compilation needs."""
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return sig, codegen.magic_tuple(), hashlib.sha256(_code_bytes(self._py_func)).hexdigest()


@contextmanager
def _whole_registers() -> Iterator[None]:
    """What is compiled within uses vectors of 512 bits where the processor has them.

    For Intel's, LLVM stays at 256, which costs a kernel up to half its speed. Functions carry the wish, so that nothing
    else compiled in this process changes.
    """
    add = CPUCodeLibrary.add_ir_module

    def add_wide(library: Any, module: Any) -> None:
        for function in module.functions:
            set.add(function.attributes, '"prefer-vector-width"="512"')  # the class knows only attributes without values
        add(library, module)

    with global_compiler_lock:
        CPUCodeLibrary.add_ir_module = add_wide
        try:
            yield
        finally:
            CPUCodeLibrary.add_ir_module = add


def compile_kernel(
    function: FunctionType, signature: Any, name: str, made_of: tuple[Any, ...] = (), brief: bool = False
) -> Callable[..., Any]:
    """Compile `function` for one explicit signature, under a cache name of its own.

    `name` tells the variant (family, dtype, flags); `made_of` lists the row functions it closes over. The kernel runs
    without Python's lock, unless it is `brief`: where another thread takes the lock meanwhile, this one is put to sleep.
    Where no cache directory is writable the kernel is compiled for this process only, and the log says so.
    """
    label = re.sub(r"\W+", "_", name) + "_" + fingerprint(*made_of)
    function.__qualname__ = label
    function.__name__ = label
    options: dict[str, Any] = {"nogil": not brief, "error_model": "numpy", "fastmath": {"contract"}}
    kernel = njit(**options)(function)
    try:
        kernel._cache = _Cache(function)
        with _whole_registers():
            kernel.compile(signature)
    except (OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "cannot cache" not in str(error):
            raise
        _tell_once(error)
        with _whole_registers():
            return njit([signature], **options)(function)  # type: ignore[no-any-return]
    kernel.disable_compile()
    return kernel  # type: ignore[no-any-return]
