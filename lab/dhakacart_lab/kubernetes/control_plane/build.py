# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the programs of the control plane with Go: once, in minutes; a build that was killed goes on where it was.

What Go compiled is in its own cache, and a program is moved into place whole as soon as it is linked.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...layout import LabError
from . import progress
from .source import Source

Report = Callable[[str], None]
SILENCE = 900.0  # seconds without a line of go's; linking is silent, about 20 s each on a common machine
GO_DEADLINE = 300.0  # seconds for go to say what it is: it may first fetch the Go that go.mod asks for
GIB = 2**30
# Measured: 2.8 GiB of Go's build cache, 1.0 GiB of modules, 0.3 GiB of programs.
SPACE = 4.5 * GIB
LOG = "build.log"
USUAL_PLACE = "/usr/local/go/bin"  # of the archive from go.dev, often not on PATH


@dataclass(frozen=True)
class Go:
    """The ``go`` that builds. ``cache`` and ``modules`` are its folders."""

    program: str
    version: str
    cache: Path
    modules: Path


def find_go(source: Source) -> Go:
    """The ``go`` on PATH, if it is new enough or fetches itself one that is; LabError otherwise."""
    program = shutil.which("go") or shutil.which("go", path=USUAL_PLACE)
    if program is None:
        raise LabError(f"there is no go on PATH (Go {source.go} or newer is needed)")
    names = ("GOVERSION", "GOCACHE", "GOMODCACHE")
    try:
        said = subprocess.run(
            [program, "env", *names],
            capture_output=True,
            text=True,
            timeout=GO_DEADLINE,
            cwd=source.folder,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{program}: did not say its version ({type(error).__name__})") from None
    found = said.stdout.splitlines()
    if said.returncode or len(found) != len(names) or _parts(found[0]) < _parts(source.go):
        answer = [*said.stderr.strip().splitlines()[-1:], *found[:1], "no answer"][0]
        raise LabError(f"{program} is too old, Go {source.go} or newer is needed ({answer})")
    return Go(program, found[0], Path(found[1]), Path(found[2]))


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def build(source: Source, programs: Sequence[str], folder: Path, go: Go, report: Report) -> None:
    """Build the programs into ``folder``. LabError, naming the file with go's own words, where go fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"{folder}: cannot be created ({error.strerror}); remedy: set DHAKACART_CACHE") from None
    with _alone(folder, report):
        missing = [name for name in programs if not (folder / name).exists()]  # somebody may have built meanwhile
        if not missing:
            return
        _require_space(folder, go.cache, go.modules)
        begin = time.monotonic()
        what = f"{', '.join(missing)} ({source.kubernetes}) with {go.version} into {folder}"
        report(f"building {what}: takes some minutes, only once")
        with (folder / LOG).open("w", encoding="utf-8", errors="replace") as log:
            run = _Run(source, go, folder / LOG, log.write, report)
            listed = run("listing", "list", "-deps", *(source.packages[name] for name in missing))
            total = sum(map(is_package, listed))
            for name in missing:
                _one(run, source, name, folder, total)
        report(f"built {', '.join(missing)} in {time.monotonic() - begin:.0f} s")


def _one(run: _Run, source: Source, name: str, folder: Path, total: int) -> None:
    draft = folder / f"{name}.new"  # nobody else writes here: the folder is locked
    draft.unlink(missing_ok=True)
    arguments = ("build", "-v", "-trimpath", "-ldflags", linker_flags(source), "-o", str(draft), source.packages[name])
    run(name, *arguments, total=total)
    draft.replace(folder / name)


def linker_flags(source: Source) -> str:
    """No symbols, and the version that a release would have: the feature gates follow from it."""
    major, minor = source.kubernetes.removeprefix("v").split(".")[:2]
    package = "k8s.io/component-base/version"
    stamps = {"gitVersion": source.kubernetes, "gitMajor": major, "gitMinor": minor, "gitTreeState": "archive"}
    return " ".join(["-s -w", *(f"-X {package}.{name}={value}" for name, value in stamps.items())])


def is_package(line: str) -> bool:
    """Whether a line of go's names a package; the others tell of downloads and errors."""
    return bool(line) and " " not in line and not line.startswith("#")


class _Run:
    """One go command after the other, watched: its lines go to the log, the moving line and the deadline."""

    def __init__(self, source: Source, go: Go, log: Path, write: Callable[[str], object], report: Report) -> None:
        self._source, self._go, self._log, self._write, self._report = source, go, log, write, report
        self._begin = time.monotonic()
        self._compiled = 0

    def __call__(self, what: str, *arguments: str, total: int = 0) -> list[str]:
        """The lines of its standard output."""
        # Without cgo no C compiler is needed, as in Kubernetes' own releases.
        env = {**os.environ, "GOFLAGS": "-buildvcs=false -mod=readonly", "CGO_ENABLED": "0", "GOWORK": "off"}
        child = subprocess.Popen(
            [self._go.program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=self._source.folder,
            env=env,
            start_new_session=True,
        )
        lines: list[str] = []
        shown = progress.Line(what, total, self._begin, self._report, sys.stderr)
        try:
            for line in progress.lines_of(child, SILENCE, shown.tick):
                self._write(line + "\n")
                lines.append(line)
                self._compiled += is_package(line) if total else 0
                shown.at(self._compiled, line)
        except TimeoutError:
            raise LabError(f"{self._words(what)} said nothing for {SILENCE:.0f} s; its output: {self._log}") from None
        finally:
            progress.end(child)
            shown.close()
        if child.returncode:
            last = next((line for line in reversed(lines) if line.strip()), "no output")
            remedy = f"remedy: correct what it says and try again, it goes on; its output: {self._log}"
            raise LabError(f"{self._words(what)} failed ({last.strip()}); {remedy}")
        return lines

    def _words(self, what: str) -> str:
        return f"{self._go.program} ({what})"


@contextlib.contextmanager
def _alone(folder: Path, report: Report) -> Iterator[None]:
    """One build at a time; the next one waits and then finds what the first has built."""
    with (folder / "build.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            report(f"another build (pid {lock.read().strip() or 'unknown'}) is at work in {folder}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _require_space(*folders: Path) -> None:
    for folder in folders:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(there).free
        if free < SPACE:
            raise LabError(
                f"{there}: {free / GIB:.1f} GiB free, a build needs {SPACE / GIB:.1f}; remedy: free some, or set "
                "GOCACHE, GOMODCACHE and DHAKACART_CACHE to where there is more"
            )
