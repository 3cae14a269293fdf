"""Packages that only parts of the lab need, and the extras of pkpo-lab that install them."""

from __future__ import annotations

EXTRAS = {
    "pkpo_lab_app": "app",
    "streamlit": "app",
    "plotly": "app",
    "kaleido": "app",
    "torch": "lm",
    "transformers": "hf",
    "peft": "hf",
    "accelerate": "hf",
    "gguf": "hf",
    "pyarrow": "app",
    "tensorboard": "tensorboard",
    "wandb": "wandb",
    "trackio": "trackio",
    "ray": "ray",
    "reasoning_gym": "gsm-symbolic",
}
"""Package -> extra, as in pyproject.toml."""


def missing(what: str, reason: ModuleNotFoundError) -> ValueError:
    """The error to raise where a package is missing: what needs it, and how to install it.

    Args:
      what: needs it, such as "task word-problems".
      reason: what the import raised.
    """
    package = (reason.name or "a package").partition(".")[0]
    extra = EXTRAS.get(package)
    how = f": pip install 'pkpo-lab[{extra}]'" if extra else ""
    return ValueError(f"{what} needs {package}, which is not installed{how}")
