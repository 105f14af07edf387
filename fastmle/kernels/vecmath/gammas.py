"""log-gamma and its first two derivatives, for x > 0."""

import math

from .logs import INF, NAN, log_minus, log_of_parts, split_normal
from .machine import cpu, fma, poly, where

# The exponents are relative errors of the result; the polynomials are minimax (Remez), the fractions least
# squares at Chebyshev nodes, one coefficient rounded at a time.
# lgamma(1+y) / (y (y-1)) = top(y) / bottom(y) for 0 <= y <= 3/2: 2^-55.8.
_LGAMMA_TOP = (
    0.5772156649015329,
    1.5186004619028624,
    1.4829763603549857,
    0.663272537778031,
    0.13523299011308978,
    0.010787126304347349,
    0.00021309035566875116,
)
_LGAMMA_BOTTOM = (
    1.0,
    3.0557934194775123,
    3.5982731218749366,
    2.0545621907345972,
    0.5880770348400138,
    0.07873656739188921,
    0.004031825802663167,
    4.529555660280595e-05,
)
# x (lgamma(x) - (x-1/2)(log x - 1) - _HALF_LOG_TAU_E) in 1/x^2, x >= 5/2: 2^-55.8.
_STIRLING = (
    0.08333333333333197,
    -0.0027777777769328015,
    0.0007936506373853362,
    -0.0005952243759411804,
    0.0008410565046997815,
    -0.0018949525880031007,
    0.005903317930197027,
    -0.02119807035372203,
    0.07165575897406733,
    -0.18991102515462743,
    0.32806212562876763,
    -0.2680610158507342,
)
_HALF_LOG_TAU_E = 0.4189385332046727  # log(2 pi)/2 - 1/2

# digamma(1+y) / (1+y - root) = top(y) / bottom(y) for 0 <= y <= 2: 2^-55.1.
_DIGAMMA_TOP = (
    1.2503801375034054,
    1.8388693721001805,
    0.9332939984379063,
    0.2004303755059366,
    0.017523857412715508,
    0.00047098740324334634,
    7.747782109524678e-07,
)
_DIGAMMA_BOTTOM = (
    1.0,
    2.1541950738917817,
    1.617109783335094,
    0.5407480626907668,
    0.08299108680914825,
    0.0052534602157541235,
    9.574802643271754e-05,
)
_ROOT_HI, _ROOT_LO = 1.4616321449683622, 9.549995429965697e-17
# (digamma(x) - log x + 1/(2x)) x^2 in 1/x^2, x >= 3: 2^-56.4.
_DIGAMMA_FAR = (
    -0.08333333333332614,
    0.00833333332797203,
    -0.0039682527715007255,
    0.004166540592325519,
    -0.007568171020494525,
    0.020803291713143764,
    -0.07583407008992007,
    0.3038353491917535,
    -1.069674427615116,
    2.6180070383309584,
    -3.1292307940452435,
)
# (trigamma(x) - 1/x - 1/(2 x^2)) x^3 in 1/x^2, x >= 4: 2^-56.2.
_TRIGAMMA_FAR = (
    0.16666666666665642,
    -0.03333333332224803,
    0.023809520207992634,
    -0.03333278556088056,
    0.07571065841402111,
    -0.25061904665972456,
    1.0794049008201334,
    -4.99778767371817,
    18.800016098306664,
    -37.8247017688594,
)


def lgamma(x):
    """log of the gamma function for x > 0; inf at 0, nan below.

    lgamma(x) = lgamma(x+1) - log x below 1 (DLMF 5.5.1), a fraction up to 5/2 that keeps the zeros
    at 1 and 2 as factors, Stirling's series above (DLMF 5.11.1).
    """
    if not 0.0 < x < INF:
        return INF if x == 0.0 or x == INF else NAN
    if x < 1.0:
        return x * (x - 1.0) * _ratio(x, _LGAMMA_TOP, _LGAMMA_BOTTOM) - math.log(x)
    if x < 2.5:
        return (x - 1.0) * (x - 2.0) * _ratio(x - 1.0, _LGAMMA_TOP, _LGAMMA_BOTTOM) + 0.0
    q = 1.0 / x
    return (x - 0.5) * (math.log(x) - 1.0) + (_HALF_LOG_TAU_E + q * _horner(q * q, _STIRLING))


