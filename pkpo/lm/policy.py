"""A language model as a policy: sample groups, and the gradient of their weighted log-probabilities."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pkpo.lm.model import LanguageModel
from pkpo.lm.sampler import Samples, prompt


def log_probs(model: LanguageModel, questions: list[str], owners: Tensor, tokens: Tensor) -> Tensor:
    """Log-probabilities `[R, T]` of the tokens `[R, T]` of rows that answer the questions `owners`."""
    prefix = model.decoder.read([prompt(model, question) for question in questions])
    logs = model.decoder.follow(prefix, owners, tokens).float().log_softmax(-1)
    return logs.gather(-1, tokens[..., None])[..., 0]


def backward(
    model: LanguageModel, questions: list[str], samples: Samples, weights: np.ndarray
) -> None:
    """Add the gradient of -1/P Σ w_i log π(x_i) to the model's `grad`s.

    The log-probability of a sample is the sum over its tokens, the weights are in the sum convention
    (arXiv:2505.15201, Eq. 18), and the mean is over prompts. Samples of weight 0 cost nothing.

    Args:
      model: the policy that drew the samples.
      questions: P texts.
      samples: n of each.
      weights: `[P, n]`.
    """
    used = torch.as_tensor(weights != 0, device=samples.tokens.device)
    if not used.any():
        return
    tokens, mask = samples.tokens[used], samples.mask[used]
    length = int(mask.sum(1).max())
    kept, rows = used.any(1).nonzero()[:, 0], used.nonzero()[:, 0]
    owners = torch.searchsorted(kept, rows)
    asked = [questions[i] for i in kept.tolist()]
    logs = log_probs(model, asked, owners, tokens[:, :length]) * mask[:, :length]
    scale = torch.as_tensor(weights, dtype=logs.dtype, device=logs.device)[used] / len(questions)
    (-(scale * logs.sum(1)).sum()).backward()
