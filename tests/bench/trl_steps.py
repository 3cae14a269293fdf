"""TRL's GRPOTrainer as a yardstick: how long its steps take on a model, prompts and group size."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch


def step_seconds(
    module: torch.nn.Module,
    tokenizer: Any,
    prompts: Sequence[str],
    reward: Callable[..., list[float]],
    steps: int,
    **settings: Any,
) -> list[float]:
    """Seconds from one call of the reward to the next, `[steps]`; the first step is not counted.

    Args:
      module: a causal model of transformers.
      tokenizer: a fast tokenizer of transformers.
      prompts: texts.
      reward: of completions, as TRL asks for it.
      steps: that are timed.
      settings: of `trl.GRPOConfig`.

    Raises:
      ModuleNotFoundError: trl or datasets is not installed.
    """
    import datasets
    import trl
    from transformers import PrinterCallback

    marks: list[float] = []

    def marked(**given: Any) -> list[float]:
        marks.append(time.perf_counter())
        return reward(**given)

    with tempfile.TemporaryDirectory() as folder:
        trainer = trl.GRPOTrainer(
            model=module,
            reward_funcs=marked,
            args=trl.GRPOConfig(
                output_dir=folder,
                max_steps=steps + 1,
                learning_rate=1e-9,
                beta=0.0,
                loss_type="dr_grpo",
                temperature=1.0,
                top_k=0,
                report_to=[],
                save_strategy="no",
                disable_tqdm=True,
                **settings,
            ),
            train_dataset=datasets.Dataset.from_dict({"prompt": list(prompts)}),
            processing_class=tokenizer,
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return [after - before for before, after in zip(marks, marks[1:], strict=False)]
