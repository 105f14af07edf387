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
from types import FunctionType
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache
from numba.core.codegen import CPUCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.runtime import rtsys

log = logging.getLogger("fastmle")

if hasattr(os, "register_at_fork"):  # else a child forked amid a compilation waits for its end, which never comes there
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )


@cache
def _file_bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # a function typed at a prompt has no file: its code objects below must do
        return b""


@cache
def _own_sources() -> bytes:
    """All kernel sources: cheap to read, and any of them may be inlined into a kernel."""
    here = Path(__file__).parent
    return b"".join(_file_bytes(str(path)) for path in sorted(here.rglob("*.py")))


def _code_bytes(function: FunctionType, seen: frozenset[Any] = frozenset()) -> bytes:
    """What identifies a function: the bytes of its file, its code, the functions it calls, and what it closes over."""
    code = function.__code__
    seen |= {code}
    parts = [_file_bytes(code.co_filename), code.co_code, repr(code.co_names).encode()]
    parts += [repr(c).encode() for c in code.co_consts if not hasattr(c, "co_code")]
    called = [function.__globals__.get(name) for name in code.co_names]
    inner = [f for f in called if isinstance(f, FunctionType) and f.__code__ not in seen]
    for cell in function.__closure__ or ():
        held = cell.cell_contents
        if isinstance(held, FunctionType):
            inner.append(held)
        else:
            parts.append(repr(held).encode())
    parts += [_code_bytes(f, seen) for f in inner]
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
