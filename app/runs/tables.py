"""Tables of runs as Markdown: numbers on the right, what differs from a baseline marked."""

from __future__ import annotations

from collections.abc import Sequence

from app.controls import plain_text
from pkpo.config import RunConfig
from pkpo.fields import format_value
from pkpo.figures import run_curves
from pkpo.figures.language_model import change_in_points
from pkpo.figures.run_curves import is_share, metric_name
from pkpo.intervals import Difference, Standing
from pkpo.runs.sweep import SeedMean, SweepMember

STANDING_MARKS: dict[Standing, str] = {"above": "▲", "below": "▼", "undecided": ""}


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first are numbers. The texts are Markdown."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def marked_change(change: Difference) -> str:
    """A change in pass@k, in points, with its interval; marked and coloured where it surely is one."""
    value, _, ends = plain_text(change_in_points(change)).partition(" ")
    if change.standing != "undecided":
        colour = "green" if change.standing == "above" else "red"
        value = f":{colour}[**{value} {STANDING_MARKS[change.standing]}**]"
    return " ".join(part.replace(" ", "\u00a0") for part in (value, ends))  # two lines at most


def config_differences(configs: Sequence[RunConfig], labels: Sequence[str], baseline: int) -> str:
    """The settings in which runs differ; those that are not the baseline's stand out."""
    rows = []
    for name in run_curves.differing_fields(configs):
        texts = [format_value(getattr(config, name)) for config in configs]
        rows.append(
            [
                f"**{plain_text(name.replace('_', ' '))}**",
                *(
                    plain_text(text)
                    if text == texts[baseline]
                    else f":orange-background[{plain_text(text)}]"
                    for text in texts
                ),
            ]
        )
    return table(["", *_heads(labels, baseline)], rows)


def sweep_table(
    members: Sequence[SweepMember], labels: Sequence[str], columns: Sequence[str], baseline: int
) -> str:
    """Mean ± standard error over the finished seeds, a row per value as in the paper's tables.

    What surely is above or below the baseline is marked, see `SweepMember.difference`.
    """
    rows = []
    for at, (member, label) in enumerate(zip(members, labels, strict=True)):
        name = f"**{plain_text(label)}**" + (" (baseline)" if at == baseline else "")
        cells = []
        for column in columns:
            difference = member.difference(members[baseline], column)
            mark = STANDING_MARKS[difference.standing] if difference else ""
            text = _spread(member.final.get(column), is_share(column))
            cells.append(f":orange-background[{text} {mark}]" if mark else text)
        rows.append([name, *cells, f"{member.finished} of {len(member.runs)}"])
    heads = [plain_text(metric_name(column)) for column in columns]
    return table(["", *heads, "seeds finished"], rows)


def _heads(labels: Sequence[str], baseline: int) -> list[str]:
    return [
        plain_text(label) + (" (baseline)" if at == baseline else "")
        for at, label in enumerate(labels)
    ]


def _spread(spread: SeedMean | None, percent: bool) -> str:
    if spread is None:
        return "–"
    one = spread.error != spread.error  # a single seed has no standard error
    scale, form, unit = (100, ".2f", "%") if percent else (1, ".4f", "")
    error = "" if one else f" ± {scale * spread.error:{form}}"
    return plain_text(f"{scale * spread.mean:{form}}{error}{unit}")
