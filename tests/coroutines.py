"""Coroutines in tests, whatever ran before."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def run_coroutine(coroutine: Coroutine[None, None, Result]) -> Result:
    """What a coroutine returns, run in a thread of its own.

    Playwright keeps an event loop running in the tests' thread, in which no other can be started.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
