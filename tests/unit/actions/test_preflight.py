# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot work is said in one line, before anything is read or changed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.template import trust_as_template
from ansible_collections.dhakacart.runbooks.plugins.action import preflight
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.sections import SECTIONS
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.variables import CHECKS

Run = Callable[..., dict[str, Any]]
ROOT = Path(__file__).resolve().parents[3]


def trusted(value: Any) -> Any:
    """As read from a file of the inventory: Ansible renders only templates that it trusts."""
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: trusted(inner) for key, inner in value.items()}
    return [trusted(inner) for inner in value] if isinstance(value, list) else value


@functools.cache
def inventory(environment: str) -> dict[str, Any]:
    folder = ROOT / "inventories" / environment
    found: dict[str, Any] = {"inventory_dir": str(folder), "playbook_dir": "/x/playbooks"}
    for path in sorted((folder / "group_vars/all").glob("*.yml")):
        found |= yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {name: trusted(value) for name, value in found.items()}


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, Any]:
    """Production, with what required.yml asks for."""
    hosts = ("dhakacart_db_host", "dhakacart_db_replica_host", "dhakacart_redis_host")
    root = str(tmp_path / "incidents")
    return {**inventory("production"), **dict.fromkeys(hosts, "h.example.com"), "dhakacart_incident_dir": root}


@pytest.fixture
def check(run: Run, variables: dict[str, Any]) -> Run:
    """``check(branch, **changed variables)``."""

    def apply(branch: str = "", **changed: Any) -> dict[str, Any]:
        return run(preflight, {"runbook": "database-failure", "branch": branch}, {**variables, **changed})

    return apply


def message(result: dict[str, Any]) -> str:
    assert result["failed"] is True
    text: str = result["msg"]
    assert "\n" not in text
    assert "; remedy: " in text
    return text


def test_an_inventory_that_is_complete_passes(check: Run, printed: list[str]) -> None:
    result = check()
    assert not result.get("failed"), result
    assert result["sections"] == []
    assert (result["environment"], result["name"], result["record"]) == ("prod", "dhakacart-prod us-west-2", "")
    assert result["budgets"]["immediate"] == 300
    assert printed == ["database-failure / bare run, reads only        dhakacart-prod us-west-2"]


def test_the_sections_asked_for_are_shown_in_their_order(check: Run, printed: list[str]) -> None:
    result = check(ansible_run_tags=["verification", "immediate"])
    assert result["sections"] == ["immediate", "verification"]
    assert printed[0].startswith("database-failure / immediate, verification ")


@pytest.mark.parametrize("tags", [["all"], ["all", "immediate"], ["always"], ["tagged"], []])
def test_tags_that_ansible_itself_knows_are_taken(check: Run, tags: list[str]) -> None:
    assert not check(ansible_run_tags=tags).get("failed")


@pytest.mark.parametrize(
    ("tag", "hint"),
    [
        ("imediate", "did you mean immediate?"),
        ("Resolution", "did you mean resolution?"),
        ("verify", "sections are symptoms, immediate"),
        ("zzz", "sections are symptoms, immediate"),
        ("", "sections are symptoms, immediate"),
    ],
)
def test_an_unknown_section_is_refused_with_a_suggestion(check: Run, tag: str, hint: str) -> None:
    text = message(check(ansible_run_tags=["immediate", tag]))
    assert text.startswith(f"--tags: unknown section {tag!r}; remedy: ")
    assert hint in text


@pytest.mark.parametrize(
    ("branch", "hint"),
    [
        ("failver", "did you mean failover?"),
        ("restart", "did you mean restart-pods?"),
        ("xyz", "branches are failover"),
    ],
)
def test_an_unknown_branch_is_refused_with_a_suggestion(check: Run, branch: str, hint: str) -> None:
    text = message(check(branch))
    assert text.startswith(f"branch: unknown branch {branch!r}; remedy: ")
    assert hint in text


def test_a_known_branch_is_taken(check: Run) -> None:
    assert not check("failover").get("failed")


