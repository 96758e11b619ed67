# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: one line that names what, where and the remedy; exit code not 0; nothing was changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from dhakacart_lab.lab import Lab

from tests.scenario.conftest import Run, Runbook


def assert_one_line(run: Run, *words: str) -> None:
    assert run.code != 0, run.out
    assert "Traceback" not in run.out
    lines = [line for line in run.out.splitlines() if line.startswith(("FAILED", "[ERROR]"))]
    assert len(lines) == 1, run.out
    for word in words:
        assert word in lines[0], run.out


def test_a_lab_that_is_not_up_is_said_with_the_remedy(tmp_path: Path) -> None:
    run = Runbook(tmp_path / "incidents")("immediate", env={"DHAKACART_LAB_HOME": str(tmp_path / "none")})
    assert_one_line(run, "is not up", "lab.json", "remedy: runbook lab up")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--tags", "imediate"], ["--tags", "'imediate'", "did you mean immediate?"]),
        (["--tags", "resolution", "-e", "branch=failovr"], ["branch", "'failovr'", "did you mean failover?"]),
        (["-e", "dhakacart_db_port=none"], ["dhakacart_db_port", "must be a port number", "'none'", "remedy"]),
        (["-e", "dhakacart_db_host=db:5432"], ["dhakacart_db_host", "without scheme and port", "remedy"]),
        (["-e", "dhakacart_replica_lag_rpo=-1"], ["dhakacart_replica_lag_rpo", "above 0"]),
        (["-e", '{"dhakacart_approval_required": "maybe"}'], ["dhakacart_approval_required", "true or false"]),
        (["-e", "dhakacart_shop_url=ftp://x"], ["dhakacart_shop_url", "http"]),
        (["-e", "dhakacart_kubeconfig=/nowhere/config"], ["dhakacart_kubeconfig", "does not exist"]),
        (["-i", "inventories/production"], ["dhakacart_db_host", "inventories/production/group_vars/all/required.yml"]),
        (["-i", "inventories/staging"], ["dhakacart_db_host", "inventories/staging/group_vars/all/required.yml"]),
        (["-i", "inventories/nowhere"], ["inventories/nowhere"]),
        (["-e", "dhakacart_target=nowhere"], ["nowhere"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and value and value[0].startswith("-") else "",
)
def test_a_mistake_in_the_call_or_the_inventory(
    options: list[str], words: list[str], whole_lab: Lab, runbook: Runbook
) -> None:
    assert_one_line(runbook("", *options), *words)


@pytest.mark.parametrize(
    ("variable", "content", "words"),
    [
        ("dhakacart_db_passfile", "only:three:fields", ["line 1", "host:port:database:user:password"]),
        ("dhakacart_kubeconfig", "clusters: [", ["is not YAML"]),
        ("dhakacart_kubeconfig", "a: b", ["is not a kubeconfig"]),
        ("dhakacart_aws_credentials_file", "no section", ["is not an AWS credentials file"]),
        ("dhakacart_redis_token_file", "", ["must hold the token"]),
    ],
)
def test_a_malformed_file_of_credentials(
    variable: str, content: str, words: list[str], whole_lab: Lab, runbook: Runbook, tmp_path: Path
) -> None:
    path = tmp_path / "credentials"
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    assert_one_line(runbook("immediate", "-e", f"{variable}={path}"), variable, str(path), "remedy", *words)


def test_a_password_file_that_others_may_read_is_refused(whole_lab: Lab, runbook: Runbook, tmp_path: Path) -> None:
    path = tmp_path / "pgpass"
    path.write_text("*:*:*:*:secret", encoding="utf-8")
    path.chmod(0o644)
    run = runbook("immediate", "-e", f"dhakacart_db_passfile={path}")
    assert_one_line(run, "dhakacart_db_passfile", "chmod 600")
    assert "secret" not in run.out


def test_a_branch_that_the_evidence_contradicts_is_refused(lab: Lab, runbook: Runbook) -> None:
    """Nobody fails over a healthy primary, approved or not."""
    run = runbook("resolution", "-e", "branch=failover", "-e", "approve=true")
    assert_one_line(run, "branch failover is refused by the evidence", "postgresql.primary is critical")
    assert lab.cluster.primary().accepting()


def test_without_approval_nothing_is_changed(lab: Lab, runbook: Runbook) -> None:
    lab.cluster.primary().kill()
    run = runbook("resolution", "-e", '{"dhakacart_approval_required": true}')
    assert run.code == 2
    assert "not approved, nothing was changed" in run.out
    assert lab.cluster.standby().in_recovery()
