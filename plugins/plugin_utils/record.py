# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written into an incident's folder: redacted, whole, and on disk before it is relied on."""

from __future__ import annotations

import contextlib
import errno
import getpass
import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.redaction import KEY_BYTES, Redactor, key_of
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils import incidents
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.incidents import OPENING, REMEDY, TIMELINE
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.known_values import known_values

FACT = "dhakacart_record"
SECTIONS = "sections"
MOST_READINGS = 1000
KEPT = ("runbook", "environment", "started", "status", "findings", "facts", "seconds")


@dataclass(frozen=True)
class Run:
    """What the preflight hands on to later plays and the callback, as a fact of the host.

    :param folder: of the record, absolute; empty where there is none (yet).
    :param run_id: every line of the record carries the one of the run that wrote it.
    :param credentials: variable of the inventory -> the file whose secrets are taken out. No values.
    :param instance: which of several environments of one name this is; empty where there is only one.
    """

    folder: str = ""
    run_id: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    instance: str = ""

    @classmethod
    def of(cls, variables: Mapping[str, Any]) -> Run:
        """From a task's variables; an empty one where no preflight was run."""
        return cls.from_facts(variables.get("ansible_facts") or {})

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Run:
        """The inverse of :meth:`facts`."""
        fact = facts.get(FACT) or {}
        text = {key: str(fact.get(key, "")) for key in ("folder", "run_id", "instance")}
        return cls(**text, credentials=dict(fact.get("credentials", {})))

    def facts(self) -> dict[str, Any]:
        """For ``ansible_facts``."""
        about = {"folder": self.folder, "run_id": self.run_id, "instance": self.instance}
        return {FACT: {**about, "credentials": dict(self.credentials)}}

    @property
    def record(self) -> Record | None:
        """The record, where there is one."""
        return self.at(Path(self.folder)) if self.folder else None

    def at(self, folder: Path) -> Record:
        """The record in a folder that is there."""
        return Record(folder, self.run_id, self.credentials, self.instance)

    def opened(self, root: Path, environment: str, runbook: str, **about: Any) -> Record:
        """A new record.

        :param about: more that the line ``opened`` says.
        :raises ConfigurationError: it cannot be written.
        """
        record = self.at(incidents.create(root, environment, runbook))
        who = {"runbook": runbook, "environment": environment, "run_id": self.run_id, "by": responder()}
        about = {"instance": self.instance, **about} if self.instance else about
        record.note("opened", **who, **{"incident": True, **about})
        return record

    def joined(self, root: Path, environment: str, runbook: str) -> Record:
        """The record of this run, else the open incident, else a new one.

        :raises ConfigurationError: it cannot be written.
        """
        if self.record:
            return self.record
        if found := incidents.latest(root, environment, runbook, instance=self.instance):
            return self.at(found)
        return self.opened(root, environment, runbook)


@dataclass(frozen=True)
class Record:
    """A folder that a run writes into."""

    folder: Path
    run_id: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    instance: str = ""

    def facts(self) -> dict[str, Any]:
        """For ``ansible_facts``: from now on this is the record of the run."""
        return Run(str(self.folder), self.run_id, self.credentials, self.instance).facts()

    @cached_property
    def redactor(self) -> Redactor:
        """:raises ConfigurationError: its key cannot be read or made."""
        try:
            return Redactor(known_values(self.credentials), key_of(self.folder.parent))
        except OSError as error:
            raise _unwritable(error, self.folder.parent, "the key of the redaction cannot be used") from None

    def writable(self) -> None:
        """:raises ConfigurationError: nothing can be added to it."""
        path = self.folder / TIMELINE
        try:
            append(path, "")
        except OSError as error:
            raise _unwritable(error, path, "the timeline cannot be written") from None

    def note(self, event: str, **entry: Any) -> None:
        """Append one line to the timeline, on disk before it returns.

        :raises ConfigurationError: it cannot be written.
        """
        row = {"time": round(time.time(), 3), "event": event, **self.redactor.data(entry)}
        path = self.folder / TIMELINE
        try:
            append(path, json.dumps(row))
        except OSError as error:
            raise _unwritable(error, path, "the timeline cannot be written") from None

    def keep(self, reading: Mapping[str, Any]) -> Path:
        """Write a reading: the first is the opening state, which nothing overwrites; a later one is named by its time.

        :raises ConfigurationError: it cannot be written.
        """
        kept = {key: reading[key] for key in KEPT if key in reading}
        moment = time.strftime("%Y-%m-%d-%H%M%S", time.gmtime())
        names = (
            OPENING,
            *(f"evidence-{moment}{f'-{number}' if number else ''}.json" for number in range(MOST_READINGS)),
        )
        return self._new(self.folder, names, kept, "evidence cannot be written")

    def add_section(self, section: str, content: Mapping[str, Any]) -> Path:
        """Write ``sections/<NN>-<section>.json``, with the next free number.

        :raises ConfigurationError: it cannot be written.
        """
        folder = self.folder / SECTIONS
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            begin = 1 + max((int(path.name.partition("-")[0]) for path in folder.glob("[0-9]*-*.json")), default=0)
        except (OSError, ValueError) as error:
            raise _unwritable(error, folder, "the section cannot be recorded") from None
        names = (f"{number:02d}-{section}.json" for number in range(begin, begin + MOST_READINGS))
        return self._new(folder, names, content, "the section cannot be recorded")

    def _new(self, folder: Path, names: Any, content: Mapping[str, Any], what: str) -> Path:
        """The first of the names that is free: two responders overwrite nothing of each other."""
        text = json.dumps(self.redactor.data(content), indent=1, sort_keys=True) + "\n"
        path = folder
        try:
            for path in (folder / name for name in names):
                with contextlib.suppress(FileExistsError):
                    write_new(path, text)
                    return path
            raise FileExistsError(errno.EEXIST, "every name is taken")
        except OSError as error:
            raise _unwritable(error, path, what) from None


def _unwritable(error: Exception, where: Path, what: str) -> ConfigurationError:
    reason = getattr(error, "strerror", None) or str(error)
    return ConfigurationError(f"{what} ({reason})", where=str(where), remedy=REMEDY)


def append(path: Path, line: str) -> None:
    """One line at the end, by one write, and on disk: lines of two writers stand one after the other.

    An empty one only makes sure that there is a file that can be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if line:
            whole = f"{line}\n".encode()
            if os.write(descriptor, whole) < len(whole):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: Path, text: str) -> None:
    """A file that is there whole or not at all; FileExistsError when the name is taken."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def responder() -> str:
    """Who is at the keyboard: the name before ``sudo``, and the machine."""
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):  # no entry in the password file, as in some containers
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def without_secrets(answer: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """A module's answer without the secrets that this run knows, before anything shows, keeps or judges it.

    Known values only: they are never taken for something else, and judgement reads on.
    """
    run = Run.of(variables)
    key = b""
    if run.folder:
        with contextlib.suppress(OSError):
            key = key_of(Path(run.folder).parent)
    redactor = Redactor(known_values(run.credentials), key or os.urandom(KEY_BYTES), patterns=False)
    hidden: dict[str, Any] = redactor.data(answer)
    return hidden
