"""What the branch-free functions are built from: bits, fused operations, and how they are compiled.

Everything here exists only inside compiled code; the plain twins never touch it.
"""

import sys

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload, register_jitable

# Contraction only: reassociation would cancel the rounding constants below, and
# nnan/ninf would delete the special cases. Python's error model branches on every
# division, which stops the vectoriser; numpy's does not.
FLAGS = {
    "fastmath": {"contract"},
    "error_model": "numpy",
    "boundscheck": False,
    "forceinline": True,
}

ONE = 0x3FF0000000000000  # the bits of 1.0
SHIFT = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to an integer, kept in the low bits
INT_BITS = 0x4330000000000000  # the bits of 2**52: or-ing an integer < 2**52 gives 2**52 + integer
TWO_52 = 4503599627370496.0
LARGEST = sys.float_info.max  # x <= LARGEST and not x < inf, which LLVM turns into slower tests of bits

_F64, _I64 = types.float64, types.int64
_DOUBLE, _LONG = ir.DoubleType(), ir.IntType(64)


def inlined(function):
    """Compile a helper into its caller, under the flags above."""
    return register_jitable(**FLAGS)(function)


def cpu(plain):
    """Register the decorated branch-free function as what `plain` compiles to on the CPU."""

    def register(fast):
        def one(x):
            return fast(np.float64(x))

        def two(x, y):
            return fast(np.float64(x), np.float64(y))

        def three(x, y, z):
            return fast(np.float64(x), np.float64(y), np.float64(z))

        inlined(fast)
        casting = {1: one, 2: two, 3: three}[fast.__code__.co_argcount]

        @overload(plain, target="cpu", jit_options=FLAGS, strict=False)
        def implementation(*args):
            if all(arg == _F64 for arg in args):
                return fast
            if all(isinstance(arg, (types.Number, types.Boolean)) for arg in args):
                return casting
            return None

        return fast

    return register


@intrinsic
def bits(typing_context, x):
    """The 64 bits of a double as an integer."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], _LONG)

    return _I64(_F64), codegen


@intrinsic
def from_bits(typing_context, n):
    """The double with these 64 bits."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], _DOUBLE)

    return _F64(_I64), codegen


@intrinsic
def shift_right(typing_context, n, count):
    """Logical shift (AVX2 has no arithmetic one for 64 bits)."""

    def codegen(context, builder, signature, args):
        return builder.lshr(*args)

    return _I64(_I64, _I64), codegen


@intrinsic
def where(typing_context, condition, yes, no):
    """A select: both sides are evaluated, nothing branches."""
    result = typing_context.unify_types(types.unliteral(yes), types.unliteral(no))

    def codegen(context, builder, signature, args):
        return builder.select(*args)

    return result(types.boolean, result, result), codegen


@intrinsic
def fma(typing_context, a, b, c):
    """a*b + c, rounded once."""

    def codegen(context, builder, signature, args):
        return _fma(builder, *args)

    return _F64(_F64, _F64, _F64), codegen


@intrinsic
def poly(typing_context, x, coefficients):
    """c[0] + c[1] x + c[2] x^2 + ...: even and odd powers apart, each by Horner's rule in x^2.

    One multiplication more than Horner's rule in x, and half its chain. Pairs of pairs (Estrin) would be a shorter chain
    yet, but their extra products cost more than the waiting: the processor sees several turns of the loop at a time.
    """

    def codegen(context, builder, signature, args):
        terms = [builder.extract_value(args[1], i) for i in range(len(coefficients))]
        square = builder.fmul(args[0], args[0])
        even, odd = _horner(builder, square, terms[::2]), _horner(builder, square, terms[1::2])
        return _fma(builder, odd, args[0], even)

    return _F64(_F64, coefficients), codegen


@intrinsic
def poly_in_pairs(typing_context, x, coefficients):
    """The same in pairs, pairs of pairs, ... (Estrin): errors grow with the logarithm of the number of terms only."""

    def codegen(context, builder, signature, args):
        power, terms = args[0], [builder.extract_value(args[1], i) for i in range(len(coefficients))]
        while len(terms) > 1:
            pairs = [_fma(builder, terms[i + 1], power, terms[i]) for i in range(0, len(terms) - 1, 2)]
            terms = pairs + terms[len(terms) & ~1 :]
            power = builder.fmul(power, power)
        return terms[0]

    return _F64(_F64, coefficients), codegen


@intrinsic
def poly_in_line(typing_context, x, coefficients):
    """The same by Horner's rule in x: fewest operations and longest chain, for short functions, of which several turns are
    in work at a time."""

    def codegen(context, builder, signature, args):
        return _horner(builder, args[0], [builder.extract_value(args[1], i) for i in range(len(coefficients))])

    return _F64(_F64, coefficients), codegen


def _horner(builder, x, terms):
    total = terms[-1]
    for term in terms[-2::-1]:
        total = _fma(builder, total, x, term)
    return total


def _fma(builder, a, b, c):
    kind = ir.FunctionType(_DOUBLE, [_DOUBLE] * 3)
    return builder.call(builder.module.declare_intrinsic("llvm.fma", [_DOUBLE], kind), [a, b, c])


def _unary(name):
    @intrinsic
    def operation(typing_context, x):
        def codegen(context, builder, signature, args):
            kind = ir.FunctionType(_DOUBLE, [_DOUBLE])
            return builder.call(builder.module.declare_intrinsic(name, [_DOUBLE], kind), args)

        return _F64(_F64), codegen

    return operation


magnitude = _unary("llvm.fabs")
floor = _unary("llvm.floor")
nearest = _unary("llvm.rint")
square_root = _unary("llvm.sqrt")


@inlined
def power_of_two(n):
    """2**n for -1023 < n < 1024, given n as an integer of which the low 12 bits matter."""
    return from_bits((n << 52) + ONE)


@inlined
def with_sign_of(x, y):
    """|x| with the sign bit of y."""
    return from_bits((bits(x) & 0x7FFFFFFFFFFFFFFF) | (bits(y) & -0x8000000000000000))
