# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a container that ended waits until it is started again."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_BACK_OFF = 10.0  # seconds
MAX_BACK_OFF = 300.0
RESET_AFTER = 2 * MAX_BACK_OFF  # seconds of running after which a crash counts as the first again


@dataclass
class BackOff:
    """Doubling waits, as the kubelet counts them: the first restart is at once."""

    wait: float = 0.0
    last: float = 0.0

    def left(self, ended: float) -> float:
        """The seconds a container that ended at ``ended`` still has to wait (loop clock)."""
        if self.wait and ended - self.last > RESET_AFTER:
            self.wait = 0.0
        return self.wait

    def step(self, now: float) -> None:
        self.wait = min(MAX_BACK_OFF, self.wait * 2) if self.wait else FIRST_BACK_OFF
        self.last = now
