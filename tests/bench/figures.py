"""How long `pkpo figures` takes for one figure and for all four of the toy problem, images included.

A browser draws the images, and its start is the dearest part; a command starts one. The aim is that
four figures take at most 2.5 times as long as one. The commands are run in turn, each in a process of
its own, as a user's are.
"""

import statistics
import subprocess
import sys
import tempfile
import time

ONE, ALL = "fig1", "fig1,fig2,fig4,fig5"
AIM = 2.5
ROUNDS = 3
SMALLEST = {"ROUNDS": 1, "ALL": "fig1,fig2"}


def main() -> None:
    pairs = [(seconds(ONE), seconds(ALL)) for _ in range(ROUNDS)]
    one, every = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    met = "met" if ratio <= AIM else "MISS"
    print(f"pkpo figures, median seconds of {ROUNDS}: {ONE} {one:.2f}, {ALL} {every:.2f}")
    print(f"ratio, median over pairs: {ratio:.2f}; the aim is at most {AIM:g}: {met}")


def seconds(keys: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pkpo", "figures", "--out", folder, "--only", keys]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        spent = time.perf_counter() - start
    if done.returncode or "no image" in done.stderr:
        raise RuntimeError(
            f"pkpo figures --only {keys} ended with {done.returncode}: {done.stderr}"
        )
    return spent
