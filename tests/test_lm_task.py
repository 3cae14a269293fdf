"""The language model's task: scores, metrics against plain counting, what a stopped run goes on from."""

import json
import shlex
from dataclasses import asdict, fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pkpo import rho, transform
from pkpo.__main__ import main
from pkpo.comparisons.settings import command_line
from pkpo.lm.devices import choose_device, one_thread
from pkpo.lm.evaluation import evaluate
from pkpo.lm.generation import MAX_NEW_TOKENS, Samples
from pkpo.lm.model_files import save_model
from pkpo.lm.policy import log_probs
from pkpo.lm.problem_sets import HELD_OUT_SEED, PASS_KS, ROLLING_UPDATES
from pkpo.lm.warm_start import WARM_STARTS, train_supervised, untrained_model
from pkpo.runs import LocalExecutor, Store, checkpoint, trainer, worker
from pkpo.runs.process import Process
from pkpo.training.loop import Loop
from pkpo.training.optimizers import Optimizer
from pkpo.training.recording import record_run, replay_run
from pkpo.training.tasks.gaussian_hill import HillConfig
from pkpo.training.tasks.registry import fields_of, make_task
from pkpo.training.tasks.word_problems import KEPT_GROUPS, WordProblemsConfig, WordProblemsTask
from toy_envs.word_problems import REWARDS, answer_of, draw_problems, verify

HARD = draw_problems(10, 4)
OWN = ("fresh", "hard")  # in words that a micro model knows


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A micro model that has seen the form of solutions, and ten problems as its hard set."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("micro")
    model = untrained_model(0, width=24, layers=2, heads=2, hidden=40)
    for _ in train_supervised(
        model, replace(WARM_STARTS["tiny"], steps=120, learning_rate=1e-2), 0
    ):
        pass
    save_model(model, path)
    (path / "hard.json").write_text(json.dumps([asdict(p) for p in HARD]))
    return str(path)


def task_of(folder: str, **settings) -> WordProblemsTask:
    return WordProblemsTask(WordProblemsConfig(model=folder, **settings))


def step(task: WordProblemsTask, update: int, n: int = 16, k: int = 4) -> dict:
    texts = task.policy.sample(np.random.default_rng((0, update)), n)
    rewards = task.score(texts)
    weights = transform(rewards, k)
    gradient = task.policy.gradient(texts, weights)
    metrics = task.observe(rewards, weights, gradient)
    task.policy.step(gradient, Optimizer("adam", 1e-3))
    return {"texts": texts, "rewards": rewards, "weights": weights, "metrics": metrics}


@pytest.mark.parametrize("source", OWN)
def test_metrics_are_what_counting_gives(folder, source):
    task = task_of(folder, problems=source, reward="share", prompts=6, held_out=0)
    seen, values, moved = {}, [], False
    for update in range(ROLLING_UPDATES + 3):
        done = step(task, update)
        rewards, metrics = done["rewards"], done["metrics"]
        groups = list(zip(task.policy.problems, done["texts"], strict=True))
        verdicts = [[verify(text, p) for text in group] for p, group in groups]
        assert rewards.tolist() == [[v.share for v in group] for group in verdicts]
        flat = [v for group in verdicts for v in group]
        assert metrics["mean_reward"] == rewards.mean()
        assert metrics["valid_chain_share"] == np.mean([v.chain for v in flat])
        right = [v for v in flat if v.answer]
        lucky = np.mean([not v.chain for v in right]) if right else 0
        assert abs(metrics["lucky_share"] - lucky) < 1e-15
        unique = [len({answer_of(text) for text in group}) for _, group in groups]
        assert metrics["unique_answers"] == np.mean(unique) > 1
        assert metrics["dead_group_share"] == np.mean(~done["weights"].any(axis=1))
        values.append([rho(rewards, k).mean() for k in PASS_KS])
        for i, k in enumerate(PASS_KS):
            want = np.mean([row[i] for row in values[-ROLLING_UPDATES:]])
            assert abs(metrics[f"pass@{k}"] - want) < 1e-12, f"pass@{k}, update {update}"
        for p, row in zip(task.policy.problems, rewards, strict=True):
            place = p if source == "hard" else (update, p)
            seen[place] = seen.get(place, False) | (1 in row)
        total = len(HARD) if source == "hard" else len(seen)
        assert metrics["cumulative_solve_rate"] == sum(seen.values()) / total
        ended = (task.policy.samples.tokens == task.policy.model.tokenizer.eos_id).int()
        counted = torch.where(ended.any(-1), ended.argmax(-1) + 1, ended.shape[-1])
        assert metrics["tokens"] == pytest.approx(counted.float().mean().item(), rel=1e-6)
        assert 0 <= metrics["truncation_share"] <= 1
        assert (metrics["gradient_norm"] > 0) == done["weights"].any()
        moved |= done["weights"].any()
        assert 0 < metrics["entropy"] < np.log(len(task.policy.model.tokenizer))
        assert not [name for name in metrics if name.startswith("held_out")]
    assert moved
    if source == "hard":
        assert set(seen) <= set(HARD)
        assert len({p.question for p in task.policy.problems}) == 6


