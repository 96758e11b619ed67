# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a run: from its events, Ansible's exit code and how it was ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..events import EnvironmentKnown, Event, SectionFinished, StepFinished
from ..finding import Finding, Status
from ..outcome import RunOutcome, RunStatus, SectionOutcome
from .plan import Ended, Job
from .translator import Facts

# Sections after which a cause that was named before the change says nothing any more.
CHANGING = frozenset({"resolution", "verification"})
UNREACHABLE_BIT = 4
TASK_FAILED = 2
REASONS = {"usage": RunStatus.REFUSED, "environment": RunStatus.BROKEN}


@dataclass
class Account:
    """What the events of a run add up to."""

    environment: str = ""
    record: str = ""
    sections: list[SectionOutcome] = field(default_factory=list)
    next: str = ""
    changed: bool = False
    failure: str = ""

    def note(self, event: Event) -> None:
        """Take one event into account."""
        if isinstance(event, EnvironmentKnown):
            self.environment, self.record = event.environment, event.record
        elif isinstance(event, SectionFinished):
            self.next = event.next
            self.sections.append(
                SectionOutcome(
                    event.section, event.elapsed_seconds, event.budget_seconds, event.likely_cause, event.next
                )
            )
        elif isinstance(event, StepFinished):
            self.changed = self.changed or event.outcome in ("changed", "would_change")
            if event.outcome in ("failed", "unreachable"):
                self.failure = f"{event.title}: {event.message}" if event.title else event.message


def outcome(job: Job, finished: float, account: Account, facts: Facts, ended: Ended, step: str) -> RunOutcome:
    """The answer.

    :param step: the task that had begun and not ended; empty for none.
    """
    findings = tuple(finding for rows in facts.findings.values() for finding in rows)
    likely = next((cause for cause in facts.likely.values() if cause), "")
    status = _status(account, facts, ended, findings, likely)
    interrupted = step if ended.ended_by else ""
    message = _message(status, account, facts, ended, findings, likely, step)
    if ended.survivors:
        message += f"; processes {', '.join(map(str, ended.survivors))} could not be ended"
    return RunOutcome(
        run_id=job.run_id,
        request=job.request,
        status=status,
        rc=None if ended.error else ended.rc,
        started=job.started,
        finished=finished,
        environment=account.environment,
        findings=findings,
        sections=tuple(account.sections),
        likely_cause=likely,
        next=account.next,
        changed=account.changed,
        interrupted_step=interrupted,
        message=message,
        record=account.record,
    )


def _status(account: Account, facts: Facts, ended: Ended, findings: Iterable[Finding], likely: str) -> RunStatus:
    if ended.ended_by:
        return RunStatus(ended.ended_by)
    if ended.error or ended.rc is None:
        return RunStatus.BROKEN
    if ended.rc == 0:
        # Ansible calls it a success when no host and no task was found.
        if not facts.preflight and not account.sections:
            return RunStatus.BROKEN
        return RunStatus.UNHEALTHY if _unwell(account, findings, likely) else RunStatus.HEALTHY
    if facts.refused:
        return REASONS.get(facts.refused, RunStatus.FAILED)
    if _no_such_host(facts):  # what a person typed
        return RunStatus.REFUSED
    return RunStatus.FAILED if ended.rc == TASK_FAILED and not facts.unreachable else RunStatus.BROKEN


def _unwell(account: Account, findings: Iterable[Finding], likely: str) -> bool:
    named = likely and not (account.sections and account.sections[-1].section in CHANGING)
    return bool(named) or any(_counts(finding) for finding in findings)


def _counts(finding: Finding) -> bool:
    return finding.configured and finding.sampled and finding.status in (Status.CRITICAL, Status.UNKNOWN)


def _no_such_host(facts: Facts) -> str:
    """What Ansible could not find in the inventory; empty where it did not say so."""
    names = (error.rpartition(": ")[2] for error in facts.errors if "host pattern" in error.lower())
    return next(names, "")


def _message(
    status: RunStatus, account: Account, facts: Facts, ended: Ended, findings: Iterable[Finding], likely: str, step: str
) -> str:
    if status is RunStatus.HEALTHY:
        return ""
    if status in (RunStatus.CANCELLED, RunStatus.TIMEOUT):
        word = "cancelled" if status is RunStatus.CANCELLED else "out of time"
        return f"{word} while: {step}" if step else f"{word} between two steps"
    if status is RunStatus.UNHEALTHY:
        return _unwell_in_words(findings, likely)
    said = facts.refusal or account.failure or (facts.errors[0] if facts.errors else "") or ended.error
    if not said and ended.rc:
        said = facts.last_line
    if not facts.refusal and (name := _no_such_host(facts)):
        return f"no host or group {name!r} in the inventory; remedy: ansible-inventory --graph shows what there is"
    return said or _exit_in_words(ended.rc)


def _unwell_in_words(findings: Iterable[Finding], likely: str) -> str:
    if likely:
        return f"likely cause: {likely}"
    worst = max((f for f in findings if _counts(f)), key=lambda f: f.status.severity)
    return f"{worst.status}: {worst.component}: {worst.summary}"


def _exit_in_words(rc: int | None) -> str:
    if rc is None:
        return "ansible-playbook was killed"
    if rc == 0:
        return "nothing ran: no host or no task was found"
    return f"ansible-playbook ended with exit code {rc}"
