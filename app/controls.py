"""The toy page's controls, and their two-way binding to the URL.

A setting has one name everywhere: the field of `RunConfig`, the URL parameter, the command-line
option and the widget's key. The URL holds what differs from the page's default, as text that
`pkpo.config.parse_value` reads; Streamlit's own binding is not used because it would put labels
there in place of the names that the command line takes, and correct a bad value in silence.
This is the only module that knows widget keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import streamlit as st

from app.presets import PRESETS
from pkpo import figures, schedules
from pkpo.config import (
    COMPARE_LIMIT,
    FIELDS,
    OPTIMIZERS,
    RunConfig,
    compared,
    format_value,
    parse_value,
)
from pkpo.estimators import ESTIMATORS, get_estimator
from toy_envs.gaussian_hill import SHAPES

Result = TypeVar("Result")

SAMPLE_LIMIT = 150_000  # of all compared runs together: instant on the page; more by command
LIMITS = {"n": 256, "steps": 5000}  # this page's, below the library's

SETTINGS = tuple(name for name in FIELDS if name != "task")
DEFAULTS = {name: FIELDS[name].default for name in SETTINGS} | {"compare": PRESETS[0].compare}
OFF = "off"  # the URL's word for no comparison

COMPARISONS = {
    "": "One run",
    "schedule": "Values of k",
    "estimator": "Estimators",
    "n": "Group sizes n",
    "learning_rate": "Learning rates",
    "optimizer": "Step rules",
}
COMPARED = {**COMPARISONS, "schedule": "k, or a schedule of k"}
CONTINUOUS = tuple(name for name, entry in ESTIMATORS.items() if not entry.binary)
"""The estimators for rewards that are not 0 or 1."""
SUGGESTIONS = {
    "schedule": ("1", "2", "4", "8", "16", "8@0,1@150", "linear:8->1@200", "cosine:8->1@200"),
    "estimator": CONTINUOUS,
    "n": ("8", "16", "32", "64"),
    "learning_rate": ("0.002", "0.005", "0.01", "0.02"),
    "optimizer": tuple(OPTIMIZERS),
}
FIRST_VALUES = {
    "schedule": "1 2 4 8",
    "estimator": "s sloo sloo_minus_one canonical",
    "n": "8 16 32 64",
    "learning_rate": "0.002 0.005 0.01",
    "optimizer": "sgd normalised adam",
}
STEP_RULES = {"sgd": "Gradient ascent", "normalised": "Normalised: equal steps", "adam": "Adam"}
KINDS = {"constant": "Constant", "step": "Step", "linear": "Linear ramp", "cosine": "Cosine ramp"}
KINDS |= {"exponential": "Exponential ramp", "custom": "Written out"}
OWN_SHAPE = "points:0,0;0.4,0.6;0.6,0.1;0.9,1;1,0"


# --- Address and state --------------------------------------------------------------------------


def sync_from_url(entered: bool) -> None:
    """Take the settings from the address where it is new: first opened, or gone back to.

    What cannot be used is left at its default and kept as a notice for `notices`.

    Args:
      entered: whether this run came from another page, whose address says nothing of this one.
    """
    address = st.query_params.to_dict()
    known = st.session_state.get("address")
    if known is not None and (address == known or (entered and not address)):
        return
    values, problems = read_address(address)
    for name in address:
        if len(st.query_params.get_all(name)) > 1:
            problems.append(f"{name[:40]} is given more than once; the last one counts")
    st.session_state["values"] = values
    st.session_state["notices"] = problems
    st.session_state["address"] = address


def _values() -> dict[str, Any]:
    """The page's settings. Widgets are views of them: a widget that is not drawn loses its state."""
    return st.session_state["values"]


def _view(name: str) -> dict[str, Any]:
    """Key and callback of a widget that shows one setting as it is."""
    st.session_state[name] = _values()[name]

    def take() -> None:
        _values()[name] = st.session_state[name]

    return {"key": name, "on_change": take}


