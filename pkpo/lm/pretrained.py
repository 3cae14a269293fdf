"""Any causal model of Hugging Face's transformers as the policy, all of its weights or LoRA adapters.

Weights come from safetensors or GGUF files; no code is taken from them, and nothing is unpickled.
"""

from __future__ import annotations

import inspect
import itertools
import os.path
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import peft
import torch
import transformers
from torch import Tensor, nn

from pkpo.lm.devices import sampling_memory
from pkpo.lm.language_model import DecodingState
from pkpo.lm.paths import first_line
from pkpo.lm.slots import SlotState, has_plain_cache

PROMPT = """Solve the problem step by step. Write every calculation as in the example, and end with \
#### and the answer, a whole number.

Question: A jar holds 6 pens. Ann has 8 jars and gives 34 pens to Ben. How many pens are left?
Answer: Ann has 8*6 = <<8*6=48>>48 pens.
She has 48-34 = <<48-34=14>>14 pens left.
#### 14

Question: {question}
Answer:"""
"""What a model is asked: in its chat template if it has one, else as it stands."""


TODAY = datetime(2025, 1, 1)
"""What every chat template takes for today, so that a run can be repeated on another day."""
_DATE_MACRO = (
    "{% macro strftime_now(format) -%}{{ format"
    + "".join(
        f"|replace('%{code}', '{TODAY.strftime('%' + code)}')" for code in "aAwdbBmyYHIpMSfjUWcxX"
    )
    + f"|replace('%-d', '{TODAY.day}')|replace('%-m', '{TODAY.month}')"
    + " }}{%- endmacro +%}"
)
"""Before a template, in place of the clock that transformers gives it: in Jinja, as it must be data."""
CACHE_NAMES = ("cache", "past_key_values")
CACHE_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1}
"""How far a cache's logits may be from those without one, as a share of their spread, by precision.

Rounding alone is some 1e-5 and 1e-2; a cache with the wrong rows in it is off by about the spread.
"""


