# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads drills from files. What is wrong with one is one line: the file, the key, and what to do."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from ..errors import InfrastructureError, UsageError
from .scenario import FaultStep, Objectives, Scenario

FOLDER_VARIABLE = "DHAKACART_DRILLS"
LARGEST = 64 * 1024  # bytes; a drill has about one thousand
REMEDY = "runbook drill schema describes every key"
_MODELS: Mapping[str, type[BaseModel]] = {"faults": FaultStep, "objectives": Objectives}


class MalformedDrill(UsageError):
    """A drill's file that is no drill."""


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice: YAML would silently take the second one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _value in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str) and key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", key_node.start_mark)
            if isinstance(key, str):
                seen.add(key)
        return super().construct_mapping(node, deep)


def folder() -> Path:
    """Where the drills are: ``DHAKACART_DRILLS``, else ``drills/`` of the collection."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen)
    from ..collection import Collection

    return Collection.find().root / "drills"


def files(where: Path | None = None) -> list[Path]:
    """The files of the drills, sorted; InfrastructureError where there is no such folder or nothing in it."""
    where = where or folder()
    try:
        found = sorted(path for path in where.iterdir() if path.suffix in (".yml", ".yaml"))
    except OSError as error:
        raise InfrastructureError(
            f"cannot be read ({error.strerror})",
            where=str(where),
            remedy=f"set {FOLDER_VARIABLE} to a folder of drills",
        ) from None
    if not found:
        raise InfrastructureError("holds no drill", where=str(where), remedy="add a file NAME.yml to it")
    return found


def load(name: str, where: Path | None = None) -> Scenario:
    """The drill called ``name``; UsageError with a suggestion where there is none."""
    known = {path.stem: path for path in files(where)}
    if name in known:
        return read(known[name])
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else "runbook drill list"
    raise UsageError("no such drill", where=name, remedy=hint)


def load_all(where: Path | None = None) -> list[Scenario]:
    """Every drill, by name; MalformedDrill at the first that is none."""
    return [read(path) for path in files(where)]


def read(path: Path) -> Scenario:
    """The drill in one file; MalformedDrill, InfrastructureError where the file cannot be read."""
    content = _content(path)
    if not isinstance(content, dict):
        raise MalformedDrill("is no mapping of keys to values", where=str(path), remedy=REMEDY)
    try:
        scenario = Scenario.model_validate(content)
    except ValidationError as error:
        raise _malformed(path, error) from None
    if scenario.name != path.stem:
        raise MalformedDrill(
            f"key 'name': is {scenario.name!r}, the file is called {path.stem!r}",
            where=str(path),
            remedy=f"call both {path.stem}",
        )
    return scenario


def _content(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise InfrastructureError(
            f"cannot be read ({error.strerror})", where=str(path), remedy="correct the path or its permissions"
        ) from None
    if len(raw) > LARGEST:
        raise MalformedDrill(f"is larger than {LARGEST // 1024} KiB", where=str(path), remedy="one drill a file")
    try:
        return yaml.load(raw.decode("utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except UnicodeDecodeError as error:
        raise MalformedDrill(f"is not UTF-8 (byte {error.start})", where=str(path), remedy="save it as UTF-8") from None
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise MalformedDrill(
            f"is not valid YAML ({_yaml_problem(error)})", where=str(path), remedy="correct that line"
        ) from None


def _yaml_problem(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = " ".join(str(getattr(error, "problem", None) or error).split())
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem


def _malformed(path: Path, error: ValidationError) -> MalformedDrill:
    problems = error.errors(include_url=False, include_context=False)
    first = problems[0]
    place = [str(part) for part in first["loc"]]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if first["type"] == "value_error":  # ours: it begins with the key
        key, _, text = str(first["msg"]).removeprefix("Value error, ").partition(": ")
        return MalformedDrill(f"key {key!r}: {text}{more}", where=str(path), remedy=REMEDY)
    said = first["msg"][:1].lower() + first["msg"][1:]
    if first["type"] not in ("missing", "extra_forbidden"):
        said += f", got {_short(first.get('input'))}"
    remedy = _remedy(first["type"], place, first.get("input"))
    return MalformedDrill(f"key {'.'.join(place)!r}: {said}{more}", where=str(path), remedy=remedy)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _remedy(kind: str, place: list[str], value: Any) -> str:
    if kind == "missing":
        return f"add {place[-1]}: {_description(place)}"
    if kind == "extra_forbidden":
        return _suggestion(place[-1], _model(place).model_fields) or f"remove it; known: {_known(place)}"
    if kind == "literal_error":
        return _suggestion(str(value), _choices(place)) or f"one of {', '.join(_choices(place))}"
    return f"{place[-1] if not place[-1].isdigit() else place[0]}: {_description(place)}"


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else ""


def _model(place: list[str]) -> type[BaseModel]:
    return _MODELS.get(place[0], Scenario) if len(place) > 1 else Scenario


def _known(place: list[str]) -> str:
    return ", ".join(_model(place).model_fields)


def _choices(place: list[str]) -> tuple[str, ...]:
    from typing import get_args

    from .scenario import Precondition, SectionName

    return get_args(Precondition if place[0] == "preconditions" else SectionName)


def _description(place: list[str]) -> str:
    fields = _model(place).model_fields
    name = next((part for part in reversed(place) if part in fields), "")
    return (fields[name].description or name) if name else REMEDY
