# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``runbook lab`` says in a pipe, and when a part of the lab dies under it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import typer
from dhakacart_lab import cli
from dhakacart_lab.layout import Layout, UsageError
from typer.testing import CliRunner


def test_a_line_is_not_broken_in_a_pipe() -> None:
    program = "from dhakacart_lab import cli; cli.out.print('x ' * 300); cli.progress('y ' * 300)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout.count("\n"), done.stderr.count("\n")) == (1, 1)


def test_the_next_command_is_for_the_lab_that_was_named() -> None:
    def said(name: str, environment: str = "lab") -> str:
        layout = Layout(name=name, folder=Path("/labs") / name, subnet=77, lab_id="x", environment=environment)
        return cli.playbook(layout, "database-failure")

    assert said("default") == "Next: ansible-playbook playbooks/database-failure.yml"
    assert "DHAKACART_LAB=blue ansible-playbook" in said("blue")
    assert "-i inventories/staging -i /labs/blue/inventory" in said("blue", "staging")


def test_the_list_of_faults_does_not_give_the_answer_away_unless_asked() -> None:
    runner = CliRunner()
    for asked in ([], ["--json"]):
        shown = runner.invoke(cli.app, ["faults", *asked]).stdout
        assert "endpoint-stale" in shown
        assert not [word for word in ("endpoint_stale", "repoint", "failover") if word in shown]
        assert "endpoint_stale" in runner.invoke(cli.app, ["faults", "--causes", *asked]).stdout


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (psycopg.OperationalError("gone\nfor good"), 4),
        (OSError(28, "No space left"), 4),
        (KeyboardInterrupt(), 3),
        (UsageError("x; remedy: y"), 1),
    ],
)
def test_what_fails_meanwhile_is_one_line(error: BaseException, code: int, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, cli.one_line_errors():
        raise error
    assert ended.value.exit_code == code
    said = capfd.readouterr().err
    assert said.startswith("runbook lab: ")
    assert "remedy: " in said
    assert said.count("\n") == 1
