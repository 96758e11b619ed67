# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence is on disk before anything changes; gaps in the controls are shown and are no failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.dhakacart.runbooks.plugins.action import controls, evidence

Run = Callable[..., dict[str, Any]]
Make = Callable[..., dict[str, Any]]
LIMITS = {
    "instance": "db",
    "prefix": "p",
    "namespace": "n",
    "app_user": "shop",
    "retention_days": 30,
    "pool_max": 20,
}


def keep(run: Run, root: Path, reading: dict[str, Any], **keywords: Any) -> dict[str, Any]:
    args = {"runbook": "database-failure", "environment": "lab", "directory": str(root), "reading": reading}
    return run(evidence, args, **keywords)


def test_a_reading_is_kept_without_what_ansible_adds(run: Run, finding: Make, tmp_path: Path) -> None:
    reading = {
        "started": 1.5,
        "status": "critical",
        "findings": [finding("http.ready", "critical")],
        "facts": {"http": {"a": 1}, "rds": {}},
        "seconds": {"http": 0.1},
        "invocation": {"module_args": {"secret": "x"}},
        "warnings": ["w"],
    }
    result = keep(run, tmp_path, reading)
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert result["incident"] == str(folder)
    assert result["items"] == 3
    assert result["changed"] is False
    kept = json.loads((folder / "opening.json").read_text(encoding="utf-8"))
    about = {"runbook": "database-failure", "environment": "lab"}
    assert kept == about | {key: reading[key] for key in ("started", "status", "findings", "facts", "seconds")}
    assert result["ansible_facts"]["dhakacart_record"]["folder"] == str(folder)


def test_a_second_reading_of_the_same_incident_leaves_the_opening_state_alone(run: Run, tmp_path: Path) -> None:
    first, second = (keep(run, tmp_path, {"started": moment, "findings": []}) for moment in (1.0, 2.0))
    assert first["incident"] == second["incident"]
    folder = Path(first["incident"])
    assert json.loads((folder / "opening.json").read_text(encoding="utf-8"))["started"] == 1.0
    assert len(list(folder.glob("evidence-*.json"))) == 1


def test_in_check_mode_nothing_is_written_and_that_is_said(run: Run, tmp_path: Path, printed: list[str]) -> None:
    root = tmp_path / "incidents"
    result = keep(run, root, {"findings": [{}, {}]}, check_mode=True)
    assert (result["incident"], result["items"]) == ("", 2)
    assert printed == [f"  would save 2 items under {root}"]
    assert not root.exists()


def test_a_folder_that_cannot_be_written_fails_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = keep(run, tmp_path / "file" / "x", {})
    assert result["failed"] is True
    assert result["msg"].endswith("remedy: set dhakacart_incident_dir")
    assert "\n" not in result["msg"]


def test_a_missing_control_is_shown_with_its_change_and_is_no_failure(
    run: Run, finding: Make, printed: list[str]
) -> None:
    seen = [finding("rds.multi_az", "warning", multi_az=False), finding("kubernetes.pdb")]
    result = run(controls, {"findings": seen, "limits": LIMITS})
    assert not result.get("failed")
    assert result["gaps"] == ["A standby in another zone (Multi-AZ)"]
    assert printed[0] == "  missing   A standby in another zone (Multi-AZ)"
    assert printed[1].strip() == "change: aws rds modify-db-instance --db-instance-identifier db --multi-az"
    assert printed[2].startswith("  unknown   ")
    assert printed[-1] == "  present   Two backends stay up while nodes are drained"


def test_limits_that_make_no_sense_fail_in_one_line(run: Run) -> None:
    result = run(controls, {"findings": [], "limits": {**LIMITS, "pool_max": "x"}})
    assert result["failed"] is True
    assert result["msg"].startswith("limits.pool_max: 'x' is no whole number; remedy: ")
