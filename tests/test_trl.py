"""PKPO in TRL's GRPOTrainer: what enters the loss, the gradient that follows, what is logged.

Skipped where trl is not installed. The policy is a Llama of a few thousand random parameters.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import torch

from pkpo import rho, transform
from tests.browser.browser import ROOT

os.environ["HF_HUB_OFFLINE"] = "1"
pytest.importorskip("trl")
pytestmark = [
    pytest.mark.trainers,
    pytest.mark.filterwarnings("ignore"),  # transformers' and trl's own
]

from datasets import Dataset  # noqa: E402
from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: E402
from transformers import (  # noqa: E402
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    TrainerCallback,
)
from trl import GRPOConfig  # noqa: E402

from pkpo.integrations.trl import PKPOTrainer  # noqa: E402

WORDS = ["<pad>", "<eos>", *"abcdefgh"]
N = 8  # samples per prompt
PROMPTS = 4


def tokenizer() -> PreTrainedTokenizerFast:
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, "<pad>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", unk_token="<pad>"
    )


def policy() -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(WORDS),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=32,
            initializer_range=0.3,
            pad_token_id=0,
            eos_token_id=1,
        )
    )


def share_of_a(completions, **_):
    """Graded, with ties: a's in the first three places."""
    return [completion.split()[:3].count("a") / 3 for completion in completions]


class Seen(TrainerCallback):
    """The gradients of every step, as the optimizer finds them."""

    def __init__(self):
        self.gradients = []

    def on_pre_optimizer_step(self, args, state, control, model=None, **_):
        self.gradients.append(torch.cat([p.grad.flatten().double() for p in model.parameters()]))


class Watched(PKPOTrainer):
    """Keeps what one generation gave, before it is shuffled and cut into micro-batches."""

    batches: list = []

    def _generate_and_score_completions(self, inputs):
        found = super()._generate_and_score_completions(inputs)
        self.batches.append(
            {
                **found,
                "rewards": self._gathered_rewards.clone(),
                "log": list(self._logs["advantages"]),
                "training": self.model.training,
            }
        )
        return found


def run(tmp_path, *, accumulate=1, steps=1, reward=share_of_a, eval_set=None, **changes):
    given = {key: changes.pop(key) for key in ("k", "estimator", "strict") if key in changes}
    settings = {
        "per_device_train_batch_size": N * PROMPTS // accumulate,
        "gradient_accumulation_steps": accumulate,
        "num_generations": N,
        "max_completion_length": 10,
        "max_steps": steps,
        "learning_rate": 1e-3,
        "max_grad_norm": 0.0,
        "loss_type": "dr_grpo",
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
        "logging_steps": 1,
        "save_strategy": "no",
        "disable_tqdm": True,
        "seed": 3,
    }
    prompts = [" ".join(words) for words in ("abc", "bcd", "cde", "def", "efg", "fgh")]
    seen = Seen()
    trainer = Watched(
        model=policy(),
        reward_funcs=reward,
        args=GRPOConfig(str(tmp_path), **{**settings, **changes}),
        train_dataset=Dataset.from_dict({"prompt": prompts}),
        eval_dataset=eval_set,
        processing_class=tokenizer(),
        callbacks=[seen],
        **given,
    )
    trainer.batches = []
    trainer.train()
    return trainer, seen


def exact_gradient(batch, k, estimator="sloo_minus_one"):
    """Σ_i w_i ∇log π(x_i), averaged over prompts, by hand."""
    model = policy()
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
    mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1)
    log_probs = model(input_ids=ids, attention_mask=mask).logits.log_softmax(-1)
    length = batch["completion_ids"].shape[1]
    taken = log_probs[:, -length - 1 : -1].gather(2, batch["completion_ids"][..., None])[..., 0]
    whole = (taken * batch["completion_mask"]).sum(1).view(-1, N)
    weights = transform(batch["rewards"].double().view(-1, N), k, estimator)
    (weights * whole).sum(1).mean().backward()
    return torch.cat([p.grad.flatten().double() for p in model.parameters()])


