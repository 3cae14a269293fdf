"""Models of transformers as policies: on a tiny random one, saved and read as real ones are."""

import itertools
import json
import shutil
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch

from pkpo import transform
from pkpo.lm import paths
from pkpo.lm.evaluation import evaluate
from pkpo.lm.generation import decode_completions, generate
from pkpo.lm.language_model import LanguageModel
from pkpo.lm.model_files import load_model
from pkpo.lm.paths import MODELS
from pkpo.lm.policy import LanguageModelPolicy, backward, log_probs
from pkpo.lm.problem_sets import load_hard
from pkpo.runs import checkpoint
from pkpo.training.loop import Loop
from pkpo.training.optimizers import Optimizer
from pkpo.training.recording import record_run
from pkpo.training.tasks.word_problems import WordProblemsConfig, WordProblemsTask
from tests.pretrained_models import llama, questions_file
from toy_envs.word_problems import draw_problems, load_gsm8k, verify

transformers = pytest.importorskip("transformers")
pytest.importorskip("peft")
tokenizers = pytest.importorskip("tokenizers")

from pkpo.lm.pretrained import PROMPT, _slots_fit, load_pretrained  # noqa: E402
from pkpo.lm.slots import SlotState  # noqa: E402

QUESTIONS = ["How many pens?", "Ann has 3 pens and buys 4 more. How many pens does Ann have now?"]
LIMIT = 12
TEMPLATE = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}<|assistant|>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.set_num_threads(1)
    return llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture
