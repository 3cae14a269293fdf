"""Experiment trackers: where a run's metrics also go, if they are installed and asked for.

`TRACKERS` has them by name. Metrics keep their names, a step is an update, and the config is the run's.
Whoever logs a run that was logged before begins anew: what an earlier process left of it on this machine
is replaced. No tracker uses the network unless the user's own environment asks it to.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import math
import os
import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pkpo.extras import missing
from pkpo.fields import FieldError

PROJECT = "pkpo-lab"
"""What W&B and trackio file the runs under."""

OFFLINE = "offline"  # W&B's mode, unless WANDB_MODE says otherwise
TRACKIO_AWAY = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")  # where trackio sends runs


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRun:
    """What a tracker is told of a run before its metrics."""

    task: str
    id: str
    config: Mapping[str, Any]
    """The task and every setting, see `RunConfig.to_dict`."""
    folder: Path
    """The data directory, of which a tracker that needs a place takes a part."""

    @property
    def name(self) -> str:
        """No other run has it."""
        return f"{self.task}-{self.id}"


class Tracker(Protocol):
    """A run that is being logged."""

    where: str
    """Where to look at it, in words or as a command."""

    def log(self, update: int, metrics: Mapping[str, float]) -> None:
        """Add the metrics of one update, all of them finite."""

    def flush(self) -> None:
        """Let those who look see it all."""

    def close(self) -> None:
        """Finish; nothing follows."""


class TensorBoard:
    """Event files for TensorBoard: scalars in float32, and the config on its page HParams."""

    def __init__(self, run: TrackedRun):
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        folder = run.folder / "logs" / "tensorboard"
        self.where = f"tensorboard --logdir {shlex.quote(str(folder))}"
        for left in (folder / run.name).glob("events.out.tfevents.*"):
            left.unlink()
        self._event, self._summary = Event, Summary
        self._writer = EventFileWriter(str(folder / run.name))
        self._add(0, hparams_pb(dict(run.config), trial_id=run.name))

    def _add(self, step: int, summary: Any) -> None:
        event = self._event(step=step, summary=summary)
        event.wall_time = time.time()
        self._writer.add_event(event)

    def log(self, update: int, metrics: Mapping[str, float]) -> None:
        """See `Tracker`."""
        values = [
            self._summary.Value(tag=name, simple_value=value) for name, value in metrics.items()
        ]
        self._add(update, self._summary(value=values))

    def flush(self) -> None:
        """See `Tracker`."""
        self._writer.flush()

    def close(self) -> None:
        """See `Tracker`."""
        self._writer.close()


class WeightsAndBiases:
    """A run of W&B: offline, in files that `wandb sync` sends, unless WANDB_MODE says otherwise."""

    def __init__(self, run: TrackedRun):
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # else it calls home even offline
        import wandb

        mode = os.environ.get("WANDB_MODE", OFFLINE)
        folder = Path(os.environ.get("WANDB_DIR") or run.folder / "logs")
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"*wandb/offline-run-*-{run.name}"):
            shutil.rmtree(left)
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            id=run.name,
            name=run.name,
            config=dict(run.config),
            dir=folder,
            mode=mode,
            resume=None if mode == OFFLINE else "allow",
            settings=wandb.Settings(console="off", silent=True, x_disable_stats=True),
        )
        kept = shlex.quote(str(Path(self._run.dir).parent))
        self.where = f"wandb sync {kept}" if mode == OFFLINE else self._run.url or mode

    def log(self, update: int, metrics: Mapping[str, float]) -> None:
        """See `Tracker`."""
        self._run.log(dict(metrics), step=update)

    def flush(self) -> None:
        """See `Tracker`; W&B does so by itself."""

    def close(self) -> None:
        """See `Tracker`."""
        self._run.finish()


class Trackio:
    """A run of trackio: on this machine, unless TRACKIO_SPACE_ID or TRACKIO_SERVER_URL is set."""

    def __init__(self, run: TrackedRun):
        import trackio

        with contextlib.suppress(ValueError):  # there is no such project yet
            for left in trackio.Api().runs(PROJECT):
                if left.name == run.name:
                    left.delete()
        away = next(filter(None, map(os.environ.get, TRACKIO_AWAY)), "")
        with contextlib.nullcontext() if away else _hub_offline():
            self._run = trackio.init(
                project=PROJECT,
                name=run.name,
                config=dict(run.config),
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )
        self._finish = trackio.finish  # the run's own would be called again, and print, at the exit
        self.where = away or f"trackio show --project {PROJECT}"

    def log(self, update: int, metrics: Mapping[str, float]) -> None:
        """See `Tracker`."""
        self._run.log(dict(metrics), step=update)

    def flush(self) -> None:
        """See `Tracker`; trackio does so by itself."""

    def close(self) -> None:
        """See `Tracker`."""
        self._finish()


@contextlib.contextmanager
def _hub_offline() -> Iterator[None]:
    """Keep trackio from asking the Hugging Face hub for its user's name, where it has a token."""
    from huggingface_hub import constants

    was = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = was


