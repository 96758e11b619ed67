# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection, install the tarball under ``build/sanity``, and run ``ansible-test sanity`` on it.

Nothing is ignored, no container is needed, and nothing is written outside ``build/``. Arguments are handed to
``ansible-test sanity``: ``python tests/sanity/run.py --test validate-modules -v``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "sanity"
HOME = WORK / "home"  # keeps ansible-test's virtual environments: the second run needs no downloads
CONFIG = HOME / "ansible.cfg"
GET_PIP_HOST = "ci-files.testing.ansible.com"
GET_PIP = """# Stands for the download that ansible-test wants; Python brings a pip of its own.
import ensurepip

ensurepip.bootstrap(default_pip=True)
"""
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
DEADLINE = 1800.0  # seconds for any one program


class SanityError(Exception):
    """One line: what is wrong with the artifact or with this machine, and the remedy."""


def main(arguments: Sequence[str]) -> int:
    """The exit code of ``ansible-test``; 1 when the artifact itself is broken."""
    begin = time.monotonic()
    try:
        collection = installed(built())
        files = check_layout(collection)
        say(f"{files} files in the artifact")
        check_names(collection)
        check_playbooks(collection)
        seed_get_pip()
        say("ansible-test sanity (the first run downloads its tools)")
        code = run(["ansible-test", "sanity", "--venv", "--python", PYTHON, "--color", "no", *arguments], collection)
    except SanityError as error:
        print(f"sanity: {error}", file=sys.stderr)  # noqa: T201 - a program for the terminal
        return 1
    say(f"{'passed' if code == 0 else 'FAILED'} in {time.monotonic() - begin:.0f} s")
    return code


def say(text: str) -> None:
    """Progress, at once also into a pipe."""
    print(f"sanity: {text}", flush=True)  # noqa: T201 - a program for the terminal