def cosine(a, b):
    return float(a @ b / a.norm() / b.norm())


@pytest.mark.parametrize("k", [1, 4, 8])
def test_the_advantages_are_n_times_the_weights(k, tmp_path):
    trainer, _ = run(tmp_path, k=k)
    (batch,) = trainer.batches
    rewards = batch["rewards"].double().view(-1, N)
    assert rewards.std(1).min() >= 0 and rewards.std(1).max() > 0
    want = N * transform(rewards, k).flatten()
    assert torch.equal(batch["advantages"], want.float())
    assert batch["log"] == batch["advantages"].tolist()
    logged = trainer.state.log_history[0]
    assert logged["reward"] == pytest.approx(rewards.mean().item(), rel=1e-6)  # the true ones
    assert logged["pkpo/k"] == k
    assert logged["pkpo/max_at_k"] == pytest.approx(float(rho(rewards, k).mean()))


@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("loss", ["dr_grpo", "dapo", "luspo", "cispo", "vespo"])
def test_losses_that_keep_the_gradient(loss, accumulate, tmp_path):
    trainer, seen = run(tmp_path, k=4, loss_type=loss, accumulate=accumulate)
    exact = exact_gradient(trainer.batches[0], 4)
    assert cosine(-seen.gradients[0], exact) > 1 - 1e-9  # of single precision


@pytest.mark.parametrize(("loss", "accumulate"), [("grpo", 1), ("sapo", 1), ("bnpo", 4)])
def test_losses_that_do_not(loss, accumulate, tmp_path):
    with pytest.raises(ValueError, match=f"loss_type '{loss}' divides .* take one of dapo"):
        run(tmp_path, k=4, loss_type=loss, accumulate=accumulate)
    with pytest.warns(UserWarning, match=f"loss_type '{loss}' divides"):
        trainer, seen = run(tmp_path, k=4, loss_type=loss, accumulate=accumulate, strict=False)
    exact = exact_gradient(trainer.batches[0], 4)
    assert 0 < cosine(-seen.gradients[0], exact) < 1 - 1e-4


def test_one_micro_batch_makes_bnpo_keep_it(tmp_path):
    trainer, seen = run(tmp_path, k=4, loss_type="bnpo")
    assert cosine(-seen.gradients[0], exact_gradient(trainer.batches[0], 4)) > 1 - 1e-9


def test_k_follows_the_trainers_step(tmp_path):
    trainer, _ = run(tmp_path, k="8@0,1@2", steps=3)
    for batch, k in zip(trainer.batches, (8, 8, 1), strict=True):
        want = N * transform(batch["rewards"].double().view(-1, N), k).flatten()
        assert torch.equal(batch["advantages"], want.float())
    assert [row["pkpo/k"] for row in trainer.state.log_history[:3]] == [8, 8, 1]


def test_a_completion_without_reward_takes_no_part(tmp_path):
    def some(completions, **_):
        found = share_of_a(completions)
        return [None if i in (1, 2) or 8 <= i < 16 else x for i, x in enumerate(found)]

    trainer, _ = run(tmp_path, k=4, reward=some)
    (batch,) = trainer.batches
    rewards, found = batch["rewards"].double().flatten(), batch["advantages"]
    kept = [0, 3, 4, 5, 6, 7]
    want = N * transform(rewards[kept], 4)
    assert torch.equal(found[kept], want.float())
    assert not found[[1, 2]].any() and not found[8:16].any()
    assert torch.equal(found[16:24], (N * transform(rewards[16:24], 4)).float())


