"""Tables of runs as Markdown: numbers on the right, what differs from a baseline marked."""

from __future__ import annotations

from collections.abc import Sequence

from app.controls import plain_text
from pkpo.config import RunConfig
from pkpo.fields import format_value
from pkpo.figures import run_curves
from pkpo.figures.run_curves import is_share, metric_name
from pkpo.runs.sweep import SeedMean, SweepMember

SURE_DIFFERENCE_ERRORS = 2.0  # standard errors of a difference beyond which it is marked


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first are numbers. The texts are Markdown."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


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

    What differs from the baseline by more than two standard errors of the difference is marked.
    """
    rows = []
    for at, (member, label) in enumerate(zip(members, labels, strict=True)):
        name = f"**{plain_text(label)}**" + (" (baseline)" if at == baseline else "")
        cells = [
            _spread(
                member.final.get(column),
                members[baseline].final.get(column),
                at == baseline,
                is_share(column),
            )
            for column in columns
        ]
        rows.append([name, *cells, f"{member.finished} of {len(member.runs)}"])
    heads = [plain_text(metric_name(column)) for column in columns]
    return table(["", *heads, "seeds finished"], rows)


def _heads(labels: Sequence[str], baseline: int) -> list[str]:
    return [
        plain_text(label) + (" (baseline)" if at == baseline else "")
        for at, label in enumerate(labels)
    ]


def _spread(spread: SeedMean | None, base: SeedMean | None, is_base: bool, percent: bool) -> str:
    if spread is None:
        return "–"
    one = spread.error != spread.error  # a single seed has no standard error
    scale, form, unit = (100, ".2f", "%") if percent else (1, ".4f", "")
    error = "" if one else f" ± {scale * spread.error:{form}}"
    text = plain_text(f"{scale * spread.mean:{form}}{error}{unit}")
    if is_base or base is None or one or base.error != base.error:
        return text
    gap = spread.mean - base.mean
    if abs(gap) <= SURE_DIFFERENCE_ERRORS * (spread.error**2 + base.error**2) ** 0.5:
        return text
    return f":orange-background[{text} {'▲' if gap > 0 else '▼'}]"
