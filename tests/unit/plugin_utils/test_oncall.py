# SPDX-License-Identifier: GPL-3.0-or-later
"""What the callback shows of a real, tiny run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.dhakacart.runbooks.plugins.callback.oncall import _reason

ROOT = Path(__file__).resolve().parents[3]
PLAYBOOK = """
- name: Checks before
  hosts: lab
  gather_facts: false
  tags: [always]
  tasks:
    - name: Not a step
      ansible.builtin.debug: {msg: "in the preflight"}

- name: The section
  hosts: lab
  gather_facts: false
  tasks:
    - name: Say something in Bangla
      ansible.builtin.debug: {msg: ["দোকান খোলা", "second row"]}
    - name: Change something
      ansible.builtin.command: {argv: ["true"]}
      changed_when: true
    - name: Leave something alone
      ansible.builtin.debug: {msg: "never shown"}
      when: false
    - name: Go through a list
      ansible.builtin.fail: {msg: "item {{ item }} is broken"}
      loop: [one, two]
      when: item == "two"
      ignore_errors: true
    - name: Include more
      ansible.builtin.include_tasks: {file: more.yml}
    - name: Say each
      ansible.builtin.debug: {msg: "said {{ item }}"}
      loop: [a, b, c]
      when: item != "a"
    - name: Let it fail
      block:
        - name: Fail in a block
          ansible.builtin.fail: {msg: "ব্যর্থ: line one\\nline two"}
      rescue:
        - name: Mend it
          ansible.builtin.debug: {msg: "mended"}
    - name: Hide a secret
      ansible.builtin.fail: {msg: "s3cr3t"}
      no_log: true
      ignore_errors: true
    - name: Be loud
      ansible.builtin.fail: {msg: "{{ 'x' * 5000 }}"}
      ignore_errors: true
    - name: Ask what is not there
      ansible.builtin.debug: {msg: "{{ not_defined_anywhere }}"}
      ignore_errors: true
    - name: Wait for it
      ansible.builtin.command: {argv: ["sh", "-c", "echo first >&2; echo the disk is full >&2; exit 3"]}
      register: waited
      until: waited.rc == 0
      retries: 2
      delay: 0
      changed_when: false
"""
MORE = """
- name: A step inside
  ansible.builtin.debug: {msg: "from the inside"}
- name: A step inside that is not needed
  ansible.builtin.debug: {msg: "never shown"}
  when: false
