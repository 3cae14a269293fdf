"""`pkpo estimators`: list what is registered, or the exact verdict on some, or on a formula."""

from __future__ import annotations

import argparse

from pkpo.analysis import describe_verdict, enumerate_verdict
from pkpo.cli.output import to_json
from pkpo.estimators import ESTIMATORS


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add `estimators` to a parser's commands."""
    parser = commands.add_parser("estimators", help="list the estimators, or what some optimise")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="whose exact verdict to give, such as maxrl, lstat:0/0/1, or weights of your own as "
        "'formula:(r - mean(r)) / n'",
    )
    parser.add_argument("--n", type=int, default=8, help="samples per group of a verdict (8)")
    parser.add_argument("--k", type=int, default=3, help="attempts that count in a verdict (3)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_estimators)


def _estimators(arguments: argparse.Namespace) -> int:
    if arguments.names:
        return _verdicts(arguments)
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


def _verdicts(arguments: argparse.Namespace) -> int:
    found = [enumerate_verdict(name, arguments.n, arguments.k) for name in arguments.names]
    if arguments.json:
        rows = [
            {
                "estimator": verdict.estimator,
                "n": verdict.n,
                "k": verdict.k,
                "mixture": None if verdict.mixture is None else verdict.mixture.tolist(),
                "graded": verdict.graded,
                "centred": verdict.centred,
                "cosine": verdict.direction.cosine.tolist(),
                "scale": verdict.direction.scale.tolist(),
                "bias": verdict.direction.bias.tolist(),
                "variance": verdict.variance,
                "relative_variance": verdict.relative_variance,
            }
            for verdict in found
        ]
        print(to_json(rows))
        return 0
    for verdict in found:
        print(f"{verdict.estimator}, n = {verdict.n}, k = {verdict.k}")
        for line in describe_verdict(verdict):
            print(f"    {line}")
    return 0
