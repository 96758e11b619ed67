# SPDX-License-Identifier: GPL-3.0-or-later
"""A record as a real run of database-failure leaves it, small enough to be read here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dhakacart_runbooks.report.model import Record
from dhakacart_runbooks.report.record import read

BEGAN = 1795457126.0
NAME = "2026-11-23-180526-lab-database-failure"
REASON = "primary refuses connections; agreed with the incident lead"
HOLD = 'kubectl -n dhakacart patch hpa dhakacart-backend-hpa --type merge -p \'{"spec": {"maxReplicas": 50}}\''


def finding(id: str, status: str, summary: str, **more: Any) -> dict[str, Any]:
    """A finding as a module returns it."""
    part = {"http": "shop", "postgresql": "primary", "kubernetes": "backend", "rds": "RDS instance"}[id.split(".")[0]]
    return {"id": id, "component": part, "status": status, "summary": summary, "evidence": {}, **more}


DOWN = [
    finding("http.ready", "critical", "/ready: 503 in 17 ms: no healthy targets", evidence={"http_status": 503}),
    finding("postgresql.primary", "critical", "no server listens: connection refused", next_step="look at the standby"),
    finding("postgresql.lag", "unknown", "not judged: the primary cannot be read"),
    finding("kubernetes.hpa", "warning", "cannot read its metrics"),
    finding("rds.multi_az", "unknown", "no standby is configured", evidence={"kind": "not_configured"}),
    finding("rds.api", "ok", "answers in us-west-2"),
]
UP = [
    finding("http.ready", "ok", "/ready: 200 in 9 ms"),
    finding("postgresql.primary", "ok", "accepts connections"),
    finding("postgresql.lag", "ok", "0.0 s behind"),
    finding("kubernetes.hpa", "warning", "cannot read its metrics"),
    finding("rds.multi_az", "unknown", "no standby is configured", evidence={"kind": "not_configured"}),
    finding("rds.api", "ok", "answers in us-west-2"),
]
CAUSE = {
    "id": "primary_down",
    "title": "The primary is down and the standby is alive",
    "branch": "failover",
    "rests_on": ["postgresql.primary: no server listens: connection refused"],
}


def command(section: str) -> str:
    return f"ansible-playbook playbooks/database-failure.yml --tags {section}"


def section(name: str, after: float, findings: list[dict[str, Any]], following: str, **more: Any) -> dict[str, Any]:
    """A section's file; it took 0.6 s."""
    cause = CAUSE if any(f["status"] == "critical" for f in findings) else None
    return {
        "runbook": "database-failure",
        "section": name,
        "run_id": f"run-{name}",
        "started": BEGAN + after,
        "elapsed_seconds": 0.6,
        "budget_seconds": 300,
        "findings": findings,
        "diagnosis": {"likely": cause, "also": [], "possible": []},
        "next": following,
        "recovered": None,
        "check": False,
        **more,
    }


def whole() -> dict[str, Any]:
    """Every file of a record by its name; lists are files with one object a line."""
    sections = [
        section("immediate", 0, DOWN, command("investigation")),
        section("investigation", 4, DOWN, command("resolution")),
        section("resolution", 8, UP[:4], command("verification"), budget_seconds=2700, elapsed_seconds=4.5),
        section("verification", 14, UP, command("prevention"), recovered=True),
    ]
    lines: list[dict[str, Any]] = [
        {"time": BEGAN + 0.4, "event": "opened"},
        {"time": BEGAN + 0.5, "event": "step", "section": "immediate", "title": "Hold the size of the backend",
         "outcome": "changed", "undo": HOLD},
        {"time": BEGAN + 8.2, "event": "approved", "action": "Fail over to the standby",
         "undo": "a later failover back", "how": "command line", "reason": REASON, "by": "rahima@bastion-1"},
        {"time": BEGAN + 9.2, "event": "step", "section": "resolution", "title": "Reboot the instance with failover",
         "outcome": "changed"},
        {"time": BEGAN + 14.5, "event": "verification", "recovered": True, "reasons": [], "risks": []},
        {"time": BEGAN + 14.7, "event": "closed", "recovered": True},
    ]  # fmt: skip
    for one in sections:
        told = {key: one[key] for key in ("section", "run_id", "elapsed_seconds", "budget_seconds", "next")}
        status = "critical" if one["findings"][0]["status"] == "critical" else "warning"
        lines.append({"time": one["started"] + one["elapsed_seconds"], "event": "section", "status": status, **told})
    lines.sort(key=lambda line: line["time"])
    approve = {"immediate": None, "investigation": None, "resolution": REASON, "verification": None}
    return {
        "opening.json": {
            "runbook": "database-failure",
            "environment": "lab",
            "started": BEGAN,
            "status": "critical",
            "findings": DOWN,
            "facts": {"http": {"ready": {"status": 503}}, "postgresql": {"primary": {"reachable": False}}},
            "seconds": 0.4,
        },
        "timeline.jsonl": lines,
        **{f"sections/{number:02d}-{one['section']}.json": one for number, one in enumerate(sections, start=1)},
        **{f"runs/{one['run_id']}.json": run(one, approve[one["section"]]) for one in sections},
    }


def run(one: dict[str, Any], approve: str | None) -> dict[str, Any]:
    """What the wrapper leaves of a run."""
    request = {"runbook": "database-failure", "sections": [one["section"]], "check": False, "approve": approve}
    outcome = {
        "run_id": one["run_id"],
        "status": "unhealthy",
        "exit_code": 2,
        "started": one["started"] - 1,
        "finished": one["started"] + one["elapsed_seconds"] + 1,
        "environment": "lab",
        "interrupted_step": "",
        "message": "",
    }
    return {"request": request, "outcome": outcome, "user": "rahima", "host": "bastion-1"}


@pytest.fixture
def files() -> dict[str, Any]:
    """The files of a whole record, to be changed by a test before they are written."""
    return dict(json.loads(json.dumps(whole())))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Writes files into an incident folder; a text is written as it is."""

    def written(files: dict[str, Any], name: str = NAME) -> Path:
        folder = tmp_path / "incidents" / name
        for file, content in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, list):
                content = "".join(json.dumps(line) + "\n" for line in content)
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return folder

    return written


@pytest.fixture
def record_of(write: Callable[[dict[str, Any]], Path]) -> Callable[[dict[str, Any]], Record]:
    """Writes files and reads the record, without redaction."""
    return lambda files: read(write(files), lambda data: data)
