# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-runner's events become ours. Pure: recorded events in, typed events out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..events import (
    Diagnosed,
    EnvironmentKnown,
    Event,
    FindingsRead,
    Said,
    SectionFinished,
    SectionStarted,
    StepFinished,
    StepStarted,
    Waiting,
)
from ..finding import Finding
from .results import epoch, reason, result_of

if TYPE_CHECKING:
    from ..catalogue import Section
    from .redacting import Redacts

OURS = "dhakacart.runbooks."
# What these print is carried by events of their own.
CARRIED = frozenset({f"{OURS}{name}" for name in ("preflight", "platform_facts", "diagnose", "triage", "next_step")})
# Tasks that Ansible adds by itself, or that only include others.
INCLUDES = frozenset({"ansible.builtin.include_role", "ansible.builtin.include_tasks"})
QUIET = INCLUDES | {"ansible.builtin.validate_argument_spec"}
_NO_HOSTS = "Could not match supplied host pattern"
_FAILED = re.compile(r"\s*(FAILED|UNREACHABLE) \S+.*: ")


@dataclass
class _Step:
    """A task that has begun. ``children`` are outcomes of the tasks that an include brought in."""

    section: str
    number: int | None
    title: str
    began: float
    quiet: bool = False
    children: list[StepFinished] = field(default_factory=list)
    done: bool = False


@dataclass
class Facts:
    """What the end of a run is judged by, beside its events.

    :param findings: the last reading of each host.
    :param likely: the cause named last for each host.
    :param refused: the preflight's ``reason`` where it failed.
    :param last_line: what was printed last outside of every task.
    """

    preflight: str = ""
    refused: str = ""
    refusal: str = ""
    unreachable: bool = False
    last_line: str = ""
    errors: list[str] = field(default_factory=list)
    findings: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    likely: dict[str, str] = field(default_factory=dict)


