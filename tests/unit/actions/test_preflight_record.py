# SPDX-License-Identifier: GPL-3.0-or-later
"""Which runs have a record, and which folder it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.action import preflight, timeline
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils import incidents
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.record import Run

from tests.unit.actions.test_preflight import inventory

Action = Callable[..., dict[str, Any]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "incidents"


@pytest.fixture
def begin(run: Action, root: Path) -> Action:
    """``begin(*sections, check_mode=False, **variables)``: the preflight of a run."""

    def apply(*sections: str, check_mode: bool = False, **changed: Any) -> dict[str, Any]:
        hosts = ("dhakacart_db_host", "dhakacart_db_replica_host", "dhakacart_redis_host")
        given = {
            **inventory("production"),
            **dict.fromkeys(hosts, "h.example.com"),
            "dhakacart_incident_dir": str(root),
        }
        arguments = {"runbook": "database-failure"}
        return run(
            preflight, arguments, {**given, "ansible_run_tags": list(sections), **changed}, check_mode=check_mode
        )

    return apply


def lines(folder: str) -> list[dict[str, Any]]:
    text = (Path(folder) / incidents.TIMELINE).read_text(encoding="utf-8")
    return [json.loads(row) for row in text.splitlines()]


@pytest.mark.parametrize("section", ["", "symptoms", "investigation", "prevention", "verification", "resolution"])
def test_a_plain_run_of_a_section_that_only_reads_or_asks_first_writes_nothing(
    begin: Action, root: Path, section: str
) -> None:
    result = begin(*[section] if section else [])
    assert result["record"] == ""
    assert not root.exists()


@pytest.mark.parametrize("section", ["immediate", "escalation"])
def test_the_first_moment_of_an_incident_opens_it(begin: Action, section: str) -> None:
    result = begin(section)
    (row,) = lines(result["record"])
    assert (row["event"], row["incident"], row["sections"]) == ("opened", True, [section])
    assert Run.of(result).folder == result["record"]


def test_later_runs_join_the_open_incident_until_it_is_closed(begin: Action) -> None:
    opened = begin("immediate")["record"]
    assert {begin(*tags)["record"] for tags in ((), ("investigation",), ("resolution",), ("immediate",))} == {opened}
    assert len(lines(opened)) == 1
    Run(opened, "r").record.note("closed", recovered=True)
    assert begin("investigation")["record"] == ""
    assert begin("investigation", dhakacart_run_id="r2")["record"] not in ("", opened)


def test_a_run_of_the_wrapper_always_has_a_record_and_only_what_may_change_makes_it_an_incident(begin: Action) -> None:
    read = begin("investigation", dhakacart_run_id="r1")["record"]
    assert lines(read)[0]["incident"] is False
    changed = begin("resolution", dhakacart_run_id="r2")["record"]
    assert changed != read
    assert begin("investigation", dhakacart_run_id="r3")["record"] == changed
    assert Run.of(begin("symptoms", dhakacart_run_id="r4")).run_id == "r4"


@pytest.mark.parametrize("section", ["immediate", "resolution", "investigation"])
def test_check_writes_nothing(begin: Action, root: Path, section: str) -> None:
    assert begin(section, check_mode=True, dhakacart_run_id="r1")["record"] == ""
    assert not root.exists()


def test_a_tool_that_is_no_runbook_has_no_record(run: Action, begin: Action, root: Path) -> None:
    assert not begin("x", dhakacart_run_id="r1").get("record")
    hosts = ("dhakacart_db_host", "dhakacart_db_replica_host", "dhakacart_redis_host")
    given = {**inventory("production"), **dict.fromkeys(hosts, "h"), "dhakacart_incident_dir": str(root)}
    assert run(preflight, {"runbook": "triage"}, {**given, "dhakacart_run_id": "r1"})["record"] == ""
    assert not root.exists()


def test_an_incident_is_joined_by_its_name(begin: Action) -> None:
    opened = begin("immediate")["record"]
    Run(opened, "r").record.note("closed", recovered=True)
    assert begin("investigation", dhakacart_incident=Path(opened).name)["record"] == opened


def test_an_incident_that_is_not_there_is_a_usage_error(begin: Action) -> None:
    result = begin("investigation", dhakacart_incident="2026-01-01-000000-prod-database-failure")
    assert (result["failed"], result["reason"]) == (True, "usage")
    assert result["msg"].startswith("dhakacart_incident: unknown incident '2026-01-01")


@pytest.mark.parametrize(
    ("tags", "changed", "reason"),
    [
        (["imediate"], {}, "usage"),
        ([], {"dhakacart_db_port": "x"}, "environment"),
        ([], {"dhakacart_env": None}, "environment"),
    ],
)
def test_a_failure_says_whether_the_call_or_the_environment_is_wrong(
    begin: Action, tags: list[str], changed: dict[str, Any], reason: str
) -> None:
    assert begin(*tags, **changed)["reason"] == reason


@pytest.fixture
def blocked(root: Path) -> Path:
    """The folder of all incidents is a file."""
    root.parent.mkdir(exist_ok=True)
    root.write_text("")
    return root


@pytest.mark.parametrize("section", ["immediate", "resolution"])
def test_a_change_is_not_begun_when_its_record_cannot_be_written(begin: Action, blocked: Path, section: str) -> None:
    result = begin(section, dhakacart_run_id="r1")
    assert result["failed"] is True
    assert result["reason"] == "environment"
    assert result["msg"].endswith("remedy: set dhakacart_incident_dir")


@pytest.mark.parametrize("section", ["investigation", "verification", "escalation"])
def test_reading_and_telling_people_go_on_without_a_record_and_say_so_in_one_line(
    begin: Action, blocked: Path, printed: list[str], section: str
) -> None:
    result = begin(section, dhakacart_run_id="r1")
    assert not result.get("failed")
    assert result["record"] == ""
    assert [row for row in printed if row.startswith("Nothing of this run is recorded: ")] == printed[1:]


def test_an_approved_change_opens_the_incident_and_hands_it_on(run: Action, begin: Action, root: Path) -> None:
    preflown = begin("resolution")
    details = {"action": "fail over", "undo": "fail back", "how": "command line", "reason": "sev1", "nothing": ""}
    arguments = {"runbook": "database-failure", "environment": "prod", "directory": str(root), "event": "approved"}
    reading = {"started": 1.0, "findings": []}
    result = run(timeline, {**arguments, "details": details, "reading": reading}, preflown)
    opened, approved = lines(result["incident"])
    assert (opened["event"], opened["incident"]) == ("opened", True)
    assert (approved["event"], approved["reason"], approved["how"]) == ("approved", "sev1", "command line")
    assert "@" in approved["by"]
    assert "nothing" not in approved
    assert Run.of(result).folder == result["incident"]
    assert (Path(result["incident"]) / incidents.OPENING).exists()
    assert begin("verification")["record"] == result["incident"]


def test_what_is_learnt_after_the_end_belongs_to_the_incident_that_taught_it(begin: Action) -> None:
    folder = Path(begin("immediate")["record"])
    with (folder / incidents.TIMELINE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"event": "closed", "recovered": True}) + "\n")
    assert begin("prevention")["record"] == str(folder)
    assert begin("symptoms")["record"] == ""
    assert begin("immediate")["record"] != str(folder)


def test_a_new_lab_does_not_go_on_with_the_incident_of_the_one_before(begin: Action) -> None:
    first = begin("immediate", dhakacart_instance="default-1111")["record"]
    assert begin("investigation", dhakacart_instance="default-1111")["record"] == first
    assert begin("investigation", dhakacart_instance="default-2222")["record"] == ""
    assert begin("immediate", dhakacart_instance="default-2222")["record"] != first
