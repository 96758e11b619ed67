# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that act, run as modules: their answers, their check mode and their one-line failures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError, Refused
from ansible_collections.dhakacart.runbooks.plugins.module_utils.judging import NotJudged
from ansible_collections.dhakacart.runbooks.plugins.module_utils.postgresql import actions, facts
from ansible_collections.dhakacart.runbooks.plugins.modules import (
    autoscaler_hold,
    platform_facts,
    postgresql_sessions_end,
    shop_database,
)

Execute = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def execute(capsys: pytest.CaptureFixture[str]) -> Iterator[Execute]:
    """``execute(module, arguments)``: exit code and answer, as Ansible gets them."""

    def apply(module: Any, arguments: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        with patch_module_args(dict(arguments)), pytest.raises(SystemExit) as ended:
            module.main()
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return int(ended.value.code or 0), answer

    yield apply


READING = {"findings": [], "facts": {}, "seconds": {}, "status": "warning", "healthy": False}


@pytest.mark.parametrize(
    ("fail_on", "status", "code"),
    [
        ("never", "critical", 0),
        ("warning", "ok", 0),
        ("warning", "unknown", 0),
        ("warning", "warning", 1),
        ("warning", "critical", 1),
        ("critical", "warning", 0),
        ("critical", "critical", 1),
    ],
)
def test_platform_facts_fails_only_from_the_status_that_was_asked_for(
    execute: Execute, monkeypatch: pytest.MonkeyPatch, fail_on: str, status: str, code: int
) -> None:
    monkeypatch.setattr(platform_facts, "read_platform", lambda *_options: {**READING, "status": status})
    ended, answer = execute(platform_facts, {"systems": {}, "fail_on": fail_on})
    assert answer["status"] == status
    assert bool(answer.get("failed")) is bool(code)
    assert ended in (0, code)
    if code:
        assert answer["msg"] == f"the platform is {status}"


@pytest.mark.parametrize(
    ("module", "function", "arguments"),
    [
        (platform_facts, "read_platform", {"systems": {}}),
        (autoscaler_hold, "set_hold", {"connection": {}, "autoscaler": "hpa"}),
        (shop_database, "repoint", {"kubernetes": {}, "rds": {}, "postgresql": {}}),
        (postgresql_sessions_end, "build", {"connection": {}, "mode": "block"}),
    ],
)
def test_an_error_a_person_can_mend_is_one_line_and_no_traceback(
    execute: Execute, monkeypatch: pytest.MonkeyPatch, module: Any, function: str, arguments: dict[str, Any]
) -> None:
    def fails(*_arguments: Any, **_keywords: Any) -> None:
        raise ConfigurationError("is missing", where="x", remedy="set it")

    monkeypatch.setattr(module, function, fails)
    code, answer = execute(module, arguments)
    assert (code, answer["failed"], answer["msg"]) == (1, True, "x: is missing; remedy: set it")
    assert "exception" not in answer


@pytest.mark.parametrize("module", [autoscaler_hold, shop_database])
def test_check_mode_reaches_the_work_as_a_dry_run(
    execute: Execute, monkeypatch: pytest.MonkeyPatch, module: Any
) -> None:
    seen = []

    def work(*_arguments: Any, dry_run: bool, **_keywords: Any) -> dict[str, Any]:
        seen.append(dry_run)
        return {"changed": True}

    monkeypatch.setattr(module, {autoscaler_hold: "set_hold", shop_database: "repoint"}[module], work)
    arguments = {"connection": {}, "autoscaler": "h"} if module is autoscaler_hold else {}
    needed = arguments or {"kubernetes": {}, "rds": {}, "postgresql": {}}
    for check_mode in (True, False):
        execute(module, {**needed, "_ansible_check_mode": check_mode})
    assert seen == [True, False]


@pytest.mark.parametrize(("state", "held"), [("held", True), ("released", False)])
def test_a_state_says_whether_it_is_held(monkeypatch: pytest.MonkeyPatch, state: str, held: bool) -> None:
    seen = []

    def set_hold(*_arguments: Any, held: bool, dry_run: bool) -> dict[str, Any]:
        seen.append((held, dry_run))
        return {}

    monkeypatch.setattr(autoscaler_hold, "set_hold", set_hold)
    autoscaler_hold.work({"connection": {}, "autoscaler": "h", "state": state}, False)
    assert seen == [(held, False)]


VICTIMS = [{"pid": 1, "reason": "blocks"}, {"pid": 2, "reason": "blocks"}]
BLOCK = {"connection": {"host": "db", "thresholds": {"long_query_critical_seconds": 9}}, "mode": "block"}


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, in order; of two victims one is gone by the time it is ended."""
    done: list[str] = []

    def choose(seen: object, mode: str, *, app_user: str, thresholds: Any) -> list[dict[str, Any]]:
        assert seen == {"sessions": True}  # the list to choose from is not read unless it is asked for
        done.append(f"choose {mode} {app_user} {thresholds.long_query_critical_seconds:g}")
        return [dict(victim) for victim in VICTIMS]

    def end(_settings: object, victims: list[dict[str, Any]]) -> list[dict[str, Any]]:
        done.append("end")
        return [{**victim, "outcome": outcome} for victim, outcome in zip(victims, ("ended", "gone"), strict=True)]

    monkeypatch.setattr(facts, "read", lambda settings: {"sessions": settings.sessions})
    monkeypatch.setattr(actions, "sessions_to_end", choose)
    monkeypatch.setattr(actions, "end_sessions", end)
    return done


def test_sessions_are_ended_and_only_the_ended_are_counted(sessions: list[str]) -> None:
    result = postgresql_sessions_end.work(BLOCK, False)
    assert sessions == ["choose block dhakacart 9", "end"]
    assert (result["changed"], result["ended"]) == (True, 1)
    assert result["undo"].startswith("cannot be undone")


def test_in_check_mode_no_session_is_ended(sessions: list[str]) -> None:
    result = postgresql_sessions_end.work(BLOCK, True)
    assert sessions == ["choose block dhakacart 9"]
    assert (result["changed"], result["ended"]) == (True, 2)
    assert {session["outcome"] for session in result["sessions"]} == {"would be ended"}


def test_where_nothing_is_to_be_ended_nothing_is_changed(sessions: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "sessions_to_end", lambda *_arguments, **_keywords: [])
    monkeypatch.setattr(actions, "end_sessions", lambda _settings, victims: list(victims))
    for check_mode in (True, False):
        result = postgresql_sessions_end.work(BLOCK, check_mode)
        assert (result["changed"], result["ended"], result["sessions"]) == (False, 0, [])


def test_what_is_not_known_ends_no_session(sessions: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: Any, **_keywords: Any) -> None:
        raise NotJudged("the primary cannot be read (refused)", "refused")

    monkeypatch.setattr(actions, "sessions_to_end", unknown)
    result = postgresql_sessions_end.work(BLOCK, False)
    assert result["failed"] is True
    assert result["msg"].endswith("is unknown: the primary cannot be read (refused)")
    assert sessions == []


def test_a_connection_that_breaks_while_ending_is_one_line(
    execute: Execute, sessions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: Any) -> None:
        raise Refused("nothing listens", where="db:5432")

    monkeypatch.setattr(actions, "end_sessions", broken)
    code, answer = execute(postgresql_sessions_end, BLOCK)
    assert (code, answer["msg"]) == (1, "db:5432: nothing listens")