def gguf_file(folder, tmp_path):
    """The same model as a GGUF file."""
    gguf = pytest.importorskip("gguf")
    pytest.importorskip("accelerate")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder)
    config, weights = theirs.config, theirs.state_dict()
    bpe = json.loads((folder / "tokenizer.json").read_text())["model"]
    writer = gguf.GGUFWriter(tmp_path / "own.gguf", "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(sorted(bpe["vocab"], key=bpe["vocab"].get))
    writer.add_token_merges([" ".join(pair) for pair in bpe["merges"]])
    writer.add_eos_token_id(0)
    writer.add_chat_template(TEMPLATE)
    names = {
        "model.embed_tokens": "token_embd",
        "model.norm": "output_norm",
        "lm_head": "output",
        "input_layernorm": "attn_norm",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "post_attention_layernorm": "ffn_norm",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    }
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for name, weight in weights.items():
        block, _, rest = name.removeprefix("model.layers.").partition(".")
        inner = name.startswith("model.layers.")
        own = names[(rest if inner else name).removesuffix(".weight")]
        if own in heads:  # the format keeps the two halves of what is rotated interleaved
            split = weight.unflatten(0, (heads[own], 2, -1))
            weight = split.transpose(1, 2).flatten(0, 2)
        writer.add_tensor(f"blk.{block}.{own}.weight" if inner else f"{own}.weight", weight.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tmp_path / "own.gguf"


def draw(model, n=6, seed=0, limit=LIMIT):
    return generate(model, QUESTIONS, n, np.random.default_rng(seed), limit)


# --- Sampling and log-probabilities ---------------------------------------------------------------


def predictions(model, drawn, p: int, i: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A sample's tokens, and the log-softmax at each, of the whole text alone in a batch."""
    asked, length = model.encode_prompt(QUESTIONS[p]), int(drawn.lengths[p, i])
    tokens = drawn.tokens[p, i, :length]
    logits = model.module(torch.tensor([asked + tokens.tolist()])).logits[0]
    return tokens, logits[len(asked) - 1 : -1].log_softmax(-1)


@pytest.mark.parametrize("lora", [0, 4])
def test_log_probs_and_entropies_are_those_of_the_whole_softmax(folder, lora):
    model = load_model(folder, lora)
    drawn = draw(model, n=16)
    assert model.eos_ids == (0, 1) and 0 < drawn.finished.sum() < drawn.finished.numel()
    assert len(set(drawn.lengths.flatten().tolist())) > 3  # so rows were dropped on the way
    allowed = 1e-4  # of log-probabilities of about 5, in single precision
    ended = set()
    for p, i in itertools.product(range(len(QUESTIONS)), range(16)):
        with torch.no_grad():
            tokens, logs = predictions(model, drawn, p, i)
        length = len(tokens)
        found = drawn.log_probs[p, i, :length]
        assert (found - logs.gather(1, tokens[:, None])[:, 0]).abs().max() < allowed, f"{p}, {i}"
        entropy = -(logs.exp() * logs).sum(-1)
        assert (drawn.entropies[p, i, :length] - entropy).abs().max() < allowed
        closing = [t for t in tokens.tolist() if t in model.eos_ids]
        assert closing == (tokens.tolist()[-1:] if drawn.finished[p, i] else [])
        assert drawn.finished[p, i] or length == LIMIT
        ended |= set(closing)
    assert ended == {0, 1}
    used = torch.rand(drawn.lengths.shape, generator=torch.manual_seed(0)) < 0.7
    again = log_probs(model, QUESTIONS, drawn, used)
    assert (again - drawn.log_probs.sum(-1)[used]).abs().max() < 12 * allowed


def test_learned_positions_are_counted_from_the_first_real_token(folder, tmp_path):
    """Llama's rotations would not show it: only the distance of two positions matters to them."""
    path = shutil.copytree(folder, tmp_path / "gpt2")
    config = transformers.GPT2Config(
        vocab_size=400, n_positions=512, n_embd=32, n_layer=2, n_head=4, eos_token_id=0
    )
    torch.manual_seed(0)
    gpt2 = transformers.GPT2LMHeadModel(config)
    with torch.no_grad():
        gpt2.transformer.wpe.weight *= 50
    gpt2.save_pretrained(path)
    model = load_model(path, 2)
    drawn = draw(model)
    for p, i in itertools.product(range(len(QUESTIONS)), range(6)):
        with torch.no_grad():
            tokens, logs = predictions(model, drawn, p, i)
        want = logs.gather(1, tokens[:, None])[:, 0]
        assert (drawn.log_probs[p, i, : len(tokens)] - want).abs().max() < 1e-4, f"{p}, {i}"
    again = log_probs(model, QUESTIONS, drawn, drawn.lengths > 0)
    assert (again - drawn.log_probs.sum(-1).flatten()).abs().max() < 1e-3


def test_fewer_samples_are_the_first(folder):
    model = load_model(folder)
    many, few = draw(model, n=8), draw(model, n=3)
    assert torch.equal(few.lengths, many.lengths[:, :3])
    assert torch.equal(few.tokens, many.tokens[:, :3, : few.tokens.shape[-1]])
    texts = decode_completions(model, many)
    assert [len(group) for group in texts] == [8, 8] and "<|" not in "".join(sum(texts, []))


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """The tiny model as ours, and as transformers reads its folder."""
    path = tmp_path_factory.mktemp("tiny")
    for name in ("config.json", "model.safetensors"):
        shutil.copy(MODELS / "tiny" / name, path)
    own = load_model("tiny")
    ids = {word: i for i, word in enumerate(own.tokenizer.vocabulary)}
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(ids, unk_token="<end>"))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>")
    tokenizer.save_pretrained(path)
    return own, load_model(path)


def test_same_logits_as_our_own_decoder(twins):
    own, theirs = twins
    prompts = [own.encode_prompt(p.question) for p in draw_problems(5, 0)]
    owners = torch.tensor([4, 0, 0, 2])
    tokens = torch.randint(len(own.tokenizer), (4, 9), generator=torch.manual_seed(0))
    with torch.no_grad():
        one = own.teacher_forced_logits(own.prefill(prompts), owners, tokens)
        other = theirs.teacher_forced_logits(theirs.prefill(prompts), owners, tokens)
    assert one.std() > 1
    assert (one - other).abs().max() < 1e-5 * one.abs().max()


def test_same_samples_as_our_own_decoder(twins, monkeypatch):
    own, theirs = twins
    asked = [p.question for p in draw_problems(5, 1)]
    monkeypatch.setattr(theirs, "encode_prompt", own.encode_prompt)
    one, other = (generate(model, asked, 8, np.random.default_rng(0)) for model in twins)
    # A token falls otherwise only if rounding, of about 1e-6, moves it across its random number.
    assert torch.equal(one.tokens, other.tokens) and torch.equal(one.lengths, other.lengths)
    assert (one.log_probs - other.log_probs).abs().max() < 1e-4


def test_a_chat_template_is_used_and_its_absence_too(folder):
    model = load_model(folder)
    asked = PROMPT.format(question=QUESTIONS[0])
    assert model.tokenizer.decode(model.encode_prompt(QUESTIONS[0])) == asked
    model.tokenizer.chat_template = TEMPLATE
    text = model.tokenizer.decode(model.encode_prompt(QUESTIONS[0]))
    assert text == f"<|user|>{asked}<|end|><|assistant|>"
    assert model.decode(model.encode_prompt(QUESTIONS[0])) == text.replace("<|end|>", "")
    assert "".join(model.pieces(model.encode_prompt(QUESTIONS[0]))) == text.replace("<|end|>", "")


def test_the_example_in_the_prompt_is_right():
    example = PROMPT.partition("Answer: ")[2].partition("\n\n")[0]
    verdict = verify(example, draw_problems(1, 0)[0])
    assert verdict.chain and example.endswith("#### 14") and "=14>>" in example


def test_a_gguf_file_holds_the_same_model(folder, gguf_file):
    one, other = load_model(folder), load_model(gguf_file)
    one.tokenizer.chat_template = TEMPLATE
    assert (
        one.encode_prompt(QUESTIONS[1]) == other.encode_prompt(QUESTIONS[1])
        and other.eos_ids[0] == 0
    )
    ids = torch.tensor([one.encode_prompt(QUESTIONS[1])])
    with torch.no_grad():
        found, want = other.module(ids).logits, one.module(ids).logits
    assert (found - want).abs().max() < 1e-5 * want.abs().max()
    assert all(p.dtype == torch.float32 for p in other.parameters.values())
    assert all("lora_" in name for name in load_model(gguf_file, 2).parameters)


# --- Text -----------------------------------------------------------------------------------------

CORPUS = [
    "Ann has 3 × 4 = 12 pens. She buys 5 more, doesn't she? €7 – naïve 日本 🙂",
    *(p.question for p in draw_problems(50, 0)),
]


def small_tokenizer(kind: str):
    """A tokenizer of a kind that models have, trained on a few sentences."""
    models, trainers = tokenizers.models, tokenizers.trainers
    before, after = tokenizers.pre_tokenizers, tokenizers.decoders
    special = ["<unk>", "</s>"]
    if kind == "byte-level":
        made = tokenizers.Tokenizer(models.BPE())
        made.pre_tokenizer, made.decoder = (
            before.ByteLevel(add_prefix_space=False),
            after.ByteLevel(),
        )
        trainer = trainers.BpeTrainer(
            vocab_size=400, special_tokens=special, initial_alphabet=before.ByteLevel.alphabet()
        )
    elif kind == "unigram":
        made = tokenizers.Tokenizer(models.Unigram())
        made.pre_tokenizer, made.decoder = before.Metaspace(), after.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=300, special_tokens=special, unk_token="<unk>", show_progress=False
        )
    elif kind == "wordpiece":
        made = tokenizers.Tokenizer(models.WordPiece(unk_token="<unk>"))
        made.pre_tokenizer, made.decoder = before.BertPreTokenizer(), after.WordPiece(cleanup=True)
        trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special)
    else:  # as Llama's: letters that are not known are written byte by byte
        letters = sorted(set("".join(CORPUS[1:]).replace(" ", "▁")) | {"▁"})
        tokens = [*special, *(f"<0x{byte:02X}>" for byte in range(256)), *letters]
        made = tokenizers.Tokenizer(
            models.BPE({t: i for i, t in enumerate(tokens)}, [], byte_fallback=True)
        )
        made.normalizer = tokenizers.normalizers.Sequence(
            [tokenizers.normalizers.Prepend("▁"), tokenizers.normalizers.Replace(" ", "▁")]
        )
        made.decoder = after.Sequence(
            [after.Replace("▁", " "), after.ByteFallback(), after.Fuse(), after.Strip(" ", 1, 0)]
        )
        trainer = None
    if trainer:
        made.train_from_iterator(CORPUS, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="<unk>", eos_token="</s>"
    )


