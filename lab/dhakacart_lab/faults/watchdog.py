# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the janitor alive: ``python -m dhakacart_lab.faults.watchdog <lab folder>``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ..layout import Layout, read_layout
from . import leash


def main() -> None:
    layout: Layout = read_layout(Path(sys.argv[1]))
    lock = leash.only_one(layout, leash.WATCHDOG)
    if lock is None:
        return
    with lock:
        while True:
            leash.sign(layout, leash.WATCHDOG)
            leash.keep_alive(layout, leash.JANITOR)
            time.sleep(leash.INTERVAL)


if __name__ == "__main__":
    main()