def test_held_out_problems_are_measured_at_intervals(folder):
    task = task_of(folder, held_out=8, interval=2, prompts=2, steps=5)
    held_out = draw_problems(8, HELD_OUT_SEED, "held-out")
    before = None
    for update in range(6):
        if update in (0, 2, 4, 5):  # the last one is the trained policy
            found = evaluate(task.policy.model, held_out, 16, reward="strict")
            before = [found.max_at(k) for k in PASS_KS]
        metrics = step(task, update)["metrics"]
        for k, (mean, error) in zip(PASS_KS, before, strict=True):
            assert metrics[f"held_out_pass@{k}"] == mean, f"update {update}"
            assert metrics[f"held_out_error@{k}"] == error


@pytest.mark.parametrize("source", OWN)
def test_details_show_what_was_drawn(folder, source):
    task = task_of(folder, problems=source, prompts=9, held_out=5, interval=4, steps=13)
    first = np.full(len(HARD), -1)
    for update in range(14):
        done = step(task, update)
        found = task.details(done["rewards"], done["weights"])
        kinds = {"groups"} if update in (0, 10, 13) else set()
        kinds |= {"held_out"} if update in (0, 4, 8, 12, 13) else set()
        kinds |= {"first_solved"} if kinds and source == "hard" else set()
        assert set(found) == kinds, f"update {update}"
        for p, row in zip(task.policy.problems, done["rewards"], strict=True):
            if source == "hard" and 1 in row and first[HARD.index(p)] < 0:
                first[HARD.index(p)] = update
        if "first_solved" in kinds:
            assert found["first_solved"] == first.tolist()
        if "held_out" in kinds:
            rate = done["metrics"]["held_out_pass@1"]
            assert sum(found["held_out"]) == round(rate * 5 * 16) and len(found["held_out"]) == 5
        if "groups" in kinds:
            assert json.loads(json.dumps(found)) == found
            assert len(found["groups"]) == KEPT_GROUPS < 9
            for i, group in enumerate(found["groups"]):
                assert group["problem"] == asdict(task.policy.problems[i])
                for j, one in enumerate(group["samples"]):
                    assert "".join(one["tokens"]) == done["texts"][i, j]
                    assert len(one["probabilities"]) == len(one["tokens"])
                    assert one["reward"] == done["rewards"][i, j]
                    assert one["weight"] == done["weights"][i, j]
            logs = task.policy.samples.log_probs[0, 0][: len(group["samples"][0]["tokens"])]
            shown = found["groups"][0]["samples"][0]["probabilities"]
            assert np.allclose(shown[: len(logs)], logs.exp()[: len(shown)], atol=5.01e-4)