TRACKERS: dict[str, Callable[[TrackedRun], Tracker]] = {
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
    "trackio": Trackio,
}
"""By the name of the package that each needs."""


def check_trackers(names: Sequence[str], argument: str = "log") -> tuple[str, ...]:
    """The same names, each once, if they can be logged to.

    Raises:
      ValueError: a name that is unknown, or whose package is not installed.
    """
    for name in names:
        if name not in TRACKERS:
            raise FieldError(
                argument, f"{argument} must be one of {', '.join(TRACKERS)}, got {name[:40]!r}"
            )
        if not _is_installed(name):
            raise missing(f"{argument} {name}", ModuleNotFoundError(name=name))
    return tuple(dict.fromkeys(names))


def _is_installed(package: str) -> bool:
    found = importlib.util.find_spec(package)
    return found is not None and found.origin is not None  # else a mere folder of that name


def installed_trackers() -> tuple[str, ...]:
    """Those of `TRACKERS` whose packages are installed."""
    return tuple(name for name in TRACKERS if _is_installed(name))


def setting_that_sends(name: str) -> str:
    """What in the environment makes a tracker send metrics to another machine; "" if they stay here."""
    mode = os.environ.get("WANDB_MODE", OFFLINE)
    if name == "wandb" and mode not in (OFFLINE, "dryrun", "disabled"):
        return f"WANDB_MODE={mode}"
    return (
        next((key for key in TRACKIO_AWAY if os.environ.get(key)), "") if name == "trackio" else ""
    )


def trackers_from_environment() -> tuple[str, ...]:
    """The trackers of runs that name none: those in PKPO_LOG, separated by commas.

    Raises:
      ValueError: as `check_trackers`.
    """
    names = os.environ.get("PKPO_LOG", "").split(",")
    return check_trackers([name.strip() for name in names if name.strip()], "PKPO_LOG")


class MetricsLog:
    """Logs a run to several trackers. One that fails is left out from then on; no run fails of it.

    Args:
      names: of `TRACKERS`.
      run: what is logged.
      tell: called when a tracker has failed, with a line for each that has.

    Attributes:
      where: by tracker, of those that have not failed, where to look.
    """

    def __init__(
        self, names: Sequence[str], run: TrackedRun, tell: Callable[[Sequence[str]], object]
    ):
        self.where: dict[str, str] = {}
        self._tell = tell
        self._problems: list[str] = []
        self._open: dict[str, Tracker] = {}
        self._next = 0
        for name in names:
            with self._guarded(name):
                self._open[name] = TRACKERS[name](run)
                self.where[name] = self._open[name].where

    @property
    def lines(self) -> list[str]:
        """`where`, in a line each."""
        return [f"{name}: {where}" for name, where in self.where.items()]

    def log(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add updates; those that were there before, as after a resume, are skipped.

        Args:
          rows: by update, each with "update", "k" and metrics. What is not a finite number, such as a
            metric that was not measured then, has no point.
        """
        for name, tracker in list(self._open.items()):
            with self._guarded(name):
                for row in rows:
                    if row["update"] >= self._next:
                        tracker.log(row["update"], _finite(row))
                tracker.flush()
        self._next = max([self._next, *(row["update"] + 1 for row in rows)])

    def close(self) -> None:
        """Finish."""
        for name, tracker in list(self._open.items()):
            with self._guarded(name):
                tracker.close()
        self._open.clear()

    @contextlib.contextmanager
    def _guarded(self, name: str) -> Iterator[None]:
        """Keep a tracker's words off the output, and its failures away from the run."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                yield
        except Exception as reason:  # whatever it is, the run is worth more
            self._open.pop(name, None)
            self.where.pop(name, None)
            said = (str(reason).splitlines() or [type(reason).__name__])[0]
            self._problems.append(f"log {name} failed: {said}")
            self._tell(self._problems)


def rows_of(columns: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Curves, as `Store.events` or `Recording.columns` give them, as `MetricsLog.log` takes them."""
    lists = (column.tolist() for column in columns.values())
    return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]


def log_whole_run(
    names: Sequence[str], run: TrackedRun, columns: Mapping[str, np.ndarray]
) -> tuple[list[str], list[str]]:
    """Log a run that is over.

    Args:
      names: of `TRACKERS`.
      run: what is logged.
      columns: its curves, as `Store.events` or `Recording.columns` give them.

    Returns:
      Lines: of every tracker that took it all, and of every one that failed.
    """
    failed: Sequence[str] = ()

    def tell(problems: Sequence[str]) -> None:
        nonlocal failed
        failed = problems

    log = MetricsLog(names, run, tell)
    log.log(rows_of(columns))
    log.close()
    return log.lines, list(failed)


def _finite(row: Mapping[str, Any]) -> dict[str, float]:
    return {name: x for name, x in row.items() if name != "update" and math.isfinite(x)}
