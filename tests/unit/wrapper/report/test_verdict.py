# SPDX-License-Identifier: GPL-3.0-or-later
"""Is it over? Only a verification says so, and only as long as nothing critical is read after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dhakacart_runbooks.report.compare import compare
from dhakacart_runbooks.report.model import Record
from dhakacart_runbooks.report.verdict import State, broken, judge, next_command

Files = dict[str, Any]
RecordOf = Callable[[Files], Record]
VERIFICATION = "sections/04-verification.json"


def without_verification(files: Files) -> Files:
    del files[VERIFICATION]
    files["timeline.jsonl"] = [
        line
        for line in files["timeline.jsonl"]
        if line["event"] not in ("verification", "closed") and line.get("section") != "verification"
    ]
    return files


def verdict_line(files: Files) -> dict[str, Any]:
    return next(line for line in files["timeline.jsonl"] if line["event"] == "verification")


def test_a_verification_that_says_recovered_is_the_end(files: Files, record_of: RecordOf) -> None:
    record = record_of(files)
    verdict = judge(record)
    assert verdict.state is State.OVER
    assert "14 s after the first evidence" in verdict.why
    assert not broken(record).now
    assert [finding.id for finding in broken(record).findings] == ["http.ready", "postgresql.primary"]


def test_recovered_with_open_risks_says_so(files: Files, record_of: RecordOf) -> None:
    verdict_line(files)["risks"] = ["rds.multi_az is critical: no standby"]
    verdict = judge(record_of(files))
    assert verdict.state is State.OVER_WITH_RISKS
    assert verdict.details == ("rds.multi_az is critical: no standby",)


def test_a_verification_that_says_no_is_not_the_end(files: Files, record_of: RecordOf) -> None:
    verdict_line(files).update(recovered=False, reasons=["http.ready is critical"])
    verdict = judge(record_of(files))
    assert verdict.state is State.NOT_OVER
    assert verdict.details == ("http.ready is critical",)


def test_a_verdict_whose_line_is_lost_is_taken_from_the_section(files: Files, record_of: RecordOf) -> None:
    files["timeline.jsonl"] = [line for line in files["timeline.jsonl"] if line["event"] != "verification"]
    assert judge(record_of(files)).state is State.OVER


def test_something_critical_after_the_verdict_is_broken_again(files: Files, record_of: RecordOf) -> None:
    again = dict(files["sections/01-immediate.json"], section="symptoms", started=1795457226.0, run_id="later")
    files["sections/05-symptoms.json"] = again
    record = record_of(files)
    assert judge(record).state is State.BROKEN_AGAIN
    assert broken(record).now


def test_a_risk_that_the_verdict_knew_is_not_broken_again(files: Files, record_of: RecordOf) -> None:
    risk = {"id": "rds.x", "component": "RDS", "status": "critical", "summary": "no standby", "evidence": {}}
    files[VERIFICATION]["findings"] = [*files[VERIFICATION]["findings"], risk]
    files["sections/05-prevention.json"] = dict(files[VERIFICATION], section="prevention", started=1795457226.0)
    assert judge(record_of(files)).state is State.OVER


def test_without_a_verification_good_findings_are_not_the_end(files: Files, record_of: RecordOf) -> None:
    files = without_verification(files)
    assert judge(record_of(files)).state is State.NOT_VERIFIED


def test_what_could_not_be_read_is_not_called_well(files: Files, record_of: RecordOf) -> None:
    files = without_verification(files)
    files["sections/03-resolution.json"]["findings"][0]["status"] = "unknown"
    assert judge(record_of(files)).state is State.UNKNOWN


def test_critical_findings_without_a_verification_are_not_over(files: Files, record_of: RecordOf) -> None:
    files = without_verification(files)
    del files["sections/03-resolution.json"]
    record = record_of(files)
    assert judge(record).state is State.NOT_OVER
    assert broken(record).now
    assert next_command(record).endswith("--tags verification")  # as the timeline still knows


def test_a_record_without_findings_is_not_known(record_of: RecordOf) -> None:
    record = record_of({"timeline.jsonl": [{"time": 1795457126.0, "event": "opened"}]})
    assert judge(record).state is State.UNKNOWN
    assert "--tags immediate" in next_command(record)


def test_before_and_after_compares_each_finding_with_its_newest_reading(files: Files, record_of: RecordOf) -> None:
    found = compare(record_of(files))
    assert found is not None
    assert [(change.id, change.direction) for change in found.changed] == [
        ("http.ready", "better"),
        ("postgresql.primary", "better"),
        ("postgresql.lag", "readable"),
    ]
    assert [change.id for change in found.still_bad] == ["kubernetes.hpa"]
    assert found.same == 2


def test_what_got_worse_stands_first_and_what_was_not_read_again_is_said(files: Files, record_of: RecordOf) -> None:
    files[VERIFICATION]["findings"][5]["status"] = "critical"  # rds.api
    files["opening.json"]["findings"].append(dict(files["opening.json"]["findings"][0], id="http.cart"))
    found = compare(record_of(files))
    assert found is not None
    assert (found.changed[0].id, found.changed[0].direction) == ("rds.api", "worse")
    assert ("http.cart", "not read") in [(change.id, change.direction) for change in found.still_bad]


def test_without_an_opening_there_is_nothing_to_compare(files: Files, record_of: RecordOf) -> None:
    del files["opening.json"]
    assert compare(record_of(files)) is None