KINDS = ["byte-level", "unigram", "wordpiece", "byte-fallback"]


@pytest.mark.parametrize("kind", KINDS)
def test_joined_pieces_are_the_text(folder, kind):
    model = load_model(folder)
    model.tokenizer = small_tokenizer(kind)
    rng = np.random.default_rng(0)
    known = [model.tokenizer(text)["input_ids"] for text in CORPUS[:8]]
    random = [rng.integers(len(model.tokenizer), size=size).tolist() for size in range(40)]
    for ids in [*known, *random]:
        pieces = model.pieces(ids)
        assert len(pieces) == len(ids) and "".join(pieces) == model.decode(ids), ids


@pytest.mark.parametrize("kind", ["byte-level", "unigram", "byte-fallback"])
def test_a_sign_and_the_spaces_between_words_stay_whole(folder, kind):
    model = load_model(folder)
    model.tokenizer = small_tokenizer(kind)
    text = "Ann has 3 × 4 = 12 pens."
    pieces = model.pieces(model.tokenizer(text)["input_ids"])
    assert "".join(pieces) == text
    assert any("×" in piece for piece in pieces) and not any("\ufffd" in p for p in pieces)


CLOCK = "{% if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% endif %}|" + TEMPLATE


def test_every_template_sees_the_same_day(folder):
    model = load_model(folder)
    model.tokenizer.chat_template = CLOCK
    text = model.tokenizer.decode(model.encode_prompt(QUESTIONS[0]))
    assert text.startswith("01 Jan 2025|<|user|>")


