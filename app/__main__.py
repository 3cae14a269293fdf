"""`python -m app [--classroom] [streamlit options]`, or `pkpo app`: start with the first picture ready.

The same as `python -m streamlit run app/main.py`, but what the first visitor would wait for is
imported and computed before the server answers. With `--classroom` it listens on the local network:
visitors may look and run within limits, the host, who opens the printed host link, may do all.
"""

import sys

from streamlit.web import cli

from app import cached
from app.classroom import command
from app.presets import PRESETS
from pkpo.comparisons.settings import parse_comparison

if __name__ == "__main__":
    options = sys.argv[1:]
    if command.OPTION in options:
        options = command.options(options)
    for task, presets in PRESETS.items():
        for preset in presets:
            cached.cached_playback(preset.runs(task))
    cached.cached_playback(parse_comparison({}, "schedule 1 8"), ("stage",))
    sys.exit(cli.main(["run", str(command.SCRIPT), *options]))
