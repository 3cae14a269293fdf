"""README's Python runs as printed, in order, with what a user brings: log_probs of any kind."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from tests.browser.browser import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
LOG_PROBS = [[-1.5, -2.0, -0.5, -1.0], [-3.0, -0.25, -1.0, -2.0]]


WEIGHTS = [[0, 0, 3 / 6, 0], [0, 1.7 / 6, 0.2 / 6, 0.2 / 6]]  # by hand: Eq. 33, six pairs each


@pytest.mark.filterwarnings("ignore:__array_wrap__")  # torch's, of a tensor times an array
@pytest.mark.parametrize(
    "log_probs",
    [
        np.array(LOG_PROBS),
        torch.tensor(LOG_PROBS, requires_grad=True),
        torch.tensor(LOG_PROBS, requires_grad=True, dtype=torch.float64),
    ],
    ids=["NumPy", "torch", "torch, float64"],
)
def test_every_snippet_runs_as_printed(log_probs):
    known, losses = {"log_probs": log_probs}, 0
    for place, snippet in enumerate(SNIPPETS, 1):
        exec(compile(snippet, f"README, snippet {place}", "exec"), known)
        if "loss = " in snippet:
            losses += 1
            weights = np.asarray(known["weights"])
            assert np.abs(weights - WEIGHTS).max() < 1e-6  # of single-precision rewards
            assert known["loss"].item() == pytest.approx(-(np.array(LOG_PROBS) * WEIGHTS).sum())
            if isinstance(log_probs, torch.Tensor):
                known["loss"].backward()
                assert np.array_equal(-log_probs.grad, weights)
    assert losses == 1 and len(SNIPPETS) > 3
