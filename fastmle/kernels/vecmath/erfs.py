"""The error functions and the logarithm of the normal distribution function."""

import math

from .exps import at_least, at_most, exp_times
from .logs import log_of_parts, split_normal
from .machine import cpu, fma, inlined, magnitude, poly, poly_in_pairs, where, with_sign_of

# erf(x)/x - 1 in x^2, |x| <= 1: minimax (Remez), relative error 2^-55.2.
_ERF_NEAR = (
    0.12837916709551256,
    -0.3761263890318352,
    0.11283791670944185,
    -0.02686617064311144,
    0.005223977606118201,
    -0.0008548325929299106,
    0.00012055293576377275,
    -1.4924712290816286e-05,
    1.6447131419811136e-06,
    -1.6206312501557555e-07,
    1.3710974567312202e-08,
    -7.779456921831154e-10,
)
# erfc(x)^(1/8) in x - 31/32, 1 <= x <= 5.93: minimax (Lawson), error of 1 - erfc 2^-55.0.
_ERF_FAR = (
    0.8017207045100334,
    -0.2591959335782878,
    -0.04219667910023313,
    0.01838008529722224,
    0.002805245755288183,
    -0.0012877972398355154,
    -3.656631073613332e-05,
    5.199247560160146e-05,
    -4.519716025026714e-06,
    4.603049957534216e-09,
    -1.4136409462907863e-07,
    1.495701343273072e-08,
    1.465966072346983e-08,
    -5.905020371879388e-09,
    1.1615604987547429e-09,
    -1.4299360935919193e-10,
    1.075383144331934e-11,
    -3.8012323456432243e-13,
)
# exp(x^2) erfc(x) = top(x) / bottom(x), all x >= 0: least squares at the Chebyshev nodes of (x-2.6)/(x+2.6),
# one coefficient rounded at a time, relative error 2^-55.1. No term is negative, so nothing cancels.
_ERFCX_TOP = (
    1.0,
    2.4230006432174203,
    2.900721928732673,
    2.223272833333404,
    1.1983527891146388,
    0.47285918773287255,
    0.13824661438905458,
    0.02963075427475631,
    0.0044775584499248565,
    0.00043452317892341756,
    2.0886749143968806e-05,
)
_ERFCX_BOTTOM = (
    1.0,
    3.5513798103129344,
    5.908024921133308,
    6.090638040774041,
    4.334412275756518,
    2.2426210265196866,
    0.8639955745026963,
    0.24898536650427444,
    0.052904230660468364,
    0.00795477611670008,
    0.0007701722817905189,
    3.7020798953125e-05,
)
# exp(x^2/2) erfc(x/sqrt 2) likewise: 2^-55.0.
_MILLS_TOP = (
    1.0,
    1.7131857527591028,
    1.450148402620571,
    0.7858800353233052,
    0.29950636626584576,
    0.08356249160148527,
    0.01727398100972751,
    0.0026178175692072856,
    0.0002797032651641079,
    1.9192471954911226e-05,
    6.523136083267548e-07,
)
_MILLS_BOTTOM = (
    1.0,
    2.5110703135619694,
    2.9536926369020247,
    2.153012151151916,
    1.0833632805282758,
    0.3963323502962237,
    0.1079628914680019,
    0.02199864555565664,
    0.0033050019648344395,
    0.00035137361035074703,
    2.4054196431121525e-05,
    8.175538672792079e-07,
)


def erf(x):
    """2/sqrt(pi) times the integral of exp(-t^2) from 0 to x (DLMF 7.2.1)."""
    return math.erf(x)


def erfc(x):
    """1 - erf(x), accurate in the right tail; 0 from 27.23 on."""
    return math.erfc(x)


def log_ndtr(x):
    """log of the standard normal distribution function, log(erfc(-x/sqrt 2)/2), accurate in both tails."""
    t = min(abs(x), 1e10)
    top, bottom = (math.fsum(c * t**i for i, c in enumerate(table)) for table in (_MILLS_TOP, _MILLS_BOTTOM))
    half = 0.5 * top / bottom
    if not x > 0.0:
        return math.log(half) - 0.5 * x * x
    short = math.floor(16.0 * t) / 16.0  # of which the square is exact
    return (
        math.log1p(-half * math.exp(-0.5 * short * short) * math.exp(-0.5 * (t - short) * (t + short))) + 0.0
    )


@cpu(erf)
def _erf(x):
    size = magnitude(x)
    t = at_most(size, 5.93)  # from where on erf is 1
    near = fma(t, poly(t * t, _ERF_NEAR), t)
    # The eighth root of erfc is nearly a polynomial: neither exponential nor division.
    root = poly(t - 0.96875, _ERF_FAR)
    root *= root
    root *= root
    far = fma(-root, root, 1.0)
    return with_sign_of(where(size < 1.0, near, far), x)


@inlined
def one_plus(t, coefficients):
    """1 + c[1] t + c[2] t^2 + ... in two parts, for positive terms."""
    rest = poly_in_pairs(t, coefficients[1:])
    high = fma(t, rest, 1.0)
    return high, fma(t, rest, 1.0 - high)


@inlined
def quotient(t, top, bottom):
    """top(t) / bottom(t) in two parts."""
    a, a_low = one_plus(t, top)
    b, b_low = one_plus(t, bottom)
    inverse = 1.0 / b
    q = a * inverse
    return q, inverse * fma(-q, b_low, fma(-q, b, a) + a_low)


@cpu(erfc)
def _erfc(x):
    size = magnitude(x)
    t = at_most(size, 28.0)
    z = t * t
    factor, factor_low = quotient(t, _ERFCX_TOP, _ERFCX_BOTTOM)
    tail = exp_times(-z, fma(-t, t, z), factor, factor_low)
    return where(x < 0.0, 2.0 - tail, tail)


@cpu(log_ndtr)
def _log_ndtr(x):
    t = at_most(magnitude(x), 1e10)
    z = t * t
    mills, mills_low = quotient(t, _MILLS_TOP, _MILLS_BOTTOM)
    half, half_low = 0.5 * mills, 0.5 * mills_low
    # 1 - ndtr(x) for x > 0; 0 from 40 on, whatever the rest of the square.
    upper = exp_times(at_least(-0.5 * z, -780.0), where(t < 1e3, 0.5 * fma(-t, t, z), 0.0), half, half_low)
    # log(1 - upper) for x > 0, log(half) - x^2/2 below.
    right = x > 0.0
    u = where(right, 1.0 - upper, half)
    k, m, scale = split_normal(u)
    f = (m - 1.0) + where(right, (1.0 - u) - upper, half_low) * scale
    return log_of_parts(k, f, where(right, 0.0, -0.5 * x * x))
