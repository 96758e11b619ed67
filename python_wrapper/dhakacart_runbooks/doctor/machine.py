# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine has: Python, packages, collections, folders, room."""

from __future__ import annotations

import json
import locale
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import yaml

from ..catalogue import Catalogue
from ..errors import RunbookError
from ..paths import private_home, state_home
from .check import Check, State, failed

PART = "machine"
PACKAGE = "dhakacart-runbooks"
# Named one by one, because a run stands or falls with them; the others together.
NAMED = ("ansible-core", "ansible-runner")
LEAST_PYTHON = (3, 11)
LEAST_FREE = 200 * 2**20
SETUP = "make setup, or: pip install --upgrade dhakacart-runbooks"


def checks(catalogue: Catalogue) -> Iterator[Check]:
    """Everything that can be told without starting Ansible."""
    yield python()
    yield encoding()
    yield from packages()
    yield collection(catalogue)
    yield stock_collections(catalogue)
    yield history()
    yield folder("state folder", state_home(), "set DHAKACART_STATE_HOME to a folder that can be written")
    yield folder("private folder", private_home(), "make /dev/shm or TMPDIR writable: runs keep their secrets there")
    yield room(state_home())


def python() -> Check:
    """Old versions of Python run Ansible and not this package."""
    state = State.OK if sys.version_info[:2] >= LEAST_PYTHON else State.BAD
    wanted = ".".join(map(str, LEAST_PYTHON))
    return Check(PART, "Python", state, f"{platform.python_version()} ({sys.executable})", f"Python {wanted} or newer")


def encoding() -> Check:
    """Ansible refuses to start where the locale is not UTF-8."""
    name = locale.getpreferredencoding(False)
    state = State.OK if name.upper().replace("-", "") == "UTF8" else State.BAD
    return Check(PART, "locale", state, name, "export LC_ALL=C.UTF-8")


def packages() -> Iterator[Check]:
    """Installed, and of the versions that this package was tested with."""
    from packaging.requirements import Requirement

    try:
        wanted = [Requirement(text) for text in requires(PACKAGE) or ()]
    except PackageNotFoundError:
        yield Check(PART, "packages", State.UNKNOWN, f"{PACKAGE} is not installed, so its needs are not known", SETUP)
        return
    needed = [requirement for requirement in wanted if not requirement.marker or requirement.marker.evaluate()]
    states = {requirement.name: _installed(requirement) for requirement in needed}
    for name in NAMED:
        if name in states:
            state, detail = states.pop(name)
            yield Check(PART, name, state, detail, SETUP)
    bad = [f"{name} {detail}" for name, (state, detail) in states.items() if state is not State.OK]
    detail = "; ".join(bad) or f"{len(states)} more, as wanted"
    yield Check(PART, "packages", State.BAD if bad else State.OK, detail, SETUP)


def _installed(requirement: Any) -> tuple[State, str]:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return State.BAD, "is missing"
    if requirement.specifier.contains(found, prereleases=True):
        return State.OK, found
    return State.BAD, f"{found}, wanted {requirement.specifier}"


def collection(catalogue: Catalogue) -> Check:
    """The collection and this package talk to each other, so they are of one version."""
    found = catalogue.collection
    kind = "checkout" if found.checkout else "installed"
    detail = f"{found.version}, {kind} at {found.root}"
    try:
        own = version(PACKAGE)
    except PackageNotFoundError:
        return Check(PART, "collection", State.UNKNOWN, f"{detail}; the version of {PACKAGE} is not known", SETUP)
    if own == found.version:
        return Check(PART, "collection", State.OK, detail)
    return Check(PART, "collection", State.BAD, f"{detail}; {PACKAGE} is {own}", "install both in the same version")


def stock_collections(catalogue: Catalogue) -> Check:
    """What the roles need of other collections."""
    wanted = _dependencies(catalogue.collection.root)
    if wanted is None:
        return Check(PART, "stock collections", State.UNKNOWN, "the collection does not say what it needs")
    places = [*map(Path, sys.path), catalogue.collection.search_path, Path.home() / ".ansible/collections"]
    missing = [name for name in wanted if not any((place / _folder(name)).is_dir() for place in places)]
    if missing:
        remedy = f"ansible-galaxy collection install {' '.join(missing)}"
        return Check(PART, "stock collections", State.BAD, f"{', '.join(missing)} missing", remedy)
    return Check(PART, "stock collections", State.OK, ", ".join(wanted) or "none needed")


def _dependencies(root: Path) -> list[str] | None:
    try:
        if (manifest := root / "MANIFEST.json").is_file():
            content = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]
        else:
            content = yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))
        return sorted(content.get("dependencies") or {})
    except (OSError, ValueError, KeyError, AttributeError, yaml.YAMLError):
        return None


def _folder(name: str) -> Path:
    return Path("ansible_collections", *name.split("."))


def history() -> Check:
    """Whether past runs can be read and this one will be kept."""
    from ..history import History

    try:
        with History.open() as opened:
            return Check(PART, "history", State.OK, opened.address.shown)
    except RunbookError as error:
        return failed(PART, "history", error)


def folder(name: str, path: Path, remedy: str) -> Check:
    """Whether files can be made there; a folder that is not there yet would be made."""
    place = _existing(path)
    if not place.is_dir():
        return Check(PART, name, State.BAD, f"{place} is no folder", remedy)
    try:
        # Asked for permission, root is always told yes, even on a disk that is read-only.
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return Check(PART, name, State.BAD, f"{place} cannot be written ({error.strerror})", remedy)
    return Check(PART, name, State.OK, str(path) if place == path else f"{path} (will be made)")


def room(path: Path) -> Check:
    """A disk that is full keeps no evidence."""
    place = _existing(path)
    free = shutil.disk_usage(place).free
    state = State.OK if free >= LEAST_FREE else State.BAD
    detail = f"{free / 2**30:.1f} GiB free at {place}"
    return Check(PART, "disk", state, detail, f"free at least {LEAST_FREE // 2**20} MiB")


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next((place for place in (path, *path.parents) if place.exists()), Path("/"))
