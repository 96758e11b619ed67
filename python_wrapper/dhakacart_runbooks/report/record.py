# SPDX-License-Identifier: GPL-3.0-or-later
"""From the folder of an incident to a ``Record``. Tolerant: a half-written record is a record with named gaps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InfrastructureError, UsageError
from ..finding import Finding, worst
from .model import Cause, Control, Figure, Opening, Outage, Record, Section
from .reading import Redact, Source, flag_of, list_of, mapping_of, number_of, seconds_of, text_of, texts_of, time_of
from .runs import read_runs
from .text import plural
from .timeline import Timeline, read_timeline

OPENING, TIMELINE, FIGURES = "opening.json", "timeline.jsonl", "figures.json"
SECTIONS, RUNS = "sections", "runs"
_NAME = re.compile(r"\d{4}-\d{2}-\d{2}-\d{6}-([a-z0-9]+)-(.+)")


def looks_like_a_record(folder: Path) -> bool:
    """Whether anything in a folder belongs to an incident record."""
    return any((folder / name).exists() for name in (OPENING, TIMELINE, SECTIONS, RUNS))


def read(folder: Path, redact: Redact) -> Record:
    """The record in a folder.

    :raises UsageError: there is no such folder, or it holds nothing of a record.
    :raises InfrastructureError: it may not be read.
    """
    _must_be_a_record(folder)
    source = Source(folder, redact)
    timeline = read_timeline(source, TIMELINE)
    incident = timeline.about.get("incident") is not False
    # The record of a run that only read has no opening state, and lacks nothing.
    document = source.document(OPENING) if incident or (folder / OPENING).exists() else None
    documents = {name: found for name in source.names(f"{SECTIONS}/*.json") if (found := source.document(name))}
    sections = _sections(documents, timeline, source)
    runs = read_runs(source, RUNS)
    figures = mapping_of(source.document(FIGURES)) if (folder / FIGURES).exists() else {}
    opening = _opening(document, source)
    runbook, environment = _about(folder.name, [mapping_of(document), timeline.about, *documents.values()])
    return Record(
        folder=folder.name,
        runbook=runbook or next((run.runbook for run in runs if run.runbook), ""),
        environment=environment or next((run.environment for run in runs if run.environment), ""),
        platform=text_of(timeline.about.get("name")),
        incident=incident,
        opened=_first_evidence(opening, timeline, sections),
        opening=opening,
        sections=sections,
        steps=timeline.steps,
        approvals=timeline.approvals,
        verifications=timeline.verifications,
        moments=timeline.moments,
        closed=timeline.closed,
        runs=runs,
        outages=_outages(figures, source),
        figures=_figures(figures, source),
        measured_by=text_of(figures.get("measured_by")),
        gaps=tuple(source.gaps),
    )


def _must_be_a_record(folder: Path) -> None:
    remedy = "name the folder of an incident, or leave it out for the newest one"
    try:
        if not folder.is_dir():
            raise UsageError(
                "no such folder" if not folder.exists() else "not a folder", where=str(folder), remedy=remedy
            )
        if not looks_like_a_record(folder):
            raise UsageError("holds no incident record", where=str(folder), remedy=remedy)
        list(folder.iterdir())
    except OSError as error:
        raise InfrastructureError(
            f"cannot be read ({error.strerror})", where=str(folder), remedy="read it as the user who ran the runbook"
        ) from None


def _about(folder: str, documents: list[Mapping[str, Any]]) -> tuple[str, str]:
    """Runbook and environment, as the files say them, else as the folder's name does."""
    named = _NAME.fullmatch(folder)
    environment = next((found for d in documents if (found := text_of(d.get("environment")))), "")
    runbook = next((found for d in documents if (found := text_of(d.get("runbook")))), "")
    if not named:
        return runbook, environment
    if environment and not runbook:
        return folder.partition(f"-{environment}-")[2] or named[2], environment
    return runbook or named[2], environment or named[1]


def _opening(document: Mapping[str, Any] | None, source: Source) -> Opening | None:
    if document is None:
        return None
    findings = _findings(document, OPENING, source)
    return Opening(
        started=time_of(document.get("started")),
        status=text_of(document.get("status")) or str(worst(findings)),
        findings=findings,
        facts=mapping_of(document.get("facts")),
    )


def _first_evidence(opening: Opening | None, timeline: Timeline, sections: tuple[Section, ...]) -> float | None:
    """When somebody first looked: the opening state, or an earlier section that only read."""
    known = [opening.started if opening else None, timeline.opened, *(section.started for section in sections)]
    return min((time for time in known if time is not None), default=None)


