"""One thread of torch's per process: those of several hold each other up. Plotly checks every figure."""

import os

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # before torch is imported, here and in what tests start

from pkpo.figures import style  # noqa: E402

style.CHECKED = True