def test_a_small_group_has_no_large_k(folder):
    metrics = step(task_of(folder, held_out=0, prompts=2), 0, n=5)["metrics"]
    assert [name for name in metrics if name.startswith("pass@")] == [
        f"pass@{k}" for k in range(1, 6)
    ]


def test_the_entropy_bonus_pulls_where_no_reward_does(folder):
    arguments = {"prompts": 3, "held_out": 0}
    for bonus in (0.0, 0.01):
        task = task_of(folder, entropy_bonus=bonus, **arguments)
        texts = task.policy.sample(np.random.default_rng(0), 4)
        task.policy.gradient(texts, np.zeros(texts.shape))
        assert (task.policy.gradient_norm > 0) == (bonus > 0)


def test_abstaining_earns_and_is_counted(folder):
    task = task_of(folder, abstention=0.3, prompts=2, held_out=8)
    texts = task.policy.sample(np.random.default_rng(0), 4)
    answers = np.full((2, 4), "8+6=15####?", dtype=object)
    answers[1] = [p.solution for p in [task.policy.problems[1]] * 3] + ["####0"]
    rewards = task.score(answers)
    assert rewards.tolist() == [[0.3] * 4, [1, 1, 1, 0]]
    weights = transform(rewards, 2)
    metrics = task.observe(rewards, weights, task.policy.gradient(texts, weights))
    assert metrics["abstention_share"] == 0.5 and metrics["cumulative_solve_rate"] == 0.5
    assert metrics["mean_reward"] == rewards.mean()
    held_out = task.details(rewards, weights)["held_out"]
    assert all(count == int(count) for count in held_out)  # there only what is right counts
    assert "abstention_share" not in step(task_of(folder, prompts=2, held_out=0), 0)["metrics"]


@pytest.mark.parametrize("source", OWN)
def test_a_stopped_task_goes_on_bit_for_bit(folder, source):
    arguments = {"problems": source, "reward": "share", "prompts": 3, "held_out": 4, "interval": 3}
    whole, first, second = (task_of(folder, **arguments) for _ in range(3))
    want = [step(whole, update)["metrics"] for update in range(6)]
    for update in range(4):
        step(first, update)
    policy, state = first.policy.state(), first.state
    step(first, 4)  # what was handed over does not change with it
    second.policy.load(policy)
    second.state = state
    assert [step(second, update)["metrics"] for update in (4, 5)] == want[4:]


# --- In the loop, in workers, on the command line -------------------------------------------------


@pytest.fixture
def config(folder) -> WordProblemsConfig:
    return WordProblemsConfig(
        model=folder,
        n=4,
        schedule="2@0,1@2",
        steps=4,
        prompts=3,
        held_out=4,
        interval=3,
        reward="share",
    )


def test_choices_are_the_environment_s():
    assert fields_of("word-problems")["reward"].metadata["choices"] == tuple(REWARDS)
    assert fields_of("word-problems")["limit"].default == MAX_NEW_TOKENS


def test_an_event_holds_texts_but_no_weights(config):
    run = record_run(config)
    assert run.samples.shape == run.rewards.shape == run.weights.shape == (5, 3, 4)
    assert run.parameters.shape == (5, 0)
    for event, rewards in zip(Loop(config), run.rewards, strict=True):
        assert event.gradient.shape == event.parameters.shape == (0,)
        assert np.array_equal(event.rewards, rewards)
        assert np.array_equal(event.weights, transform(rewards, event.k))
        assert all(type(text) is str for text in event.samples.ravel())


def test_a_step_without_a_gradient_goes_on_bit_for_bit(folder):
    """Adam's memory still moves the weights where every sample's weight is 0."""

    def move(policy, update, worth):
        texts = policy.sample(np.random.default_rng(update), 4)
        policy.step(policy.gradient(texts, np.full(texts.shape, worth)), Optimizer("adam", 1e-3))

    first, second = (task_of(folder, prompts=2).policy for _ in range(2))
    move(first, 0, 0.0)
    assert not any("adam" in name for name in first.state())  # nothing to remember yet
    move(first, 1, 1.0)
    before = first.state()
    second.load(before)
    for policy in (first, second):
        move(policy, 2, 0.0)
    ends = first.state(), second.state()
    assert all(np.array_equal(x, ends[1][name]) for name, x in ends[0].items())
    assert any(not np.array_equal(x, before[name]) for name, x in ends[0].items())
    first.load(task_of(folder, prompts=2).policy.state())  # back to where nothing is remembered
    move(first, 0, 0.0)
    assert not any("adam" in name for name in first.state())


