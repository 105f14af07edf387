"""Work that threads share in compiled code: each takes the next piece by one atomic addition.

Between two pieces taken in Python a thread needs Python's lock, and where another has it, it is put to sleep: to wake it
takes as long as to read a megabyte. Here nobody asks for the lock before all pieces are done, and then the leader first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic, register_jitable

NEXT, DONE, OVER, FOUND = 0, 1, 2, 3  # the first piece not taken, how much is done, the leader knows, what is counted
SIZE = 8  # numbers of the board; the first of what is counted is at FOUND
PATIENCE = 1 << 16  # looks at the board before a thread stops waiting; some 50 µs
HEAD_START = 1 << 10  # looks by which the leader asks for Python's lock before the others


def new_board() -> np.ndarray:
    return np.array([0] * SIZE, np.int64)


def _place(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = signature.args[0]
    return builder.gep(context.make_array(array)(context, builder, args[0]).data, [args[1]])


@intrinsic
def fetch_add(typingctx: Any, board: Any, i: Any, v: Any) -> Any:
    """board[i] += v at once for all threads; what it was before."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", _place(context, builder, signature, args), args[2], "seq_cst")

    return types.int64(board, types.intp, types.int64), codegen


@intrinsic
def look(typingctx: Any, board: Any, i: Any) -> Any:
    """board[i] as the other threads left it."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_place(context, builder, signature, args), "seq_cst", 8)

    return types.int64(board, types.intp), codegen


@register_jitable
def wait_for_all(board: Any, size: int, leads: bool) -> bool:
    """Whether all is done, for a thread that found nothing more to take; the leader waits for the others, for a while."""
    place, wanted = (DONE, size) if leads else (OVER, 1)
    tries = 0
    while look(board, place) < wanted and tries < PATIENCE:
        tries += 1
    if leads:
        fetch_add(board, OVER, 1)
    else:
        for _ in range(HEAD_START):
            look(board, OVER)
    return look(board, DONE) == size
