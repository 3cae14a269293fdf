"""A class that watches one run: how far behind the store its pages are, and what the server needs."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import threading
import time
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from pkpo.config import BanditConfig
from pkpo.runs import LocalExecutor, Store
from tests.browser.browser import running_app

VISITORS, WATCHED = 30, 20.0  # sessions, seconds
CHARTS = "pkpo_live_charts"


# --- A class that watches -------------------------------------------------------------------------


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, running_app(PKPO_DATA_DIR=folder) as address:
        store = Store(folder)
        id = store.submit(BanditConfig(steps=100_000))
        LocalExecutor(store, {"cpu": 1}).reconcile()
        stored: list[tuple[float, int]] = []  # when a step was first seen in the store
        over = threading.Event()
        observer = threading.Thread(target=_observe, args=(store, id, stored, over))
        observer.start()
        before = _memory(address)
        arrivals: list[list[tuple[float, int]]] = [[] for _ in range(VISITORS)]
        end = time.monotonic() + WATCHED
        visitors = [
            threading.Thread(target=_watch, args=(address, id, mine, end)) for mine in arrivals
        ]
        for visitor in visitors:
            visitor.start()
        for visitor in visitors:
            visitor.join()
        after = _memory(address)
        over.set()
        observer.join()
        steps = store.run(id).step
        store.stop(id)
        while store.run(id).status == "running":
            time.sleep(0.1)
        store.close()
    lags = [when - _first(stored, step) for mine in arrivals for when, step in mine]
    served = sum(len(mine) > 1 for mine in arrivals)
    print(
        f"{VISITORS} websocket sessions watch one run for {WATCHED:.0f} s ({steps} updates in all)"
    )
    print(f"  sessions that saw it move: {served}; charts updated {len(lags)} times")
    if lags:
        print(f"  lag from store to session: median {statistics.median(lags):.2f} s, ", end="")
        print(f"worst {max(lags):.2f} s")
    print(f"  server memory: {before:.0f} MB before, {after:.0f} MB with {VISITORS} sessions")


def _observe(store: Store, id: str, stored: list[tuple[float, int]], over: threading.Event) -> None:
    while not over.is_set():
        stored.append((time.monotonic(), store.run(id).step))
        time.sleep(0.02)


def _first(stored: list[tuple[float, int]], step: int) -> float:
    return next((when for when, reached in stored if reached >= step), stored[-1][0])


def _memory(address: str) -> float:
    """Resident memory of the server that listens there, in MB."""
    listed = subprocess.run(["ps", "-eo", "rss=,args="], capture_output=True, text=True).stdout
    port = f"--server.port {urlsplit(address).port}"
    return sum(int(line.split()[0]) for line in listed.splitlines() if port in line) / 1024


def _watch(address: str, id: str, arrivals: list[tuple[float, int]], end: float) -> None:
    """A browser without a screen: opens the run's page and repeats its fragment as one would."""
    stream = address.replace("http", "ws") + "/_stcore/stream"
    with connect(
        stream, origin=address, subprotocols=["streamlit"], max_size=None, open_timeout=30
    ) as socket:
        first = BackMsg()
        first.rerun_script.query_string = f"run={id}"
        first.rerun_script.page_name = "runs"
        socket.send(first.SerializeToString())
        due: dict[str, tuple[float, float]] = {}  # fragment -> when it is due, and its interval
        while (now := time.monotonic()) < end:
            for fragment, (when, interval) in due.items():
                if now >= when:
                    due[fragment] = (now + interval, interval)
                    again = BackMsg()
                    again.rerun_script.query_string = f"run={id}"
                    again.rerun_script.page_name = "runs"
                    again.rerun_script.fragment_id = fragment
                    again.rerun_script.is_auto_rerun = True
                    socket.send(again.SerializeToString())
            try:
                message = ForwardMsg.FromString(socket.recv(timeout=0.05))
            except TimeoutError:
                continue
            if message.WhichOneof("type") == "auto_rerun":
                interval = message.auto_rerun.interval
                due[message.auto_rerun.fragment_id] = (time.monotonic() + interval, interval)
            component = message.delta.new_element.bidi_component
            if component.component_name == CHARTS:
                (series,) = json.loads(component.mixed.json or component.json)["series"]
                if not arrivals or series["last"] > arrivals[-1][1]:
                    arrivals.append((time.monotonic(), series["last"]))
