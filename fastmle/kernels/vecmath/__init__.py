"""Elementary and special functions that vectorise inside compiled loops.

Each public function is plain Python; where Numba compiles a call to it for the CPU,
a branch-free twin takes its place, which LLVM turns into packed instructions.
"""

from .exps import exp, expm1, logistic, softplus, tanh
from .gammas import digamma, lgamma, trigamma
from .logs import log, log1p, log_ratio, sqrt
from .powers import pow

__all__ = [
    "digamma",
    "exp",
    "expm1",
    "lgamma",
    "log",
    "log1p",
    "log_ratio",
    "logistic",
    "pow",
    "softplus",
    "sqrt",
    "tanh",
    "trigamma",
]
