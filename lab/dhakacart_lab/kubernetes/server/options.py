# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a writing request, from its query and, for a deletion, its body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ..errors import ApiError, bad_request, invalid
from ..kinds import Kind, Obj
from ..managed_fields import Manager
from ..registry import APPLY_PATCH, DeleteOptions

NAMES = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}
VALIDATIONS = ("", "Ignore", "Strict", "Warn")
LONGEST_MANAGER = 128  # bytes
POLICIES = ("Foreground", "Background", "Orphan")
Problem = tuple[str, str, str]


@dataclass(frozen=True)
class Options:
    """``validation``: what becomes of unknown fields: Ignore, Warn, Strict. ``force``: take what others own."""

    dry_run: bool
    manager: Manager
    force: bool
    validation: str


def refuse(name: str, problems: list[Problem]) -> ApiError:
    return invalid(Kind("meta.k8s.io", "v1", name, ""), "", problems)


def read(request: web.Request, verb: str, subresource: str, content_type: str) -> Options:
    """ApiError 422 for options that do not go with the request."""
    query = request.query
    problems: list[Problem] = []
    dry_run = query.getall("dryRun", [])
    if any(value != "All" for value in dry_run):
        problems.append(_dry_run(dry_run))
    manager, validation = query.get("fieldManager", ""), query.get("fieldValidation", "")
    applies = content_type == APPLY_PATCH
    if len(manager.encode()) > LONGEST_MANAGER:
        problems.append(("fieldManager", "FieldValueTooLong", "Too long: may not be more than 128 bytes"))
    if verb == "patch" and applies and not manager:
        problems.append(("fieldManager", "FieldValueRequired", "Required value: is required for apply patch"))
    if verb == "patch" and not applies and "force" in query:
        problems.append(("force", "FieldValueForbidden", "Forbidden: may not be specified for non-apply patch"))
    if validation not in VALIDATIONS:
        text = f'Unsupported value: "{validation}": supported values: "", "Ignore", "Strict", "Warn"'
        problems.append(("fieldValidation", "FieldValueNotSupported", text))
    if problems:
        raise refuse(NAMES[verb], problems)
    agent = request.headers.get("User-Agent", "").split("/")[0] or "unknown"
    owner = Manager(manager or agent, "Apply" if applies else "Update", subresource)
    return Options(bool(dry_run), owner, query.get("force") in ("true", "1"), validation or "Warn")


def _dry_run(asked: list[str]) -> Problem:
    listed = ",".join(f'"{value}"' for value in asked)
    return "dryRun", "FieldValueNotSupported", f'Unsupported value: [{listed}]: supported values: "All"'


def deletion(query: Mapping[str, str], dry_runs: list[str], body: Any) -> tuple[DeleteOptions, bool]:
    """(the options, whether it is a dry run) of a DELETE or an Eviction."""
    given: Obj = dict(body) if isinstance(body, dict) else {}
    if given.get("kind", "DeleteOptions") != "DeleteOptions":
        version = str(given.get("apiVersion", "")).rpartition("/")[2]
        scheme = 'in scheme "pkg/runtime/scheme.go:111"'
        raise bad_request(f'no kind "{given["kind"]}" is registered for version "{version}" {scheme}')
    dry_runs = dry_runs + list(given.get("dryRun") or [])
    grace = _grace(query, given)
    policy = query.get("propagationPolicy") or given.get("propagationPolicy")
    problems: list[Problem] = []
    if any(value != "All" for value in dry_runs):
        problems.append(_dry_run(dry_runs))
    orphan = given.get("orphanDependents")
    if policy and orphan is not None:
        text = f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set'
        problems.append(("propagationPolicy", "FieldValueInvalid", text))
    elif policy and policy not in POLICIES:
        text = f'Unsupported value: "{policy}": supported values: "Foreground", "Background", "Orphan", "nil"'
        problems.append(("propagationPolicy", "FieldValueNotSupported", text))
    if problems:
        raise refuse("DeleteOptions", problems)
    if orphan is not None:
        policy = "Orphan" if orphan else "Background"
    conditions = given.get("preconditions") or {}
    found = DeleteOptions(grace, policy or "Background", conditions.get("uid"), conditions.get("resourceVersion"))
    return found, bool(dry_runs)


def _grace(query: Mapping[str, str], given: Obj) -> int | None:
    text, grace = query.get("gracePeriodSeconds"), given.get("gracePeriodSeconds")
    if text is not None:
        try:
            grace = int(text)
        except ValueError:
            raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
    if grace is None:
        return None
    if not isinstance(grace, int):
        field = "DeleteOptions.gracePeriodSeconds of type int64"
        raise bad_request(f"json: cannot unmarshal string into Go struct field {field}")
    return 1 if grace < 0 else grace  # real: a negative period is one second