def test_evaluation_with_one_sample(tmp_path):
    trainer, _ = run(
        tmp_path,
        k=4,
        eval_set=Dataset.from_dict({"prompt": ["a b", "c d"]}),
        num_generations_eval=1,
        per_device_eval_batch_size=2,
        eval_strategy="steps",
        eval_steps=1,
    )
    (found,) = [row for row in trainer.state.log_history if "eval_reward" in row]
    (batch,) = [batch for batch in trainer.batches if not batch["training"]]
    assert not batch["advantages"].any()
    assert found["eval_reward"] == pytest.approx(batch["rewards"].mean().item())
    assert "eval_pkpo/max_at_k" not in found  # one sample says nothing of the best of four


def test_what_cannot_be_is_said_at_once(tmp_path):
    with pytest.raises(ValueError, match="k = 9 is more than n = 8"):
        run(tmp_path, k=9)
    with pytest.raises(ValueError, match="k must be from 1 to 7|k = 8 is not allowed"):
        run(tmp_path, k=8, estimator="canonical")
    with pytest.raises(ValueError, match="multi_objective_aggregation must be"):
        run(tmp_path, k=4, multi_objective_aggregation="normalize_then_sum")
    with pytest.warns(UserWarning, match="top_p = 0.9: answers are not drawn from the policy"):
        run(tmp_path, k=4, top_p=0.9)


def test_a_newer_hook_is_used(tmp_path, monkeypatch):
    """A trainer that asks for the advantages itself, of all processes and before it logs."""
    from trl import GRPOTrainer

    real = GRPOTrainer._generate_and_score_completions
    asked = []

    def with_hook(self, inputs):
        output = real(self, inputs)
        asked.append(self._transform_advantages(output["advantages"]))
        return {**output, "advantages": asked[-1]}

    monkeypatch.setattr(GRPOTrainer, "_generate_and_score_completions", with_hook)
    monkeypatch.setattr(
        GRPOTrainer, "_transform_advantages", lambda self, advantages: advantages, raising=False
    )
    trainer, _ = run(tmp_path, k=4)
    (batch,) = trainer.batches
    assert batch["advantages"] is asked[0] and len(asked) == 1
    want = N * transform(batch["rewards"].double().view(-1, N), 4).flatten()
    assert torch.equal(asked[0], want.float())


def test_the_example_runs():
    from examples import trl_trainer

    rows = [row for row in trl_trainer.main(steps=25) if "reward" in row]
    assert [row["pkpo/k"] for row in rows] == [8, 8, 8, 8, 1]
    assert all(0 <= row["reward"] <= row["pkpo/max_at_k"] + 1e-6 <= 1 + 2e-6 for row in rows)


TWO = """
import json, pathlib, sys, warnings
warnings.simplefilter("ignore")
import torch
from tests.test_trl import N, run, transform
trainer, _ = run(sys.argv[1], k=4, per_device_train_batch_size=N)
batch = trainer.batches[0]
want = N * transform(batch["rewards"].double().view(-1, N), 4).flatten().float()
rank, size = trainer.accelerator.process_index, trainer.accelerator.num_processes
own = want[rank * N : (rank + 1) * N]
logged = batch["log"] == want.tolist()
said = [size, len(want), torch.equal(batch["advantages"], own), logged]
pathlib.Path(sys.argv[1], f"rank-{rank}.json").write_text(json.dumps(said), encoding="utf-8")
"""


def test_two_processes_share_a_batch(tmp_path):
    """Each takes its own part of the advantages that all rewards give; the log has them all."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    command += ["--master-addr=127.0.0.1", f"--master-port={29500 + os.getpid() % 400}"]
    (tmp_path / "two.py").write_text(TWO, encoding="utf-8")
    found = subprocess.run(
        [*command, str(tmp_path / "two.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ACCELERATE_USE_CPU": "true"},
        cwd=ROOT,
    )
    ranks = tmp_path.glob("rank-*.json")
    said = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in ranks}
    want = {f"rank-{rank}.json": [2, 16, True, True] for rank in (0, 1)}
    assert said == want, found.stderr[-3000:]
