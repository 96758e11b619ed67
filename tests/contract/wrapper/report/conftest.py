# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium that tells what a page asked for, complained about, and looks like."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)
START_SECONDS, CALL_SECONDS = 60.0, 30.0


class Browser:
    """One tab, over the DevTools protocol."""

    def __init__(self, address: str) -> None:
        from websocket import create_connection

        self._socket = create_connection(address, timeout=CALL_SECONDS, suppress_origin=True)
        self._number = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Its result; events that come meanwhile are kept."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._number:
                assert "error" not in message, message
                return dict(message["result"])
            self.events.append(message)

    def show(self, page: Path, *, width: int, dark: bool) -> None:
        """Load a page and wait until it is there."""
        self.events.clear()
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500
        )
        self.call("Page.navigate", url=page.as_uri())
        deadline = time.monotonic() + CALL_SECONDS
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            assert time.monotonic() < deadline, "the page did not load"
            self.events.append(json.loads(self._socket.recv()))
        self.call("Runtime.evaluate", expression="1")

    def value(self, expression: str) -> Any:
        """What a script answers in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def requested(self) -> list[str]:
        """The addresses that were asked for since the page was shown."""
        asked = [event for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in asked]

    def complaints(self) -> list[Any]:
        """What stands in the console."""
        kinds = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [event["params"] for event in self.events if event["method"] in kinds]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser of its own profile; skipped where none is installed."""
    pytest.importorskip("websocket", reason="websocket-client speaks to the browser: make setup")
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser is installed ({', '.join(PROGRAMS)}); on Debian: apt-get install chromium")
    profile = tmp_path_factory.mktemp("chromium")
    process = subprocess.Popen(
        [program, *QUIET, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        tab = Browser(_address(profile / "DevToolsActivePort", process))
        yield tab
        tab.call("Browser.close")
        tab.close()
    finally:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(port_file: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_SECONDS
    while not (port_file.exists() and "\n" in port_file.read_text()):
        assert process.poll() is None, f"the browser ended at once with {process.returncode}"
        assert time.monotonic() < deadline, "the browser did not start"
        time.sleep(0.1)
    port = port_file.read_text().split()[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=CALL_SECONDS) as answer:
        return str(next(tab for tab in json.load(answer) if tab["type"] == "page")["webSocketDebuggerUrl"])


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Puts pages into files."""
    folder = tmp_path_factory.mktemp("pages")

    def put(name: str, text: str) -> Path:
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
        return folder / f"{name}.html"

    return put