"""


@dataclass(frozen=True)
class Run:
    """The exit code and the lines of both streams."""

    code: int
    out: list[str]
    err: list[str]


Play = Callable[..., Run]


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    folder = tmp_path_factory.mktemp("oncall")
    (folder / "play.yml").write_text(PLAYBOOK, encoding="utf-8")
    (folder / "more.yml").write_text(MORE, encoding="utf-8")
    (folder / "hosts").write_text(f"lab ansible_connection=local ansible_python_interpreter={sys.executable}\n")
    (folder / "ansible.cfg").write_text("")

    def run(*arguments: str, text: str = "") -> Run:
        playbook = folder / "play.yml"
        if text:
            playbook = folder / "other.yml"
            playbook.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts", playbook.name, *arguments],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "LC_ALL": "C.UTF-8",
                "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
                "ANSIBLE_STDOUT_CALLBACK": "dhakacart.runbooks.oncall",
                "ANSIBLE_NOCOLOR": "1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return Run(done.returncode, done.stdout.splitlines(), done.stderr.splitlines())

    return run


@pytest.fixture(scope="module")
def plain(play: Play) -> Run:
    return play()


def after(run: Run, title: str) -> list[str]:
    """The lines below a step, up to the next one."""
    rest = run.out[run.out.index(title) + 1 :]
    end = next((number for number, line in enumerate(rest) if not line.startswith(" ")), len(rest))
    return rest[:end]


def test_steps_are_counted_as_on_the_page_and_the_preflight_is_none(plain: Run) -> None:
    steps = [line for line in plain.out if line[:1].isdigit()]
    assert steps[:5] == [
        "1 Say something in Bangla",
        "2 Change something",
        "3 Leave something alone",
        "4 Go through a list",
        "5 Include more",
    ]
    assert not any("Not a step" in line for line in plain.out)


def test_a_message_is_shown_row_by_row_in_any_script(plain: Run) -> None:
    assert after(plain, "1 Say something in Bangla") == ["    দোকান খোলা", "    second row"]
    assert "    in the preflight" in plain.out


def test_what_changed_and_what_was_not_needed_is_said(plain: Run) -> None:
    assert after(plain, "2 Change something") == ["    changed"]
    assert after(plain, "3 Leave something alone") == ["    not needed"]
    assert not any("never shown" in line for line in plain.out)


def test_included_tasks_are_shown_when_they_are_needed(plain: Run) -> None:
    assert after(plain, "5 Include more") == ["  - A step inside", "    from the inside"]


@pytest.mark.parametrize(
    "line",
    [
        "FAILED lab (rescued): ব্যর্থ: line one line two",
        "FAILED lab (item=two, ignored): item two is broken",
        "FAILED lab: non-zero return code: the disk is full",
        "'not_defined_anywhere' is undefined",
    ],
)
def test_every_failure_is_one_line_on_standard_error_also_where_it_is_rescued_or_ignored(plain: Run, line: str) -> None:
    assert any(shown.endswith(line) for shown in plain.err), plain
    assert all(shown.startswith("FAILED lab") for shown in plain.err), plain


def test_a_loop_shows_its_messages_and_nothing_of_what_was_skipped(plain: Run) -> None:
    assert after(plain, "4 Go through a list") == []
    assert after(plain, "6 Say each") == ["    said b", "    said c"]


def test_a_message_without_end_is_cut(plain: Run) -> None:
    (loud,) = [line for line in plain.err if "xxxx" in line]
    assert loud.startswith("FAILED lab (ignored): ")
    assert loud.count("x") == 2000


def test_a_secret_stays_one_and_the_failure_is_still_shown(plain: Run) -> None:
    assert "s3cr3t" not in "\n".join(plain.out + plain.err)
    assert sum("no_log" in line for line in plain.err) == 1


def test_the_run_ends_with_what_stopped_it(plain: Run) -> None:
    assert plain.code == 2
    assert plain.out[-1] == "Stopped on lab: what was done before is listed above."


def test_waiting_says_that_it_waits(plain: Run) -> None:
    assert [line for line in plain.out if line.startswith("    not yet (look 1 of 3, ")]


def test_a_run_without_any_host_says_loudly_that_nothing_ran(play: Play) -> None:
    text = "- hosts: nobody\n  gather_facts: false\n  tasks: []\n" * 2
    run = play(text=text)
    assert [line for line in run.err if line.startswith("NOTHING RAN: no host matches; remedy: ")] != []
    assert sum("NOTHING RAN" in line for line in run.err) == 1


def test_with_v_it_is_the_default_callback(play: Play) -> None:
    text = (
        "- name: One\n  hosts: lab\n  gather_facts: false\n  tasks: [{name: Two, ansible.builtin.debug: {msg: hi}}]\n"
    )
    run = play("-v", text=text)
    assert any(line.startswith("PLAY [One]") for line in run.out)
    assert any(line.startswith("TASK [Two]") for line in run.out)
    assert any(line.startswith("PLAY RECAP") for line in run.out)


def test_a_wait_in_vain_says_what_it_saw_last() -> None:
    findings = [
        {"id": "a.b", "status": "ok", "summary": "well"},
        {"id": "c.d", "status": "unknown", "summary": "not read"},
    ]
    assert _reason({"attempts": 3, "findings": findings}) == "not so after 3 looks; last seen: c.d is unknown: not read"
    assert _reason({"attempts": 3}) == "not so after 3 looks"
    assert _reason({"attempts": 3, "msg": "why"}) == "why"


SECTION = """
- name: Page | Preflight
  hosts: lab
  gather_facts: false
  tags: [always]
  tasks:
    - name: Hand on a record
      ansible.builtin.set_fact:
        dhakacart_record: {folder: "%s", run_id: r1, credentials: {}}
    - name: Say it as the preflight does
      ansible.builtin.debug: {msg: ok}
- name: Page | Not asked for
  hosts: lab
  gather_facts: false
  tags: [symptoms, never]
  tasks: [{name: Never, ansible.builtin.debug: {msg: never}}]
