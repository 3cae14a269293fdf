"""A class that watches one run: how far behind the store its pages are, and what the server needs."""

from __future__ import annotations

import gzip
import json
import statistics
import tempfile
import threading
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from pkpo.runs import LocalExecutor, Store
from pkpo.training.tasks.bandit import BanditConfig
from tests.browser.browser import running_app, server_memory

VISITORS = (2, 10, 30)  # sessions
WATCHED = 12.0  # seconds
SMALLEST = {"VISITORS": (2,), "WATCHED": 4.0}
PERIOD = 1.0  # seconds between a browser's questions, as in follower.js
CHARTS = "pkpo_live_charts"
ACCEPTED = {"Accept-Encoding": "gzip"}


# --- A class that watches -------------------------------------------------------------------------


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, running_app(PKPO_DATA_DIR=folder) as address:
        store = Store(folder)
        id = store.submit(BanditConfig(steps=200_000))
        LocalExecutor(store, {"cpu": 1}).reconcile()
        stored: list[tuple[float, int]] = []  # when a step was first seen in the store
        over = threading.Event()
        observer = threading.Thread(target=_observe, args=(store, id, stored, over))
        observer.start()
        print(
            f"Websocket sessions with their browser's questions watch one run for {WATCHED:.0f} s"
        )
        print(f"  server memory before: {server_memory(address):.0f} MB")
        for count in VISITORS:
            arrivals = _watched_by(count, address, id)
            lags = [when - _first(stored, step) for mine in arrivals for when, step in mine]
            moved = sum(len(mine) > 1 for mine in arrivals)
            print(f"{count:>4} sessions: {moved} saw it move, {len(lags)} times in all; ", end="")
            if lags:
                print(f"lag median {statistics.median(lags):.2f} s, ", end="")
                print(f"worst {max(lags):.2f} s; ", end="")
            print(f"server memory {server_memory(address):.0f} MB", flush=True)
        over.set()
        observer.join()
        print(f"  {store.run(id).step} updates in all")
        store.stop(id)
        while store.run(id).status == "running":
            time.sleep(0.1)
        store.close()


def _watched_by(count: int, address: str, id: str) -> list[list[tuple[float, int]]]:
    """Per session, when it was told of which update."""
    arrivals: list[list[tuple[float, int]]] = [[] for _ in range(count)]
    end = time.monotonic() + WATCHED
    visitors = [threading.Thread(target=_watch, args=(address, id, mine, end)) for mine in arrivals]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    return arrivals


def _observe(store: Store, id: str, stored: list[tuple[float, int]], over: threading.Event) -> None:
    while not over.is_set():
        stored.append((time.monotonic(), store.run(id).step))
        time.sleep(0.02)


def _first(stored: list[tuple[float, int]], step: int) -> float:
    return next((when for when, reached in stored if reached >= step), stored[-1][0])


def _watch(address: str, id: str, arrivals: list[tuple[float, int]], end: float) -> None:
    """A browser without a screen: opens the run's page, then asks as its charts would."""
    stream = address.replace("http", "ws") + "/_stcore/stream"
    with connect(
        stream,
        origin=address,
        subprotocols=["streamlit"],
        max_size=None,
        open_timeout=30,
        proxy=None,
    ) as socket:
        first = BackMsg()
        first.rerun_script.query_string = f"run={id}"
        first.rerun_script.page_name = "runs"
        socket.send(first.SerializeToString())
        charts = _charts(socket, end)
        if charts is None:
            return
        columns = [("column", panel["column"]) for panel in charts["panels"]]
        server = HTTPConnection(urlsplit(address).netloc, timeout=30)
        last = -1
        while time.monotonic() < end:
            query = urlencode([*columns, ("of", f"{id}:{last}")])
            server.request("GET", f"{charts['address'][1:]}?{query}", headers=ACCEPTED)
            response = server.getresponse()
            packed = response.getheader("Content-Encoding") == "gzip"
            (part,) = json.loads(gzip.decompress(response.read()) if packed else response.read())
            if part["last"] > last:
                last = part["last"]
                arrivals.append((time.monotonic(), last))
            time.sleep(PERIOD)
        server.close()


def _charts(socket: ClientConnection, end: float) -> dict[str, Any] | None:
    """What the page says to its charts; None if it did not in time."""
    while time.monotonic() < end:
        try:
            message = ForwardMsg.FromString(socket.recv(timeout=0.1))
        except TimeoutError:
            continue
        component = message.delta.new_element.bidi_component
        if component.component_name == CHARTS:
            return json.loads(component.mixed.json or component.json)
    return None
