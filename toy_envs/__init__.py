"""Gymnasium environments of PKPO Lab, each with everything that is exactly known about it.

Importing this package registers them:

- `pkpo/GaussianHill-v0`: the paper's one-dimensional problem (arXiv:2505.15201, Section 5.1).
- `pkpo/Bandit-v0`: a finite bandit with any rewards, and one or several prompts.
- `pkpo/WordProblems-v0`: word problems in the manner of GSM8K, answered in text.
"""

import gymnasium

gymnasium.register(
    id="pkpo/GaussianHill-v0",
    entry_point="toy_envs.gaussian_hill:GaussianHillEnv",
    vector_entry_point="toy_envs.gaussian_hill:GaussianHillVectorEnv",
)
gymnasium.register(
    id="pkpo/Bandit-v0",
    entry_point="toy_envs.bandit:BanditEnv",
    vector_entry_point="toy_envs.bandit:BanditVectorEnv",
)
gymnasium.register(
    id="pkpo/WordProblems-v0",
    entry_point="toy_envs.word_problems:WordProblemsEnv",
)
