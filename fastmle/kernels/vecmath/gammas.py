"""log-gamma and its first two derivatives, for x > 0."""

import math

from .logs import INF, NAN, log_positive
from .machine import cpu, floor, nearest, poly, where

# lgamma(2+f)/f for |f| <= 1/2: near-minimax, relative error 2^-52.
_LGAMMA_AT_2 = (
    0.42278433509846713,
    0.32246703342411215,
    -0.06735230105319759,
    0.02058080842799016,
    -0.007385551028771774,
    0.002890510319260425,
    -0.0011927539062488721,
    0.0005096698119804562,
    -0.00022315489482966041,
    9.945371329049444e-05,
    -4.492443356262387e-05,
    2.0535583280907134e-05,
    -9.45294773002404e-06,
    4.2553637852435865e-06,
    -1.982540953809381e-06,
    1.215969495348235e-06,
    -5.728918603761927e-07,
)
# x (lgamma(x) - (x-1/2)(log x - 1) - _HALF_LOG_TAU_E) in 1/x^2 for x >= 7.5: near-minimax, 2^-54.
_STIRLING = (
    0.08333333333333333,
    -0.0027777777777698684,
    0.0007936507864954393,
    -0.0005952356552865964,
    0.000841351480772293,
    -0.001883462005502802,
    0.004915438477086982,
)
_HALF_LOG_TAU_E = 0.4189385332046727  # log(2 pi)/2 - 1/2

# digamma(3/2+f) / (3/2+f - root) for |f| <= 1/2: near-minimax, relative error 2^-52.7.
_DIGAMMA = (
    0.9510558760318328,
    -0.4236274212814573,
    0.24054248424078478,
    -0.14840492305485808,
    0.09498872445354183,
    -0.06192213319072707,
    0.0407608338843387,
    -0.026975800029253667,
    0.017907250563619775,
    -0.011908146513976738,
    0.007926972735646359,
    -0.005280903066090605,
    0.0035187504361950134,
    -0.002337552647103118,
    0.0015580749137213761,
    -0.0010776863967234226,
    0.0007184107969046378,
    -0.00035476352053371977,
    0.00023650171719339814,
    -0.0003783907897248858,
    0.0002522590506964885,
)
_ROOT_HI, _ROOT_LO = 1.4616321449683622, 9.549995429965697e-17  # digamma's root
# (digamma(x) - log x + 1/(2x)) x^2 in 1/x^2 for x >= 7: near-minimax, 2^-54.
_DIGAMMA_FAR = (
    -0.08333333333333333,
    0.00833333333332384,
    -0.003968253958426331,
    0.004166662767567941,
    -0.007574991595408956,
    0.021009956001674945,
    -0.07823545304690731,
    0.2688613631355613,
)
# (trigamma(x) - 1/x - 1/(2 x^2)) x^3 in 1/x^2 for x >= 7: near-minimax, 2^-54.
_TRIGAMMA_FAR = (
    0.16666666666666666,
    -0.03333333333332539,
    0.02380952379907349,
    -0.03333332801146226,
    0.07575620760421227,
    -0.25291366185695147,
    1.149165816902566,
    -6.163113666107446,
    25.698126526344684,
)
# sum over j < 7 of 1/(x+j)^2 = _SQUARES(x) / _RISING(x)^2, exact integers.
_SQUARES = (
    518400.0,
    2540160.0,
    6223392.0,
    9342144.0,
    9245208.0,
    6272280.0,
    2981188.0,
    1000776.0,
    235991.0,
    38220.0,
    4046.0,
    252.0,
    7.0,
)
_RISING = (720.0, 1764.0, 1624.0, 735.0, 175.0, 21.0, 1.0)  # (x+1)(x+2)...(x+6)


def lgamma(x):
    """log of the gamma function for x > 0; inf at 0, nan below."""
    if x > 0.0:
        return math.lgamma(x)
    return INF if x == 0.0 else NAN


def _horner(x, coefficients):
    value = 0.0
    for c in reversed(coefficients):
        value = value * x + c
    return value


