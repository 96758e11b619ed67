# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of kubernetes.core, which the roles use, against the lab's API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PLAYBOOK = Path(__file__).with_name("kubernetes_core.yml")


def test_the_stock_modules_work(cluster: Any, tmp_path: Path) -> None:
    labels = {"app": "web"}
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [cluster.web()]},
        },
    }
    variables = {
        "ansible_python_interpreter": sys.executable,
        "home": cluster.namespace,
        "deployment": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec},
        "config": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "1"}},
    }
    given = tmp_path / "variables.json"
    given.write_text(json.dumps(variables), encoding="utf-8")
    played = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-e", f"@{given}", str(PLAYBOOK)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
        env={
            **os.environ,
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "K8S_AUTH_KUBECONFIG": str(cluster.layout.kubeconfig),
            "K8S_AUTH_CONTEXT": "lab",
            "TMPDIR": str(tmp_path),  # where kubernetes.core keeps what it discovered
        },
    )
    assert played.returncode == 0, played.stdout + played.stderr