def test_an_unknown_runbook_is_refused(run: Run, variables: dict[str, Any]) -> None:
    assert "unknown runbook 'x'" in message(run(preflight, {"runbook": "x"}, variables))


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("name", ["dhakacart_db_host", "dhakacart_db_replica_host", "dhakacart_redis_host"])
def test_a_required_variable_that_is_not_set_is_named_with_its_file(run: Run, environment: str, name: str) -> None:
    hosts = ("dhakacart_db_host", "dhakacart_db_replica_host", "dhakacart_redis_host")
    given = {**inventory(environment), **{host: "h" for host in hosts if host != name}}
    text = message(run(preflight, {"runbook": "database-failure"}, given))
    file = f"inventories/{environment}/group_vars/all/required.yml"
    assert text == f"{name}: is not set; remedy: set it in {file}"
    assert f"# {name}: " in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CHECKS)
def test_every_checked_variable_is_missed_by_name(run: Run, variables: dict[str, Any], name: str) -> None:
    given = {key: value for key, value in variables.items() if key != name}
    if name == "dhakacart_rpo_db":  # another value is made of it, and comes first
        given["dhakacart_replica_lag_rpo"] = 60
    assert message(run(preflight, {"runbook": "database-failure"}, given)).startswith(name.partition("_env")[0])


def test_a_wrong_value_is_named_with_what_it_is_and_where_to_mend_it(check: Run) -> None:
    text = message(check(dhakacart_db_port="5432x"))
    assert text == (
        "dhakacart_db_port: must be a port number, 1 to 65535, not '5432x';"
        " remedy: mend it in inventories/production/group_vars/all"
    )


def test_a_value_made_of_an_undefined_one_names_what_is_undefined(check: Run) -> None:
    text = message(check(dhakacart_shop_url=trust_as_template("https://{{ dhakacart_api_hots }}")))
    assert text.startswith("dhakacart_shop_url: ")
    assert "dhakacart_api_hots" in text


def test_a_template_that_is_broken_is_one_line(check: Run) -> None:
    assert message(check(dhakacart_shop_url=trust_as_template("https://{{ x"))).startswith("dhakacart_shop_url: ")