def digamma(x):
    """d/dx lgamma(x) for x > 0; nan elsewhere.

    digamma(x) = digamma(x+1) - 1/x (DLMF 5.5.2) down to [1, 2), or the asymptotic series (DLMF 5.11.2).
    """
    if not x > 0.0:
        return NAN
    if x >= 7.0:
        q = 1.0 / x
        return math.log(x) - 0.5 * q + q * q * _horner(q * q, _DIGAMMA_FAR)
    if x < 1.0:
        return digamma(x + 1.0) - 1.0 / x
    shifts = 0.0
    while x >= 2.0:
        x -= 1.0
        shifts += 1.0 / x
    return ((x - _ROOT_HI) - _ROOT_LO) * _horner(x - 1.5, _DIGAMMA) + shifts


def trigamma(x):
    """d/dx digamma(x) for x > 0; nan elsewhere.

    trigamma(x) = trigamma(x+1) + 1/x^2 (DLMF 5.15.5), then the asymptotic series (DLMF 5.15.8).
    """
    if not x > 0.0:
        return NAN
    shifts = 0.0
    while x < 7.0:
        shifts += 1.0 / (x * x) if x > 1e-154 else INF
        x += 1.0
    q = 1.0 / x
    return q + q * q * (0.5 + q * _horner(q * q, _TRIGAMMA_FAR)) + shifts


@cpu(lgamma)
def _lgamma(x):
    n = nearest(x)
    f = x - n
    near = f * poly(f, _LGAMMA_AT_2)
    # lgamma(x) = lgamma(2+f) +- log of the factors between 2+f and x.
    factors = where(n < 2.0, where(n < 1.0, x * (x + 1.0), x), 1.0)
    factors *= where(n >= 3.0, x - 1.0, 1.0)
    factors *= where(n >= 4.0, x - 2.0, 1.0)
    factors *= where(n >= 5.0, x - 3.0, 1.0)
    factors *= where(n >= 6.0, x - 4.0, 1.0)
    factors *= where(n >= 7.0, x - 5.0, 1.0)
    small = x < 7.5
    logarithm = log_positive(where(small, factors, x))
    near += where(n < 2.0, -logarithm, logarithm)
    q = 1.0 / x
    far = (x - 0.5) * (logarithm - 1.0) + (_HALF_LOG_TAU_E + q * poly(q * q, _STIRLING))
    value = where(small, near, far)
    value = where((x == 0.0) | (x == INF), INF, value)
    return where(x >= 0.0, value, NAN)


@cpu(digamma)
def _digamma(x):
    n = floor(x)
    t = x - n + 1.0
    near = ((t - _ROOT_HI) - _ROOT_LO) * poly(t - 1.5, _DIGAMMA)
    # The sum of 1/(x-j), 1 <= j < n, or -1/x below 1, as one fraction; 1/x where x is large.
    small = x < 7.0
    below_one = x < 1.0
    top = where(below_one, -1.0, where(small, 0.0, 1.0))
    bottom = where(below_one | (x >= 7.0), x, 1.0)
    for j in range(1, 6):
        factor = x - j
        takes = small & (factor >= 1.0)
        top = where(takes, top * factor + bottom, top)
        bottom = where(takes, bottom * factor, bottom)
    q = top / bottom
    far = log_positive(x) - 0.5 * q + q * q * poly(q * q, _DIGAMMA_FAR)
    value = where(small, near + q, far)
    return where((x > 0.0) & (x < INF), value, where(x == INF, INF, NAN))


@cpu(trigamma)
def _trigamma(x):
    small = x < 7.0
    near = where(small, x, 1.0)
    rising = near * poly(near, _RISING)
    shifts = poly(near, _SQUARES) / (rising * rising)
    q = 1.0 / where(small, x + 7.0, x)
    far = q + q * q * (0.5 + q * poly(q * q, _TRIGAMMA_FAR))
    return where(x > 0.0, far + where(small, shifts, 0.0), NAN)
