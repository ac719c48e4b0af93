"""A real browser without a window, driven by its own driver; what it needs is Debian's, nothing is downloaded."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from typing_extensions import Self

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
"""A person's: what Chromium calls itself without a window is a known program."""
LIMIT = 60.0
"""Seconds that a page may take on a busy machine."""
_FIND = Path(__file__).parents[3] / "tools" / "ensure-browser"
_QUIET = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--window-size=1200,900",
)


class Browser:
    """A browser; a context manager that stops it, with every process that it started.

    Args:
        folder: Where it may write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        # Importing it takes half a second, and only these tests need it.
        from selenium import webdriver  # noqa: PLC0415
        from selenium.webdriver.chrome.service import Service  # noqa: PLC0415

        browser, driver = _found()
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for argument in (*_QUIET, f"--user-agent={AGENT}", f"--user-data-dir={self._folder}"):
            options.add_argument(argument)
        self._service = Service(driver, popen_kw={"start_new_session": True})
        try:
            self.driver: Chrome = webdriver.Chrome(options=options, service=self._service)
            self.driver.set_page_load_timeout(LIMIT)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):
            self.driver.quit()
        self._stop()

    def _stop(self) -> None:
        """End the driver's process group, which the browser is part of."""
        process: Any = getattr(self._service, "process", None)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            shutil.rmtree(self._folder, ignore_errors=True)
            if not self._folder.exists():
                return
            time.sleep(0.05)

    def open(self, url: str) -> None:
        """Load a page as a whole."""
        self.driver.get(url)

    def click(self, identity: str) -> None:
        """Click what has an id, once it is there."""
        self._wait(lambda: self.driver.find_elements("id", identity))
        self.driver.find_element("id", identity).click()

    def shows(self, text: str) -> None:
        """Wait until the page shows a text."""
        self._wait(lambda: text in self.text())

    def text(self) -> str:
        """What the page shows."""
        found: Any = self.driver.execute_script("return document.body ? document.body.innerText : ''")
        return str(found or "")

    def _wait(self, test: Any) -> None:
        deadline = time.monotonic() + LIMIT
        while not test():
            assert time.monotonic() < deadline, f"{self.driver.current_url} shows:\n{self.text()}"
            time.sleep(0.05)


def _found() -> list[str]:
    """Browser and driver; without them the test is left out, with the reason."""
    found = subprocess.run([str(_FIND)], capture_output=True, text=True, timeout=700, check=False)
    if found.returncode:
        pytest.skip(found.stderr.strip() or "no browser to test with")
    return found.stdout.split()
