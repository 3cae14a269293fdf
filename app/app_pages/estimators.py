"""The estimators: a calculator for one group, and what is known of each."""

import streamlit as st

from app import charts, controls, trainer_clinic_view
from app.glossary import link_terms
from pkpo import analysis, figures
from pkpo.analysis import group_weights
from pkpo.estimators import get_estimator
from pkpo.figures import trainer_clinic

MESSAGES = {
    "group": "What is each sample worth? One group of rewards, every estimator",
    "clinic": "What does your trainer really optimise?",
}
place = st.container()  # the header says what the buttons below it chose
view = controls.estimators_view()
place.header(MESSAGES[view], anchor=False)
if view == "clinic":
    trainer_clinic_view.show_clinic()
    st.stop()

rewards, k, names = controls.group_controls()
weighed = group_weights.weigh_group(rewards, k, names)

st.markdown(
    link_terms(
        f"The mean best of every {k} of these {len(rewards)} is **ρ**, an unbiased estimate of "
        f"max@{k}. A weight says how the policy gradient pushes its sample; weights are a SUM over "
        "the group. Drag a reward, and both follow."
    )
)
for w in weighed:
    if w.weights is None:
        label = controls.plain_text(get_estimator(w.estimator).label)
        st.info(f"{label}: {controls.problem_text(w.refusal)}")
controls.drag_rewards(rewards, k, names)

typed = names[-1] if st.query_params.get("formula") else "sloo_minus_one"
name = controls.choose_one("Look closely at", names, "close_up", typed)
entry = get_estimator(name)
own = name.startswith("formula:")
verdict: analysis.EstimatorVerdict | None = None
refusal = ""
try:
    verdict = analysis.enumerate_verdict(name, len(rewards), k)
except ValueError as reason:
    refusal = str(reason)
formula, picture = st.columns([1, 1], gap="large")
with formula:
    st.subheader(controls.plain_text(entry.label), anchor=False)
    with st.container(horizontal=True):
        if not own or verdict:  # what is known of a formula is its verdict
            aim = f"max@{k}" if own else "max@k"
            unbiased = verdict.unbiased if own and verdict else entry.unbiased
            centred = verdict.centred if own and verdict else entry.centred
            st.badge(
                f"unbiased for {aim}" if unbiased else f"not of {aim}",
                color="green" if unbiased else "orange",
            )
            st.badge("centred" if centred else "not centred", color="gray")
        st.badge(f"needs {entry.needs}", color="gray")
    if own:
        st.code(name.removeprefix("formula:"), language=None, wrap_lines=True)
    else:
        st.latex("w_i = " + entry.formula_at(k))
    if k == 1 and entry.formula_at_one:
        st.caption(
            link_terms(
                "At k = 1 there is no best of several: the reward less the mean of the others. "
                "For k > 1:"
            )
        )
        st.latex("w_i = " + entry.formula)
    if not own:
        st.caption(
            link_terms(
                r"$q_i$: mean best of the size-k subsets with sample i; $v_k$: of all; "
                r"$v_k^{(-i)}$: of those without i."
            )
        )
        st.markdown(link_terms(f"Optimises {entry.optimises}. {entry.reference}."))
    st.markdown(link_terms(f"**The exact verdict at n = {len(rewards)}, k = {k}**"))
    if verdict is None:
        st.info(f"No verdict: {controls.problem_text(refusal)}.")
    else:
        st.markdown(
            "\n".join(f"- {link_terms(line)}" for line in analysis.describe_verdict(verdict))
        )
with picture:
    try:
        values = group_weights.weight_matrix(name, len(rewards), k)
    except ValueError as reason:
        if verdict is None:
            st.info(f"No matrix: {controls.problem_text(reason)}.")
        else:
            st.markdown(link_terms("**What it optimises, on average**"))
            charts.show_chart(
                trainer_clinic.plot_followed_objective(
                    verdict.direction, k, "its expected gradient"
                ),
                "followed",
                f"Cosine of the expected gradient with that of max@j; nearest to max@"
                f"{verdict.direction.nearest}.",
                height=380,
                buttons=False,
            )
    else:
        st.markdown(link_terms("**Weights = this matrix × sorted rewards**"))
        charts.show_chart(
            figures.plot_weight_matrix(name, values),
            "matrix",
            f"Matrix of {entry.label} for n = {len(rewards)}, k = {k}; largest entry "
            f"{values.max():.3f}, smallest {values.min():.3f}.",
            height=380,
            buttons=False,
        )

st.subheader("Step by step: the subsets behind the closed form", anchor=False)
try:
    listed = group_weights.list_subsets(rewards, k)
except ValueError as reason:
    st.info(controls.problem_text(reason) + r"\. The closed form counts them without listing them.")
else:
    places = [f"r{i + 1}" for i in range(len(rewards))]
    best = places[rewards.index(max(rewards))]
    sample = controls.choose_one("For sample", places, f"sample of {rewards}", best)
    at = int(sample[1:]) - 1
    mine = [s for s in listed if at in s.members]
    gain = group_weights.mean_gain(listed, at)
    st.markdown(
        link_terms(
            f"{sample} is in {len(mine)} of the {len(listed)} subsets of size {k}. The mean, over all "
            f"{len(listed)}, of what it adds to the best is **{gain:.4f}**"
            + (
                ": its loo-1 weight."
                if k > 1
                else ": its weight in s. The loo-1 weight at k = 1 takes off the mean of the others, "
                "over n."
            )
        )
    )
    st.dataframe(
        [
            {
                "subset": ", ".join(f"r{i + 1} = {rewards[i]:g}" for i in s.members),
                "best": s.best,
                "best without it": s.without.get(at),
                "adds": s.gain(at),
            }
            for s in mine
        ],
        hide_index=True,
    )
