"""`python -m tests.bench [name ...]`: print the tables of every benchmark, or of those named."""

import importlib
import sys

BENCHES = (
    "estimators",
    "advantages",
    "variance",
    "lockstep",
    "figures",
    "page",
    "hand",
    "runs",
    "classroom",
    "class",
    "lm",
)


def main(names: list[str]) -> None:
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        sys.exit(f"unknown benchmark {', '.join(unknown)}; there are: {', '.join(BENCHES)}")
    for name in names or BENCHES:
        importlib.import_module(f"tests.bench.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
