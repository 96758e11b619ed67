# SPDX-License-Identifier: BSD-2-Clause
"""Turns plain parameters into frozen settings, and settings into module options, so that each is said once."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from .core.errors import ConfigurationError

T = TypeVar("T")

_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
# Metadata of a field that is the path of a file: ``~`` is replaced in it.
PATH = {"path": True}
_REMEDY = "correct the value in the inventory"
_TYPE_WORDS = {bool: "bool", int: "int", float: "float", str: "str"}


def build(cls: type[T], params: Mapping[str, Any] | None, where: str, *, strict: bool = False) -> T:
    """An instance of the dataclass ``cls`` from parameters.

    A parameter that is missing or None takes the field's default.

    :param where: what the error names as the place, e.g. ``postgresql``.
    :param strict: refuse keys that the class does not have, which are otherwise ignored.
    :raises ConfigurationError: a required value is missing or empty, or a value has the wrong type or range.
    """
    if params is not None and not isinstance(params, Mapping):
        raise ConfigurationError(f"expected dict, got {type(params).__name__}", where=where, remedy=_REMEDY)
    given = dict(params or {})
    if strict and (unknown := sorted(given.keys() - {field.name for field in dataclasses.fields(cls)})):  # type: ignore[arg-type]
        raise ConfigurationError(f"unknown option {unknown[0]!r}", where=where, remedy=_REMEDY)
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        value = given.get(field.name)
        if field.default is dataclasses.MISSING and value in (None, ""):
            raise ConfigurationError(f"option {field.name!r} is missing", where=where, remedy="set it in the inventory")
        if value is None:
            continue
        place = f"{where}.{field.name}"
        values[field.name] = _converted(value, hints[field.name], place)
        _check_range(field.name, values[field.name], place)
        if field.metadata.get("path") and values[field.name]:
            values[field.name] = str(Path(values[field.name]).expanduser())
    return cls(**values)


def threshold_options(cls: type[Any]) -> dict[str, dict[str, Any]]:
    """The suboptions of a ``thresholds`` option: one for each field of a dataclass, with its default."""
    hints = get_type_hints(cls)
    return {
        field.name: {"type": _TYPE_WORDS[hints[field.name]], "default": field.default}
        for field in dataclasses.fields(cls)
    }


def _converted(value: Any, wanted: Any, where: str) -> Any:
    converted = _CONVERTERS[wanted](value)
    if converted is None:
        raise ConfigurationError(
            f"expected {_TYPE_WORDS[wanted]}, got {type(value).__name__}",
            where=where,
            remedy=_REMEDY,
        )
    return converted


def _check_range(name: str, value: Any, where: str) -> None:
    if (name == "port" or name.endswith("_port")) and isinstance(value, int) and not 0 < value < 65536:
        raise ConfigurationError(f"{value} is no port", where=where, remedy=_REMEDY)
    if name == "timeout" and not 0 < value <= 300:
        raise ConfigurationError(f"{value:g} seconds make no sense", where=where, remedy="give 0.1 to 300 seconds")


def _bool(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else ""
    return True if word in _TRUE else False if word in _FALSE else None


def _float(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _int(value: Any) -> int | None:
    number = _float(value)
    return int(number) if number is not None and number.is_integer() else None


def _str(value: Any) -> str | None:
    return str(value) if isinstance(value, str) else None


_CONVERTERS: dict[Any, Callable[[Any], Any]] = {bool: _bool, int: _int, float: _float, str: _str}
