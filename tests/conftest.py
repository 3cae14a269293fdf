"""One thread of torch's per process: those of several processes that share cores hold each other up."""

import os

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # before torch is imported, here and in what tests start
