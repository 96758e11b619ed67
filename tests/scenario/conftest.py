# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for all scenarios; each ends with everything healed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dhakacart_lab.faults.catalogue import heal
from dhakacart_lab.lab import Lab

ROOT = Path(__file__).resolve().parents[2]
NAME = "scenario"


@dataclass(frozen=True)
class Run:
    """What a person sees of one ``ansible-playbook``."""

    code: int
    out: str
    seconds: float

    @property
    def likely_cause(self) -> str:
        """Id of the last likely cause that was named; empty for none."""
        found = re.findall(r"^Likely cause: (?:.*\((\w+)\)|none.*)$", self.out, re.MULTILINE)
        assert found, self.out
        return str(found[-1])

    @property
    def next(self) -> str:
        return re.findall(r"^Next: (.+)$", self.out, re.MULTILINE)[-1]


@dataclass(frozen=True)
class Runbook:
    """Runs the playbook as a person would, on one lab."""

    incidents: Path
    lab_name: str = NAME

    def __call__(self, section: str = "", *options: str, env: dict[str, str] | None = None, timeout: int = 200) -> Run:
        argv = ["ansible-playbook", "playbooks/database-failure.yml", "-e", f"dhakacart_incident_dir={self.incidents}"]
        argv += ["--tags", section] if section else []
        environment = {**os.environ, "DHAKACART_LAB": self.lab_name, "NO_COLOR": "1", **(env or {})}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        begin = time.monotonic()
        done = subprocess.run(
            [*argv, *options], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )
        return Run(done.returncode, done.stdout + done.stderr, time.monotonic() - begin)


@pytest.fixture(scope="session", autouse=True)
def lab_home() -> Iterator[Path]:
    """The labs of the tests live apart from a person's own; PostgreSQL's user must be able to reach them."""
    folder = Path(tempfile.mkdtemp(prefix="dhakacart-tests-", dir="/var/tmp"))
    folder.chmod(0o755)
    os.environ["DHAKACART_LAB_HOME"] = str(folder)
    yield folder
    del os.environ["DHAKACART_LAB_HOME"]
    folder.rmdir()


@pytest.fixture(scope="session")
def whole_lab(lab_home: Path) -> Iterator[Lab]:
    lab = Lab.up(NAME)
    yield lab
    lab.down()


@pytest.fixture
def lab(whole_lab: Lab) -> Iterator[Lab]:
    """The lab, healthy; healed afterwards."""
    yield whole_lab
    heal(whole_lab)


@pytest.fixture
def runbook(tmp_path: Path) -> Runbook:
    return Runbook(tmp_path / "incidents")
