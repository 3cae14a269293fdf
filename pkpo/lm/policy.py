"""A language model as a policy: sample groups, and the gradient of their weighted log-probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pkpo.lm.generation import MAX_NEW_TOKENS, Samples, decode_completions, generate
from pkpo.lm.language_model import Model
from pkpo.training.optimizers import Optimizer
from toy_envs.word_problems import WordProblem

BETAS = (0.9, 0.95)
CLIP = 1.0


def log_probs(model: Model, questions: Sequence[str], samples: Samples, used: Tensor) -> Tensor:
    """Log-probabilities of whole samples, the sums over their tokens.

    Args:
      model: the policy.
      questions: P texts.
      samples: n of each.
      used: `[P, n]`, which of them, m in all; others cost nothing.

    Returns:
      `[m]`, in the order of the samples, with their graph.
    """
    texts = _UniqueCompletions.from_samples(samples, used)
    order, sums = [], []
    for rows, logs, ids, mask in _token_log_probs(model, questions, texts):
        order.append(rows)
        sums.append((_gather(ids, logs) * mask).sum(1))
    return torch.cat(sums)[torch.cat(order).argsort()][texts.inverse]


def backward(
    model: Model,
    questions: Sequence[str],
    samples: Samples,
    weights: np.ndarray,
    entropy_bonus: float = 0.0,
) -> None:
    """Add the gradient of -(1/P Σ w_i log π(x_i) + bonus · H) to the model's `grad`s.

    The weights are in the sum convention (arXiv:2505.15201, Eq. 18), the mean is over prompts. H is the
    mean over all drawn tokens, in nats, of the entropy of the distribution that each was drawn from.
    Its gradient takes what was drawn as given, as is usual: that the policy also decides which
    beginnings are continued is left out. Without a bonus, samples of weight 0 are skipped.

    Args:
      model: the policy that drew the samples.
      questions: P texts.
      samples: n of each.
      weights: `[P, n]`.
      entropy_bonus: what a nat is worth.
    """
    w = torch.as_tensor(weights, dtype=torch.float32, device=samples.tokens.device)
    used = (w != 0) | (entropy_bonus > 0)
    if not used.any():
        return
    texts = _UniqueCompletions.from_samples(samples, used)
    times = texts.inverse.bincount()
    w = w.new_zeros(len(times)).index_add_(0, texts.inverse, w[used])
    objective = w.new_zeros(())
    for rows, logs, ids, mask in _token_log_probs(model, questions, texts):
        sums = (_gather(ids, logs) * mask).sum(1)
        objective = objective + w[rows] @ sums / len(questions)
        if entropy_bonus:
            entropies = -(logs.exp() * logs).sum(-1)
            share = entropy_bonus / samples.lengths.sum()
            objective = objective + share * times[rows].float() @ (entropies * mask).sum(1)
        if not model.shares_graph:
            (-objective).backward()
            objective = w.new_zeros(())
    if model.shares_graph:
        (-objective).backward()


@dataclass(frozen=True, slots=True)
class _UniqueCompletions:
    """U different texts: what was drawn several times for a prompt needs its probability only once."""

    owners: Tensor
    """`[U]`: the place of each one's prompt."""
    tokens: Tensor
    """`[U, T]`"""
    lengths: Tensor
    """`[U]`"""
    inverse: Tensor
    """`[m]`: which of them each used sample is."""

    @classmethod
    def from_samples(cls, samples: Samples, used: Tensor) -> _UniqueCompletions:
        """Those of the used samples `[P, n]`."""
        owners = used.nonzero()[:, :1]
        rows, inverse = torch.cat((owners, samples.tokens[used]), 1).unique(
            dim=0, return_inverse=True
        )
        lengths = inverse.new_empty(len(rows)).scatter_(0, inverse, samples.lengths[used])
        return cls(rows[:, 0], rows[:, 1:], lengths, inverse)