def test_the_end_of_a_turn_is_an_end(folder, tmp_path):
    path = shutil.copytree(folder, tmp_path / "copy")
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|turn|>"]})
    tokenizer.chat_template = TEMPLATE.replace("<|end|>", "<|turn|>")
    tokenizer.save_pretrained(path)
    turn = tokenizer.convert_tokens_to_ids("<|turn|>")
    assert load_model(path).eos_ids == (0, 1, turn)
    tokenizer.chat_template = "{{ raise_exception('no answers') }}"
    tokenizer.save_pretrained(path)
    assert load_model(path).eos_ids == (0, 1)


def test_an_end_that_a_tokenizer_appends_does_not_close_the_prompt(folder):
    model = load_model(folder)
    plain = model.encode_prompt(QUESTIONS[0])
    model.tokenizer.backend_tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="$A <|end|>", special_tokens=[("<|end|>", 0)]
    )
    assert model.tokenizer("pens")["input_ids"][-1] == 0
    assert model.encode_prompt(QUESTIONS[0]) == plain


def test_more_tokens_than_positions_are_refused_at_the_start(folder, tmp_path):
    path = altered(folder, tmp_path, max_position_embeddings=300)
    longest = max(
        len(load_model(path).encode_prompt(p.question))
        for p in load_gsm8k(questions_file(tmp_path, 40).removeprefix("gsm8k:"))
    )
    settings = {"model": str(path), "problems": f"gsm8k:{tmp_path / 'some.jsonl'}", "prompts": 2}
    settings |= {"held_out": 3, "n": 2, "schedule": "1"}
    WordProblemsTask(WordProblemsConfig(limit=300 - longest, **settings))
    with pytest.raises(ValueError, match=f"at most 300 .* of {longest} and a limit of 200"):
        WordProblemsTask(WordProblemsConfig(limit=200, **settings))
    with pytest.raises(ValueError, match="at most 300 .* and a limit of 299"):
        draw(load_model(path), limit=299)