def environment() -> dict[str, str]:
    """The caller's environment with a home of its own and only the artifact on the collections path."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "GIT_", "PYTHONPATH"))}
    tools = str(Path(sys.executable).parent)
    return {
        **kept,
        "HOME": str(HOME),
        "PATH": f"{tools}{os.pathsep}{kept.get('PATH', os.defpath)}",
        "PIP_QUIET": "1",
        "ANSIBLE_COLLECTIONS_PATH": str(WORK),
        "ANSIBLE_CONFIG": str(CONFIG),
    }


def run(command: Sequence[str], folder: Path, *, quiet: bool = False) -> int:
    """The exit code of a program; with ``quiet`` its output is shown only when it fails."""
    try:
        done = subprocess.run(
            list(command),
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
    except FileNotFoundError:
        raise SanityError(f"{command[0]} is not on PATH; remedy: make setup (for git: your package manager)") from None
    except subprocess.TimeoutExpired:
        raise SanityError(f"{command[0]} was not done after {DEADLINE:.0f} s") from None
    if quiet and done.returncode:
        print(done.stdout, file=sys.stderr)  # noqa: T201 - a program for the terminal
    return done.returncode


def built() -> Path:
    """The tarball of this checkout."""
    HOME.mkdir(parents=True, exist_ok=True)
    CONFIG.write_text("", encoding="utf-8")  # an installed collection does not see the checkout's settings
    identity = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    tarball = WORK.parent / f"{identity['namespace']}-{identity['name']}-{identity['version']}.tar.gz"
    say(f"build {tarball.name}")
    command = ["ansible-galaxy", "collection", "build", "--force", "--output-path", str(tarball.parent), str(ROOT)]
    if run(command, ROOT, quiet=True) or not tarball.exists():
        raise SanityError("the collection cannot be built; remedy: see the output above")
    return tarball


def installed(tarball: Path) -> Path:
    """Its folder below ``ansible_collections``, without its dependencies: nothing here runs them."""
    shutil.rmtree(WORK / "ansible_collections", ignore_errors=True)
    command = ["ansible-galaxy", "collection", "install", "--force", "--no-deps", "--offline", "-p", str(WORK)]
    if run([*command, str(tarball)], ROOT, quiet=True):
        raise SanityError("the tarball cannot be installed; remedy: see the output above")
    namespace, name, _version = tarball.name.split("-")
    folder = WORK / "ansible_collections" / namespace / name
    (folder / "tests").mkdir(exist_ok=True)
    shutil.copy(Path(__file__).with_name("config.yml"), folder / "tests" / "config.yml")
    # ansible-test asks the nearest repository for its files; the checkout's own would say that build/ is ignored.
    if run(["git", "init", "--quiet"], folder, quiet=True):
        raise SanityError("git init failed; remedy: see the output above")
    # Otherwise it checks the virtual environments that it makes there itself.
    (folder / ".git" / "info" / "exclude").write_text("/tests/output/\n", encoding="utf-8")
    return folder


def check_layout(collection: Path) -> int:
    """How many files ``ansible-test`` looks at. It says "all skipped", and ok, when it finds none.

    :raises SanityError: a file of the artifact is not among them.
    """
    found = subprocess.run(
        ["ansible-test", "env", "--list-files"],
        cwd=collection,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if found.returncode:
        raise SanityError(f"ansible-test cannot list the files: {found.stderr.strip()[-400:]}")
    seen = set(found.stdout.split())
    manifest = json.loads((collection / "FILES.json").read_text(encoding="utf-8"))
    wanted = {entry["name"] for entry in manifest["files"] if entry["ftype"] == "file"}
    if missing := sorted(wanted - seen):
        raise SanityError(f"ansible-test does not see {len(missing)} files of the artifact, e.g. {missing[0]}")
    return len(wanted)


def check_names(collection: Path) -> None:
    """Every ``dhakacart.runbooks.<name>`` that a play, task or inventory uses is in the artifact.

    :raises SanityError: one is not; Ansible itself would notice only when the task is reached.
    """
    prefix = ".".join(collection.parts[-2:])
    for folder in ("playbooks", "roles", "inventories", "extensions"):
        for path in sorted((collection / folder).rglob("*.yml")):
            for name in re.findall(rf"\b{re.escape(prefix)}\.(\w+)", path.read_text(encoding="utf-8")):
                places = (f"plugins/*/{name}.py", f"roles/{name}", f"playbooks/{name}.yml")
                if not any(any(collection.glob(place)) for place in places):
                    where = path.relative_to(collection)
                    raise SanityError(f"{where} uses {prefix}.{name}, which the artifact does not have")


def check_playbooks(collection: Path) -> None:
    """Every playbook of the artifact loads with only the artifact on the collections path.

    :raises SanityError: one does not.
    """
    playbooks = sorted((collection / "playbooks").glob("*.yml"))
    if not playbooks:
        raise SanityError("the artifact has no playbooks")
    for playbook in playbooks:
        say(f"load {playbook.name} from the artifact")
        if run(["ansible-playbook", "--syntax-check", "-i", "localhost,", str(playbook)], HOME, quiet=True):
            raise SanityError(f"{playbook.name} does not load from the artifact; remedy: see the output above")


def seed_get_pip() -> None:
    """Where ansible-test's own download of pip cannot be reached, let Python's take its place."""
    from ansible_test._internal.python_requirements import (  # type: ignore[import-untyped]
        get_venv_packages,
    )

    class Python:
        version = PYTHON

    version = get_venv_packages(Python())["pip"].replace(".", "_")
    script = HOME / ".ansible" / "test" / "cache" / f"get_pip_{version}.py"
    if script.exists() or _reachable(GET_PIP_HOST):
        return
    say(f"{GET_PIP_HOST} cannot be reached: pip comes from Python's own ensurepip")
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(GET_PIP, encoding="utf-8")


def _reachable(host: str) -> bool:
    try:
        with socket.create_connection((host, 443), timeout=3):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
