# SPDX-License-Identifier: GPL-3.0-or-later
"""The Go module that the programs are built from, and where what was built is kept."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ...layout import LabError

FILES = ("go.mod", "go.sum")
PACKAGE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """A folder with go.mod and go.sum. The versions stand in go.mod only.

    :ivar kubernetes: for example ``v1.36.3``.
    :ivar go: the oldest Go that builds it, for example ``1.26.0``.
    :ivar packages: program -> its Go package.
    """

    folder: Path
    kubernetes: str
    go: str
    packages: dict[str, str]
    digest: str


def find_source() -> Source:
    """Beside the package in a checkout, inside it where it was installed from a wheel."""
    for folder in (PACKAGE.parent / "control-plane", PACKAGE / "control-plane"):
        if all((folder / name).is_file() for name in FILES):
            return read_source(folder)
    raise LabError(f"{PACKAGE / 'control-plane'}: go.mod and go.sum are missing; remedy: install the package again")


def read_source(folder: Path) -> Source:
    """What go.mod says; LabError where it says too little."""
    text = (folder / "go.mod").read_text(encoding="utf-8")
    kubernetes = re.search(r"^\s*(?:require )?k8s\.io/kubernetes (v\S+)", text, re.MULTILINE)
    go = re.search(r"^go (\S+)", text, re.MULTILINE)
    tools = re.search(r"^tool \((.*?)^\)", text, re.MULTILINE | re.DOTALL)
    packages = {program_of(tool): tool for tool in tools[1].split()} if tools else {}
    if not (kubernetes and go and packages):
        raise LabError(f"{folder / 'go.mod'}: names no k8s.io/kubernetes, Go version or tools; remedy: git checkout it")
    content = b"".join((folder / name).read_bytes() for name in FILES)
    return Source(folder, kubernetes[1], go[1], packages, hashlib.sha256(content).hexdigest()[:12])


def program_of(package: str) -> str:
    """The program that a Go package makes: etcd's is called ``server`` after its folder."""
    return "etcd" if package.startswith("go.etcd.io/etcd/") else package.rpartition("/")[2]


def cache_folder(source: Source) -> Path:
    """Where built programs are kept, outside the checkout and for every lab of this user."""
    root = os.environ.get("DHAKACART_CACHE")
    home = Path(root).absolute() if root else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (home if root else home / "dhakacart") / "control-plane" / f"{source.kubernetes}-{source.digest}"
