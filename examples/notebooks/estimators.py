# %% [markdown]
# # Estimators of the gradient of max@k, and their variance
#
# An estimator turns the rewards of a group of samples into a weight for each of them. Several are
# unbiased for the gradient of max@k, the expected best of k samples; they differ in how far a
# single estimate lies from the truth. Every number here is printed by the code above it.

# %%
import numpy as np

import pkpo
from pkpo import analysis
from pkpo.analysis.group_weights import weigh_group
from pkpo.figures import plot_group_weights, variance_lab

# %% [markdown]
# ## One group
#
# Eight graded samples, of which the best of k counts. `rho` estimates max@k from them, by
# averaging the best over all subsets of size k.

# %%
rewards = np.array([0.0, 0.2, 0.2, 0.4, 0.5, 0.7, 0.9, 1.0])
for k in (1, 2, 4, 8):
    print(f"max@{k}: {pkpo.rho(rewards, k):.3f}")

# %% [markdown]
# The weights of four estimators, in the sum convention: the estimate is the sum of weight times
# score.

# %%
k, names = 4, ("s", "sloo", "sloo_minus_one", "canonical")
weighed = weigh_group(rewards, k, names)
for one in weighed:
    print(f"{one.estimator:>15}", one.weights.round(3), f"sum {one.weights.sum().round(3) + 0:.3f}")
plot_group_weights(rewards, weighed)

# %% [markdown]
# ## Unbiased for what?
#
# On a small problem all possible groups can be enumerated, so that the expected estimate is
# exact. GRPO's weights, divided by a standard deviation, are there for comparison.

# %%
for name in (*names, "grpo"):
    print(name, *analysis.describe_verdict(analysis.enumerate_verdict(name, 8, 4)), sep="\n  ")

# %% [markdown]
# ## Variance
#
# Lines are exact, by enumeration; points are measured, with their intervals. First over the size
# of the group, then over k.

# %%
settings = analysis.AnalysisSettings(problem="binary", p=0.3, n=16, k=4)
along_n = analysis.moments_along(settings, "n", names)
print(variance_lab.describe_curves(along_n, "n"))
variance_lab.plot_curves(along_n, "n", "variance")

# %%
along_k = analysis.moments_along(settings, "k", names)
print(variance_lab.describe_curves(along_k, "k"))
variance_lab.plot_curves(along_k, "k", "variance")

# %% [markdown]
# ## Single estimates
#
# Each dot is the estimate of one group, seen along the exact gradient: at 1 it is right.

# %%
cloud = analysis.sample_estimates(settings, names, groups=1000)
for name, values in cloud.items():
    print(f"{name:>15}: mean {values.mean():.3f}, standard deviation {values.std(ddof=1):.3f}")
variance_lab.plot_cloud(cloud)

# %% [markdown]
# ## Which one to take
#
# The winner, by k and the pass rate.

# %%
winners = analysis.compute_winner_map(settings, "p")
print(variance_lab.describe_map(winners))
variance_lab.plot_winner_map(winners)
