# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-runner's callback plugin writes of an event, for the instant until runner reads it, holds no secret.

The child is started here without runner, so that what is written stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from dhakacart_runbooks.launcher import engine
from dhakacart_runbooks.launcher.folder import PrivateFolder

SECRET, TOKEN = 'canary "quoted"\nhunter2-hunter2', "(secret:1a2b3c4d)"
PLAYBOOK = """
- name: Tell
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Tell
      ansible.builtin.debug:
        msg: "before {{ lookup('env', 'DHAKACART_X_PASSWORD') }} after"
"""


def written(tmp_path: Path, tokens: dict[str, str]) -> tuple[str, str]:
    """The events that were written, and the terminal's output."""
    folder = PrivateFolder(tmp_path, "run")
    folder.make()
    (tmp_path / "hosts.yml").write_text("all: {hosts: {localhost: }}", encoding="utf-8")
    playbook = tmp_path / "tell.yml"
    playbook.write_text(PLAYBOOK, encoding="utf-8")
    fifo = folder.offer("environment", {"DHAKACART_X_PASSWORD": SECRET}, tokens)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWX_ISOLATED_DATA_DIR": str(folder.path),
        "ANSIBLE_CALLBACK_PLUGINS": engine.CALLBACK,
        "ANSIBLE_STDOUT_CALLBACK": "awx_display",
    }
    done = subprocess.run(
        [sys.executable, "-P", str(engine.CHILD), str(fifo), "-i", str(tmp_path / "hosts.yml"), str(playbook)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    files = sorted((folder.path / "job_events").glob("*-partial.json"))
    events = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    assert {"playbook_on_start", "runner_on_ok", "playbook_on_stats"} <= {event["event"] for event in events}
    folder.remove()
    return json.dumps(events), done.stdout


def test_a_secret_is_written_as_its_token(tmp_path: Path) -> None:
    events, _ = written(tmp_path, {SECRET: TOKEN})
    assert "hunter2" not in events
    assert f"before {TOKEN} after" in events


def test_without_a_token_it_would_be_there(tmp_path: Path) -> None:
    events, _ = written(tmp_path, {})
    assert "hunter2" in events
