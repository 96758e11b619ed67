# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the four programs of the control plane; build those that are nowhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ...layout import LabError
from .components import PROGRAMS
from .source import Source, cache_folder, find_source

Report = Callable[[str], None]
ASSETS = "KUBEBUILDER_ASSETS"
VERSION_DEADLINE = 20.0  # seconds; it reads 100 MB from a cold disk
VERSION = re.compile(r"^(?:Kubernetes|etcd Version:) (v?\d+\.\d+\.\d+\S*)", re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """One of them. ``source`` says in words where it was found, ``version`` is as in ``1.36.3``."""

    path: Path
    version: str
    source: str

    @property
    def minor(self) -> str:
        return ".".join(self.version.split(".")[:2])


@dataclass(frozen=True)
class Binaries:
    """All four, by their names."""

    programs: Mapping[str, Program]

    def path(self, name: str) -> Path:
        return self.programs[name].path

    @property
    def version(self) -> str:
        """Of the API server."""
        return self.programs["kube-apiserver"].version


def find_binaries() -> Binaries:
    """Those that are on the machine; LabError, with every remedy, where one is missing or they do not fit."""
    source = find_source()
    places, missing = _locate(source)
    if missing:
        raise LabError(f"{_not_found(missing, source)}; remedy: {_remedies(missing, source)}")
    return _read(places)


def ensure(report: Report = lambda _line: None) -> Binaries:
    """The same, but what is missing is built where there is a Go that can. Takes minutes the first time."""
    from . import build

    source = find_source()
    places, missing = _locate(source)
    if missing:
        try:
            go = build.find_go(source)
        except LabError as error:
            what = f"{_not_found(missing, source)}, and they cannot be built: {error}"
            raise LabError(f"{what}; remedy: {_remedies(missing, source)}") from None
        _read(places)  # what does not fit is said before the build, not minutes later
        build.build(source, missing, cache_folder(source), go, report)
        places, missing = _locate(source)
    return _read(places)


def _locate(source: Source) -> tuple[dict[str, tuple[Path, str]], list[str]]:
    """Where each is, and the names of those that are nowhere."""
    found: dict[str, tuple[Path, str]] = {}
    for name in PROGRAMS.values():
        for path, where in _places(name, source):
            if path.is_file() and os.access(path, os.X_OK):
                found[name] = path, where
                break
    return found, [name for name in PROGRAMS.values() if name not in found]


def _places(name: str, source: Source) -> Iterator[tuple[Path, str]]:
    if assets := os.environ.get(ASSETS):
        yield Path(assets) / name, ASSETS
    if on_path := shutil.which(name):
        yield Path(on_path), "PATH"
    yield cache_folder(source) / name, "built before"


def _read(places: Mapping[str, tuple[Path, str]]) -> Binaries:
    with ThreadPoolExecutor(max_workers=4) as pool:
        jobs = {name: pool.submit(_program, *place) for name, place in places.items()}
        programs = {name: job.result() for name, job in jobs.items()}
    refuse_mixed(programs)
    return Binaries(programs)


def _program(path: Path, where: str) -> Program:
    remedy = f"remedy: take it away, or set {ASSETS} to a folder with programs that run here"
    try:
        said = subprocess.run(
            [str(path), "--version"], capture_output=True, text=True, timeout=VERSION_DEADLINE, check=False, cwd="/"
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{path}: did not say its version within {VERSION_DEADLINE:.0f} s; {remedy}") from None
    except OSError as error:
        raise LabError(f"{path}: cannot be run ({error.strerror or error}); {remedy}") from None
    if not (version := VERSION.search(said.stdout)):
        raise LabError(f"{path}: said no version (exit code {said.returncode}); {remedy}")
    return Program(path, version[1].removeprefix("v"), where)


def refuse_mixed(programs: Mapping[str, Program]) -> None:
    """Kubernetes programs of one minor version only: a mixture is nobody's Kubernetes. etcd has versions of its own."""
    kube = {name: program for name, program in programs.items() if name != "etcd"}
    if len({program.minor for program in kube.values()}) > 1:
        listed = ", ".join(f"{name} {found.version} ({found.path})" for name, found in kube.items())
        raise LabError(
            f"programs of different Kubernetes versions: {listed}; remedy: {ASSETS} with all three of one minor "
            "version, or without it (and without them on PATH) all are built"
        )


def _not_found(missing: Iterable[str], source: Source) -> str:
    places = f"{ASSETS} ({os.environ.get(ASSETS) or 'not set'}), PATH or {cache_folder(source)}"
    return f"{', '.join(missing)}: not in {places}"


def _remedies(missing: list[str], source: Source) -> str:
    build = "runbook lab up --kubernetes control-plane, which builds what is missing"
    ways = [f"install Go {source.go} or newer and run {build}"]
    if missing == ["etcd"]:
        ways.append("apt-get install etcd-server")
    ways.append(f"set {ASSETS} to a folder with {', '.join(missing)} of Kubernetes {source.kubernetes}")
    ways.append("stay with the simulated provider")
    return "; or ".join(ways)
