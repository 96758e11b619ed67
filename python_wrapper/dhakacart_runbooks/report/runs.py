# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of an incident: who, when, why. A run that left events and no outcome was killed, or is still going."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .model import Run
from .reading import Source, list_of, mapping_of, number_of, text_of, texts_of, time_of

_EVENTS = ".events.jsonl"


def read_runs(source: Source, folder: str) -> tuple[Run, ...]:
    """In the order in which they were started; those without a time last."""
    files = source.names(f"{folder}/*.json")
    runs = {_id(name): _run(document, _id(name)) for name in files if (document := source.document(name))}
    for name in source.names(f"{folder}/*{_EVENTS}"):
        run_id = Path(name).name.removesuffix(_EVENTS)
        if run_id not in runs:
            runs[run_id] = _from_events(list(source.lines(name)), run_id)
        if not runs[run_id].status:
            source.gaps.append(f"{folder}/ has no outcome of run {run_id}: it was killed, or is still going")
    return tuple(sorted(runs.values(), key=lambda run: float("inf") if run.started is None else run.started))


def _id(name: str) -> str:
    return Path(name).name.removesuffix(".json")


def _run(document: Mapping[str, Any], run_id: str) -> Run:
    outcome = mapping_of(document.get("outcome"))
    request = mapping_of(document.get("request")) or mapping_of(outcome.get("request"))
    code = number_of(outcome.get("exit_code"))
    return Run(
        run_id=text_of(outcome.get("run_id")) or run_id,
        runbook=text_of(request.get("runbook")),
        environment=text_of(outcome.get("environment")),
        sections=texts_of(request.get("sections")) or _closed(outcome),
        started=time_of(outcome.get("started")),
        finished=time_of(outcome.get("finished")),
        status=text_of(outcome.get("status")),
        exit_code=None if code is None else int(code),
        user=text_of(document.get("user")),
        host=text_of(document.get("host")),
        approve=text_of(request.get("approve")),
        check=request.get("check") is True,
        changed=outcome.get("changed") is True,
        interrupted_step=text_of(outcome.get("interrupted_step")),
        message=text_of(outcome.get("message")),
    )


def _closed(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    rows = [mapping_of(entry) for entry in list_of(outcome.get("sections"))]
    return tuple(name for row in rows if (name := text_of(row.get("section"))))


def _from_events(events: list[Mapping[str, Any]], run_id: str) -> Run:
    """What the events tell of a run; with its last event, if it got that far."""
    begun = next((event for event in events if event.get("event") == "run_started"), {})
    ended = next((event for event in events if event.get("event") == "run_finished"), None)
    run = Run(
        run_id=run_id,
        runbook=text_of(begun.get("runbook")),
        sections=texts_of(begun.get("sections")),
        started=time_of(begun.get("time")),
        check=begun.get("check") is True,
    )
    if ended is None:
        return run
    told = _run({"outcome": ended.get("outcome")}, run_id)
    return replace(told, sections=told.sections or run.sections, started=told.started or run.started)