def _token_log_probs(
    model: Model, questions: Sequence[str], texts: _UniqueCompletions
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """What the model predicted at each token, some texts at a time.

    Yields:
      `[r]` which of the texts these are; `[r, T, vocabulary]` log-probabilities, with their graph;
      `[r, T]` the tokens that were drawn, and where.
    """
    kept, owners = texts.owners.unique(return_inverse=True)
    prompts = [model.encode_prompt(questions[i]) for i in kept.tolist()]
    prefix = model.prefill(prompts)
    size = model.micro_batch_size(max(map(len, prompts)) + int(texts.lengths.max()))
    for rows in texts.lengths.argsort(stable=True).split(size):
        lengths = texts.lengths[rows]
        ids = texts.tokens[rows, : int(lengths[-1])]
        logs = model.teacher_forced_logits(prefix, owners[rows], ids).float().log_softmax(-1)
        mask = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        yield rows, logs, ids, mask


def _gather(ids: Tensor, logs: Tensor) -> Tensor:
    """The log-probabilities of tokens `[...]` among those of all, `[..., vocabulary]`."""
    return logs.gather(-1, ids[..., None])[..., 0]


class LanguageModelPolicy:
    """A model that samples answers to problems and is moved by AdamW.

    Args:
      model: is trained in place.
      draw: gives every update's problems.
      entropy_bonus: see `backward`.
      limit: tokens after which a sample is cut.

    Attributes:
      problems: P of them, that were sampled last.
      samples: what was sampled.
      parameters: `[0]`; the weights are the model's.
      gradient_norm: of the gradient that was found last, before it is shortened.
    """

    def __init__(
        self,
        model: Model,
        draw: Callable[[np.random.Generator], Sequence[WordProblem]],
        entropy_bonus: float = 0.0,
        limit: int = MAX_NEW_TOKENS,
    ):
        self.model = model
        self.problems: Sequence[WordProblem] = ()
        self.samples: Samples | None = None
        self.parameters = np.empty(0)
        self.gradient_norm = 0.0
        self._draw = draw
        self._entropy_bonus = entropy_bonus
        self._limit = limit
        self._weights = list(model.parameters.values())
        self._adam = torch.optim.AdamW(self._weights, betas=BETAS, weight_decay=0.0)

    @property
    def questions(self) -> list[str]:
        """Of the problems that were sampled last."""
        return [p.question for p in self.problems]

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """New problems, and n completions of each, `[P, n]`."""
        self.problems = self._draw(rng)
        self.samples = generate(self.model, self.questions, n, rng, self._limit)
        return np.array(decode_completions(self.model, self.samples), object)

    def gradient(self, samples: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Find the gradient for the weights `[P, n]` of the last samples; it stays with the model.

        Args:
          samples: what `sample` gave last; their tokens are remembered.
          weights: in the sum convention.

        Returns:
          `[0]`, as `parameters`.
        """
        assert self.samples is not None, "nothing has been sampled"
        self._adam.zero_grad(set_to_none=False)
        backward(self.model, self.questions, self.samples, weights, self._entropy_bonus)
        norms = [p.grad.norm() for p in self._weights if p.grad is not None]
        self.gradient_norm = float(torch.stack(norms).norm()) if norms else 0.0
        return np.empty(0)

    def step(self, gradient: np.ndarray, optimizer: Optimizer) -> None:
        """Follow the gradient that was found last, shortened to the length `CLIP`, with AdamW.

        Args:
          gradient: what `gradient` gave.
          optimizer: gives the learning rate only.

        Raises:
          OverflowError: a weight is not finite.
        """
        self._adam.param_groups[0]["lr"] = optimizer.learning_rate
        torch.nn.utils.clip_grad_norm_(self._weights, CLIP)
        self._adam.step()
        if not all(bool(p.isfinite().all()) for p in self._weights):
            raise OverflowError("the policy's weights are not finite any more")

    def state(self) -> dict[str, np.ndarray]:
        """What is trained, and the optimizer's memory; `load` goes on from it bit for bit."""
        named = self.model.parameters
        result = {name: p.detach().cpu().numpy().copy() for name, p in named.items()}
        for name, p in named.items():
            for key, value in self._adam.state.get(p, {}).items():
                result[f"adam.{key}.{name}"] = value.cpu().numpy().copy()
        return result

    def load(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up what `state` gave."""
        self._adam.state.clear()
        with torch.no_grad():
            for name, p in self.model.parameters.items():
                p.copy_(torch.as_tensor(state[name]))
                # A step without a gradient still follows Adam's memory, where there is one.
                p.grad = torch.zeros_like(p) if f"adam.step.{name}" in state else None
                for key in ("step", "exp_avg", "exp_avg_sq"):
                    if (entry := f"adam.{key}.{name}") in state:
                        where = "cpu" if key == "step" else p.device
                        self._adam.state[p][key] = torch.tensor(state[entry], device=where)
