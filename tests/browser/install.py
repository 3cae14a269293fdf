"""Make sure that there is a browser for the tests: `python -m tests.browser.install`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests.browser.browser import FLAGS, executable


def works() -> bool:
    """A browser is there and draws a page."""
    from playwright.sync_api import Error, sync_playwright

    executable.cache_clear()  # one may just have been installed
    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
            page = chromium.new_page()
            page.set_content("<h1>ready</h1>")
            found = page.inner_text("h1") == "ready"
            chromium.close()
            return found
    except Error:
        return False


def main() -> int:
    """Find a browser, or install one; the exit status."""
    if works():
        return 0
    attempts = []
    if shutil.which("apt-get") and os.geteuid() == 0:
        attempts.append("apt-get update -qq && apt-get install -y -qq chromium >/dev/null")
    attempts.append(f"{sys.executable} -m playwright install chromium")
    for attempt in attempts:
        print(f"No browser found for the browser tests; trying: {attempt}", flush=True)
        if subprocess.run(attempt, shell=True).returncode == 0 and works():
            return 0
    print(
        "The browser tests need Chromium or Chrome. Install one (Debian, Ubuntu: "
        "'sudo apt-get install chromium'), or name its program in PKPO_BROWSER."
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
