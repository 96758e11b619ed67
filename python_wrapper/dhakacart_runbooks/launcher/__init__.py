# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts runs with ansible-runner, and ends every one of them for good. See ``docs/wrapper.md``."""

from __future__ import annotations

from .handle import Run
from .launcher import RunnerLauncher
from .signals import CancelledBySignals

__all__ = ["CancelledBySignals", "Run", "RunnerLauncher"]
