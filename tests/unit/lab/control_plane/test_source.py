# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions stand in go.mod, once; what was built is kept under them."""

from __future__ import annotations

from pathlib import Path

import pytest
from dhakacart_lab.kubernetes.control_plane import source
from dhakacart_lab.kubernetes.control_plane.components import PROGRAMS
from dhakacart_lab.kubernetes.control_plane.source import Source, cache_folder, find_source, read_source
from dhakacart_lab.layout import LabError


def test_our_module_makes_the_four_programs_of_one_version() -> None:
    found = find_source()
    assert set(found.packages) == set(PROGRAMS.values())
    staging = found.kubernetes.replace("v1.", "v0.", 1)
    text = (found.folder / "go.mod").read_text()
    replaced = [line.split()[-1] for line in text.splitlines() if line.startswith("replace k8s.io/")]
    assert replaced
    assert set(replaced) == {staging}


def test_versions_are_read(module: Source) -> None:
    assert (module.kubernetes, module.go) == ("v1.36.3", "1.26.0")
    assert module.packages["etcd"] == "go.etcd.io/etcd/server/v3"


def test_an_installed_package_brings_the_module(
    module: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "dhakacart_lab"
    package.mkdir(parents=True)
    monkeypatch.setattr(source, "PACKAGE", package)
    with pytest.raises(LabError, match=r"go\.mod and go\.sum are missing; remedy: install the package again"):
        find_source()
    module.folder.rename(package / "control-plane")
    assert find_source().folder == package / "control-plane"


def test_other_checksums_are_another_build(module: Source) -> None:
    (module.folder / "go.sum").write_text("k8s.io/api v0.36.3 h1:x\n")
    other = read_source(module.folder)
    assert other.kubernetes == module.kubernetes
    assert cache_folder(other) != cache_folder(module)


def test_a_spoilt_module_is_said_in_one_line(module: Source) -> None:
    (module.folder / "go.mod").write_text("module x\n")
    with pytest.raises(LabError, match=r"names no k8s\.io/kubernetes, Go version or tools"):
        read_source(module.folder)


def test_the_cache_is_where_the_user_keeps_caches(module: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"control-plane/v1.36.3-{module.digest}"
    monkeypatch.delenv("DHAKACART_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder(module) == Path.home() / ".cache/dhakacart" / name
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_folder(module) == Path("/x/dhakacart") / name
    monkeypatch.setenv("DHAKACART_CACHE", "/y")
    assert cache_folder(module) == Path("/y") / name
