"""`python -m app [--classroom] [streamlit options]`, or `pkpo app`: start with the first picture ready.

The same as `python -m streamlit run app/main.py`, but what the first visitor would wait for is
imported and computed before the server answers. With `--classroom` it listens on the local network:
visitors may look and run within limits, the host, who opens the printed host link, may do all.
"""

import os
import sys

import click
from streamlit.web import cli

from app import cached
from app.classroom import command
from app.presets import PRESETS
from pkpo.cli.app import TYPED_COMMAND
from pkpo.comparisons.settings import parse_comparison

CLASSROOM = click.Option(
    [command.OPTION], is_flag=True, help="Listen on the local network, for a class."
)


@click.command(
    params=[CLASSROOM, *(one for one in cli.main_run.params if isinstance(one, click.Option))],
    context_settings={"allow_extra_args": True},
)
@click.pass_context
def start(context: click.Context, classroom: bool, **_: object) -> None:
    """Start PKPO Lab. All options but --classroom are Streamlit's."""
    if context.args:
        raise click.UsageError(
            f"{context.args[0]!r} is not an option: {context.info_name} takes {command.OPTION} and "
            "Streamlit's options, such as --server.port=8600, and no words."
        )
    options = [option for option in sys.argv[1:] if option != command.OPTION]
    if classroom:
        options = command.options(options)
    for task, presets in PRESETS.items():
        for preset in presets:
            cached.cached_playback(preset.runs(task))
    cached.cached_playback(parse_comparison({}, "schedule 1 8"), ("stage",))
    cli.main(["run", str(command.SCRIPT), *options])


if __name__ == "__main__":
    start(prog_name=os.environ.pop(TYPED_COMMAND, "python -m app"))