@pytest.mark.parametrize("source", OWN)
def test_a_killed_worker_s_run_goes_on_bit_for_bit(config, source, tmp_path, monkeypatch):
    """The first worker is gone after a checkpoint, while later events are stored already."""
    monkeypatch.setenv("PKPO_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PKPO_CHECKPOINT_SECONDS", "1e-9")
    config = config.replace(problems=source)
    store, process = Store(), Process.this_one()
    local, id = LocalExecutor(store), store.submit(config)
    store.claim(lambda device: 1)
    run, count = store.begin(id, process, {})
    store.steer(id, k=2, learning_rate=2e-3)
    write = checkpoint.write_checkpoint

    def killed(folder, state):
        if int(state["update"]) == 3:
            raise KeyboardInterrupt
        return write(folder, state)

    store.files(id).mkdir(parents=True)
    monkeypatch.setattr(trainer, "BLOCK_SECONDS", 0.0)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(checkpoint, "write_checkpoint", killed)
        worker.train_until_stopped(store, run, count, process, local, lambda: False)
    assert [path.name for path in checkpoint.saved(store.files(id))] == [
        "update-2.safetensors",
        "update-1.safetensors",
    ]
    store.end(id, process, "interrupted")
    store.resume(id)
    store.claim(lambda device: 1)
    run, count = store.begin(id, process, {})
    assert count == 3 and not worker.train_until_stopped(
        store, run, count, process, local, lambda: False
    )
    found, changes = store.events(id), store.changes(id)
    again = replay_run(config, changes)
    assert store.details(id) == again.details and set(again.details) == {0, 3, 4}
    want = again.columns
    assert list(found) == list(want) and changes
    for name, curve in want.items():
        assert np.array_equal(found[name], curve), name


def test_divergence_is_refused_with_its_reason(config, monkeypatch):
    monkeypatch.setattr("pkpo.lm.policy.CLIP", float("nan"))
    with pytest.raises(ValueError, match="learning_rate 0.0003 is too large: at update 1 .*finite"):
        record_run(config)


def test_the_command_line(config, capsys):
    words = shlex.split(command_line([config]))[3:]
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    want = record_run(config)
    assert report["history"] == {name: curve.tolist() for name, curve in want.columns.items()}
    assert report["metrics"].pop("seconds") == report["seconds"] > 0
    assert report["metrics"] == want.final()
    assert {f"pass@{k}" for k in (1, 2, 3, 4)} < set(want.columns)
    assert {f"held_out_pass@{k}" for k in range(1, 17)} < set(want.columns)
    assert main([*words, "--held-out", "0"]) == 0
    title, header, *rows, _ = capsys.readouterr().out.splitlines()
    assert header.split() == [
        *("update", "k", "pass@1"),
        *("entropy", "cumulative_solve_rate", "valid_chain_share"),
    ]
    assert "--task word-problems" in title and len(rows) == 5
    assert abs(float(rows[-1].split()[2]) - want["pass@1"][-1]) <= 0.5000001e-6


# --- Devices --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "there", "own", "other"),
    [
        ("", False, "cpu", "cpu"),
        ("", True, "cpu", "cuda"),
        ("cpu", True, "cpu", "cpu"),
        ("cuda", True, "cuda", "cuda"),
    ],
)
def test_where_models_compute(named, there, own, other, tmp_path, monkeypatch):
    (tmp_path / "config.json").touch()
    monkeypatch.setenv("PKPO_DEVICE", named)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert (choose_device("tiny"), choose_device(tmp_path), choose_device("hub:a/b")) == (
        own,
        other,
        other,
    )


