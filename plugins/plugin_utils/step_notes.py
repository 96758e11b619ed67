# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the callback knows of the run from the preflight's answer: where to note steps, and which values to hide."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.redaction import Redactor
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.known_values import known_values
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.record import Record, Run

MOST_MESSAGE = 2000


class StepNotes:
    """Never raises: an incident is not made worse by its record.

    :param warn: is told once, in one line, when something cannot be recorded.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._warned = False
        self._records: dict[str, Record | None] = {}
        self._redactor: Redactor | None = None

    def learn(self, host: str, answer: Mapping[str, Any]) -> None:
        """Take over what a result says about the record of this run."""
        facts = answer.get("ansible_facts")
        if not isinstance(facts, Mapping):
            return
        try:
            run = Run.from_facts(facts)
            if run.run_id:
                self._records[host] = run.record
                self._redactor = Redactor(known_values(run.credentials), self._key())
        except Exception as error:
            self._fail(error)

    def step(self, host: str, section: str, title: str, outcome: str, **more: Any) -> None:
        """Write a line into the timeline, where this run has one.

        :param outcome: ``changed``, ``failed`` or ``would_change``.
        :param more: ``undo``, ``message``; what is empty is left out.
        """
        record = self._records.get(host)
        if record is None or not section:
            return
        try:
            details = {name: value for name, value in more.items() if value}
            record.note("step", section=section, title=title, outcome=outcome, run_id=record.run_id, **details)
        except Exception as error:
            self._fail(error)

    def hidden(self, data: Any) -> Any:
        """Data, a text, or Ansible's own message of an error, without secrets; where that fails, without anything."""
        if dataclasses.is_dataclass(data) and not isinstance(data, type):
            fields = {field.name: getattr(data, field.name) for field in dataclasses.fields(data)}
            return dataclasses.replace(data, **{name: self._part(value) for name, value in fields.items()})
        try:
            if self._redactor is None:
                self._redactor = Redactor(known_values({}), self._key())
            return self._redactor.text(data) if isinstance(data, str) else self._redactor.data(data)
        except Exception as error:
            self._fail(error)
            return "(not shown: it could not be redacted)" if isinstance(data, str) else {}

    def _part(self, value: Any) -> Any:
        """Of such a message: texts, further messages and rows of them; anything else is none of a person's business."""
        if isinstance(value, tuple | list):
            return type(value)(self._part(item) for item in value)
        return self.hidden(value) if isinstance(value, str) or dataclasses.is_dataclass(value) else value

    def _key(self) -> bytes:
        """Of the record, where there is one, so that the terminal and the record have the same tokens."""
        for record in self._records.values():
            if record is not None:
                return record.redactor.key
        return os.urandom(32)

    def _fail(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            self._warn(f"Steps are not recorded: {' '.join(str(error).split())[:MOST_MESSAGE]}")
