# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the API as Kubernetes words them: an HTTP code and a Status object."""

from __future__ import annotations

from typing import Any

from .kinds import Kind, Obj


class ApiError(Exception):
    """An answer other than success. ``causes`` are (field, reason, message)."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        kind: Kind | None = None,
        name: str = "",
        causes: list[tuple[str, str, str]] | None = None,
        retry_after: int | None = None,
        empty_details: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details: dict[str, Any] = {}
        self._with_details = empty_details
        self.meta: dict[str, Any] = {}
        if kind:
            self.details = {"name": name, "group": kind.group, "kind": kind.plural if code != 422 else kind.kind}
        if causes:
            self.details["causes"] = [
                {key: value for key, value in (("reason", reason), ("message", text), ("field", field)) if value}
                for field, reason, text in causes
            ]
        if retry_after is not None:
            self.details["retryAfterSeconds"] = retry_after
        self.details = {key: value for key, value in self.details.items() if value not in ("", None)}

    def status(self) -> Obj:
        body: Obj = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.meta,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if not self.reason:
            del body["reason"]  # real: an error of Go code that nobody foresaw has none
        if self.details or self._with_details:
            body["details"] = self.details
        return body


def not_found(kind: Kind, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{kind.qualified} "{name}" not found', kind=kind, name=name)


def no_such_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource", empty_details=True)


def already_exists(kind: Kind, name: str, *, being_deleted: bool = False) -> ApiError:
    why = "object is being deleted: " if being_deleted else ""
    return ApiError(409, "AlreadyExists", f'{why}{kind.qualified} "{name}" already exists', kind=kind, name=name)


def conflict(kind: Kind, name: str, why: str | None = None) -> ApiError:
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, kind=kind, name=name)


def precondition_failed(kind: Kind, name: str, what: str, wanted: str, found: str) -> ApiError:
    """409 for a deletion of another object, or of another state of it, than the client means."""
    after = "deleted and then recreated" if what == "UID" else "modified"
    what_kind = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    message = (
        f'Operation cannot be fulfilled on {what_kind} "{name}": the {what} in the'
        f" precondition ({wanted}) does not match the {what} in record ({found}). The object might have been {after}"
    )
    error = ApiError(409, "Conflict", message, kind=kind, name=name)
    error.details["kind"] = kind.kind
    return error


def internal(message: str) -> ApiError:
    """500 as the server answers where an error has no better word."""
    return ApiError(500, "", message)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def expired(message: str) -> ApiError:
    return ApiError(410, "Expired", message)


def invalid(kind: Kind, name: str, problems: list[tuple[str, str, str]]) -> ApiError:
    """422; ``problems`` are (field, reason, message), reason one of FieldValueRequired, FieldValueInvalid, …"""
    different = list(dict.fromkeys(problems))
    listed = ", ".join(f"{field}: {message}" for field, _, message in different)
    if len(different) > 1:
        listed = f"[{listed}]"
    qualified = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    return ApiError(422, "Invalid", f'{qualified} "{name}" is invalid: {listed}', kind=kind, name=name, causes=problems)


def success(kind: Kind | None = None, obj: Obj | None = None, *, code: int = 200) -> Obj:
    """A Status that says it worked."""
    body: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if kind and obj:
        meta = obj["metadata"]
        details = {"name": meta["name"], "group": kind.group, "kind": kind.plural, "uid": meta.get("uid", "")}
        body["details"] = {key: value for key, value in details.items() if value}
    if code != 200:
        body["code"] = code
    return body


def go_text(value: Any) -> str:
    """A value as Go prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_text(item)}" for key, item in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_text(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)
