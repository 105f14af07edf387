"""Elementary and special functions that vectorise inside compiled loops.

Each public function is plain Python; where Numba compiles a call to it for the CPU,
a branch-free twin takes its place, which LLVM turns into packed instructions.
"""

from .erfs import erf, erfc, log_ndtr
from .exps import decay2, exp, exp2_normal, expm1, logistic, softplus, tanh
from .gammas import digamma, lgamma, trigamma
from .logs import log, log1p, log_ratio, log_ratio_normal, sqrt
from .powers import pow
from .trig import cos, sin

__all__ = [
    "cos",
    "decay2",
    "digamma",
    "erf",
    "erfc",
    "exp",
    "exp2_normal",
    "expm1",
    "lgamma",
    "log",
    "log1p",
    "log_ndtr",
    "log_ratio",
    "log_ratio_normal",
    "logistic",
    "pow",
    "sin",
    "softplus",
    "sqrt",
    "tanh",
    "trigamma",
]
