"""log-gamma and its first two derivatives, for x > 0."""

import math

from .logs import INF, NAN, log_minus
from .machine import cpu, poly, where

# All tables are minimax (Remez); the exponent is their relative error in the result.
# lgamma(7/4+f) / ((3/4+f)(f-1/4)) for |f| <= 3/4: 2^-54.8.
_LGAMMA_NEAR = (
    0.4501393121092563,
    -0.11948158662524266,
    0.04452044719851501,
    -0.019053957830261904,
    0.008776370424803568,
    -0.0042261941251398195,
    0.002095533894969452,
    -0.001060566094861394,
    0.0005448967329539189,
    -0.0002831903477206951,
    0.0001485193667225138,
    -7.846414243459248e-05,
    4.168877998011483e-05,
    -2.2267784907410032e-05,
    1.2019666094255922e-05,
    -6.489173484115163e-06,
    3.3090721963359694e-06,
    -1.7650256027170125e-06,
    1.3279164885699313e-06,
    -7.595365339991263e-07,
    -1.9674321825545006e-08,
    3.637814282330748e-08,
    2.7424162270547765e-07,
    -1.5849587760546375e-07,
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

# digamma(3/2+f) / (3/2+f - root) for |f| <= 1/2: 2^-52.7.
_DIGAMMA_NEAR = (
    0.9510558760318328,
    -0.4236274212814572,
    0.2405424842407777,
    -0.14840492305487366,
    0.09498872445448242,
    -0.061922133189622884,
    0.04076083383592792,
    -0.026975800064770912,
    0.017907251827826213,
    -0.011908145895482131,
    0.00792695378643195,
    -0.0052809093899353204,
    0.0035189232529396876,
    -0.0023375135827335912,
    0.001557099888409398,
    -0.001077829757270812,
    0.0007217339019242307,
    -0.0003544758885020197,
    0.00023023314811498964,
    -0.0003786337112858496,
    0.00025728336177627145,
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

    lgamma(x) = lgamma(x+1) - log x below 1 (DLMF 5.5.1), a polynomial up to 5/2 that keeps the zeros
    at 1 and 2 as factors, Stirling's series above (DLMF 5.11.1).
    """
    if not 0.0 < x < INF:
        return INF if x == 0.0 or x == INF else NAN
    if x < 1.0:
        return x * (x - 1.0) * _horner(x - 0.75, _LGAMMA_NEAR) - math.log(x)
    if x < 2.5:
        return (x - 1.0) * (x - 2.0) * _horner(x - 1.75, _LGAMMA_NEAR)
    q = 1.0 / x
    return (x - 0.5) * (math.log(x) - 1.0) + (_HALF_LOG_TAU_E + q * _horner(q * q, _STIRLING))


def digamma(x):
    """d/dx lgamma(x) for x > 0; nan elsewhere.

    digamma(x+1) = digamma(x) + 1/x (DLMF 5.5.2) into [1, 2), where a polynomial keeps the root
    1.4616 as a factor; from 3 on the asymptotic series (DLMF 5.11.2).
    """
    if not 0.0 < x < INF:
        return INF if x == INF else NAN
    q = 1.0 / x
    if x >= 3.0:
        return math.log(x) - 0.5 * q + q * q * _horner(q * q, _DIGAMMA_FAR)
    if x < 1.0:
        return digamma(x + 1.0) - q
    if x >= 2.0:
        return digamma(x - 1.0) + 1.0 / (x - 1.0)
    return ((x - _ROOT_HI) - _ROOT_LO) * _horner(x - 1.5, _DIGAMMA_NEAR)


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


@cpu(lgamma)
def _lgamma(x):
    below_one, small = x < 1.0, x < 2.5
    logarithm = log_minus(x, where(small, 0.0, 1.0))
    # The two zeros, each an exact difference even where x is moved up by one.
    one, two = where(below_one, x, x - 1.0), where(below_one, x - 1.0, x - 2.0)
    near = one * two * poly(two + 0.25, _LGAMMA_NEAR) - where(below_one, logarithm, 0.0)
    q = 1.0 / x
    far = (x - 0.5) * logarithm + (_HALF_LOG_TAU_E + q * poly(q * q, _STIRLING))
    value = where(small, near, far)
    value = where((x == 0.0) | (x == INF), INF, value)
    return where(x >= 0.0, value, NAN)


@cpu(digamma)
def _digamma(x):
    small, below_one, below_two = x < 3.0, x < 1.0, x < 2.0
    # The one term 1/(x-1) or -1/x between x and [1, 2); 1/x where x is large.
    bottom = where(small & (x >= 2.0), x - 1.0, x)
    q = where(below_one, -1.0, where(below_two, 0.0, 1.0)) / bottom
    t = where(below_one, x + 1.0, bottom)
    near = ((t - _ROOT_HI) - _ROOT_LO) * poly(t - 1.5, _DIGAMMA_NEAR) + q
    far = (log_minus(x, 0.0) - 0.5 * q) + q * q * poly(q * q, _DIGAMMA_FAR)
    value = where(x == INF, INF, where(small, near, far))
    return where(x > 0.0, value, NAN)


@cpu(trigamma)
def _trigamma(x):
    small = x < 4.0
    # The sum over j < 4 of 1/(x+j)^2 is (36 + 44y + 22y^2 + 4y^3) / (y (y+2))^2 with y = x (x+3).
    y = x * (x + 3.0)
    root = y * (y + 2.0)
    top = where(small, poly(y, (36.0, 44.0, 22.0, 4.0)), 0.0)
    bottom = where(small, root * root, 1.0)
    # One division for that and for 1/z; it overflows only where the result does.
    z = where(small, x + 4.0, x)
    inverse = 1.0 / (bottom * z)
    inverse = where(inverse > 1e308, 1e308, inverse)
    q = bottom * inverse
    far = q + q * q * (0.5 + q * poly(q * q, _TRIGAMMA_FAR))
    return where(x > 0.0, far + top * z * inverse, NAN)
