"""The bandit: a softmax policy over arms; train, play back, compare."""

from app import controls, problem_page
from pkpo import figures

problem_page.show_problem_page(
    controls.BANDIT_PAGE,
    "Which arms does a policy keep when only the best of k draws counts?",
    figures.bandit.bandit_takeaway,
    "Probabilities, every max@k and the entropy are computed from the policy's parameters by sorting "
    "and cumulative sums, not sampled. Only the draws are random, and with them the path that the "
    "policy takes, the prompts solved so far (an arm of the highest reward was drawn) and the dead "
    "groups (all weights 0: nothing to learn from). All compared runs draw the same random "
    "numbers.\n\n"
    "Not claimed: that one seed, one bandit or one learning rate speaks for others. A run that ends "
    "on a single arm may end on another one with the next seed.",
)
