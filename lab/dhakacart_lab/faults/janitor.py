# SPDX-License-Identifier: GPL-3.0-or-later
"""Heals faults whose lease has run out: a process of its own, so that no killed terminal leaves a fault behind."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ..layout import LabError, Layout, read_layout
from . import leash
from .state import active


def main() -> None:
    layout = read_layout(Path(sys.argv[1]))
    lock = leash.only_one(layout, leash.JANITOR)
    if lock is None:
        return
    with lock:
        while True:
            leash.sign(layout, leash.JANITOR)
            leash.keep_alive(layout, leash.WATCHDOG)
            try:
                if any(fault.expired for fault in active(layout)):
                    _heal(layout)
            except LabError as error:
                print(f"healing failed, trying again: {error}", flush=True)
            time.sleep(leash.INTERVAL)


def _heal(layout: Layout) -> None:
    # Imported late: the janitor mostly sleeps, and the lab's parts cost 80 MB that only healing needs.
    from ..failures import as_lab_errors
    from ..lab import Lab
    from .catalogue import heal

    with as_lab_errors():  # a janitor that dies heals nothing
        print(f"healed after expiry: {', '.join(heal(Lab(layout)))}", flush=True)


if __name__ == "__main__":
    main()
