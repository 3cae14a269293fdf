"""`pkpo worker ID`: what executors call to train a claimed run."""

from __future__ import annotations

import argparse

from pkpo.runs import worker


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add `worker` to a parser's commands."""
    parser = commands.add_parser("worker", help="train a claimed run; executors call this")
    parser.add_argument("id", help="the run's id")
    parser.set_defaults(run=lambda arguments: worker.main(arguments.id))
