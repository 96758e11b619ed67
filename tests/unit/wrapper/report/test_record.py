# SPDX-License-Identifier: GPL-3.0-or-later
"""A record is read as far as it can be read, and what cannot be is named."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dhakacart_runbooks.errors import UsageError
from dhakacart_runbooks.report import html, markdown
from dhakacart_runbooks.report.model import Record
from dhakacart_runbooks.report.record import read

Files = dict[str, Any]
RecordOf = Callable[[Files], Record]


def as_it_is(data: Any) -> Any:
    return data


def render_all(record: Record) -> str:
    return html.render(record, 1.0) + markdown.render(record, 1.0) + markdown.render_postmortem(record, 1.0)


def test_a_whole_record_has_no_gap_and_everything_in_its_place(files: Files, record_of: RecordOf) -> None:
    record = record_of(files)
    assert record.gaps == ()
    assert (record.runbook, record.environment) == ("database-failure", "lab")
    assert [section.section for section in record.sections] == [
        "immediate",
        "investigation",
        "resolution",
        "verification",
    ]
    assert [step.title for step in record.changes] == [
        "Hold the size of the backend",
        "Reboot the instance with failover",
    ]
    assert record.approvals[0].by == "rahima@bastion-1"
    assert [run.run_id for run in record.runs][:2] == ["run-immediate", "run-investigation"]


def test_an_approval_covers_the_changes_after_it_and_not_those_of_another_section(
    files: Files, record_of: RecordOf
) -> None:
    hold, failover = record_of(files).changes
    assert hold.approval is None
    assert failover.approval is not None and failover.approval.undo == "a later failover back"


def test_the_newest_reading_of_a_finding_counts_and_a_smaller_reading_hides_nothing(
    files: Files, record_of: RecordOf
) -> None:
    files["sections/04-verification.json"]["findings"] = files["sections/04-verification.json"]["findings"][:1]
    latest = record_of(files).latest
    assert (latest["http.ready"].section, latest["http.ready"].finding.status) == ("verification", "ok")
    assert latest["postgresql.primary"].section == "resolution"
    assert latest["rds.api"].section == "investigation"


@pytest.mark.parametrize("name", ["opening.json", "timeline.jsonl", "sections/02-investigation.json"])
def test_a_file_that_is_missing_is_named(name: str, files: Files, record_of: RecordOf) -> None:
    del files[name]
    record = record_of(files)
    named = "investigation" if name.startswith("sections") else name
    assert any(named in gap and "missing" in gap for gap in record.gaps)
    assert named in render_all(record)


@pytest.mark.parametrize("name", ["opening.json", "sections/02-investigation.json", "runs/run-resolution.json"])
def test_a_file_that_is_half_written_is_named(name: str, files: Files, record_of: RecordOf) -> None:
    files[name] = json.dumps(files[name])[:-30]
    record = record_of(files)
    assert any(gap.startswith(f"{name} is unreadable") for gap in record.gaps)
    assert name in html.render(record, 1.0)


def test_the_line_of_a_timeline_that_cannot_be_read_is_named_by_its_number(files: Files, record_of: RecordOf) -> None:
    lines = [json.dumps(line) for line in files["timeline.jsonl"]]
    files["timeline.jsonl"] = "\n".join([*lines[:6], '{"time": 17954571', *lines[6:]]) + "\n"
    record = record_of(files)
    assert record.gaps == ("timeline.jsonl line 7 is unreadable",)
    assert "timeline.jsonl line 7 is unreadable" in markdown.render_postmortem(record, 1.0)
    assert len(record.sections) == 4


def test_many_unreadable_lines_are_counted_and_not_listed(files: Files, record_of: RecordOf) -> None:
    files["timeline.jsonl"] = "nonsense\n" * 5000
    gaps = record_of(files).gaps
    assert "timeline.jsonl has 4,997 more unreadable lines" in gaps
    assert len(gaps) < 10


def test_a_section_without_its_file_is_told_from_the_timeline(files: Files, record_of: RecordOf) -> None:
    del files["sections/01-immediate.json"]
    record = record_of(files)
    assert record.sections[0].section == "immediate"
    assert any("immediate" in gap and "findings are missing" in gap for gap in record.gaps)


def test_a_section_without_its_line_in_the_timeline_is_named(files: Files, record_of: RecordOf) -> None:
    files["timeline.jsonl"] = [line for line in files["timeline.jsonl"] if line.get("section") != "investigation"]
    assert any("02-investigation.json has no line" in gap for gap in record_of(files).gaps)


def test_a_run_that_left_events_and_no_outcome_was_killed_or_is_going_on(files: Files, record_of: RecordOf) -> None:
    del files["runs/run-resolution.json"]
    files["runs/run-resolution.events.jsonl"] = [
        {"event": "run_started", "time": 1795457133.0, "runbook": "database-failure", "sections": ["resolution"]},
        {"event": "step_started", "time": 1795457134.0, "title": "Reboot the instance with failover"},
    ]
    record = record_of(files)
    run = next(run for run in record.runs if run.run_id == "run-resolution")
    assert (run.status, run.sections) == ("", ("resolution",))
    assert any("run-resolution" in gap for gap in record.gaps)
    assert "what it began may still be going on" in html.render(record, 1.0)


def test_the_record_of_a_run_that_only_read_lacks_no_opening(files: Files, record_of: RecordOf) -> None:
    del files["opening.json"]
    files["timeline.jsonl"][0] |= {"incident": False, "runbook": "database-failure", "environment": "lab"}
    record = record_of(files)
    assert record.gaps == ()
    assert not record.incident and record.environment == "lab"


@pytest.mark.parametrize(
    "value",
    [None, 7, "text", [], [[]], {}, {"a": None}, True, 1e400, float("nan"), -1, 10**30, "\ud800", "x" * 100_000],
    ids=lambda value: repr(value)[:12],
)
def test_any_value_in_any_place_is_a_report_and_not_a_traceback(
    value: Any, files: Files, write: Callable[[Files], Path]
) -> None:
    kinds = ("opening.json", "timeline.jsonl", "sections/03-resolution.json", "runs/run-resolution.json")
    for name in kinds:
        content = files[name]
        for row in content if isinstance(content, list) else [content]:
            whole = dict(row)
            for key in whole:
                row[key] = value
                assert read(write({name: content}), as_it_is)
                row[key] = whole[key]
            row.update(dict.fromkeys(whole, value))
            assert render_all(read(write(files), as_it_is))
            row.update(whole)


def test_random_damage_is_a_report_and_not_a_traceback(files: Files, write: Callable[[Files], Path]) -> None:
    folder = write(files)
    chance = random.Random(3)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        for _ in range(6):
            damaged = bytearray(whole)
            for _ in range(chance.randint(1, 20)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            path.write_bytes(damaged[: chance.randint(0, len(damaged))])
            assert render_all(read(folder, as_it_is))
        path.write_bytes(whole)


def test_json_that_is_nested_without_end_is_a_gap(files: Files, record_of: RecordOf) -> None:
    files["opening.json"] = "[" * 200_000
    files["sections/01-immediate.json"] = '{"findings": ' + "[" * 500 + "]" * 500 + "}"
    assert any("opening.json is unreadable" in gap for gap in record_of(files).gaps)


def test_a_pipe_in_the_place_of_a_file_does_not_hang(files: Files, write: Callable[[Files], Path]) -> None:
    folder = write(files)
    (folder / "opening.json").unlink()
    os.mkfifo(folder / "opening.json")
    assert "opening.json is unreadable: not a file" in read(folder, as_it_is).gaps


def test_a_folder_that_is_no_record_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        read(tmp_path / "nowhere", as_it_is)
    with pytest.raises(UsageError, match="holds no incident record"):
        read(tmp_path, as_it_is)


def test_everything_that_is_shown_was_redacted(files: Files, write: Callable[[Files], Path]) -> None:
    def redact(data: Any) -> Any:
        return json.loads(json.dumps(data).replace("hunter2secret", "(secret:00000000)"))

    text = json.dumps(files).replace("connection refused", "password hunter2secret").replace("rahima", "hunter2secret")
    record = read(write(json.loads(text)), redact)
    pages = render_all(record)
    assert "hunter2secret" not in pages
    assert "(secret:00000000)" in pages


def test_a_secret_at_the_place_where_a_long_text_is_cut_is_redacted_before_it_is_cut(
    files: Files, write: Callable[[Files], Path]
) -> None:
    def redact(data: Any) -> Any:
        return json.loads(json.dumps(data).replace("hunter2secret", "(secret:00000000)"))

    files["opening.json"]["facts"]["http"] = {"body": "x" * 1_995 + "hunter2secret" + "y" * 5_000}
    assert "hunter" not in render_all(read(write(files), redact))
