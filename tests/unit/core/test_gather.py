# SPDX-License-Identifier: GPL-3.0-or-later
"""Several calls at once, each with its own deadline."""

from __future__ import annotations

import threading
import time

from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import NoAnswer
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.gather import Job, gather


def test_values_and_errors_are_told_apart() -> None:
    def fails() -> None:
        raise ValueError("no")

    found = gather({"good": Job(lambda: 7, 1), "bad": Job(fails, 1)})
    assert (found["good"].value, found["good"].error) == (7, None)
    assert isinstance(found["bad"].error, ValueError)


def test_a_call_that_hangs_becomes_no_answer_and_is_not_waited_for() -> None:
    release = threading.Event()
    begin = time.monotonic()
    found = gather({"hangs": Job(release.wait, 0.2), "quick": Job(lambda: "here", 0.2)})
    took = time.monotonic() - begin
    release.set()
    assert isinstance(found["hangs"].error, NoAnswer)
    assert found["hangs"].error.kind == "no_answer"
    assert found["quick"].value == "here"
    assert took < 2


def test_calls_run_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=5)
    found = gather({name: Job(together.wait, 5) for name in "abc"})
    assert all(outcome.error is None for outcome in found.values())
