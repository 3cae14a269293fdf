"""`pkpo app`: start the lab, from a checkout or as pip installed it, in any folder."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

from pkpo.extras import missing

PACKAGE = "pkpo_lab_app"
"""What holds the app where pip installed it."""
TYPED_COMMAND = "PKPO_TYPED"
"""The environment variable that tells the app how it was started, for its own messages."""


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add `app` to a parser's commands."""
    parser = commands.add_parser(
        "app",
        help="start the app on 127.0.0.1:8501; options are Streamlit's, and --classroom",
        prefix_chars="\0",  # whatever follows is for the app, --help included
        add_help=False,
    )
    parser.add_argument("options", nargs="*", metavar="OPTION")
    parser.set_defaults(run=_start)


def _start(arguments: argparse.Namespace) -> int:
    home = str(_home())
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ |= {"PYTHONPATH": os.pathsep.join(paths), TYPED_COMMAND: "pkpo app"}
    # -P: a folder named app in the current one is somebody else's.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "app", *arguments.options])


def _home() -> Path:
    """The folder that holds the package `app`.

    Raises:
      ValueError: it is not installed.
    """
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "app" / "main.py").is_file():
        return checkout
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise missing("the app", ModuleNotFoundError(name=PACKAGE))
    return Path(next(iter(found.submodule_search_locations)))