def test_samples_do_not_depend_on_how_many_are_drawn_together(folder, monkeypatch):
    model = load_model(folder)
    want = draw(model)
    for size in (1, 4, 6):  # within a group, across groups, one group
        monkeypatch.setattr(type(model), "batch_size", lambda self, tokens, size=size: size)
        found = draw(model)
        # A token falls otherwise only if rounding, of about 1e-6, moves it across its random number.
        assert torch.equal(found.tokens, want.tokens), size
        assert torch.equal(found.lengths, want.lengths)
        assert torch.equal(found.finished, want.finished)
        assert (found.log_probs - want.log_probs).abs().max() < 1e-4
        assert (found.entropies - want.entropies).abs().max() < 1e-4


@pytest.mark.parametrize("lora", [0, 4])
def test_rows_that_keep_their_slots_are_sampled_alike(folder, lora):
    model = load_model(folder, lora)
    assert not model.uses_slots  # there is nothing to replay on a CPU
    want = draw(model, n=16)
    model.uses_slots = True
    found = draw(model, n=16)
    # A token falls otherwise only if rounding, of about 1e-6, moves it across its random number.
    assert torch.equal(found.tokens, want.tokens) and torch.equal(found.lengths, want.lengths)
    assert (found.log_probs - want.log_probs).abs().max() < 1e-4
    assert (found.entropies - want.entropies).abs().max() < 1e-4


def test_slots_are_checked_before_they_are_used(folder, monkeypatch):
    model = load_model(folder)
    assert _slots_fit(model, "Llama") and model.uses_slots
    step = SlotState.decode_step
    monkeypatch.setattr(
        SlotState, "decode_step", lambda self, rows, tokens: step(self, rows.flip(0), tokens)
    )
    with pytest.warns(UserWarning, match="Llama: .* slow .*logits apart by"):
        assert not _slots_fit(model, "Llama")


def test_a_batch_fits_the_memory(folder, monkeypatch):
    model = load_model(folder)
    # 2 layers, keys and values, 2 heads of 8 numbers of 4 bytes
    assert model.cache_bytes == 2 * 2 * 2 * 8 * 4
    many = model.batch_size(500)
    assert many > 1 and model.batch_size(5000) < many
    monkeypatch.setattr("pkpo.lm.pretrained.sampling_memory", lambda device: 1)
    assert model.batch_size(500) == model.micro_batch_size(500) == 1


def test_a_gradient_s_rows_fit_the_memory(folder, monkeypatch):
    model = load_model(folder)
    config = model.module.config
    numbers = 34 * config.num_hidden_layers * config.hidden_size + 4 * config.vocab_size
    for rows in (1, 7):
        memory = rows * 4 * 500 * numbers
        monkeypatch.setattr("pkpo.lm.pretrained.sampling_memory", lambda device, m=memory: m)
        assert model.micro_batch_size(500) == rows
        assert model.micro_batch_size(100) == 5 * rows


