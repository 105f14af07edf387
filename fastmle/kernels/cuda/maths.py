"""vecmath on the device: libdevice where it has the function, else the formula of the plain twin without its exceptions."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from numba import types
from numba.cuda import libdevice
from numba.extending import overload, register_jitable

from .. import vecmath
from ..vecmath import exps, gammas, trig

INF, NAN, LARGEST, LEAST = math.inf, math.nan, sys.float_info.max, exps.LEAST_EXPONENT
DIGAMMA_TOP, DIGAMMA_BOTTOM, DIGAMMA_FAR = gammas._DIGAMMA_TOP, gammas._DIGAMMA_BOTTOM, gammas._DIGAMMA_FAR
ROOT_HI, ROOT_LO, TRIGAMMA_FAR = gammas._ROOT_HI, gammas._ROOT_LO, gammas._TRIGAMMA_FAR
TWO_OVER_PI, PI_1, PI_2, PI_3, FAR = trig.TWO_OVER_PI, trig.PI_1, trig.PI_2, trig.PI_3, trig.FAR
SIN, COS = trig._SIN, trig._COS


ON_DEVICE: list[Callable[..., Any]] = []  # the functions of vecmath that are registered below


def device(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Register the decorated function as what `plain` compiles to on the device."""

    def register(own: Callable[..., Any]) -> Callable[..., Any]:
        @overload(plain, target="cuda", strict=False)
        def implementation(*args: Any) -> Any:
            return own if all(isinstance(a, (types.Number, types.Boolean)) for a in args) else None

        ON_DEVICE.append(plain)
        return own

    return register


@device(vecmath.log)
def _log(x):
    return libdevice.log(float(x))


@device(vecmath.log1p)
def _log1p(x):
    return libdevice.log1p(float(x))


@device(vecmath.log_ratio)
def _log_ratio(x, c):
    if not 2.0**-1022 <= c <= LARGEST:
        return NAN
    if 0.7 * c < x < 1.4 * c:
        return libdevice.log1p((x - c) / c)
    ratio = x / c
    if 2.0**-1022 <= ratio <= LARGEST:
        return libdevice.log(ratio)
    return libdevice.log(x) - libdevice.log(c)


device(vecmath.log_ratio_normal)(_log_ratio)


@device(vecmath.sqrt)
def _sqrt(x):
    return libdevice.sqrt(float(x))


@device(vecmath.exp)
def _exp(x):
    return libdevice.exp(float(x))


@device(vecmath.exp2_normal)
def _exp2_normal(x):
    return libdevice.exp2(LEAST if x < LEAST else float(x))


@device(vecmath.decay2)
def _decay2(x):
    return libdevice.exp2(LEAST if x > -LEAST else -float(x))


@device(vecmath.expm1)
def _expm1(x):
    return libdevice.expm1(float(x))


@device(vecmath.tanh)
def _tanh(x):
    return libdevice.tanh(float(x))


@device(vecmath.softplus)
def _softplus(x):
    return max(0.0, x) + libdevice.log1p(libdevice.exp(-abs(x)))


@device(vecmath.logistic)
def _logistic(x):
    tail = libdevice.exp(-abs(x))
    return (tail if x < 0.0 else 1.0) / (1.0 + tail)


@device(vecmath.pow)
def _pow(x, y):
    return libdevice.pow(float(x), float(y))


@register_jitable
def quarter_turns(x, ahead):
    """sin(x + ahead pi/2) as in vecmath: libdevice's own keeps a table in local memory for arguments beyond the domain."""
    k = libdevice.rint(x * TWO_OVER_PI)
    r = libdevice.fma(-k, PI_3, libdevice.fma(-k, PI_2, libdevice.fma(-k, PI_1, x)))
    z = r * r
    sine, cosine = 0.0, 0.0
    for i in range(6):
        sine = sine * z + SIN[5 - i]
        cosine = cosine * z + COS[5 - i]
    n = int(k) + ahead
    value = r + r * z * sine if n % 2 == 0 else 1.0 + z * (z * cosine - 0.5)
    value = -value if n & 2 else value
    return value if abs(x) <= FAR else NAN


@device(vecmath.sin)
def _sin(x):
    return quarter_turns(float(x), 0)


@device(vecmath.cos)
def _cos(x):
    return quarter_turns(float(x), 1)


@device(vecmath.erf)
def _erf(x):
    return libdevice.erf(float(x))


@device(vecmath.erfc)
def _erfc(x):
    return libdevice.erfc(float(x))


@device(vecmath.log_ndtr)
def _log_ndtr(x):
    t = abs(x)
    if x > 0.0:
        return libdevice.log1p(-0.5 * libdevice.erfc(t * 0.7071067811865476))
    return libdevice.log(0.5 * libdevice.erfcx(t * 0.7071067811865476)) - 0.5 * t * t


@device(vecmath.lgamma)
def _lgamma(x):
    return libdevice.lgamma(float(x)) if x >= 0.0 else NAN


@device(vecmath.digamma)
def _digamma(x):
    if not x > 0.0:
        return NAN
    if x == INF:
        return INF
    t, below = float(x), 0.0
    if x < 1.0:
        t, below = x + 1.0, 1.0 / x
    if t < 3.0:
        y, top, bottom = t - 1.0, 0.0, 0.0
        for i in range(7):
            top = top * y + DIGAMMA_TOP[6 - i]
            bottom = bottom * y + DIGAMMA_BOTTOM[6 - i]
        return ((t - ROOT_HI) - ROOT_LO) * (top / bottom) - below
    q = 1.0 / t
    far = 0.0
    for i in range(11):
        far = far * (q * q) + DIGAMMA_FAR[10 - i]
    return (libdevice.log(t) - 0.5 * q) + q * q * far


@device(vecmath.trigamma)
def _trigamma(x):
    if not x > 0.0:
        return NAN
    t, shifts = float(x), 0.0
    while t < 4.0:
        shifts += 1.0 / (t * t)
        t += 1.0
    q = 1.0 / t
    far = 0.0
    for i in range(10):
        far = far * (q * q) + TRIGAMMA_FAR[9 - i]
    return q + q * q * (0.5 + q * far) + shifts
