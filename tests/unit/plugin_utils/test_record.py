# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written into an incident's folder: redacted, nothing overwritten, every line whole."""

from __future__ import annotations

import json
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils import incidents
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.record import Record, Run, without_secrets


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Run(run_id="r1").opened(tmp_path, "lab", "database-failure")


def lines(record: Record) -> list[dict[str, Any]]:
    text = (record.folder / incidents.TIMELINE).read_text(encoding="utf-8")
    return [json.loads(row) for row in text.splitlines()]


def test_an_opened_record_says_what_it_is_about_and_by_whom(record: Record) -> None:
    (row,) = lines(record)
    assert (row["event"], row["runbook"], row["environment"], row["incident"], row["run_id"]) == (
        "opened",
        "database-failure",
        "lab",
        True,
        "r1",
    )
    assert "@" in row["by"]
    assert abs(row["time"] - time.time()) < 60


def test_notes_are_appended_a_line_each_in_any_script(record: Record) -> None:
    record.note("one", title="ক\nখ")
    record.note("two")
    assert [row["event"] for row in lines(record)] == ["opened", "one", "two"]
    assert lines(record)[1]["title"] == "ক\nখ"


def test_many_writers_at_once_leave_only_whole_lines(record: Record) -> None:
    def write(writer: int) -> None:
        other = Record(record.folder, f"w{writer}")
        for number in range(20):
            other.note("note", text=f"{writer}-{number} " + "x" * 3000)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts = {row["text"].split()[0] for row in lines(record)[1:]}
    assert texts == {f"{writer}-{number}" for writer in range(6) for number in range(20)}


def test_the_opening_state_is_never_overwritten(record: Record) -> None:
    first = record.keep({"started": 1.0, "findings": [], "invocation": {"module_args": {}}})
    second, third = record.keep({"started": 2.0}), record.keep({"started": 3.0})
    assert first.name == incidents.OPENING
    assert json.loads(first.read_text()) == {"started": 1.0, "findings": []}
    assert second.name.startswith("evidence-")
    assert [json.loads(path.read_text())["started"] for path in (second, third)] == [2.0, 3.0]
    assert stat.S_IMODE(first.stat().st_mode) == 0o600


def test_sections_are_numbered_in_their_order(record: Record) -> None:
    names = [record.add_section(tag, {"section": tag}).name for tag in ("immediate", "investigation", "immediate")]
    assert names == ["01-immediate.json", "02-investigation.json", "03-immediate.json"]


def test_everything_that_is_written_is_redacted_with_one_key(record: Record, tmp_path: Path) -> None:
    passfile = tmp_path / "pgpass"
    passfile.write_text("db:5432:shop:admin:kn0wn\\:secret\n")
    known = Record(record.folder, "r1", {"dhakacart_db_passfile": str(passfile)})
    known.note("note", text="it says kn0wn:secret and password=hunter2x", undo={"token": "abcdef1"})
    known.keep({"facts": {"log": ["kn0wn:secret"]}})
    known.add_section("immediate", {"findings": [{"summary": "kn0wn:secret"}]})
    written = "".join(path.read_text() for path in record.folder.rglob("*") if path.is_file())
    assert not [secret for secret in ("kn0wn", "hunter2x", "abcdef1") if secret in written]
    assert written.count(known.redactor.token("kn0wn:secret")) == 3


@pytest.mark.parametrize("call", ["note", "keep", "add_section", "writable"])
def test_what_cannot_be_written_is_one_line_with_the_remedy(record: Record, call: str) -> None:
    gone = Record(record.folder / "gone", "r1")
    calls = {
        "note": lambda: gone.note("x"),
        "keep": lambda: gone.keep({}),
        "add_section": lambda: gone.add_section("immediate", {}),
        "writable": gone.writable,
    }
    with pytest.raises(ConfigurationError, match="No such file") as raised:
        calls[call]()
    assert "\n" not in str(raised.value)
    assert str(raised.value).endswith("remedy: set dhakacart_incident_dir")


def test_a_key_that_is_none_stops_the_writing_in_one_line(record: Record) -> None:
    (record.folder.parent / ".redaction-key").write_text("x")
    with pytest.raises(ConfigurationError, match=r"the key of the redaction cannot be used \(it is no redaction key\)"):
        Record(record.folder).note("x")


def test_a_run_is_handed_on_as_a_fact_and_found_again() -> None:
    run = Run("/x/incident", "r1", {"dhakacart_db_passfile": "/x/pgpass"})
    assert Run.of({"ansible_facts": run.facts()}) == run
    assert Run.of({}) == Run()
    assert Run().record is None
    assert run.record == Record(Path("/x/incident"), "r1", {"dhakacart_db_passfile": "/x/pgpass"})


def test_an_answer_loses_the_secrets_that_are_known_and_nothing_else(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("r3dis-t0ken\n")
    facts = Run("", "r1", {"dhakacart_redis_token_file": str(token)}).facts()
    answer = {"msg": "AUTH r3dis-t0ken failed", "password": "not known", "n": 1, "ok": True}
    hidden = without_secrets(answer, {"ansible_facts": facts})
    assert "r3dis-t0ken" not in str(hidden)
    assert {**hidden, "msg": ""} == {**answer, "msg": ""}
