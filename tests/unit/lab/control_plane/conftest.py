# SPDX-License-Identifier: GPL-3.0-or-later
"""A module to build from, and programs that only say their version, in place of Kubernetes and Go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dhakacart_lab.kubernetes.control_plane import binaries, source
from dhakacart_lab.kubernetes.control_plane.source import Source, read_source

GO_MOD = """module example.com/control-plane

go 1.26.0

require (
\tk8s.io/api v0.36.3 // indirect
\tk8s.io/kubernetes v1.36.3 // indirect
)

tool (
\tgo.etcd.io/etcd/server/v3
\tk8s.io/kubernetes/cmd/kube-apiserver
\tk8s.io/kubernetes/cmd/kube-controller-manager
\tk8s.io/kubernetes/cmd/kube-scheduler
)
"""
KUBE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
# What it was asked is in go.calls; a file "broken", "silent" or "slow" beside it makes it so.
GO = """#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/go.calls"
case "$1" in
env) printf 'go1.26.8\\n{cache}\\n{cache}\\n'; exit 0 ;;
list) printf 'fmt\\nos\\nk8s.io/api\\n'; exit 0 ;;
esac
while [ $# -gt 1 ]; do [ "$1" = -o ] && out=$2; shift; done
echo "go: downloading k8s.io/api v0.36.3"
echo k8s.io/api
if [ -e "$here/silent" ]; then echo half > "$out"; echo $$ > "$here/silent"; sleep 60; fi
if [ -e "$here/slow" ]; then sleep 1; fi
if [ -e "$here/broken" ]; then echo "no space left on device"; exit 1; fi
version="Kubernetes v1.36.3"; [ "$1" = go.etcd.io/etcd/server/v3 ] && version="etcd Version: 3.6.8"
printf '#!/bin/sh\\necho "%s"\\n' "$version" > "$out"; chmod +x "$out"
"""


def program(path: Path, version: str) -> Path:
    """A program that says its version as Kubernetes or etcd does."""
    said = f"etcd Version: {version}" if path.name == "etcd" else f"Kubernetes v{version}"
    return script(path, f"#!/bin/sh\necho '{said}'\n")


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def programs(folder: Path, version: str = "1.36.3", names: tuple[str, ...] = (*KUBE, "etcd")) -> Path:
    for name in names:
        program(folder / name, "3.6.8" if name == "etcd" else version)
    return folder


@pytest.fixture
def module(tmp_path: Path) -> Source:
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text(GO_MOD)
    (folder / "go.sum").write_text("")
    return read_source(folder)


@pytest.fixture
def machine(tmp_path: Path, module: Source, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has nothing but a shell: the folder on its PATH, to put programs in."""
    path = tmp_path / "bin"
    path.mkdir()
    for name in ("sh", "dirname", "sleep", "chmod"):
        (path / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.delenv(binaries.ASSETS, raising=False)
    monkeypatch.setenv("DHAKACART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(binaries, "find_source", lambda: module)
    monkeypatch.setattr(source, "find_source", lambda: module)
    monkeypatch.setattr("dhakacart_lab.kubernetes.control_plane.build.USUAL_PLACE", str(tmp_path / "nowhere"))
    return path


@pytest.fixture
def install_go(machine: Path, tmp_path: Path) -> Callable[[], Path]:
    """Puts a ``go`` on the machine; the folder where its calls are noted."""

    def install() -> Path:
        script(machine / "go", GO.replace("{cache}", str(tmp_path)))
        return machine

    return install
