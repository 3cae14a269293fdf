"""`python -m pkpo ...`, or `pkpo ...` once installed: see `pkpo.cli.main`."""

import sys

from pkpo.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