# --- Training -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lora", "bonus"), [(0, 0.0), (4, 0.0), (4, 0.7)])
def test_the_gradient_is_that_of_the_definition(folder, lora, bonus, monkeypatch):
    model = load_model(folder, lora)
    model.module.double()
    monkeypatch.setattr(type(model), "micro_batch_size", lambda self, tokens: 5)
    with torch.no_grad():  # adapters begin without effect, and half of their gradient is 0 then
        for p in model.parameters.values():
            p += 0.05 * torch.randn(p.shape, generator=torch.manual_seed(0), dtype=p.dtype)
    drawn = draw(model)
    rewards = np.random.default_rng(0).integers(0, 2, (len(QUESTIONS), 6))
    weights = transform(rewards, 2)
    backward(model, QUESTIONS, drawn, weights, bonus)
    found = torch.cat([p.grad.flatten() for p in model.parameters.values()])
    model.module.zero_grad()
    for p, i in itertools.product(range(len(QUESTIONS)), range(6)):
        tokens, logs = predictions(model, drawn, p, i)
        log_prob = logs.gather(1, tokens[:, None]).sum()
        entropy = -(logs.exp() * logs).sum()
        objective = weights[p, i] / len(QUESTIONS) * log_prob
        (-objective - bonus * entropy / drawn.lengths.sum()).backward()
    want = torch.cat([p.grad.flatten() for p in model.parameters.values()])
    assert want.norm() > 0
    # The log-softmax of the fast way is taken in single precision.
    assert (found - want).norm() < 1e-5 * want.norm()
    trained = [name for name, p in model.module.named_parameters() if p.grad is not None]
    assert trained == list(model.parameters)
    assert all(("lora_" in name) == (lora > 0) for name in trained)


def learn(learner: LanguageModelPolicy, updates) -> None:
    for update in updates:
        texts = learner.sample(np.random.default_rng((0, update)), 4)
        weights = transform([[-len(text) for text in group] for group in texts], 2)
        learner.step(learner.gradient(texts, weights), Optimizer("adam", 1e-3))


@pytest.mark.parametrize("lora", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_a_stopped_policy_goes_on_bit_for_bit(folder, lora):
    torch.set_num_threads(1)

    def new() -> LanguageModelPolicy:
        return LanguageModelPolicy(load_model(folder, lora), partial(draw_problems, 2), limit=LIMIT)

    whole, first, second = new(), new(), new()
    learn(whole, range(4))
    learn(first, range(2))
    second.load(first.state())
    learn(second, range(2, 4))
    one, other, start = whole.state(), second.state(), new().state()
    assert one.keys() == other.keys() and len(one) == 4 * len(start)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert not all(np.array_equal(one[name], start[name]) for name in start)
    if lora:  # the adapters are all that is kept, and all that has changed
        assert all("lora_" in name for name in one)
        frozen = [p for p in whole.model.module.parameters() if not p.requires_grad]
        for p, q in zip(frozen, load_model(folder).module.parameters(), strict=True):
            assert torch.equal(p, q)


def test_adapters_begin_without_effect_and_alike(folder):
    torch.manual_seed(1)
    plain, one = load_model(folder), load_model(folder, 4)
    torch.manual_seed(2)
    other = load_model(folder, 4)
    ids = torch.tensor([plain.encode_prompt(QUESTIONS[0])])
    with torch.no_grad():
        assert torch.equal(plain.module(ids).logits, one.module(ids).logits)
    for name, p in one.parameters.items():
        assert torch.equal(p, other.parameters[name]), name
    assert sum(p.numel() for p in one.parameters.values()) < 32 * 400  # less than the embeddings


@pytest.mark.parametrize("lora", [0, 2])
def test_a_run_on_gsm8k_s_format_goes_on_bit_for_bit(folder, lora, tmp_path):
    """From the settings to the checkpoint's file and back."""
    config = WordProblemsConfig(
        model=str(folder),
        lora=lora,
        limit=LIMIT,
        problems=questions_file(tmp_path, 40),
        reward="share",
        n=4,
        schedule="2",
        steps=3,
        prompts=2,
        held_out=3,
        interval=2,
    )
    want = record_run(config)
    assert want.samples.shape == (4, 2, 4)
    assert {f"held_out_pass@{k}" for k in (1, 16)} < set(want.columns)
    first, second = Loop(config), Loop(config)
    next(first), next(first)
    second.load(checkpoint.read_checkpoint(checkpoint.write_checkpoint(tmp_path, first.state())))
    for event in second:
        assert event.samples.tolist() == want.samples[event.update].tolist()
        for name, value in event.metrics.items():
            assert want[name][event.update] == value, f"{name}, update {event.update}"
    assert second.update == 4
    asked = {p.question for p in load_gsm8k(tmp_path / "some.jsonl")}
    assert {p.question for p in second.task.policy.problems} < asked


def test_the_limit_holds_for_held_out_problems_too(folder, tmp_path):
    task = WordProblemsTask(
        WordProblemsConfig(
            model=str(folder),
            limit=2,
            problems=questions_file(tmp_path, 40),
            prompts=2,
            held_out=3,
            interval=2,
            n=2,
            schedule="1",
        )
    )
    texts = task.policy.sample(np.random.default_rng(0), 2)
    assert task.policy.samples.lengths.max() == 2
    rewards = task.score(texts)
    metrics = task.observe(rewards, rewards, np.empty(0))
    assert metrics["held_out_pass@1"] == 0.0
    found = evaluate(task.policy.model, draw_problems(2, 0), 8, limit=3)
    assert found.rewards.shape == (2, 8) and 0 < found.truncated < 1


# --- Refusals -------------------------------------------------------------------------------------


def altered(folder, tmp_path, **config):
    """A copy of the folder, other settings in its config.json."""
    path = shutil.copytree(folder, tmp_path / "copy")
    settings = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(settings | config))
    return path