def test_the_checked_values_are_not_returned(check: Run, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cr3t-token\n")
    result = check(dhakacart_redis_token_file=str(token))
    assert "h.example.com" not in str(result)
    assert "s3cr3t-token" not in str(result)


GOOD_KUBECONFIG = "clusters: [{name: a}]\ncontexts: [{name: a}]\nusers: [{name: a}]\n"
FILES: list[tuple[str, bytes, str]] = [
    ("dhakacart_db_passfile", b"db:5432:dhakacart:admin:secret\n# comment\n\n*:*:*:u:p\\:q\\\\\n", ""),
    ("dhakacart_db_passfile", b"db:5432:dhakacart:ad\\\\:secret\n", ""),
    ("dhakacart_db_passfile", b"db:5432:dhakacart:admin\n", "line 1 is not host:port:database:user:password"),
    ("dhakacart_db_passfile", b"# x\na:1:b:c:d\na:1:b:c:d:e\n", "line 3 is not host:port:database:user:password"),
    ("dhakacart_db_passfile", b"\xff\xfe", "cannot be read (not UTF-8 text)"),
    ("dhakacart_redis_token_file", b"token\n", ""),
    ("dhakacart_redis_token_file", b"", "must hold the token and nothing else"),
    ("dhakacart_redis_token_file", b" \n", "must hold the token and nothing else"),
    ("dhakacart_redis_token_file", b"two tokens", "must hold the token and nothing else"),
    ("dhakacart_kubeconfig", GOOD_KUBECONFIG.encode(), ""),
    ("dhakacart_kubeconfig", b"", "is not a kubeconfig"),
    ("dhakacart_kubeconfig", b"[]", "is not a kubeconfig"),
    ("dhakacart_kubeconfig", b"just text", "is not a kubeconfig"),
    ("dhakacart_kubeconfig", b"clusters: []\ncontexts: [1]\nusers: [1]\n", "is not a kubeconfig"),
    ("dhakacart_kubeconfig", b"clusters: [{name: a}]\ncontexts: [{name: a}]\n", "is not a kubeconfig"),
    ("dhakacart_kubeconfig", b"a: 1\nb: [\n", "is not YAML (line 3)"),
    ("dhakacart_kubeconfig", b"a: 2026-99-99\n", "is not YAML"),
    ("dhakacart_kubeconfig", b"\x00", "is not YAML"),
    ("dhakacart_aws_credentials_file", b"[default]\naws_access_key_id = x\naws_secret_access_key = a%b\n", ""),
    ("dhakacart_aws_credentials_file", b"", "holds no profile"),
    ("dhakacart_aws_credentials_file", b"aws_access_key_id = x\n", "is not an AWS credentials file"),
    ("dhakacart_aws_credentials_file", b"[default]\nx = 1\nx = 2\n", "is not an AWS credentials file"),
    ("dhakacart_aws_credentials_file", b"[default\n", "is not an AWS credentials file"),
]


@pytest.mark.parametrize(("name", "content", "problem"), FILES)
def test_a_file_of_credentials_must_make_sense(
    check: Run, tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    path.chmod(0o600)
    result = check(**{name: str(path)})
    if not problem:
        assert not result.get("failed"), result
        return
    text = message(result)
    assert text.startswith(f"{name}: {path} {problem}")
    assert b"secret" not in content or "secret" not in text


@pytest.mark.parametrize("name", sorted({row[0] for row in FILES}))
def test_a_file_that_is_not_there_or_cannot_be_read_is_named(check: Run, tmp_path: Path, name: str) -> None:
    assert f"{name}: {tmp_path}/gone does not exist" in message(check(**{name: f"{tmp_path}/gone"}))
    assert f"{name}: {tmp_path} cannot be read (Is a directory)" in message(check(**{name: str(tmp_path)}))


def test_a_password_file_that_others_may_read_is_refused_as_libpq_does(check: Run, tmp_path: Path) -> None:
    path = tmp_path / "pgpass"
    path.write_text("db:5432:dhakacart:admin:secret\n")
    path.chmod(0o640)
    assert "libpq ignores it: chmod 600" in message(check(dhakacart_db_passfile=str(path)))


def test_a_tilde_is_the_home(check: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "token").write_text("t")
    assert not check(dhakacart_redis_token_file="~/token").get("failed")


def test_every_section_of_the_runbook_is_accepted_alone(check: Run) -> None:
    for section in SECTIONS:
        assert check(ansible_run_tags=[section])["sections"] == [section]


def test_several_environments_may_be_read_but_not_changed_at_once(check: Run) -> None:
    both = ["production-us-west-2", "production-us-east-1"]
    for section in ("immediate", "resolution", "verification"):
        text = message(check(ansible_play_hosts_all=both, ansible_run_tags=["all", section]))
        assert text.startswith("dhakacart_target: 2 environments at once (production-us-west-2, production-us-east-1)")
    assert check(ansible_play_hosts_all=both, ansible_run_tags=["all"])["sections"] == []
    assert check(ansible_play_hosts_all=both[:1], ansible_run_tags=["resolution"])["sections"] == ["resolution"]


def test_the_tag_never_is_no_section_because_it_would_run_all_that_change_something(check: Run) -> None:
    assert "unknown section 'never'" in message(check(ansible_run_tags=["never"]))


def test_on_a_bastion_the_files_of_credentials_are_not_looked_for_here(run: Run, variables: dict[str, Any]) -> None:
    elsewhere = {**variables, "dhakacart_db_passfile": "/home/bastion/.pgpass"}
    arguments = {"runbook": "database-failure"}
    assert "does not exist" in message(run(preflight, arguments, elsewhere))
    assert "failed" not in run(preflight, arguments, elsewhere, transport="ssh")
