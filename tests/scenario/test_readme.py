# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python of the README runs as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from dhakacart_lab.lab import Lab

from tests.scenario.conftest import NAME, ROOT


def test_the_python_of_the_readme_runs_as_it_stands(lab: Lab, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(code.splitlines()) <= 10
    environment = {**os.environ, "DHAKACART_LAB": NAME, "DHAKACART_COLLECTION": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "section_finished" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("healthy no cause ")
