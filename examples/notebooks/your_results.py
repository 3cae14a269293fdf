# %% [markdown]
# # Your own results
#
# You have files of graded samples: several answers to each problem, right or wrong. What is
# pass@k, how sure is it, and which of two models is better for which k? The two files here are
# made up; put yours in their place.

# %%
import csv
import tempfile
from pathlib import Path

import numpy as np

from pkpo.evaluation import compare_results, evaluate_results, read_results, rows_shown
from pkpo.figures import evaluation as figures

# %% [markdown]
# ## Two files
#
# The steady model solves some problems nearly always and others never; the varied one solves each
# now and then. A row is a sample. Other layouts that can be read stand in
# `help(pkpo.evaluation.files)`.

# %%
PROBLEMS, SAMPLES = 120, 32
made = tempfile.TemporaryDirectory()  # gone with the notebook
folder, rng = Path(made.name), np.random.default_rng(0)
made_up = {
    "steady": rng.beta(0.3, 0.4, PROBLEMS),  # each problem's chance to be solved
    "varied": rng.beta(1.2, 3.0, PROBLEMS),
}
for name, rates in made_up.items():
    with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("problem", "correct"))
        for problem, rate in enumerate(rates):
            rows.writerows((problem, int(right)) for right in rng.random(SAMPLES) < rate)

results = {name: read_results(folder / f"{name}.csv") for name in made_up}
for name, found in results.items():
    print(f"{name}: {found.samples} samples of {len(found.rewards)} problems; {found.layout}")

# %% [markdown]
# ## pass@k
#
# The mean over problems of the unbiased estimate, with 95% intervals. Dotted is what the plug-in
# 1 - (1 - c/n)^k says, which is too low.

# %%
evaluations = evaluate_results(list(results.items()))
for one in evaluations:
    print(f"{one.name}: {figures.describe_evaluation(one)}")
    for i in rows_shown(one.curve.ks):
        mean, plug_in = one.curve.mean[i], one.plug_in[i]
        print(f"  pass@{one.curve.ks[i]:<3} {mean:.1%}, plug-in {plug_in:.1%}")
figures.plot_evaluations(evaluations)

# %% [markdown]
# ## Which is better
#
# Problem by problem, since both answered the same ones.

# %%
compared = compare_results(results["steady"], results["varied"])
print(figures.describe_comparison(compared, binary=True))
print(
    f"{len(compared.won)} problems only the varied model solves, {len(compared.lost)} the steady one"
)
figures.plot_comparison(compared, binary=True)

# %% [markdown]
# ## How reliably
#
# pass@k favours lucky hits. Cover@τ is the share of problems that are solved in at least a share
# τ of attempts.

# %%
print(figures.describe_coverage(evaluations))
figures.plot_coverage(evaluations)

# %% [markdown]
# The command line prints the same table: `python -m pkpo evaluate steady.csv varied.csv`.
