"""PKPO Lab: estimators of pass@k and max@k, and Pass@K Policy Optimization (arXiv:2505.15201)."""

from pkpo.estimators import (
    ESTIMATORS,
    Estimator,
    canonical,
    get_estimator,
    pass_at_k,
    rho,
    s,
    sloo,
    sloo_minus_one,
    transform,
)

__version__ = "0.1.0"

__all__ = [
    "ESTIMATORS",
    "Estimator",
    "canonical",
    "get_estimator",
    "pass_at_k",
    "rho",
    "s",
    "sloo",
    "sloo_minus_one",
    "transform",
]
