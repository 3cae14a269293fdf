r"""Estimators of pass@k and max@k, and of their policy gradients, from one group of rewards.

A group is the n rewards of n i.i.d. samples of one prompt; it is the last axis everywhere, and any
leading axes are a batch. Gradient estimators return *weights* `w` in the SUM convention of
arXiv:2505.15201, Eq. 18:

$$\widehat{\nabla}_\theta = \sum_{i=1}^{n} w_i \nabla_\theta \log\pi_\theta(x_i).$$

The 1/n lives inside `w`: a trainer that averages over samples must multiply by n.

One idea carries the closed forms. Sort the group ascending, $g_1 \le \dots \le g_n$. Every estimator
that averages over size-k subsets is symmetric in the samples and linear in the sorted rewards, so
neighbouring weights differ by a multiple of the *gap* between their rewards,

$$w_{i+1} - w_i = a_i\,(g_{i+1} - g_i),$$

where $a_i$ depends on n, k and the estimator only. One sort, one product with the gaps and one
cumulative sum give all n weights, and equal rewards get exactly equal weights. For the paper's
recommended estimator, loo-minus-one, $w_1 = 0$ and $a_i = \binom{i}{k-1}/\binom{n}{k}$: nothing but
a sum of non-negative terms.

NumPy arrays, torch tensors and JAX arrays (any device) go through the same code, in
`pkpo.estimators.weights`.
"""

from pkpo.estimators.estimator import Estimator
from pkpo.estimators.families import ALPHA_LIMIT
from pkpo.estimators.formulas import FORMULA_LIMIT, parse_formula
from pkpo.estimators.registry import ESTIMATORS, get_estimator, register_estimator
from pkpo.estimators.transforms import canonical, s, sloo, sloo_minus_one, transform
from pkpo.estimators.values import pass_at_k, rho

__all__ = [
    "ALPHA_LIMIT",
    "ESTIMATORS",
    "Estimator",
    "FORMULA_LIMIT",
    "canonical",
    "get_estimator",
    "parse_formula",
    "pass_at_k",
    "register_estimator",
    "rho",
    "s",
    "sloo",
    "sloo_minus_one",
    "transform",
]
