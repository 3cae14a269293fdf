"""The parser of the command line, and what a command's errors become."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from pkpo.cli.output import print_anything, shorten
from pkpo.plugins import load_plugins

COMMANDS = ("app", "train", "runs", "figures", "report", "evaluate", "worker", "estimators")
"""The modules of this package that each add a command; only the one that is asked for is imported."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (2: something asked for is impossible)."""
    print_anything()
    try:
        load_plugins()
    except ValueError as reason:
        print(f"pkpo: {shorten(reason)}", file=sys.stderr)
        return 2
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = _parser(words[0] if words else "").parse_args(words)
    try:
        return arguments.run(arguments)
    except ValueError as reason:
        print(f"pkpo {arguments.command}: {shorten(reason)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\npkpo {arguments.command}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
        return 0


class _Parser(argparse.ArgumentParser):
    """Argparse's, whose errors are two lines, however long its usage or what was typed."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with status 2."""
        usage = self.format_usage()
        if len(usage.splitlines()) > 1:
            usage = f"usage: {self.prog} ...; {self.prog} --help lists what it takes\n"
        self.exit(2, f"{usage}{self.prog}: error: {shorten(message)}\n")


def _parser(asked_for: str) -> argparse.ArgumentParser:
    """The parser of the command that is asked for; of all, where there is no such command."""
    parser = _Parser(prog="pkpo", description="Pass@K Policy Optimization, to try.")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar=f"{{{','.join(COMMANDS)}}}"
    )
    for name in (asked_for,) if asked_for in COMMANDS else COMMANDS:
        importlib.import_module(f"pkpo.cli.{name}").add_command(commands)
    return parser
