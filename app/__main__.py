"""`python -m app [streamlit options]`: start the app with its first picture ready.

The same as `python -m streamlit run app/main.py`, but what the first visitor would wait for is
imported and computed before the server answers.
"""

import sys

from streamlit.web import cli

from app import cached
from app.presets import PRESETS
from pkpo.config import compared

if __name__ == "__main__":
    for task, presets in PRESETS.items():
        for preset in presets:
            cached.recorded(preset.runs(task))
    cached.recorded(compared({}, "schedule 1 8"), ("stage",))
    sys.exit(cli.main(["run", "app/main.py", *sys.argv[1:]]))