def test_pickled_weights_are_refused(folder, tmp_path):
    path = altered(folder, tmp_path)
    (path / "model.safetensors").unlink()
    weights = transformers.AutoModelForCausalLM.from_pretrained(folder).state_dict()
    torch.save(weights, path / "pytorch_model.bin")
    with pytest.raises(ValueError, match="cannot be loaded .*model.safetensors"):
        load_model(path)


def test_code_in_a_folder_is_not_run(folder, tmp_path):
    path = altered(
        folder,
        tmp_path,
        model_type="own",
        auto_map={"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own"},
    )
    (path / "own.py").write_text(f"open({str(tmp_path / 'was run')!r}, 'w')")
    with pytest.raises(ValueError, match="model .*copy cannot be loaded"):
        load_model(path)
    assert not (tmp_path / "was run").exists()


def test_what_is_no_causal_model_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match="cannot be loaded .*T5Config"):
        load_model(altered(folder, tmp_path, model_type="t5"))


def test_a_model_without_positions_is_refused(folder, tmp_path):
    path = altered(folder, tmp_path)
    shape = {"vocab_size": 400, "hidden_size": 16, "n_layer": 1, "n_head": 2}
    transformers.BloomForCausalLM(transformers.BloomConfig(**shape)).save_pretrained(path)
    with pytest.raises(ValueError, match="BloomForCausalLM does not take position_ids"):
        load_model(path)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_damaged_files_are_refused(folder, tmp_path, name):
    path = altered(folder, tmp_path)
    (path / name).write_bytes((path / name).read_bytes()[:100])
    with pytest.raises(ValueError, match="model .*copy cannot be loaded"):
        load_model(path)


def test_adapters_alone_are_refused(folder, tmp_path):
    path = altered(folder, tmp_path)
    (path / "adapter_config.json").write_text("{}")
    with pytest.raises(ValueError, match="adapters are not supported, merge them"):
        load_model(path)


@pytest.mark.parametrize("name", ["blob", "other.GGUF", "own.gguf"])
def test_a_gguf_file_is_read_by_itself(folder, gguf_file, tmp_path, name):
    """By whatever name or link, and whatever lies beside it."""
    where = tmp_path / "snapshot"
    where.mkdir()
    if name == "own.gguf":
        blob = gguf_file.rename(tmp_path / "0123abcd")
        (where / name).symlink_to(blob)
        assert WordProblemsConfig(model=str(where / name)).model == str(where / name)
        load_model(blob)
    else:
        gguf_file.rename(where / name)
    (where / "adapter_config.json").write_text("{}")
    (where / "config.json").write_text("{}")
    foreign = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    foreign.save(str(where / "tokenizer.json"))
    model = load_model(where / name)
    text = "How many pens?"
    assert model.decode(model.tokenizer(text)["input_ids"]) == text


