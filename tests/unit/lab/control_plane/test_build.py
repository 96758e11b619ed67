# SPDX-License-Identifier: GPL-3.0-or-later
"""A build is whole or not there, goes on where it was, is alone, and says why it failed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from dhakacart_lab.kubernetes.control_plane import build, progress
from dhakacart_lab.kubernetes.control_plane.build import find_go, linker_flags
from dhakacart_lab.kubernetes.control_plane.source import Source
from dhakacart_lab.layout import LabError

NAMES = ("etcd", "kube-scheduler")


@pytest.fixture
def go(install_go: Callable[[], Path]) -> Path:
    return install_go()


@pytest.fixture
def make(go: Path, module: Source, tmp_path: Path) -> Callable[..., Path]:
    def run(report: Callable[[str], None] = lambda _line: None) -> Path:
        folder = tmp_path / "built"
        build.build(module, NAMES, folder, find_go(module), report)
        return folder

    return run


def builds(go: Path) -> list[str]:
    return [line for line in (go / "go.calls").read_text().splitlines() if line.startswith("build")]


def test_programs_are_built_with_the_version_of_go_mod(make: Callable[..., Path], go: Path) -> None:
    folder = make()
    assert all(os.access(folder / name, os.X_OK) for name in NAMES)
    assert not list(folder.glob("*.new"))
    assert all("gitVersion=v1.36.3 " in call and "-trimpath" in call for call in builds(go))


def test_the_release_stamps_follow_from_the_version(module: Source) -> None:
    package = "k8s.io/component-base/version"
    assert linker_flags(module).split()[:2] == ["-s", "-w"]
    for stamp in ("gitVersion=v1.36.3", "gitMajor=1", "gitMinor=36"):
        assert f"-X {package}.{stamp}" in linker_flags(module)


def test_a_failure_names_the_file_with_gos_own_words_and_the_next_run_goes_on(
    make: Callable[..., Path], go: Path
) -> None:
    (go / "broken").touch()
    with pytest.raises(LabError, match=r"\(etcd\) failed \(no space left on device\); remedy: .*build\.log$"):
        make()
    (go / "broken").unlink()
    make()


def test_what_is_built_is_not_built_again(make: Callable[..., Path], go: Path) -> None:
    folder = make()
    (folder / "kube-scheduler").unlink()
    make()
    assert [call.split()[-1] for call in builds(go)].count("go.etcd.io/etcd/server/v3") == 1
    assert len(builds(go)) == 3


def test_silence_has_an_end_and_leaves_neither_a_half_program_nor_a_process(
    make: Callable[..., Path], go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "SILENCE", 0.5)
    monkeypatch.setattr(progress, "TICK", 0.1)
    (go / "silent").touch()
    with pytest.raises(LabError, match=r"\(etcd\) said nothing for 0 s; its output: .*build\.log"):
        make()
    assert not psutil.pid_exists(int((go / "silent").read_text()))
    assert not (tmp_path / "built" / "etcd").exists()
    (go / "silent").unlink()
    assert "3.6.8" in (make() / "etcd").read_text()


def test_two_at_once_build_once(make: Callable[..., Path], go: Path) -> None:
    (go / "slow").touch()
    lines: list[str] = []
    first = threading.Thread(target=make)
    first.start()
    while not (go / "go.calls").exists() or not builds(go):
        time.sleep(0.02)
    make(lines.append)
    first.join()
    assert lines == [
        f"another build (pid {os.getpid()}) is at work in {lines[0].split(' in ')[1][:-16]}; waiting for it"
    ]
    assert len(builds(go)) == 2


def test_a_full_disk_is_said_before(make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "SPACE", 2.0**60)
    with pytest.raises(LabError, match=r"GiB free, a build needs .*; remedy: free some, or set GOCACHE"):
        make()


def test_a_cache_that_cannot_be_made_is_said(make: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "built").write_text("a file")
    with pytest.raises(LabError, match=r"cannot be created .*; remedy: set DHAKACART_CACHE"):
        make()


def test_without_a_terminal_progress_is_plain_lines_now_and_then(
    make: Callable[..., Path], go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PLAIN_EVERY", 0.2)
    monkeypatch.setattr(progress, "TICK", 0.1)
    (go / "slow").touch()
    lines: list[str] = []
    make(lines.append)
    shown = [line for line in lines if line.startswith("etcd: ")]
    assert shown
    assert shown[0].startswith("etcd: 1 of at most 3 packages, ")  # the line of a download is no package