def test_a_device_that_is_not_there_is_refused_at_submission(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    store = Store(tmp_path)
    for named, reason in (
        ("cuda", "PKPO_DEVICE must be cpu where torch finds no GPU, got 'cuda'"),
        ("gpu", "PKPO_DEVICE must be cpu or cuda, got 'gpu'"),
    ):
        monkeypatch.setenv("PKPO_DEVICE", named)
        for refusing in (store.submit, WordProblemsTask):
            with pytest.raises(ValueError, match=reason):
                refusing(WordProblemsConfig())
        assert store.run(store.submit(HillConfig())).device == "cpu"
    assert len(store.runs()) == 2


def test_a_run_computes_where_it_was_submitted_to(folder, tmp_path, monkeypatch):
    """One at a time on a GPU, wherever the page that starts its worker would compute."""
    store, started = Store(tmp_path), []
    local = LocalExecutor(store, {"cpu": 2})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for named in ("cuda", "cuda", "cpu", ""):
        monkeypatch.setenv("PKPO_DEVICE", named)
        store.submit(WordProblemsConfig(model=folder))
    monkeypatch.setattr(
        "subprocess.Popen",
        lambda command_line, env, **options: (
            started.append(env["PKPO_DEVICE"]) or SimpleNamespace(pid=0)
        ),
    )
    local.reconcile()
    assert started == ["cuda", "cpu", "cpu"] and local.at_once("cuda") == 1
    assert local.where("cuda") == "on this machine's GPU"


def test_everything_is_made_on_the_model_s_device():
    """On a device without numbers: what is made elsewhere cannot be computed with."""
    decoder = untrained_model(0, width=16, layers=2, heads=2, hidden=16).decoder.to("meta")
    prefix = decoder.prefill([[1, 2, 3], [4, 5]])
    owners, tokens = torch.empty(3, dtype=int, device="meta"), torch.ones(3, 4, dtype=int)
    logits = decoder.teacher_forced_logits(prefix, owners, tokens.to("meta"))
    assert logits.device.type == "meta"
    assert logits.shape == (3, 4, decoder.config.vocabulary)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use")
def test_a_gpu_finds_what_the_cpu_does(config, monkeypatch, tmp_path):
    tasks = []
    for named in ("cpu", "cuda"):
        monkeypatch.setenv("PKPO_DEVICE", named)
        tasks.append(WordProblemsTask(config))
    own, other = (task.policy for task in tasks)
    assert other.model.device.type == "cuda"
    own.sample(np.random.default_rng(0), 8)
    drawn = own.samples
    moved = Samples(
        **{
            field.name: x.cuda() if torch.is_tensor(x := getattr(drawn, field.name)) else x
            for field in fields(drawn)
        }
    )
    used = drawn.lengths > 0
    want = log_probs(own.model, own.questions, drawn, used)
    found = log_probs(other.model, own.questions, moved, used.cuda())
    # Sums of up to 40 terms of single precision, in another order.
    assert (found.cpu() - want).abs().max() < 1e-5 * want.abs().max()
    for update in range(2):
        metrics = step(tasks[1], update)["metrics"]
        assert all(np.isfinite(x) for x in metrics.values())
    state = other.state()
    own.load(
        checkpoint.read_checkpoint(
            checkpoint.write_checkpoint(tmp_path, {**state, "update": np.array(2)})
        )
    )
    assert all(np.array_equal(x, state[name]) for name, x in own.state().items())


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"problems": "hard", "prompts": 11}, "prompts must be at most 10 .* got 11"),
    ],
)
def test_refusals(folder, arguments, reason):
    with pytest.raises(ValueError, match=reason):
        task_of(folder, **arguments)


def test_making_a_task_leaves_the_process_as_it_is(folder):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        make_task(WordProblemsConfig(model=folder, prompts=2, held_out=0))
        assert torch.get_num_threads() == 3
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
