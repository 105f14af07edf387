"""The slots of a state: running sums and maxima, and how a row enters them.

Reassociation is allowed on that addition alone, which is what lets LLVM vectorise it.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .products import PRODUCTS, REASSOCIATE, extreme


def combined(
    context: Any, builder: Any, layout: str, value_types: Any, args: Any, device: bool = False
) -> list[Any]:
    """The slots of (state, values, logs, w, log_w) with the row added, as the compiler sees them; the compilers of
    devices know fewer flags."""
    kinds, _, extras = layout.partition("|")
    old = cgutils.unpack_tuple(builder, args[0])
    row = [
        context.cast(builder, v, t, types.float64)
        for v, t in zip(cgutils.unpack_tuple(builder, args[1]), value_types, strict=True)
    ]
    given = iter(cgutils.unpack_tuple(builder, args[2]))
    row = [next(given) if kind in PRODUCTS else v for kind, v in zip(kinds, row, strict=True) if kind != "e"]
    slots = kinds.replace("e", "")
    weight = args[3]

    def add(a: Any, b: Any) -> Any:
        return builder.fadd(a, b, flags=("contract",) if device else REASSOCIATE)

    def weigh(v: Any) -> Any:
        return builder.fmul(weight, v, flags=("contract",)) if "w" in extras or "d" in extras else v

    def once(v: Any) -> Any:
        none = builder.fcmp_ordered("==", weight, weight.type(0.0))
        return builder.select(none, weight.type(0.0), v)

    new = []
    for kind, a, v in zip(slots, old[: len(slots)], row, strict=True):
        if kind == "m":
            new.append(extreme(builder, ">", a, v, ()) if device else extreme(builder, ">", a, v))
        else:
            new.append(add(a, once(v) if kind == "r" and "p" in extras else weigh(v)))
    rest = iter(old[len(slots) :])
    if "w" in extras:
        new.append(add(next(rest), weight))
    if "p" in extras:
        new.append(add(next(rest), args[4]))
    if "o" in extras:  # outer product of (1, values), under the squared weight
        full = [weight] + [weigh(v) for v in row]
        new += [add(next(rest), builder.fmul(a, b)) for i, a in enumerate(full) for b in full[i:]]
    return new


@intrinsic(prefer_literal=True)
def add_row(typingctx: Any, state: Any, values: Any, logs: Any, w: Any, log_w: Any, layout: Any) -> Any:
    """state + w * values, slot by slot, with `logs` in the places of the kinds of PRODUCTS; `layout` is made by `slot_layout`."""
    result = types.UniTuple(types.float64, state.count)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        new = combined(context, builder, layout.literal_value, signature.args[1].types, args)
        return context.make_tuple(builder, result, new)

    return result(state, values, logs, w, log_w, layout), codegen


def slot_layout(kinds: str, weight_kind: str | None) -> str:
    """The slots of a state as a string: kinds of the row's values ("s" sum, "l" sum of logarithms, "f" one that need not
    be sharper than 1e-16 a row, "q" one about a center, "m" max, "r" sum that precision weights leave alone; "e" belongs
    to an "l"), then the frame's own.

    After the bar: "w" the sum of weights, "p" of their logarithms, "o" the outer products under the squared weight.
    """
    return kinds + "|" + {None: "", "frequency": "w", "precision": "wp", "sampling": "wo"}[weight_kind]


def slot_kinds(layout: str) -> str:
    """One letter a slot of the state that `layout` describes."""
    kinds, _, extras = layout.translate(str.maketrans("lfqr", "ssss")).replace("e", "").partition("|")
    pairs = (len(kinds) + 1) * (len(kinds) + 2) // 2
    return kinds + "s" * (("w" in extras) + ("p" in extras) + pairs * ("o" in extras))


@intrinsic(prefer_literal=True)
def join(typingctx: Any, state: Any, other: Any, letters: Any) -> Any:
    """Two states over different rows as one; `letters` is made by `slot_kinds`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pairs = zip(letters.literal_value, *(cgutils.unpack_tuple(builder, a) for a in args[:2]), strict=True)
        new = [extreme(builder, ">", a, b) if k == "m" else builder.fadd(a, b) for k, a, b in pairs]
        return context.make_tuple(builder, signature.return_type, new)

    return state(state, other, letters), codegen
