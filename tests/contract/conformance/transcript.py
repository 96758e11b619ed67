# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked and answered, without what differs between two runs of one server: ids, times, versions, addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .wire import Answer

UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
ADDRESS = re.compile(r"\b(?:172\.20|10\.\d+)\.\d+\.\d+\b")  # of the Service network
API_ACCESS = re.compile(r"kube-api-access-[a-z0-9]{5}")
REVISION = re.compile(
    r"(?<=resourceVersion=)\d{2,10}\b|(?<=continue=)[\w%-]+|(?<=precondition \()\d+|(?<=in record \()\d+"
)
# A patched object that is refused is shown whole, in an order of fields that is Go's own.
SHOWN_OBJECT = re.compile(r'(?<=Invalid value: ")\{\\"(?:apiVersion|kind).*\}(?=": )')
HEADERS = ("content-type", "retry-after", "warning", "allow")  # which a client may act on


class Normaliser:
    """Replaces what differs by a name for it; the same thing gets the same name in one transcript."""

    def __init__(self, namespace: str, server: str) -> None:
        self._fixed = {namespace: "{ns}", server: "{server}"}
        self._uids: dict[str, str] = {}
        self._versions: dict[str, str] = {}
        self.generated: dict[str, str] = {}

    def text(self, value: str) -> str:
        for found, name in {**self._fixed, **self.generated}.items():
            value = value.replace(found, name)
        value = UID.sub(lambda match: self._uids.setdefault(match[0], f"<uid {len(self._uids) + 1}>"), value)
        value = SHOWN_OBJECT.sub("<object>", REVISION.sub("<rv>", value))
        value = TIME.sub("<time>", MICRO_TIME.sub("<microtime>", value))
        return API_ACCESS.sub("kube-api-access-<random>", ADDRESS.sub("<cluster ip>", value))

    def version(self, value: str) -> str:
        return self._versions.setdefault(value, f"<rv {len(self._versions) + 1}>") if value.isdigit() else value

    def value(self, found: Any, path: tuple[str, ...] = ()) -> Any:
        if isinstance(found, dict):
            self._note_generated(found)
            return {self.text(key): self._field(key, found[key], found, (*path, key)) for key in sorted(found)}
        if isinstance(found, list):
            return [self.value(item, path) for item in found]
        return self.text(found) if isinstance(found, str) else found

    def _note_generated(self, found: Mapping[str, Any]) -> None:
        prefix, name = found.get("generateName"), found.get("name")
        if isinstance(prefix, str) and isinstance(name, str) and name.startswith(prefix) and name != prefix:
            self.generated.setdefault(name, f"{prefix}<random {len(self.generated) + 1}>")

    def _field(self, key: str, value: Any, parent: Mapping[str, Any], path: tuple[str, ...]) -> Any:
        if key == "resourceVersion" and isinstance(value, str):
            is_list = path == ("metadata", "resourceVersion") and "name" not in parent
            return "<rv>" if is_list and value.isdigit() else self.version(value)
        if key == "continue" and value:
            return "<continue>"
        if key == "managedFields" and isinstance(value, list):
            entries = [self.value(entry, path) for entry in value]
            return sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))
        return self.value(value, path)


def without(body: Any, names: frozenset[str]) -> Any:
    """A copy of a JSON value without the fields of those names, wherever they are."""
    if isinstance(body, dict):
        return {key: without(value, names) for key, value in body.items() if key not in names}
    return [without(item, names) for item in body] if isinstance(body, list) else body


class Transcript:
    """The steps of one scenario."""

    def __init__(self, normaliser: Normaliser) -> None:
        self._normaliser = normaliser
        self.steps: list[dict[str, Any]] = []

    def add(
        self, request: str, answer: Answer, hidden: frozenset[str], view: Callable[[Any], Any] | None = None
    ) -> None:
        body = without(answer.body, hidden)
        step: dict[str, Any] = {"code": answer.code}
        step |= {name: answer.headers[name] for name in HEADERS if name in answer.headers}
        body = self._normaliser.value(view(body) if view else body)
        self.steps.append({"request": self._normaliser.text(request), **self._normaliser.value(step), "body": body})

    def note(self, what: str, found: Any) -> None:
        """Something seen that is not one answer, such as the events of a watch."""
        self.steps.append({"request": what, "body": self._normaliser.value(found)})
