# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes each run into the folder of its incident, redacted, while it goes on."""

from __future__ import annotations

import getpass
import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .._redaction import Redactor, key_of, secret_variables
from ..errors import InfrastructureError
from ..events import EnvironmentKnown, Event, RunFinished, RunStarted
from ..outcome import RunOutcome
from ..request import RunRequest

RUNS = "runs"
TIMELINE = "timeline.jsonl"


class RecordObserver:
    """An ``Observer``: ``runs/<run-id>.json`` and ``runs/<run-id>.events.jsonl`` in the folder of the incident.

    Until the preflight has said which folder that is, events are kept in memory. A run without a record writes nothing.
    One observer may see many runs, also at the same time: each is told from a thread of its own.

    :param environ: where secrets are looked for by their names; this process's environment when None.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._thread = threading.local()

    def started(self, request: RunRequest, event: RunStarted) -> None:  # noqa: ARG002 - the protocol
        """Begin to keep events."""
        self._thread.run = _RunFile(event, self._environ)

    def event(self, event: Event) -> None:
        """:raises InfrastructureError: the record cannot be written; said once, then nothing more is written."""
        run: _RunFile | None = getattr(self._thread, "run", None)
        if run:
            run.add(event)

    def finished(self, outcome: RunOutcome) -> None:
        """:raises InfrastructureError: the record cannot be written."""
        run: _RunFile | None = getattr(self._thread, "run", None)
        self._thread.run = None
        if run:
            run.finish(outcome)


class _RunFile:
    """The files of one run."""

    def __init__(self, event: RunStarted, environ: Mapping[str, str]) -> None:
        self._run_id, self._environ = event.run_id, environ
        self._folder: Path | None = None
        self._redactor: Redactor | None = None
        self._waiting: list[Event] | None = [event]

    def add(self, event: Event) -> None:
        if self._waiting is None:
            return
        self._waiting.append(event)
        if isinstance(event, EnvironmentKnown):
            if not event.record:
                self._waiting = None
                return
            self._folder = Path(event.record)
        if self._folder:
            self._flush()

    def finish(self, outcome: RunOutcome) -> None:
        if self._waiting is None or self._folder is None:
            return
        self._waiting.append(RunFinished(outcome=outcome.to_json()))
        self._flush()
        about = {"request": asdict(outcome.request), "outcome": outcome.to_json(), **_who()}
        line = {
            "time": round(time.time(), 3),
            "event": "run",
            "run_id": self._run_id,
            "sections": list(outcome.request.sections),
            "status": str(outcome.status),
            "seconds": outcome.seconds,
            "by": f"{_who()['user']}@{_who()['host']}",
        }
        try:
            redactor = self._redact()
            _write(self._folder / RUNS / f"{self._run_id}.json", json.dumps(redactor.data(about), indent=1) + "\n")
            _append(self._folder / TIMELINE, [redactor.data(line)])
        except OSError as error:
            raise _unwritable(error, self._folder) from None

    def _flush(self) -> None:
        """What waited goes to disk; what cannot be written ends the recording of this run."""
        assert self._folder is not None
        events, self._waiting = self._waiting or [], []
        try:
            redactor = self._redact()
            folder = self._folder / RUNS
            folder.mkdir(mode=0o700, exist_ok=True)
            _append(folder / f"{self._run_id}.events.jsonl", [redactor.data(event.to_json()) for event in events])
        except OSError as error:
            self._waiting = None
            raise _unwritable(error, self._folder) from None

    def _redact(self) -> Redactor:
        assert self._folder is not None
        if self._redactor is None:
            self._redactor = Redactor(secret_variables(self._environ), key_of(self._folder.parent))
        return self._redactor


def _unwritable(error: OSError, folder: Path) -> InfrastructureError:
    return InfrastructureError(
        f"the run cannot be recorded ({error.strerror})",
        where=str(error.filename or folder),
        remedy="make room or set dhakacart_incident_dir; the run itself goes on",
    )


def _append(path: Path, rows: list[Any]) -> None:
    """Whole lines by one write, so that those of two writers stand one after the other, and on disk."""
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.write(descriptor, text) < len(text):
            raise OSError(28, "No space left on device", str(path))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, text: str) -> None:
    """A file that is there whole or not at all."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _who() -> dict[str, str]:
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):  # no entry in the password file, as in some containers
        user = str(os.getuid())
    return {"user": user, "host": socket.gethostname()}