- name: Page | Resolution
  hosts: lab
  gather_facts: false
  tags: [resolution]
  tasks:
    - name: Change something
      ansible.builtin.command: {argv: ["true"]}
      changed_when: true
    - name: Only look what would change
      ansible.builtin.file: {path: "%s/made", state: touch, mode: "0600"}
      check_mode: true
    - name: Stumble
      ansible.builtin.fail: {msg: "it says password=hunter2x"}
      ignore_errors: true
    - name: Warn
      ansible.builtin.fail: {msg: "the end password=hunter2x"}
"""


def section(folder: Path, run_folder: Path) -> str:
    return SECTION % (run_folder, folder)


def test_a_section_has_its_heading_and_one_that_was_not_asked_for_has_none(play: Play, tmp_path: Path) -> None:
    run = play(text=section(tmp_path, tmp_path))
    headings = [line for line in run.out if ", within " in line]
    assert headings == ["Resolution, within 45:00"]


def test_steps_are_noted_in_the_record_with_what_became_of_them(play: Play, tmp_path: Path) -> None:
    folder = tmp_path / "incident"
    folder.mkdir()
    run = play(text=section(tmp_path, folder))
    rows = [json.loads(row) for row in (folder / "timeline.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["event"], row["section"], row["title"], row["outcome"]) for row in rows] == [
        ("step", "resolution", "Change something", "changed"),
        ("step", "resolution", "Only look what would change", "would_change"),
        ("step", "resolution", "Stumble", "failed"),
        ("step", "resolution", "Warn", "failed"),
    ]
    assert rows[2]["message"].startswith("(ignored) it says password=(secret:")
    assert "hunter2x" not in "".join(run.out + run.err)


def test_a_record_that_cannot_be_written_is_one_warning_and_the_run_goes_on(play: Play, tmp_path: Path) -> None:
    run = play(text=section(tmp_path, tmp_path / "gone" / "incident"))
    assert "1 Change something" in run.out
    assert sum("Steps are not recorded: " in line for line in run.err) == 1


@pytest.mark.parametrize("verbosity", ["-v", "-vvv"])
def test_with_v_results_are_shown_without_secrets(play: Play, tmp_path: Path, verbosity: str) -> None:
    run = play(verbosity, text=section(tmp_path, tmp_path))
    shown = "\n".join(run.out + run.err)
    assert "hunter2x" not in shown
    assert "password=(secret:" in shown


def test_a_section_that_stopped_says_where_and_how_long_it_took(play: Play, tmp_path: Path) -> None:
    run = play(text=section(tmp_path, tmp_path))
    assert re.search(r"^Stopped on lab in resolution, after \d+:\d\d of 45:00: ", "\n".join(run.out), re.MULTILINE)


def test_an_unreachable_host_is_said_in_one_line(play: Play) -> None:
    text = (
        "- hosts: lab\n  gather_facts: false\n"
        "  vars: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 9}\n"
        "  tasks: [{name: Look, ansible.builtin.command: {argv: ['true']}}]\n"
    )
    run = play(text=text)
    assert run.code == 4
    assert sum(line.startswith("UNREACHABLE lab: ") for line in run.err) == 1


@pytest.mark.parametrize(
    "text", ["- hosts: lab\n  tasks: [\n", "- hosts: lab\n  tasks: [{nosuchmodule: {}}]\n", "x: 1\n"]
)
def test_a_playbook_that_cannot_be_read_is_still_said(play: Play, text: str) -> None:
    run = play(text=text)
    assert run.code == 4
    assert any(line.startswith("[ERROR]: ") for line in run.err)


WARNS = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec={})
module.warn("mind the gap, password=hunter2x")
module.deprecate("old way", version="99.0", collection_name="x.y")
module.exit_json(changed=False)
"""


@pytest.mark.parametrize("verbosity", [[], ["-v"]])
def test_warnings_and_deprecations_of_modules_are_kept_without_secrets(
    play: Play, tmp_path: Path, verbosity: list[str]
) -> None:
    (tmp_path / "warns.py").write_text(WARNS)
    run = play("-M", str(tmp_path), *verbosity, text="- hosts: lab\n  gather_facts: false\n  tasks: [{warns: {}}]\n")
    shown = " ".join(" ".join(run.err).split())
    assert run.code == 0, run
    assert "mind the gap" in shown
    assert "old way" in shown
    assert "hunter2x" not in shown


def test_no_colour_where_none_is_wanted(play: Play) -> None:
    assert not any("\x1b" in line for line in play().out)
