"""Runs in lockstep: how long four compared runs take, in times of one run, and of a run continued.

Every round times one run, the four of a comparison, and the same four one by one, on seeds that nobody
had before; ratios are within a round. The aim is at most 1.6 times one run for four, where they differ
in k.
"""

import statistics
import time
from collections.abc import Callable

from pkpo.comparisons.settings import parse_comparison
from pkpo.training.recording import continue_run, record_run, record_runs

ROUNDS = 9
TASKS = ("gaussian-hill", "bandit")
COMPARED = (
    "schedule 1 2 4 8",
    "estimator sloo_minus_one s canonical grpo",
    "learning_rate 0.001 0.002 0.004 0.008",
    "n 9 12 16 32",
)
AIM = 1.6
SMALLEST = {"ROUNDS": 1, "TASKS": ("bandit",), "COMPARED": ("schedule 1 8",)}


def main() -> None:
    print(f"{'300 updates with exact values':<58}{'ms':>7}{'of one':>8}{'one by one':>12}")
    for task in TASKS:
        (alone,) = parse_comparison({"task": task}, "")
        record_run(alone)
        for compared in COMPARED:
            runs = parse_comparison({"task": task}, compared)
            rounds = [_round(runs, seed) for seed in range(ROUNDS)]
            one, all_of_them, separately = zip(*rounds, strict=True)
            _row(f"{task}: {compared}", one, all_of_them, separately)
        tails = [_tail(alone.replace(seed=seed)) for seed in range(ROUNDS)]
        _row(f"{task}: another k from update 200 on", *zip(*tails, strict=True))
    print(f"the aim for schedules is {AIM:g} times one run")


def _seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def _round(runs, seed: int) -> tuple[float, float, float]:
    runs = [run.replace(seed=seed) for run in runs]
    one = _seconds(lambda: record_run(runs[-1]))
    all_of_them = _seconds(lambda: record_runs(runs))
    return one, all_of_them, _seconds(lambda: [record_run(run) for run in runs])


def _tail(run) -> tuple[float, float, float]:
    before = record_run(run)
    schedule = "8@0,1@200"
    whole = _seconds(lambda: record_run(run.replace(schedule=schedule)))
    return whole, _seconds(lambda: continue_run(before, schedule)), whole


def _row(what: str, one, all_of_them, separately) -> None:
    def ratio(values) -> float:
        return statistics.median(b / a for a, b in zip(one, values, strict=True))

    middle = 1000 * statistics.median(all_of_them)
    print(f"{what:<58}{middle:>7.0f}{ratio(all_of_them):>8.2f}{ratio(separately):>12.2f}")


if __name__ == "__main__":
    main()