def read_address(address: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Every setting's value from an address, and what was wrong with it."""
    values, problems = dict(DEFAULTS), []
    for name, text in address.items():
        try:
            if name not in DEFAULTS:
                raise ValueError(f"{name[:40]!r} is not a setting of this page")
            values[name] = _read(name, text)
        except ValueError as reason:
            problems.append(str(reason))
    if not problems:
        try:
            settings(values)
        except ValueError as reason:
            problems.append(str(reason))
    if problems and not _possible(values):
        values = dict(DEFAULTS)
    return values, problems


def settings(values: Mapping[str, Any]) -> tuple[RunConfig, ...]:
    """The runs that the page's values ask for.

    Raises:
      ValueError: an impossible setting, or more than this page computes at once.
    """
    configs = compared({name: values[name] for name in SETTINGS}, values["compare"])
    for name, limit in LIMITS.items():
        if (largest := max(getattr(c, name) for c in configs)) > limit:
            raise ValueError(f"{name} must be at most {limit} on this page, got {largest}")
    samples = sum(c.n * (c.steps + 1) for c in configs)
    if samples > SAMPLE_LIMIT:
        raise ValueError(
            f"steps: {samples:,} samples in all are too many for this page (at most "
            f"{SAMPLE_LIMIT:,}); lower the updates or n, or run the command"
        )
    return configs


def _read(name: str, text: str) -> Any:
    if name != "compare":
        return parse_value(name, text, LIMITS.get(name))
    if text == OFF:
        return ""
    field, *values = text.split() or [""]
    if field not in SUGGESTIONS:
        raise ValueError(f"compare: cannot compare by {field[:40]!r}")
    if not 1 <= len(values) <= COMPARE_LIMIT:
        raise ValueError(f"compare: give from 1 to {COMPARE_LIMIT} values, got {len(values)}")
    for value in values:
        _read(field, value)
    return " ".join([field, *values])


def _possible(values: Mapping[str, Any]) -> bool:
    try:
        settings(values)
    except ValueError:
        return False
    return True


def _write_address(values: Mapping[str, Any]) -> None:
    address = {
        name: format_value(value) if name != "compare" else value or OFF
        for name, value in values.items()
        if value != DEFAULTS[name]
    }
    if address != st.query_params.to_dict():
        st.query_params.from_dict(address)
    st.session_state["address"] = address


def _apply(values: Mapping[str, Any]) -> None:
    st.session_state["values"] = DEFAULTS | dict(values)
    st.session_state["notices"] = []


# --- The page's pieces ------------------------------------------------------------------------------


def notices() -> None:
    """Say what was wrong with the address, if anything."""
    if problems := st.session_state.get("notices"):
        shown = "\n".join(f"- {plain(text)}" for text in problems[:8])
        st.warning(f"This link could not be used as it is:\n{shown}", icon=":material/link_off:")


def preset_pills() -> str | None:
    """The row of presets; returns the message of the one that is set, if one is."""
    current = _values()
    names = {p.name: DEFAULTS | p.changes | {"compare": p.compare} for p in PRESETS}
    now = next((name for name, values in names.items() if values == current), None)
    st.session_state["preset"] = now

    def choose() -> None:
        if chosen := st.session_state["preset"]:  # a second click takes nothing back
            _apply(names[chosen])

    st.pills("Examples", list(names), key="preset", on_change=choose, label_visibility="collapsed")
    return next((p.message for p in PRESETS if p.name == now), None)


def read(compute: Callable[[tuple[RunConfig, ...]], Result]) -> tuple[Result, str]:
    """What the page computes from the runs that the controls ask for, and what is wrong with them.

    Where the controls ask for the impossible, the result is that of the last possible runs, the
    address keeps them, and the reason is for `sidebar` to show beside its control.
    """
    values = _values()
    try:
        configs = settings(values)
        result = compute(configs)
    except ValueError as reason:
        return compute(st.session_state.get("possible") or settings(DEFAULTS)), str(reason)
    values["shape"] = configs[0].shape  # as it is written elsewhere
    st.session_state["possible"] = configs
    _write_address(values)
    return result, ""


def sidebar(problem: str) -> None:
    """Draw the controls, and the problem beside the control that it names."""
    slots: dict[str, Any] = {}
    with st.sidebar:
        top = st.empty()
        compare_field = _compare_controls(slots)
        if compare_field != "schedule":
            _schedule_controls(slots)
        if compare_field != "n":
            _number("n", "Samples per group, n", slots, step=1)
        if compare_field != "estimator":
            _estimator_control(slots)
        if problem.startswith(_FOLDED):
            st.session_state["unfolded"] = True  # and so it stays when the problem is gone
        with st.expander("More settings", expanded=st.session_state.get("unfolded", False)):
            _more_controls(compare_field, slots)
        st.button(
            "Reset everything",
            icon=":material/restart_alt:",
            type="tertiary",
            on_click=_apply,
            args=({},),
        )
    if problem:
        culprit = next((name for name in slots if problem.startswith(name)), None)
        place = slots.get(culprit or "compare", top)
        place.error(plain(problem), icon=":material/error:")


_FOLDED = ("learning_rate", "optimizer", "steps", "seed", "theta", "sigma", "shape")


def _compare_controls(slots: dict[str, Any]) -> str:
    field, *values = _values()["compare"].split() or [""]
    key = f"_compare_{field}"  # of its own per field: lists of different fields must not mix
    st.session_state["_compare_field"] = field
    st.session_state[key] = values

    def change_field() -> None:
        chosen = st.session_state["_compare_field"]
        _values()["compare"] = f"{chosen} {FIRST_VALUES[chosen]}" if chosen else ""

    def change_values() -> None:
        chosen = ("".join(value.split()) for value in st.session_state[key])
        _values()["compare"] = " ".join([field, *chosen])

    st.selectbox(
        "Compare",
        list(COMPARISONS),
        format_func=COMPARISONS.__getitem__,
        key="_compare_field",
        on_change=change_field,
        help="Up to four runs that differ in one setting and draw the same random numbers.",
    )
    if field:
        st.multiselect(
            COMPARED[field],
            list(dict.fromkeys([*SUGGESTIONS[field], *values])),
            key=key,
            on_change=change_values,
            accept_new_options=True,
            max_selections=COMPARE_LIMIT,
            help=_compare_help(field),
            format_func=_label_of(field),
        )
        slots["compare"] = st.empty()
    if field and field != "optimizer":
        _equal_steps()
    return field


def _label_of(field: str) -> Callable[[str], str]:
    """How a compared value is shown: estimators and step rules by their labels."""

    def label(value: str) -> str:
        if field == "optimizer":
            return STEP_RULES.get(value, value)
        if field == "estimator":
            try:
                return get_estimator(value).label
            except ValueError:
                return value
        return value

    return label


def _equal_steps() -> None:
    """A switch for the step rule that makes a comparison fair in another way."""
    st.session_state["_equal_steps"] = _values()["optimizer"] == "normalised"

    def switch() -> None:
        _values()["optimizer"] = "normalised" if st.session_state["_equal_steps"] else "sgd"

    st.toggle(
        "Steps of equal length",
        key="_equal_steps",
        on_change=switch,
        help="Off: the same learning rate for all, so that a larger gradient makes larger steps. "
        "On: every step has the length of the learning rate; only its direction is estimated.",
    )


def _compare_help(field: str) -> str:
    if field == "schedule":
        return (
            "Type any k or schedule and press Enter: `12`, `8@0,1@150` (8, then 1 from update 150), "
            "`linear:8->1@200`."
        )
    return "Choose, or type a value and press Enter."


def _schedule_controls(slots: dict[str, Any]) -> None:
    text = _values()["schedule"]
    kind, k, then, at = _read_kind(text, _values()["steps"])
    st.session_state.update(_kind=kind, _k=k, _then=then, _at=at, _text=text)

    def rebuild() -> None:
        chosen, first = st.session_state["_kind"], st.session_state["_k"]
        last, end = st.session_state.get("_then", 1), st.session_state.get("_at", at)
        forms = {"constant": f"{first}", "step": f"{first}@0,{last}@{end}"}
        if chosen == "custom":
            st.session_state["written_out"] = True
            return
        st.session_state["written_out"] = False
        _values()["schedule"] = forms.get(chosen, f"{chosen}:{first}->{last}@{end}")

    def write() -> None:
        _values()["schedule"] = st.session_state["_text"].strip()

    if kind != "custom":
        top = max(16, min(_values()["n"], LIMITS["n"]), k)
        st.slider(
            "Attempts that count, k",
            1,
            top,
            key="_k",
            on_change=rebuild,
            help="The policy is trained for the best of k attempts. k can be at most n.",
        )
    st.selectbox(
        "Schedule of k",
        list(KINDS),
        format_func=KINDS.__getitem__,
        key="_kind",
        on_change=rebuild,
        help="Annealing: begin with a large k to explore, end with k = 1.",
    )
    if kind == "custom":
        st.text_input("Schedule", key="_text", on_change=write, help=f"Such as {schedules.FORMS}.")
    elif kind != "constant":
        left, right = st.columns(2)
        left.number_input("to k", 1, LIMITS["n"], key="_then", on_change=rebuild)
        right.number_input("at update", 1, LIMITS["steps"], key="_at", on_change=rebuild, step=10)
    slots["schedule"] = st.empty()
    if kind != "constant":
        try:
            preview = figures.schedule_preview(schedules.parse(text), _values()["steps"])
        except ValueError:
            return
        st.plotly_chart(
            preview,
            key="schedule-preview",
            config={"displayModeBar": False},
            alt=f"k over updates: {schedules.parse(text).describe()}",
        )


def _read_kind(text: str, steps: int) -> tuple[str, int, int, int]:
    """How the schedule's controls show a text: kind, first k, last k, update of the change."""
    half = max(1, steps // 2)
    try:
        pieces = schedules.parse(text).pieces
    except ValueError:
        return "custom", 8, 1, half
    first = pieces[0]
    if st.session_state.get("written_out"):
        return "custom", first.first, 1, half
    if len(pieces) == 1 and first.shape is None:
        return "constant", first.first, 1, half
    if len(pieces) == 1 and first.start == 0:
        return str(first.shape), first.first, first.last, first.end
    if len(pieces) == 2 and first.shape is None and pieces[1].shape is None:
        return "step", first.first, pieces[1].first, pieces[1].start
    return "custom", first.first, 1, half


def _estimator_control(slots: dict[str, Any]) -> None:
    current = _values()["estimator"]
    st.selectbox(
        "Estimator",
        list(dict.fromkeys([*CONTINUOUS, current])),
        **_view("estimator"),
        format_func=lambda name: get_estimator(name).label,
        help="How the group's rewards become weights.",
    )
    entry = get_estimator(current)
    if not entry.uses_k:
        st.caption(f"Ignores k; optimises {entry.optimises}.")
    elif not entry.unbiased:
        st.caption(f"Optimises {entry.optimises}.")
    slots["estimator"] = slots["rewards"] = st.empty()


def _more_controls(compare_field: str, slots: dict[str, Any]) -> None:
    if compare_field != "learning_rate":
        _number("learning_rate", "Learning rate", slots, step=0.001, format="%g")
    if compare_field != "optimizer":
        st.selectbox(
            "Step rule",
            list(OPTIMIZERS),
            **_view("optimizer"),
            format_func=STEP_RULES.__getitem__,
            help=" · ".join(f"**{STEP_RULES[o]}**: {text}" for o, text in OPTIMIZERS.items()),
        )
    _number("steps", "Updates", slots, step=50)
    _number("seed", "Random seed", slots, step=1)
    _number("theta", "Start θ", slots, step=0.05, format="%g")
    _number("sigma", "σ of the policy", slots, step=0.01, format="%g")
    st.checkbox("Learn σ too", **_view("learn_sigma"))
    _shape_controls(slots)


def _number(name: str, label: str, slots: dict[str, Any], **more: Any) -> None:
    low, high = FIELDS[name].metadata["low"], LIMITS.get(name, FIELDS[name].metadata["high"])
    st.number_input(label, low, high, **_view(name), help=f"From {low:,} to {high:,}.", **more)
    slots[name] = st.empty()


def _shape_controls(slots: dict[str, Any]) -> None:
    text = _values()["shape"]
    st.session_state["_shape"] = text if text in SHAPES else "own"
    st.session_state["_points"] = text.removeprefix("points:")

    def choose() -> None:
        chosen = st.session_state["_shape"]
        _values()["shape"] = OWN_SHAPE if chosen == "own" else chosen

    def draw() -> None:
        _values()["shape"] = "points:" + st.session_state["_points"].strip().strip(";")

    labels = {name: shape.label for name, shape in SHAPES.items()} | {"own": "Your own points"}
    st.selectbox(
        "Reward", list(labels), format_func=labels.__getitem__, key="_shape", on_change=choose
    )
    if st.session_state["_shape"] == "own":
        st.text_input(
            "Points x,reward; joined by lines",
            key="_points",
            on_change=draw,
            help="Such as 0,0; 0.5,1; 1,0. Two points at the same x make a cliff; 0 outside.",
        )
    slots["shape"] = st.empty()


def plain(text: str) -> str:
    """Text from outside, without Markdown's meaning."""
    return "".join("\\" + c if c in r"\`*_{}[]()<>#+-.!|$~:" else c for c in text)


# --- A page whose only setting is a seed -----------------------------------------------------------


def seed(name: str) -> int:
    """The seed in the address; says beside the page's top if what is there is none."""
    text = st.query_params.get(name, "0")
    try:
        return parse_value("seed", text)
    except ValueError as reason:
        st.warning(f"This link could not be used as it is: {plain(str(reason))}")
        return 0


def seed_input(name: str) -> None:
    """The control of that seed, and a button that draws another."""
    key = f"_{name}_of_page"
    st.session_state[key] = _seed_or_default(name)

    def change() -> None:
        _set_seed(name, st.session_state[key])

    def another() -> None:
        _set_seed(name, _seed_or_default(name) + 1)

    st.number_input("Random seed", 0, 2**32 - 2, key=key, on_change=change, width=180)
    st.button("Another seed", icon=":material/casino:", on_click=another)


def _seed_or_default(name: str) -> int:
    try:
        return parse_value("seed", st.query_params.get(name, "0"), 2**32 - 2)
    except ValueError:
        return 0


def _set_seed(name: str, value: int) -> None:
    if value:
        st.query_params[name] = str(value)
    else:
        st.query_params.pop(name, None)


# --- The estimators' page: one group ------------------------------------------------------------------

GROUP = {"rewards": "0.1 0.9 0.4 0.4 0.7 0", "k": "3", "show": "s sloo sloo_minus_one canonical"}
GROUP_LIMIT = 32


def group() -> tuple[list[float], int, list[str]]:
    """Controls for a group's rewards, k and the estimators to show; what they say, checked.

    The address holds them; what it holds and cannot be used is said and replaced by the default.
    """
    given = {name: st.query_params.get(name, default) for name, default in GROUP.items()}
    problems = []
    for name, text in given.items():
        try:
            _parse_group(name, text)
        except ValueError as reason:
            problems.append((name, str(reason)))

    def keep(name: str, value: str) -> None:
        if value == GROUP[name]:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = value

    st.session_state["_rewards"] = given["rewards"]
    left, right = st.columns([3, 1])
    left.text_input(
        "Rewards of one group",
        key="_rewards",
        on_change=lambda: keep("rewards", st.session_state["_rewards"].strip()),
        help=f"From 1 to {GROUP_LIMIT} numbers, separated by spaces or commas.",
    )
    good = {name: GROUP[name] if name in dict(problems) else text for name, text in given.items()}
    rewards = _parse_group("rewards", good["rewards"])
    k = _parse_group("k", good["k"])
    if k > len(rewards):
        problems.append(
            ("k", f"k = {k} is more than the {len(rewards)} rewards; k counts among them")
        )
        k = len(rewards)
    st.session_state["_group_k"] = k
    right.number_input(
        "k",
        1,
        GROUP_LIMIT,
        key="_group_k",
        on_change=lambda: keep("k", str(st.session_state["_group_k"])),
    )
    shown = _parse_group("show", good["show"])
    st.session_state["_show"] = shown
    st.multiselect(
        "Estimators",
        list(ESTIMATORS),
        key="_show",
        format_func=lambda name: ESTIMATORS[name].label,
        on_change=lambda: keep("show", " ".join(st.session_state["_show"])),
    )
    for _, problem in problems:
        st.error(plain(problem), icon=":material/error:")
    return rewards, k, shown


def _parse_group(name: str, text: str) -> Any:
    if name == "k":
        if not text.strip().isdecimal() or not 1 <= int(text[:9]) <= GROUP_LIMIT:
            raise ValueError(f"k must be a whole number from 1 to {GROUP_LIMIT}, got {text[:40]!r}")
        return int(text)
    words = text.replace(",", " ").split()
    if name == "show":
        unknown = [word for word in words if word not in ESTIMATORS]
        if unknown or not words:
            raise ValueError(f"estimators: choose at least one registered, got {text[:40]!r}")
        return list(dict.fromkeys(words))
    try:
        rewards = [float(word) for word in words]
    except ValueError:
        rewards = []
    if not 1 <= len(rewards) <= GROUP_LIMIT or not all(abs(r) < 1e6 for r in rewards):
        raise ValueError(
            f"rewards must be from 1 to {GROUP_LIMIT} numbers within a million, got {text[:40]!r}"
        )
    return rewards


def choice(label: str, options: list[str], key: str, default: str) -> str:
    """One of a few, as a row of buttons; always one."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = default if default in options else options[0]

    def name(option: str) -> str:
        return ESTIMATORS[option].label if option in ESTIMATORS else option

    return str(st.segmented_control(label, options, key=key, format_func=name, required=True))


__all__ = [
    "choice",
    "group",
    "notices",
    "plain",
    "preset_pills",
    "read",
    "read_address",
    "seed",
    "seed_input",
    "settings",
    "sidebar",
    "sync_from_url",
]
