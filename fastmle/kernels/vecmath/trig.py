"""sin and cos for |x| <= 2**20."""

import math

from .machine import SHIFT, bits, cpu, fma, from_bits, inlined, magnitude, poly, where, with_sign_of

NAN = math.nan
TWO_OVER_PI = 0.6366197723675814
# pi/2 in three pieces; the second is rounded down, so that all are positive and -0 stays -0.
PI_1, PI_2, PI_3 = 1.5707963267948966, 6.123233995736765e-17, 1.082856673921914e-32
FAR = 35184372088832.0  # 2**45: further out the quarter turn may be miscounted

# (sin(r)/r - 1) / r^2 in r^2, |r| <= pi/4: minimax (Remez), relative error of the sine 2^-56.2.
_SIN = (
    -0.1666666666666664,
    0.008333333333323664,
    -0.00019841269830152454,
    2.755731365517109e-06,
    -2.5050735116077344e-08,
    1.5894743127934644e-10,
)
# (cos(r) - 1 + r^2/2) / r^4 in r^2, |r| <= pi/4: minimax (Remez), relative error of the cosine 2^-60.9.
_COS = (
    0.04166666666666665,
    -0.001388888888888284,
    2.480158729463305e-05,
    -2.75573157406892e-07,
    2.0875898079679237e-09,
    -1.1368002243907691e-11,
)


def sin(x):
    """Sine, for |x| <= 2**20; nan at infinity, and compiled beyond 2**45.

    x = k pi/2 + r, |r| <= pi/4, and +-sin r or +-cos r as k says (DLMF 4.21; Cody & Waite's reduction).
    """
    return math.sin(x) if abs(x) < math.inf else NAN


def cos(x):
    """Cosine, for |x| <= 2**20; nan at infinity, and compiled beyond 2**45."""
    return math.cos(x) if abs(x) < math.inf else NAN


@inlined
def quarter_turns(x, ahead):
    """sin(x + ahead pi/2)."""
    shifted = fma(x, TWO_OVER_PI, SHIFT)
    k = -(shifted - SHIFT)
    # The first difference is exact: a multiple of 2^-53 below 1. So only the second one rounds.
    r = fma(k, PI_3, fma(k, PI_2, fma(k, PI_1, x)))
    z = r * r
    sine = with_sign_of(fma(r * z, poly(z, _SIN), r), r)  # for the sake of -0
    cosine = fma(z, fma(z, poly(z, _COS), -0.5), 1.0)
    n = bits(shifted) + ahead
    value = from_bits(bits(where((n & 1) == 0, sine, cosine)) ^ ((n & 2) << 62))
    return where(magnitude(x) <= FAR, value, NAN)


@cpu(sin)
def _sin(x):
    return quarter_turns(x, 0)


@cpu(cos)
def _cos(x):
    return quarter_turns(x, 1)
