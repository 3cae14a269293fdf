# %% [markdown]
# # The toy problem: a hill with a cliff
#
# A policy draws x from a bell around its θ and is paid x², but nothing beyond the cliff at x = 1
# (arXiv:2505.15201, Section 5.1). One attempt must keep away from the cliff; whoever counts the
# best of k attempts can stand closer. All of it is known exactly.

# %%
from pkpo.comparisons import compare_hills
from pkpo.figures import gaussian_hill as figures
from pkpo.figures import plot_value, run_styles
from pkpo.training.tasks.gaussian_hill import HillConfig
from toy_envs.gaussian_hill import chance_of_nothing, objective, optimum

# %% [markdown]
# ## The best place for each k

# %%
for k in (1, 2, 4, 8, 64):
    best = optimum(k)
    alone, lost = objective(best.theta, 1), chance_of_nothing(best.theta)
    print(
        f"k = {k:>2}: best θ {best.theta:.3f}, max@{k} {best.value:.3f}; "
        f"a single attempt there earns {alone:.3f}, and nothing in {lost:.0%} of cases"
    )

# %% [markdown]
# ## Training for each k
#
# Four policies, which start at the same θ and see the same random numbers.

# %%
configs = [HillConfig(schedule=str(k), n=16, steps=400) for k in (1, 2, 4, 8)]
study = compare_hills(configs)
styles = run_styles(configs)
for run, (label, _) in zip(study.recordings, styles, strict=True):
    goal = study.optima[int(run["k"][-1])].theta
    print(f"{label}: θ {run['theta'][-1]:.3f}, the best {goal:.3f}; max@1 {run['max@1'][-1]:.3f}")
title = "The reward, and the exact max@k over the policy's θ (★ is the best θ)"
figures.plot_hill_stage(study).update_layout(title_text=title)

# %%
print(figures.hill_takeaway(study, styles))
figures.plot_theta(study, styles).update_layout(showlegend=True)

# %% [markdown]
# ## First wide, then narrow
#
# k may follow a schedule: train for the best of eight first, then for the single attempt. What
# counts in the end is max@1.

# %%
configs = [HillConfig(schedule=text, n=16, steps=400) for text in ("8", "1", "8@0,1@200")]
annealed = compare_hills(configs)
for run, (label, _) in zip(annealed.recordings, run_styles(configs), strict=True):
    print(f"{label}: max@1 {run['max@1'][-1]:.3f}, max@8 {run['max@8'][-1]:.3f}")
plot_value(annealed, run_styles(configs)).update_layout(showlegend=True)
