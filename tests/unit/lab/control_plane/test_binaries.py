# SPDX-License-Identifier: GPL-3.0-or-later
"""Each program is taken from the first place that has it; what is wrong is said in one line with every way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dhakacart_lab.kubernetes.control_plane import binaries
from dhakacart_lab.kubernetes.control_plane.binaries import ASSETS, ensure, find_binaries
from dhakacart_lab.kubernetes.control_plane.source import Source, cache_folder
from dhakacart_lab.layout import LabError

from .conftest import KUBE, program, programs, script


def test_the_chosen_folder_comes_before_path_and_that_before_what_was_built(
    machine: Path, module: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(cache_folder(module))
    assert {found.source for found in find_binaries().programs.values()} == {"built before"}
    program(machine / "etcd", "3.4.23")
    program(machine / "kube-apiserver", "1.36.1")
    found = find_binaries()
    assert (found.programs["etcd"].source, found.programs["etcd"].version) == ("PATH", "3.4.23")
    assert found.version == "1.36.1"
    monkeypatch.setenv(ASSETS, str(programs(tmp_path / "assets", "1.36.9", ("kube-apiserver", "etcd"))))
    found = find_binaries()
    assert found.programs["kube-apiserver"].source == ASSETS
    assert found.path("etcd") == tmp_path / "assets" / "etcd"
    assert found.programs["kube-scheduler"].source == "built before"


def test_a_mixture_of_minor_versions_is_refused(machine: Path, module: Source) -> None:
    programs(cache_folder(module))
    program(machine / "kube-apiserver", "1.35.2")
    with pytest.raises(LabError, match=r"^programs of different Kubernetes versions: .*1\.35\.2 .*1\.36\.3") as said:
        find_binaries()
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("ask", [find_binaries, ensure])
def test_where_nothing_is_possible_the_way_out_is_named(machine: Path, ask: Callable[[], object]) -> None:
    with pytest.raises(LabError) as said:
        ask()
    text = str(said.value)
    assert "\n" not in text
    for words in (*KUBE, "etcd", "install Go 1.26.0 or newer", f"set {ASSETS}", "stay with the simulated provider"):
        assert words in text
    assert "etcd-server" not in text


def test_for_etcd_alone_debians_will_do(machine: Path, module: Source) -> None:
    programs(cache_folder(module), names=KUBE)
    with pytest.raises(LabError, match=r"^etcd: not in .*apt-get install etcd-server"):
        find_binaries()


def test_a_go_that_is_too_old_is_no_way(machine: Path, install_go: Callable[[], Path]) -> None:
    go = install_go() / "go"
    script(go, "#!/bin/sh\necho go1.19.8; echo /tmp; echo /tmp\n")
    with pytest.raises(
        LabError, match=r"cannot be built: .*go is too old, Go 1\.26\.0 or newer is needed \(go1\.19\.8\)"
    ):
        ensure()
    script(go, "#!/bin/sh\necho 'go: go.mod requires go >= 1.26.0 (running go 1.22.1)' >&2; exit 1\n")
    with pytest.raises(
        LabError, match=r"is too old, .*\(go: go\.mod requires go >= 1\.26\.0 \(running go 1\.22\.1\)\)"
    ):
        ensure()


def test_what_is_missing_is_built_and_only_that(machine: Path, install_go: Callable[[], Path], module: Source) -> None:
    program(machine / "etcd", "3.6.8")
    calls = install_go() / "go.calls"
    lines: list[str] = []
    found = ensure(lines.append)
    assert found.path("etcd") == machine / "etcd"
    assert found.path("kube-apiserver") == cache_folder(module) / "kube-apiserver"
    assert lines[0].startswith(
        "building kube-apiserver, kube-controller-manager, kube-scheduler (v1.36.3) with go1.26.8"
    )
    assert calls.read_text().count("build ") == 3
    ensure()
    assert calls.read_text().count("build ") == 3


def test_what_does_not_fit_is_said_before_minutes_of_building(machine: Path, install_go: Callable[[], Path]) -> None:
    program(machine / "kube-apiserver", "1.35.2")
    program(machine / "kube-scheduler", "1.36.3")
    calls = install_go() / "go.calls"
    with pytest.raises(LabError, match="different Kubernetes versions"):
        ensure()
    assert "build" not in calls.read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#!/bin/sh\nexit 3\n", r"said no version \(exit code 3\)"),
        ("no program at all", "cannot be run"),
        ("#!/bin/sh\nsleep 60\n", "did not say its version within"),
    ],
)
def test_a_program_that_does_not_run_is_named(
    machine: Path, module: Source, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.setattr(binaries, "VERSION_DEADLINE", 1.0)
    script(programs(cache_folder(module)) / "kube-scheduler", text)
    with pytest.raises(LabError, match=rf"kube-scheduler: {words}.*; remedy: "):
        find_binaries()