class Translator:
    """One run's events, in order."""

    def __init__(self, sections: tuple[Section, ...], redactor: Redacts, *, check: bool = False) -> None:
        self.facts = Facts()
        self._titles = {section.tag: {step.title: step.number for step in section.steps} for section in sections}
        self._clean = redactor
        self._changed = "would_change" if check else "changed"
        self._budgets: dict[str, float] = {}
        self._section = ""
        self._announced = ""
        self._step: _Step | None = None
        self._parent: _Step | None = None
        self._time = 0.0

    @property
    def current_step(self) -> str:
        """The title of the task that has not ended yet; empty for none."""
        for step in (self._step, self._parent):
            if step is not None and not step.done:
                return step.title
        return ""

    def feed(self, raw: Mapping[str, Any]) -> Iterator[Event]:
        """What one event of runner means; often nothing."""
        self._time = epoch(raw.get("created"), self._time)
        handler = _HANDLERS.get(str(raw.get("event")))
        if handler is not None:
            yield from handler(self, raw, raw.get("event_data") or {})

    def close(self, *, whole: bool = True) -> Iterator[Event]:
        """What is only known when nothing more comes.

        :param whole: Ansible came to its own end; otherwise what was under way has no outcome.
        """
        if whole:
            yield from self._end_include()

    def _play(self, _raw: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Event]:
        yield from self._end_include()
        tag = str(data.get("name", "")).rpartition("|")[2].strip().lower()
        # A play whose tags were not asked for begins, too: it is announced by its first task.
        self._section = tag if tag in self._titles else ""
        self._step = None

    def _task(self, _raw: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Event]:
        title = self._clean.text(str(data.get("task", "")))
        number = None if data.get("role") else self._titles.get(self._section, {}).get(str(data.get("task", "")))
        if number is not None:
            yield from self._end_include()
        quiet = not self._section or (number is None and data.get("task_action") in QUIET)
        self._step = _Step(self._section, number, title, self._time, quiet)
        if self._section and self._announced != self._section:
            self._announced = self._section
            yield SectionStarted(
                time=self._time, section=self._section, budget_seconds=self._budgets.get(self._section)
            )
        if not quiet:
            yield StepStarted(time=self._time, section=self._section, number=number, title=title)

    def _ok(self, _raw: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Event]:
        result = result_of(data)
        action = str(data.get("task_action", ""))
        if action in INCLUDES and self._step is not None and self._step.number is not None:
            self._parent = self._step  # what it includes comes now
            return
        yield from self._meaning(action, str(data.get("host", "")), result)
        yield from self._finish(
            self._changed if result.get("changed") else "ok", data, undo=str(result.get("undo") or "")
        )

    def _failed(self, _raw: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Event]:
        result = result_of(data)
        action, message = str(data.get("task_action", "")), self._clean.text(reason(result))
        yield from self._meaning(action, str(data.get("host", "")), result, failed=True)
        if data.get("ignore_errors"):
            yield from self._finish("ok", data, message=f"ignored: {message}")
            return
        if action == f"{OURS}preflight":
            self.facts.refused, self.facts.refusal = str(result.get("reason") or "unknown"), message
        if self._step is not None:
            self._step.quiet = False
        yield from self._finish("failed", data, message=message)

    def _unreachable(self, _raw: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Event]:
        self.facts.unreachable = True
        yield from self._finish("unreachable", data, message=self._clean.text(reason(result_of(data))))

    def _skipped(self, _raw: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Event]:
        yield from self._finish("skipped", data)

    def _retry(self, _raw: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Event]:
        result = result_of(data)
        yield Waiting(
            time=self._time,
            title=self._clean.text(str(data.get("task", ""))),
            attempt=int(result.get("attempts") or 0),
            of=int(result.get("retries") or 0),
        )

    def _said(self, raw: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Event]:
        # What a callback writes to standard error comes without the task; the step's end tells it.
        if data.get("task_action") in CARRIED or (not data and _FAILED.match(str(raw.get("stdout", "")))):
            return
        text = self._clean.text(str(raw.get("stdout", "")).rstrip())
        if text.strip():
            if not data:
                self.facts.last_line = " ".join(text.split())
            if text.lstrip().startswith("[ERROR]"):
                self.facts.errors.append(" ".join(text.split()).removeprefix("[ERROR]:").strip())
                if _NO_HOSTS in text:  # the outcome says it, with the remedy
                    return
            yield Said(time=self._time, text=text)

    def _meaning(self, action: str, host: str, result: Mapping[str, Any], *, failed: bool = False) -> Iterator[Event]:
        """What the collection's own actions tell."""
        if action == "ansible.builtin.debug" and "msg" in result and not failed:
            rows = result["msg"] if isinstance(result["msg"], list) else [result["msg"]]
            yield from (Said(time=self._time, text=self._clean.text(str(row))) for row in rows)
        if not action.startswith(OURS):
            return
        meaning = _MEANINGS.get(action.removeprefix(OURS))
        if meaning is not None:
            yield from meaning(self, host, result, failed)

    def _environment(self, _host: str, result: Mapping[str, Any], failed: bool) -> Iterator[Event]:
        if failed:
            return
        self.facts.preflight = "passed"
        self._budgets = {str(tag): float(seconds) for tag, seconds in (result.get("budgets") or {}).items()}
        yield EnvironmentKnown(
            time=self._time,
            environment=str(result.get("environment") or ""),
            name=str(result.get("name") or ""),
            record=str(result.get("record") or ""),
            budgets=self._budgets,
        )

    def _findings(self, host: str, result: Mapping[str, Any], _failed: bool) -> Iterator[Event]:
        rows = result.get("findings")
        if not isinstance(rows, list):
            return
        found = tuple(Finding.from_result(self._clean.data(row)) for row in rows if isinstance(row, dict))
        self.facts.findings[host] = found
        yield FindingsRead(time=self._time, section=self._section, findings=found)

    def _diagnosis(self, host: str, result: Mapping[str, Any], failed: bool) -> Iterator[Event]:
        diagnosis = result.get("diagnosis")
        if isinstance(diagnosis, dict):
            self.facts.likely[host] = str(result.get("likely_cause") or "")
            yield Diagnosed(time=self._time, section=self._section, diagnosis=self._clean.data(diagnosis))
        if result.get("branch_title") and not failed:
            said = f"Branch: {result.get('branch')}, {result['branch_title']}. Undo: {result.get('undo')}"
            yield Said(time=self._time, text=self._clean.text(said))

    def _next(self, host: str, result: Mapping[str, Any], failed: bool) -> Iterator[Event]:
        data = ((result.get("ansible_stats") or {}).get("data") or {}).get("dhakacart_sections") or []
        for row in data:
            section = str(row.get("section") or "")
            self.facts.likely[host] = str(row.get("likely_cause") or "")
            yield SectionFinished(
                time=self._time,
                section=section,
                elapsed_seconds=float(row.get("elapsed_seconds") or 0),
                budget_seconds=float(row.get("budget_seconds") or 0),
                likely_cause=str(row.get("likely_cause") or ""),
                next=self._clean.text(str(row.get("next") or "")),
                recovered=not failed if section == "verification" else None,
            )

    def _finish(self, outcome: str, data: Mapping[str, Any], *, message: str = "", undo: str = "") -> Iterator[Event]:
        step = self._step
        if step is None:
            return
        step.done = True
        if step.quiet:
            return
        ended = StepFinished(
            time=self._time,
            section=step.section,
            number=step.number,
            title=step.title,
            outcome=outcome,
            seconds=round(float(data.get("duration") or 0), 3),
            message=message,
            undo=self._clean.text(undo),
        )
        if self._parent is not None and self._parent is not step:
            self._parent.children.append(ended)
        yield ended

    def _end_include(self) -> Iterator[Event]:
        """A step that includes a role ends with the last task of the role; Ansible does not say so."""
        parent = self._parent
        self._parent = None
        if parent is None or parent.done:
            return
        parent.done = True
        worst = next((c for c in parent.children if c.outcome in ("failed", "unreachable")), None)
        changed = next((c.outcome for c in parent.children if c.outcome in ("changed", "would_change")), "ok")
        yield StepFinished(
            time=self._time,
            section=parent.section,
            number=parent.number,
            title=parent.title,
            outcome=worst.outcome if worst else changed,
            seconds=round(self._time - parent.began, 3),
            message=worst.message if worst else "",
        )


_Handler = Callable[[Translator, Mapping[str, Any], Mapping[str, Any]], Iterator[Event]]
_HANDLERS: dict[str, _Handler] = {
    "playbook_on_play_start": Translator._play,
    "playbook_on_task_start": Translator._task,
    "runner_on_ok": Translator._ok,
    "runner_on_failed": Translator._failed,
    "runner_on_unreachable": Translator._unreachable,
    "runner_on_skipped": Translator._skipped,
    "runner_retry": Translator._retry,
    "verbose": Translator._said,
    "warning": Translator._said,
    "error": Translator._said,
    "playbook_on_no_hosts_matched": Translator._said,
}
_Meaning = Callable[[Translator, str, Mapping[str, Any], bool], Iterator[Event]]
_MEANINGS: dict[str, _Meaning] = {
    "preflight": Translator._environment,
    "platform_facts": Translator._findings,
    "drill_target_check": Translator._findings,
    "diagnose": Translator._diagnosis,
    "triage": Translator._diagnosis,
    "next_step": Translator._next,
}