def digamma(x):
    """d/dx lgamma(x) for x > 0; nan elsewhere.

    digamma(x) = digamma(x+1) - 1/x below 1 (DLMF 5.5.2), a fraction up to 3 that keeps the root 1.4616
    as a factor, the asymptotic series above (DLMF 5.11.2).
    """
    if not 0.0 < x < INF:
        return INF if x == INF else NAN
    q = 1.0 / x
    if x < 1.0:
        return digamma(x + 1.0) - q
    if x < 3.0:
        return ((x - _ROOT_HI) - _ROOT_LO) * _ratio(x - 1.0, _DIGAMMA_TOP, _DIGAMMA_BOTTOM)
    return math.log(x) - 0.5 * q + q * q * _horner(q * q, _DIGAMMA_FAR)


def trigamma(x):
    """d/dx digamma(x) for x > 0; nan elsewhere.

    trigamma(x) = trigamma(x+1) + 1/x^2 (DLMF 5.15.5) up to 4, then the asymptotic series (DLMF 5.15.8).
    """
    if not x > 0.0:
        return NAN
    if x < 1e-154:
        return INF
    shifts = 0.0
    while x < 4.0:
        shifts += 1.0 / (x * x)
        x += 1.0
    q = 1.0 / x
    return q + q * q * (0.5 + q * _horner(q * q, _TRIGAMMA_FAR)) + shifts


def _horner(x, coefficients):
    value = 0.0
    for c in reversed(coefficients):
        value = value * x + c
    return value


def _ratio(x, top, bottom):
    return _horner(x, top) / _horner(x, bottom)


@cpu(lgamma)
def _lgamma(x):
    below_one, small = x < 1.0, x < 2.5
    logarithm = log_minus(x, where(small, 0.0, 1.0))
    # The two zeros, each an exact difference even where x is moved up by one.
    one, two = where(below_one, x, x - 1.0), where(below_one, x - 1.0, x - 2.0)
    ratio = poly(one, _LGAMMA_TOP) / poly(one, _LGAMMA_BOTTOM)
    near = fma(one * two, ratio, where(below_one, -logarithm, 0.0))
    q = 1.0 / x
    far = (x - 0.5) * logarithm + (_HALF_LOG_TAU_E + q * poly(q * q, _STIRLING))
    return where(small, near, far)  # the logarithm brings inf at 0 and at inf, nan below 0


@cpu(digamma)
def _digamma(x):
    below_one, small = x < 1.0, x < 3.0
    q = where(below_one, -1.0, where(small, 0.0, 1.0)) / x
    t = where(below_one, x + 1.0, x)
    y = t - 1.0
    near = ((t - _ROOT_HI) - _ROOT_LO) * (poly(y, _DIGAMMA_TOP) / poly(y, _DIGAMMA_BOTTOM)) + q
    k, m, _ = split_normal(x)
    logarithm = log_of_parts(k, m - 1.0, where(x == INF, INF, 0.0))
    far = (logarithm - 0.5 * q) + q * q * poly(q * q, _DIGAMMA_FAR)
    return where(x > 0.0, where(small, near, far), NAN)


@cpu(trigamma)
def _trigamma(x):
    small = x < 4.0
    # The sum over j < 4 of 1/(x+j)^2 is (36 + 44y + 22y^2 + 4y^3) / (y (y+2))^2 with y = x (x+3).
    y = x * (x + 3.0)
    root = y * (y + 2.0)
    top = poly(y, (36.0, 44.0, 22.0, 4.0))
    bottom = where(small, root * root, 1.0)
    # One division for that and for 1/z; it overflows only where the result does.
    z = where(small, x + 4.0, x)
    inverse = 1.0 / (bottom * z)
    inverse = where(inverse > 1e308, 1e308, inverse)
    q = bottom * inverse
    far = q + q * q * (0.5 + q * poly(q * q, _TRIGAMMA_FAR))
    return where(x > 0.0, far + where(small, top * z * inverse, 0.0), NAN)
