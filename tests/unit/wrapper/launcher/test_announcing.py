# SPDX-License-Identifier: GPL-3.0-or-later
"""Observers hear of a run first, and one that cannot is said by name, once."""

from __future__ import annotations

from dhakacart_runbooks.errors import InfrastructureError
from dhakacart_runbooks.events import Event, RunStarted, Said
from dhakacart_runbooks.launcher.announcing import announce
from dhakacart_runbooks.launcher.plan import Ended, Job
from dhakacart_runbooks.launcher.redacting import redactor
from dhakacart_runbooks.launcher.telling import Teller
from dhakacart_runbooks.outcome import RunOutcome
from dhakacart_runbooks.request import RunRequest


class Deaf:
    """An observer that can take nothing."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def started(self, request: RunRequest, event: RunStarted) -> None:
        raise self.error

    def event(self, event: Event) -> None:
        raise self.error

    def finished(self, outcome: RunOutcome) -> None:
        raise self.error


class Listening:
    """An observer that notes the first event."""

    def __init__(self) -> None:
        self.heard: list[RunStarted] = []

    def started(self, request: RunRequest, event: RunStarted) -> None:
        self.heard.append(event)

    def event(self, event: Event) -> None: ...

    def finished(self, outcome: RunOutcome) -> None: ...


def job(*observers: Deaf | Listening) -> Job:
    return Job("run-1", RunRequest("database-failure", ("symptoms",)), 5.0, (), redactor(()), observers)


def told(*observers: Deaf | Listening) -> list[Event]:
    events: list[Event] = []
    this = job(*observers)
    teller = Teller(this, events.append)
    teller.finish(teller.follow(announce(this), lambda: Ended(0)))
    return events


def test_every_observer_hears_of_the_run_before_ansible_is_started() -> None:
    ears = Listening()
    announcement = announce(job(Deaf(ValueError("x")), ears))
    assert ears.heard == [announcement.event]
    assert (announcement.event.run_id, announcement.event.time, announcement.event.inventory) == ("run-1", 5.0, "lab")


def test_an_error_of_ours_is_told_as_it_stands_and_once() -> None:
    error = InfrastructureError("is full", where="/var/history.db", remedy="make room")
    assert [event.text for event in told(Deaf(error)) if isinstance(event, Said)] == [
        "/var/history.db: is full; remedy: make room"
    ]


def test_any_other_error_names_the_observer() -> None:
    (said,) = [event.text for event in told(Deaf(ValueError("no\nway"))) if isinstance(event, Said)]
    assert said == "Deaf does not follow this run: ValueError: no"
