"""The Chrome or Chromium that draws images: where it may be, and one kept open for many images."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",)
START = 45.0  # seconds for a browser to start
PATIENCE = 120.0  # seconds to draw one image
PRINT_FLAGS = (
    "--headless",
    "--no-sandbox",  # it reads one page, made here; root has no sandbox
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-pdf-header-footer",
)
REASON = 120  # characters of why a browser draws no image


class NoExporterError(RuntimeError):
    """An image cannot be made on this machine; the message says what is missing."""


def candidates(variable: str = "BROWSER_PATH") -> list[str]:
    """Programs that may be a working browser, in the order in which to try them.

    Args:
      variable: of the environment; what it names, a program or its path, is the only candidate.
    """
    if named := os.environ.get(variable):
        return [shutil.which(named) or named]
    found = [*filter(None, map(shutil.which, NAMES)), *filter(os.path.exists, PLACES)]
    return list(dict.fromkeys(found))


class Browser:
    """One browser that draws figures, for any number of threads; it starts with the first image."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._starting = threading.Lock()
        self._kaleido: Any = None
        self._problem = ""

    def draw(self, figure: dict[str, Any], options: dict[str, Any]) -> bytes:
        """A figure as an image.

        Args:
          figure: Plotly's, as a dictionary.
          options: kaleido's: format, width, height, scale.

        Raises:
          NoExporterError: no browser starts here, or it cannot draw this.
        """
        with self._starting:
            if self._kaleido is None and not self._problem:
                self._start()
        if self._problem:
            raise NoExporterError(self._problem)
        try:
            return self._wait(self._kaleido.calc_fig(figure, opts=options))
        except Exception as reason:  # kaleido's own errors have no common base
            raise NoExporterError(f"the browser drew no image: {_words(reason)}") from None

    def close(self) -> None:
        """End the browser."""
        try:
            with suppress(Exception):  # whatever ails a browser that is done
                if self._kaleido is not None:
                    self._wait(self._kaleido.close())
                self._wait(_cancel_the_rest())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _start(self) -> None:
        try:
            import kaleido  # noqa: F401
        except ImportError:
            self._problem = "images need the package kaleido: pip install 'pkpo-lab[app]'"
            return
        logging.getLogger("choreographer").setLevel(logging.CRITICAL)  # failures are told below
        reasons = []
        paths: list[str | None] = [*candidates()]
        for path in paths or [None]:  # None: where kaleido itself may have put one
            try:
                self._kaleido = self._wait(_open(path))
                return
            except Exception as reason:
                reasons.append(f"{path}: {_words(reason)}" if path else _words(reason))
        self._problem = (
            f"images need Chrome or Chromium, which kaleido drives ({'; '.join(reasons)})"
        )

    def _wait(self, doing: Coroutine) -> Any:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(PATIENCE)


def print_pdf(page: str, out: Path) -> None:
    """Print a page of HTML, which asks for nothing else, as a PDF file.

    Raises:
      NoExporterError: no browser is here, or none prints it.
      OSError: the file cannot be written.
    """
    reasons = []
    with tempfile.TemporaryDirectory() as folder:
        source, printed = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(page, encoding="utf-8")
        for path in candidates():
            command = [path, *PRINT_FLAGS, f"--user-data-dir={folder}/profile"]
            command += [f"--print-to-pdf={printed}", source.as_uri()]
            try:
                subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
            except subprocess.CalledProcessError as reason:
                reasons.append(f"{path}: ended with {reason.returncode}")
                continue
            except subprocess.TimeoutExpired:
                reasons.append(f"{path}: no answer in {PATIENCE:g} s")
                continue
            except OSError as reason:
                reasons.append(f"{path}: {reason.strerror or reason}")
                continue
            if printed.is_file():
                shutil.copyfile(printed, out)
                return
            reasons.append(f"{path}: wrote no file")
    told = f" ({'; '.join(reasons)})" if reasons else ""
    raise NoExporterError(f"a PDF needs Chrome or Chromium, which prints it{told}")


async def _open(path: str | None) -> Any:
    """A running kaleido; whatever else starts and does not answer is ended."""
    import kaleido

    # Formulas are not used; their script would be asked for over the network.
    found = kaleido.Kaleido(path=path, mathjax=False)
    try:
        await asyncio.wait_for(found.open(), START)
    except BaseException:
        if process := getattr(found, "subprocess", None):
            _kill(process)
        with suppress(Exception):
            await asyncio.wait_for(found.close(), START)
        raise
    return found


def _kill(process: subprocess.Popen) -> None:
    """End a process at once, on POSIX with its children: kaleido gives it a group of its own."""
    with suppress(OSError):
        if hasattr(os, "killpg") and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


async def _cancel_the_rest() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _words(reason: BaseException) -> str:
    """Why, in one short line; of an error that carries several sentences, the first."""
    text = " ".join(str(reason.args[0] if reason.args else "").split()) or type(reason).__name__
    return text if len(text) <= REASON else text[: REASON - 3] + "..."


_lock = threading.Lock()
_users = 0
_shared: Browser | None = None


@contextmanager
def browser() -> Iterator[Browser]:
    """The browser that all who need one at the same time share; the last to leave ends it."""
    global _users, _shared
    with _lock:
        if _shared is None:
            _shared = Browser()
        _users += 1
        mine = _shared
    try:
        yield mine
    finally:
        with _lock:
            _users -= 1
            last = not _users
            if last:
                _shared = None
        if last:
            mine.close()
