"""Find models and problem sets by name, folder, file or name on the hub; imports no torch."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

from safetensors import safe_open

MODELS = Path(__file__).parent / "models"
"""Where the models that ship are; a wheel of its own brings them."""
MODEL_NAMES = ("small", "tiny", "tiny-abstaining")
GSM_SYMBOLIC = MODELS / "small"
"""What holds the problems of gsm_symbolic that ship, and all words of such problems."""
VOCABULARY = "vocabulary.json"
"""The file that makes a folder one of ours."""
HUB = "hub:"
"""What a name on the Hugging Face hub begins with; nothing else is ever downloaded."""
WEIGHTS = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")
"""The files of a model on the hub that are wanted: no code, and nothing that would be unpickled."""
HARD_UNSEEN = "hard-unseen"
PROBLEM_SETS = {
    "fresh": "every update draws new problems",
    "hard": "a fixed set that the starting model solves at most 3 of 64 times",
    HARD_UNSEEN: "2,000 problems that the starting model solves at most 1 of 16 times; others like "
    "them are held out",
    "gsm_symbolic": "a fixed set in the words of GSM8K, for the model small",
}
GSM8K = "gsm8k:"
"""What problems from files in GSM8K's format begin with; a path or a name on the hub follows."""
_NAME = re.compile(r"\w[\w.-]{0,95}(/\w[\w.-]{0,95})?", re.ASCII)


def find(model: str | Path) -> Path:
    """The folder of a model that ships, such as "tiny", by its name; any other folder or GGUF file.

    `~` is one's home.

    Raises:
      ValueError: there is none.
    """
    path = Path(os.path.expanduser(model))
    for folder in (MODELS / model, path):
        if os.path.isfile(folder / "config.json"):  # false for any nonsense, too
            return folder
    if _is_gguf(path):
        return path
    if model in MODEL_NAMES:
        raise ValueError(f"model {model} is not installed: pip install 'pkpo-lab[lm]'")
    raise ValueError(
        f"model must be one of {', '.join(MODEL_NAMES)}, a model's folder, a .gguf file or hub:NAME, "
        f"got {str(model)[:80]!r}"
    )


def _is_gguf(model: str | Path) -> bool:
    """Whether this is a GGUF file, by its name or, in a blob of the hub's cache, by its start."""
    if not os.path.isfile(model):
        return False
    if str(model).lower().endswith(".gguf"):
        return True
    try:
        with open(model, "rb") as file:
            return file.read(4) == b"GGUF"
    except OSError:
        return False


def parameter_count(model: str | Path) -> int:
    """How many parameters a model of ours has, from its file's head.

    Raises:
      ValueError, OSError: it is not there, or is damaged.
    """
    with safe_open(find(model) / "model.safetensors", framework="numpy") as opened:
        return sum(math.prod(opened.get_slice(name).get_shape()) for name in opened.keys())


def ours(model: str | Path) -> bool:
    """Whether a model is one of ours, whose folder has its words; all others are for transformers.

    Of one on the hub this is known only once it is here.
    """
    return any(
        (folder / VOCABULARY).is_file()
        for folder in (MODELS / model, Path(os.path.expanduser(model)))
    )


def model_name(text: str) -> str:
    """One name for every way to name a model: a name that ships, a whole path, or a name on the hub.

    Raises:
      ValueError: there is none, or the name cannot be one on the hub.
    """
    if text in MODEL_NAMES:
        return text
    if text.startswith(HUB):
        return HUB + hub_name("model", text.removeprefix(HUB))
    path = find(text)
    if path.parent == MODELS:
        return path.name
    # The name of a file is kept where it is a link: in the hub's cache it leads to a mere hash.
    return str(path.parent.resolve() / path.name if path.is_file() else path.resolve())


def hub_name(setting: str, name: str) -> str:
    """The same name, if the hub can have it.

    Raises:
      ValueError: naming the setting.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{setting} must be hub:NAME or hub:OWNER/NAME, got {HUB + name[:80]!r}")
    return name


def download(setting: str, name: str, kind: str, files: tuple[str, ...]) -> Path:
    """Bring a repository of the hub here, or what is missing of it.

    Args:
      setting: what asks for it.
      name: without `HUB`.
      kind: "model" or "dataset".
      files: patterns of what is wanted.

    Raises:
      ValueError: it cannot be had, naming the setting and why.
    """
    try:
        from huggingface_hub import snapshot_download  # late: few need it

        return Path(snapshot_download(name, repo_type=kind, allow_patterns=list(files)))
    except Exception as reason:  # of many libraries: no network, no such name, a full disk, ...
        raise ValueError(f"{setting} {HUB}{name} cannot be had ({first_line(reason)})") from None


def first_line(reason: Exception) -> str:
    """What an error says, in one line; its type if it says nothing."""
    said = (line.strip() for line in str(reason).splitlines())
    return next((line for line in said if line), type(reason).__name__)[:300]
