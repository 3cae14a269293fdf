"""A language model as a policy: sample groups, and the gradient of their weighted log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pkpo.lm.model import LanguageModel
from pkpo.lm.sampler import Samples, prompt

TOGETHER = 64
"""Rows, of about the same length, that go through the decoder together."""


def log_probs(
    model: LanguageModel, questions: Sequence[str], samples: Samples, used: Tensor
) -> Tensor:
    """Log-probabilities of whole samples, the sums over their tokens.

    Args:
      model: the policy.
      questions: P texts.
      samples: n of each.
      used: `[P, n]`, which of them, m in all; others cost nothing.

    Returns:
      `[m]`, in the order of the samples, with their graph.
    """
    kept, owners = used.any(1).nonzero()[:, 0], used.nonzero()[:, 0]
    prefix = model.decoder.read([prompt(model, questions[i]) for i in kept.tolist()])
    owners = torch.searchsorted(kept, owners)
    tokens, mask, lengths = (x[used] for x in (samples.tokens, samples.mask, samples.lengths))
    order = lengths.argsort(stable=True)
    sums = []
    for rows in order.split(TOGETHER):
        length = int(lengths[rows[-1]])
        ids = tokens[rows, :length]
        logs = model.decoder.follow(prefix, owners[rows], ids).float().log_softmax(-1)
        logs = logs.gather(-1, ids[..., None])[..., 0]
        sums.append((logs * mask[rows, :length]).sum(1))
    return torch.cat(sums)[order.argsort()]


def backward(
    model: LanguageModel, questions: Sequence[str], samples: Samples, weights: np.ndarray
) -> None:
    """Add the gradient of -1/P Σ w_i log π(x_i) to the model's `grad`s.

    The weights are in the sum convention (arXiv:2505.15201, Eq. 18), the mean is over prompts. Samples
    of weight 0 are skipped.

    Args:
      model: the policy that drew the samples.
      questions: P texts.
      samples: n of each.
      weights: `[P, n]`.
    """
    w = torch.as_tensor(weights, dtype=torch.float32, device=samples.tokens.device)
    used = w != 0
    if used.any():
        (w[used] @ log_probs(model, questions, samples, used) / -len(questions)).backward()
