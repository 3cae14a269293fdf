"""The paper's one-dimensional problem: train, play back, compare."""

from app import controls, problem_page
from pkpo import figures

problem_page.show_problem_page(
    controls.HILL_PAGE,
    "How far should a policy climb when only the best of k attempts counts?",
    figures.gaussian_hill.hill_takeaway,
    "Every curve of max@k and every ★ is computed by quadrature, not sampled. Only the samples, the "
    "gradient estimates (dots) and the path of θ are random; the band around the exact gradient is "
    "the standard deviation of 128 fresh estimates at 25 points of the run. All compared runs draw "
    "the same random numbers. The bell of the policy is drawn without scale. With a learned σ, curves "
    "and ★ are those of the σ at the start.\n\n"
    "Not claimed: that one learning rate suits every k. *Steps of equal length* takes the length out "
    "of the comparison, but follows the sign of a noisy estimate, which is no longer unbiased.",
)
