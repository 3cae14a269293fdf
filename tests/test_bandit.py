"""The bandit's exact values and its text form."""

import numpy as np
import pytest

from toy_envs.bandit import exact
from toy_envs.discrete import max_at_k


@pytest.mark.parametrize("k", [(), (0,), (2, -1), (2.5,), (2.0,), (np.nan,), (True,), ("2",)])
def test_k_refused(k):
    with pytest.raises(ValueError, match="k must hold whole numbers >= 1, got \\["):
        max_at_k([0, 1], [0.5, 0.5], k)
    with pytest.raises(ValueError, match="k must hold whole numbers >= 1, got \\["):
        exact([0.5, 0.5], k, "arms:0,1")
