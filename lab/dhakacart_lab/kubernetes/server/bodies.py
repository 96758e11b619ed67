# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies of requests: from bytes to an object of the kind, in the words of the server where they are none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import yaml
from aiohttp import web

from .. import schema
from ..errors import ApiError, bad_request, go_text, invalid
from ..kinds import Kind, Obj
from ..registry import APPLY_PATCH, JSON_PATCH, PATCH_TYPES, STRATEGIC_PATCH

ACCEPTED = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
YAML = "application/yaml"
HEADER = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
NO_PATCH = Kind("", "", "", "")


class _Duplicates:
    """Fields that an object has twice; JSON lets the last one count."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def pairs(self, pairs: list[tuple[str, Any]]) -> Obj:
        result: Obj = {}
        for key, value in pairs:
            if key in result:
                self.found.append(key)
            result[key] = value
        return result


@dataclass
class Checker:
    """Reads bodies as objects of a kind and keeps what the answer warns of."""

    kind: Kind
    validation: str
    name: str = ""
    warnings: list[str] = field(default_factory=list)

    def decode(self, body: Any, spec: schema.Spec | None = None, duplicates: tuple[str, ...] = ()) -> Any:
        """The body in the terms of its type; schema.WrongType or _Strict where it is not."""
        found = schema.decode(spec or schema.root(self.kind), body)
        nested = [name for name in found.unknown if "." in name]  # real: children are decoded before their parent ends
        problems = [f'unknown field "{name}"' for name in nested + [n for n in found.unknown if "." not in n]]
        problems += [f'duplicate field "{name}"' for name in duplicates]
        if problems and self.validation == "Strict":
            raise schema.WrongType("strict decoding error: " + ", ".join(problems))
        if self.validation == "Warn":
            self.warnings += problems
        return found.obj

    def patched(self, result: Obj, patch: Any, content_type: str) -> Obj:
        """An object after a patch; ApiError 422 where it is no longer one of its kind."""
        try:
            if content_type == STRATEGIC_PATCH:  # real: such a patch is merged into the type, whatever kind it says
                result |= {"apiVersion": self.kind.api_version, "kind": self.kind.kind}
            if (result.get("apiVersion"), result.get("kind")) != (self.kind.api_version, self.kind.kind):
                named = f"{result.get('kind')}"
                raise schema.WrongType(
                    f'{named} in version "{self.kind.version}" cannot be handled as a {self.kind.kind}: converting'
                    f" (v1.{named}) to (core.{self.kind.kind}): unknown conversion"
                )
            decoded: Obj = self.decode(result)
        except schema.WrongType as error:
            strategic = content_type == STRATEGIC_PATCH
            shown = go_text(patch) if strategic else json.dumps(result, separators=(",", ":"))
            quoted = json.dumps(shown, ensure_ascii=False)
            problem = ("patch", "FieldValueInvalid", f"Invalid value: {quoted}: {error}")
            raise invalid(NO_PATCH, "", [problem]) from None
        if not (decoded.get("metadata") or {}).get("name"):
            text = f"the name of the object ({self.name} based on URL) was undeterminable: name must be provided"
            raise bad_request(text)
        return decoded


async def read(request: web.Request) -> bytes:
    return await request.read()


def parse_object(raw: bytes, request: web.Request, checker: Checker, spec: schema.Spec | None = None) -> Any:
    """A whole object; ApiError 400 or 415."""
    kind = checker.kind
    content_type = request.content_type if request.headers.get("Content-Type") else "application/json"
    if content_type not in ("application/json", YAML) and not (content_type.endswith("+json") or not raw):
        text = f"the body of the request was in an unknown format - accepted media types include: {ACCEPTED}"
        raise ApiError(415, "UnsupportedMediaType", text)
    duplicates = _Duplicates()
    where = f"the object provided is unrecognized (must be of type {kind.kind}): couldn't get version/kind; json parse"
    where += " error"
    try:
        body = yaml.safe_load(raw) if content_type == YAML else json.loads(raw, object_pairs_hook=duplicates.pairs)
    except (ValueError, yaml.YAMLError):
        raise bad_request(f"{where}: unexpected end of JSON input ({_excerpt(raw)})") from None
    if not isinstance(body, dict):
        text = f"json: cannot unmarshal {schema.json_type(body)} into Go value of type {HEADER}"
        raise bad_request(f"{where}: {text} ({raw.hex()})")
    _check_kind(kind, body, spec)
    try:
        doubled = tuple(_paths(body, set(duplicates.found)))
        return checker.decode(body, spec, doubled)
    except schema.WrongType as error:
        raise bad_request(
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {error}'
        ) from None


def _paths(body: Obj, names: set[str], path: str = "") -> list[str]:
    found = []
    for key, value in body.items():
        here = f"{path}.{key}" if path else key
        if key in names:
            found.append(here)
        if isinstance(value, dict):
            found += _paths(value, names, here)
    return found


def _excerpt(raw: bytes) -> str:
    text = raw.decode(errors="replace")
    return "<empty>" if not text else text if len(text) <= 30 else f"{text[:30]} ..."


def _check_kind(kind: Kind, body: Obj, spec: schema.Spec | None) -> None:
    api_version, name = body.get("apiVersion") or kind.api_version, body.get("kind") or kind.kind
    if name == kind.kind == "Eviction":
        return  # real: of any version
    if spec is not None or (api_version, name) == (kind.api_version, kind.kind):
        return
    version = str(api_version).rpartition("/")[2]
    if name in schema.types():
        package = "core" if not kind.group else kind.group.split(".")[0]
        why = f"converting (v1.{name}) to ({package}.{kind.kind}): unknown conversion"
    else:
        why = f'no kind "{name}" is registered for version "{api_version}" in scheme "pkg/runtime/scheme.go:111"'
    raise bad_request(f'{name} in version "{version}" cannot be handled as a {kind.kind}: {why}')


def parse_patch(raw: bytes, content_type: str) -> Any:
    """The document of a patch; ApiError 400 where it is none, 415 for a type that is not served."""
    if content_type not in (*PATCH_TYPES, APPLY_PATCH):
        raise ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", empty_details=True)
    if content_type == APPLY_PATCH:
        try:
            return yaml.safe_load(raw)
        except yaml.YAMLError as error:
            reason = " ".join(str(error).split())
            raise bad_request(f"error decoding YAML: error converting YAML to JSON: yaml: {reason}") from None
    prefix = "" if content_type == STRATEGIC_PATCH else "error decoding patch: "
    try:
        patch = json.loads(raw)
    except ValueError:
        raise bad_request(f"{prefix}unexpected end of JSON input") from None
    if content_type == JSON_PATCH:
        if not isinstance(patch, list):
            raise _no_patch(prefix, patch, "[]handlers.jsonPatchOp")
        for operation in patch:
            if not isinstance(operation, dict):
                raise _no_patch(prefix, operation, "handlers.jsonPatchOp")
    elif not isinstance(patch, dict):
        raise _no_patch(prefix, patch, "map[string]interface {}")
    return patch


def _no_patch(prefix: str, found: Any, wanted: str) -> ApiError:
    return bad_request(f"{prefix}json: cannot unmarshal {schema.json_type(found)} into Go value of type {wanted}")