class PretrainedModel:
    """A model of transformers and its tokenizer; see `pkpo.lm.language_model.Model`.

    On cuda it computes in bfloat16; what is trained stays in single precision.

    Args:
      module: `AutoModelForCausalLM`'s, or a peft model around one.
      tokenizer: its own.
    """

    shares_graph = False
    max_new_tokens = 0

    def __init__(self, module: nn.Module, tokenizer: Any):
        self.module = module.eval()  # no dropout: samples come from the policy that is trained
        self.tokenizer = tokenizer
        self.cache_name = _cache_name(module)
        self.eos_ids = _eos_ids(module, tokenizer)
        self.cache_bytes = 0
        """Of a token in the cache, once `_check_cache` has seen it."""
        self.uses_slots = False
        """Whether rows decode in slots (`pkpo.lm.slots`), where a GPU replays the step."""

    @property
    def max_positions(self) -> int:
        """See `pkpo.lm.language_model.Model`."""
        return getattr(self._config, "max_position_embeddings", None) or 0

    def batch_size(self, tokens: int) -> int:
        """See `pkpo.lm.language_model.Model`.

        A row takes a cache, half of which may stand there twice while rows are selected, some 16
        numbers of the model's width per token while the prompt is read, and 7 numbers per token of the
        vocabulary while one is drawn.
        """
        width, vocabulary = self._config.hidden_size, self._config.vocab_size
        row = tokens * (1.5 * self.cache_bytes + 16 * 4 * width) + 7 * 4 * vocabulary
        return max(1, int(sampling_memory(self.device.type) / row))

    def micro_batch_size(self, tokens: int) -> int:
        """See `pkpo.lm.language_model.Model`.

        For its gradient a row keeps some 34 numbers of the model's width per token and layer (a
        transformer's activations), and 4 per token of the vocabulary.
        """
        config = self._config
        width = 34 * config.num_hidden_layers * config.hidden_size
        row = tokens * 4 * (width + 4 * config.vocab_size)
        return max(1, int(sampling_memory(self.device.type) / row))

    @property
    def _config(self) -> Any:
        config: Any = _unwrapped(self.module).config
        return config.get_text_config()

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.module.parameters()).device

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """What is trained."""
        return {name: p for name, p in self.module.named_parameters() if p.requires_grad}

    def encode_prompt(self, question: str) -> list[int]:
        """What an answer follows, as ids."""
        text = PROMPT.format(question=question)
        if self.tokenizer.chat_template is None:
            ids = self.tokenizer(text)["input_ids"]
            while ids and ids[-1] in self.eos_ids:  # some tokenizers close whatever they read
                ids.pop()
            return ids
        asked = _chat(self.tokenizer, text, add_generation_prompt=True)
        return self.tokenizer(asked, add_special_tokens=False)["input_ids"]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of these ids."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=True)

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """What each of these ids adds to the text; joined, they are the text.

        A token alone does not tell: it may be a part of a letter, and its space may depend on what
        stands before it. So an id's piece is what of the whole text is settled with it, and not before.
        """
        ids = list(ids)
        whole = self.decode(ids)
        settled = [
            len(os.path.commonprefix([whole, self.decode(ids[:count])]))
            for count in range(1, len(ids))
        ]
        places = [0, *itertools.accumulate(settled, max), len(whole)][: len(ids) + 1]
        return [whole[start:end] for start, end in itertools.pairwise(places)]

    def prefill(self, prompts: Sequence[Sequence[int]]) -> Sequence[Sequence[int]]:
        """The prompts: `teacher_forced_logits` reads them with every row, to keep less for autograd."""
        return prompts

    def teacher_forced_logits(
        self, prefix: Sequence[Sequence[int]], owners: Tensor, tokens: Tensor
    ) -> Tensor:
        """Logits of rows that continue prompts; see `pkpo.lm.decoder.Decoder.teacher_forced_logits`."""
        asked, real = self._padded([prefix[i] for i in owners.tolist()])
        own = tokens[:, :-1]
        mask = torch.cat((real, torch.ones_like(own)), 1)
        return self._forward(torch.cat((asked, own), 1), mask, tokens.shape[1]).logits

    def start_decoding(
        self, prompts: Sequence[Sequence[int]], rows: int = 0, limit: int = 0
    ) -> DecodingState:
        """See `pkpo.lm.language_model.Model`."""
        if not (self.uses_slots and rows and limit):
            return PretrainedState(self, prompts)
        tokens, real = self._padded(prompts)
        found = self._forward(tokens, real, 1, use_cache=True)
        read = getattr(found, self.cache_name)
        if not has_plain_cache(read):
            raise ValueError("its cache keeps more than keys and values")
        dtype = torch.bfloat16 if self.device.type == "cuda" else read.layers[0].keys.dtype
        return SlotState(self._slots_forward, read, real, found.logits[:, -1], rows, limit, dtype)

    def _padded(self, prompts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Prompts `[P, W]`, filled up on the left, and a mask of what is real."""
        width = max(map(len, prompts))
        rows = [[self.eos_ids[0]] * (width - len(p)) + list(p) for p in prompts]
        real = [[0] * (width - len(p)) + [1] * len(p) for p in prompts]
        return torch.tensor(rows, device=self.device), torch.tensor(real, device=self.device)

    def _forward(
        self, tokens: Tensor, mask: Tensor, last: int, use_cache: bool = False, cache: Any = None
    ) -> Any:
        """Logits behind the last tokens `[R, T]`; the mask `[R, W]` covers what was read before, too."""
        places = (mask.cumsum(1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
        return self._call(tokens, mask, places, last, use_cache, cache)

    def _slots_forward(self, tokens: Tensor, mask: Tensor, places: Tensor, cache: Any) -> Tensor:
        return self._call(tokens, mask, places, 1, use_cache=True, cache=cache).logits

    def _call(
        self, tokens: Tensor, mask: Tensor, places: Tensor, last: int, use_cache: bool, cache: Any
    ) -> Any:
        kind = self.device.type
        with torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda"):
            return self.module(
                input_ids=tokens,
                attention_mask=mask,
                position_ids=places,
                logits_to_keep=last,
                use_cache=use_cache,
                **({} if cache is None else {self.cache_name: cache}),
            )


class PretrainedState:
    """See `pkpo.lm.language_model.DecodingState`; each has a row of the cache to itself."""

    def __init__(self, model: PretrainedModel, prompts: Sequence[Sequence[int]]):
        self._model = model
        tokens, self._mask = model._padded(prompts)
        found = model._forward(tokens, self._mask, 1, use_cache=True)
        self._cache = getattr(found, model.cache_name)
        self.logits = found.logits[:, -1]

    def decode_step(self, parents: Tensor, tokens: Tensor) -> None:
        """See `pkpo.lm.language_model.DecodingState`."""
        if not torch.equal(parents, torch.arange(len(self._mask), device=parents.device)):
            self._cache.batch_select_indices(parents)
            self._mask = self._mask[parents]
        self._mask = torch.cat((self._mask, torch.ones_like(tokens[:, None])), 1)
        found = self._model._forward(
            tokens[:, None], self._mask, 1, use_cache=True, cache=self._cache
        )
        self.logits = found.logits[:, -1]


def load_pretrained(path: Path, lora: int = 0, device: str = "cpu") -> PretrainedModel:
    """Read a model.

    Args:
      path: its folder, or a GGUF file.
      lora: rank of the adapters, on all linear layers but the last, that are trained in place of the
        weights; 0 for none. They begin without effect, and the same for every run.
      device: where it shall compute. On cuda, weights that are not trained are kept in bfloat16.

    Raises:
      ValueError: it cannot be read, or is not of a kind that is supported.
    """
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    frozen = lora and device == "cuda"
    transformers.utils.logging.disable_progress_bar()
    try:
        with tempfile.TemporaryDirectory() as nothing:
            if (
                path.is_file()
            ):  # a GGUF file has all that is needed: what lies beside it is not looked at
                folder = nothing
                options["gguf_file"] = str(path.absolute())
            else:
                folder = str(path)
            if Path(folder, "adapter_config.json").exists():
                raise ValueError("adapters are not supported, merge them into their model first")
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **options)
            module = transformers.AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=torch.bfloat16 if frozen else torch.float32,
                use_safetensors=True,
                **options,
            )
        for p in module.parameters():  # mapped from a file, they would be gone with it
            p.data = p.data.clone()
        _check_arguments(module)
        model = PretrainedModel(_with_adapters(module, lora).to(device), tokenizer)
        model.cache_bytes = _check_cache(model, kind := type(module).__name__)
        model.uses_slots = device == "cuda" and _slots_fit(model, kind)
    except Exception as reason:  # of many libraries, for whatever the files may hold
        raise ValueError(f"model {path} cannot be loaded ({first_line(reason)})") from reason
    return model


def _cache_name(module: nn.Module) -> str:
    """What the model calls its cache: `past_key_values` before transformers 5.24, `cache` since."""
    takes = inspect.signature(_unwrapped(module).forward).parameters
    return next((name for name in CACHE_NAMES if name in takes), CACHE_NAMES[0])


def _unwrapped(module: Any) -> nn.Module:
    """The model of transformers inside a peft model, or the model itself."""
    return module.get_base_model() if isinstance(module, peft.PeftModel) else module


def _check_arguments(module: nn.Module) -> None:
    takes = inspect.signature(module.forward).parameters.keys()
    missing = [name for name in ("position_ids", "logits_to_keep") if name not in takes]
    if not takes & set(CACHE_NAMES):
        missing.append(f"a cache ({' or '.join(CACHE_NAMES)})")
    if missing:
        raise ValueError(f"{type(module).__name__} does not take {', '.join(missing)}")


@torch.no_grad()
def _check_cache(model: PretrainedModel, kind: str) -> int:
    """Refuse a model whose cache does not survive what sampling does to it.

    Two prompts of different lengths are read together, their rows are repeated and reordered and go on
    by a token: the logits must be those of the same texts read alone, without a cache. Models that keep
    a running state in place of keys and values often fail here, or have no rows to select.

    Returns:
      Bytes of a token of a row in the cache.
    """
    prompts = [[3, 4, 5, 6, 7], [8, 9, 10]]
    parents, tokens = torch.tensor([1, 0, 1]), torch.tensor([4, 5, 6])
    try:
        state: Any = model.start_decoding(prompts)
        kept = [x for layer in state._cache.layers for x in vars(layer).values()]
        held = sum(x.nbytes for x in kept if isinstance(x, Tensor))
        state.decode_step(parents.to(model.device), tokens.to(model.device))
        texts = [prompts[i] + [t] for i, t in zip(parents.tolist(), tokens.tolist(), strict=True)]
        apart, allowed = _apart_and_allowed(model, state.logits, texts)
    except Exception as reason:  # of whatever kind the cache is
        raise ValueError(
            f"{kind}: rows of its cache cannot be selected ({first_line(reason)})"
        ) from reason
    if not apart <= allowed:
        raise ValueError(
            f"{kind}: its cache gives other logits than the whole text (apart by {apart:.3g}, "
            f"allowed {allowed:.3g})"
        )
    return held // (len(prompts) * max(map(len, prompts)))


@torch.no_grad()
def _slots_fit(model: PretrainedModel, kind: str) -> bool:
    """Whether rows decoded in slots have the logits of the same texts read alone; a warning if not."""
    prompts, rows, limit = [[3, 4, 5, 6, 7], [8, 9, 10]], 4, 3
    texts = prompts
    model.uses_slots = True
    try:
        state = model.start_decoding(prompts, rows, limit)
        # On a GPU the first step is recorded, the second one replayed; then rows part and end.
        for parents, tokens in (([0, 1], [4, 5]), ([0, 1, 1], [6, 3, 4]), ([1, 2, 2], [5, 7, 8])):
            state.decode_step(*(torch.tensor(x, device=model.device) for x in (parents, tokens)))
            texts = [texts[i] + [t] for i, t in zip(parents, tokens, strict=True)]
            apart, allowed = _apart_and_allowed(model, state.logits, texts)
            if not apart <= allowed:
                raise ValueError(f"logits apart by {apart:.3g}, allowed {allowed:.3g}")
    except Exception as reason:  # of whatever the model does while a step is recorded
        warnings.warn(
            f"{kind}: sampling cannot replay its steps and is slow ({first_line(reason)})",
            stacklevel=2,
        )
        return False
    return True


def _apart_and_allowed(
    model: PretrainedModel, logits: Tensor, texts: list[list[int]]
) -> tuple[float, float]:
    """How far logits `[R, vocabulary]` are from those of R texts, each read alone, and may be."""
    owner = torch.zeros(1, dtype=torch.long, device=model.device)
    closing = torch.full((1, 1), model.eos_ids[0], device=model.device)
    alone = torch.cat([model.teacher_forced_logits([text], owner, closing) for text in texts])
    alone = alone[:, -1].float()
    apart = (logits.float() - alone).abs().max()
    return float(apart), float(CACHE_TOLERANCE[logits.dtype] * alone.std())


def _with_adapters(module: Any, rank: int) -> nn.Module:
    if not rank:
        return module
    config = peft.LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft calls transformers by an old name
        torch.manual_seed(0)
        return peft.get_peft_model(module, config)


def _eos_ids(module: Any, tokenizer: Any) -> tuple[int, ...]:
    """The tokens that close a text: the tokenizer's own, the model files', the chat template's."""
    named = module.generation_config.eos_token_id
    others = named if isinstance(named, list) else [named]
    turn = _end_of_turn(tokenizer)
    ends = dict.fromkeys(x for x in (tokenizer.eos_token_id, *others, turn) if x is not None)
    if not ends:
        raise ValueError("no token closes a text")
    return tuple(ends)


def _end_of_turn(tokenizer: Any) -> int | None:
    """The special token with which the chat template closes an answer, if it has one."""
    if tokenizer.chat_template is None:
        return None
    answer = "42 pens"
    try:
        text = _chat(tokenizer, "How many?", answer)
    except Exception:  # a template may refuse for reasons of its own; then it names no end
        return None
    closing = text.rpartition(answer)[2].strip()
    ids = tokenizer(closing, add_special_tokens=False)["input_ids"]
    known = tokenizer.added_tokens_decoder
    return ids[0] if ids and ids[0] in known and known[ids[0]].special else None


def _chat(tokenizer: Any, question: str, *answers: str, **options: Any) -> str:
    """A conversation in the words of the chat template, at the date `TODAY`."""
    messages = [{"role": "user", "content": question}]
    messages += [{"role": "assistant", "content": answer} for answer in answers]
    template = tokenizer.get_chat_template()
    if "strftime_now" in template:
        template = _DATE_MACRO + template
    return tokenizer.apply_chat_template(
        messages, chat_template=template, tokenize=False, **options
    )
