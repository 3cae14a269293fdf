"""`pkpo estimators`: list what is registered."""

from __future__ import annotations

import argparse

from pkpo.cli.output import to_json
from pkpo.estimators import ESTIMATORS


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add `estimators` to a parser's commands."""
    parser = commands.add_parser("estimators", help="list the estimators")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_estimators)


def _estimators(arguments: argparse.Namespace) -> int:
    shown = "key label reference optimises unbiased centred needs formula formula_at_one".split()
    rows = [{name: getattr(e, name) for name in shown} for e in ESTIMATORS.values()]
    if arguments.json:
        print(to_json(rows))
        return 0
    for row in rows:
        flags = [name for name in ("unbiased", "centred") if row[name]]
        print(f"{row['key']}: {row['label']}  [{row['reference']}]")
        print(f"    optimises {row['optimises']}; needs {row['needs']}")
        print(f"    {', '.join(flags) or 'neither unbiased for max@k nor centred'}")
    return 0