def _findings(document: Mapping[str, Any], name: str, source: Source) -> tuple[Finding, ...]:
    if not isinstance(document.get("findings", []), list):
        source.gaps.append(f"{name}: its findings are no list")
    listed = list_of(document.get("findings"))
    good = [entry for entry in listed if isinstance(entry, dict) and text_of(entry.get("id"))]
    if len(good) < len(listed):
        source.gaps.append(f"{name} has {plural(len(listed) - len(good), 'unreadable finding')}")
    return tuple(Finding.from_result({**entry, "evidence": _evidence(entry.get("evidence"))}) for entry in good)


def _evidence(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {} if value is None else {"evidence": value}


def _sections(documents: Mapping[str, Mapping[str, Any]], timeline: Timeline, source: Source) -> tuple[Section, ...]:
    """Each section's file, with the moment that the timeline gives it; one that has only a line, too."""
    lines = list(timeline.sections)
    found = []
    for name, document in documents.items():
        section = _section(document, name, source)
        line = next((one for one in lines if (one.section, one.run_id) == (section.section, section.run_id)), None)
        if line:
            lines.remove(line)
            section = replace(section, ended=line.ended or section.ended, status=line.status or section.status)
        elif timeline.readable:
            source.gaps.append(f"{name} has no line in {TIMELINE}")
        found.append(section)
    for line in lines:
        source.gaps.append(
            f"{SECTIONS}/ has no readable file of {line.section or 'a section'}: its findings are missing"
        )
    return tuple(sorted([*found, *lines], key=lambda s: float("inf") if s.ended is None else s.ended))


def _section(document: Mapping[str, Any], name: str, source: Source) -> Section:
    findings = _findings(document, name, source)
    diagnosis = mapping_of(document.get("diagnosis"))
    started, elapsed = time_of(document.get("started")), seconds_of(document.get("elapsed_seconds"))
    return Section(
        section=text_of(document.get("section")) or "a section",
        source=name,
        run_id=text_of(document.get("run_id")),
        started=started,
        ended=started + elapsed if started is not None and elapsed is not None else None,
        elapsed=elapsed,
        budget=seconds_of(document.get("budget_seconds")),
        status=str(worst(findings)) if findings else "",
        cause=_cause(diagnosis.get("likely")),
        also=_causes(diagnosis.get("also")),
        possible=_causes(diagnosis.get("possible")),
        next=text_of(document.get("next")),
        recovered=flag_of(document.get("recovered")),
        check=document.get("check") is True,
        findings=findings,
        controls=_controls(document.get("controls")),
    )


def _causes(value: Any) -> tuple[Cause, ...]:
    return tuple(cause for entry in list_of(value) if (cause := _cause(entry)))


def _cause(value: Any) -> Cause | None:
    found = mapping_of(value)
    if not (text_of(found.get("id")) or text_of(found.get("title"))):
        return None
    return Cause(
        id=text_of(found.get("id")),
        title=text_of(found.get("title")) or text_of(found.get("id")),
        rests_on=texts_of(found.get("rests_on")) or texts_of(found.get("unread")),
        branch=text_of(found.get("branch")),
        next_step=text_of(found.get("next_step")),
    )


def _controls(value: Any) -> tuple[Control, ...]:
    rows = [mapping_of(entry) for entry in list_of(value)]
    return tuple(
        Control(text_of(row.get("title")), flag_of(row.get("present")), text_of(row.get("change")))
        for row in rows
        if text_of(row.get("title"))
    )


def _outages(figures: Mapping[str, Any], source: Source) -> tuple[Outage, ...]:
    rows = [mapping_of(entry) for entry in list_of(figures.get("outages"))]
    found = [
        Outage(began, time_of(row.get("ended"))) for row in rows if (began := time_of(row.get("began"))) is not None
    ]
    if len(found) < len(rows):
        source.gaps.append(f"{FIGURES} has {plural(len(rows) - len(found), 'unreadable outage')}")
    return tuple(sorted(found, key=lambda outage: outage.began))


def _figures(figures: Mapping[str, Any], source: Source) -> tuple[Figure, ...]:
    rows = [mapping_of(entry) for entry in list_of(figures.get("figures"))]
    found = tuple(
        Figure(name, value, text_of(row.get("unit")), number_of(row.get("target")), flag_of(row.get("met")))
        for row in rows
        if (name := text_of(row.get("name"))) and (value := number_of(row.get("value"))) is not None
    )
    if len(found) < len(rows):
        source.gaps.append(f"{FIGURES} has {plural(len(rows) - len(found), 'unreadable figure')}")
    return found