@pytest.mark.parametrize("reason", [ValueError(), ValueError("\n \n"), ValueError("\n")])
def test_a_reason_is_never_empty(folder, monkeypatch, reason):
    def fail(*args, **options):
        raise reason

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", fail)
    with pytest.raises(ValueError, match=r"cannot be loaded \(ValueError\)"):
        load_model(folder)


def test_a_file_that_is_no_gguf_is_refused(tmp_path):
    (tmp_path / "own.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ValueError, match="own.gguf cannot be loaded"):
        load_model(tmp_path / "own.gguf")


def test_without_a_network_the_hub_is_refused_in_words(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match="model hub:nobody/nothing cannot be had"):
        load_model("hub:nobody/nothing")
    config = WordProblemsConfig(problems="gsm8k:hub:nobody/nothing")
    with pytest.raises(ValueError, match="problems hub:nobody/nothing cannot be had"):
        WordProblemsTask(config)


def test_only_data_is_downloaded(folder, monkeypatch, tmp_path):
    """What the hub is asked for; its answer here is a folder."""
    asked = []

    def snapshot(name, *, repo_type, allow_patterns):
        asked.append((name, repo_type, allow_patterns))
        return str(folder if repo_type == "model" else tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    for part in ("train", "test"):
        questions_file(tmp_path, 9 if part == "test" else 30)
        (tmp_path / "some.jsonl").rename(tmp_path / f"{part}.jsonl")
    config = WordProblemsConfig(
        model="hub:some/model", problems="gsm8k:hub:some/data", prompts=2, held_out=9
    )
    task = WordProblemsTask(config)
    assert len(task.state["solved"]) == 21  # 9 of the 30 are held out
    assert asked == [
        ("some/data", "dataset", ["train.jsonl", "test.jsonl"]),
        ("some/model", "model", list(paths.WEIGHTS)),
    ]
    assert not [p for p in paths.WEIGHTS if p.endswith((".bin", ".py", ".pt", ".pth", "*"))]


def test_settings_that_do_not_fit_are_refused(folder, tmp_path):
    with pytest.raises(ValueError, match="lora must be 0 for model tiny, .* got 4"):
        load_model("tiny", 4)
    with pytest.raises(ValueError, match="problems cannot be hard: model .* has no hard.json"):
        load_hard(folder)
    with pytest.raises(ValueError, match="problems cannot be hard: model hub:a/b"):
        load_hard("hub:a/b")
    where = questions_file(tmp_path, 12)
    for settings, reason in (
        ({"prompts": 13, "held_out": 0}, "prompts must be at most .* got 13"),
        ({"prompts": 1, "held_out": 12}, "held_out must be at most .* got 12"),
    ):
        with pytest.raises(ValueError, match=reason):
            WordProblemsTask(WordProblemsConfig(problems=where, **settings))


def test_without_the_packages_the_model_is_refused_in_words(folder, monkeypatch):
    monkeypatch.delitem(sys.modules, "pkpo.lm.pretrained")
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ValueError, match="needs peft, which is not installed"):
        load_model(folder)


@pytest.mark.slow
def test_our_own_models_need_no_transformers():
    script = (
        "import sys, pkpo.training.tasks.word_problems\n"
        "from pkpo.lm.model_files import load_model; load_model('tiny'); "
        "sys.exit(any(name in sys.modules for name in ('transformers', 'peft', 'huggingface_hub')))"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_own_and_pretrained_are_told_apart(folder):
    assert (
        isinstance(load_model("tiny"), LanguageModel) and load_pretrained(folder).module is not None
    )
