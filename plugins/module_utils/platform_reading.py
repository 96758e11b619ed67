# SPDX-License-Identifier: BSD-2-Clause
"""Read and judge all systems of an environment at once, in one process."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .core.errors import ConfigurationError, RunbookError
from .core.finding import Finding, Status, worst
from .core.gather import Job, Outcome, gather
from .options import build

SYSTEMS = ("http", "kubernetes", "postgresql", "rds", "redis")
# Seconds a system may take in all before it counts as unanswered: room for two calls that each reach their own
# deadline, one after the other, and for importing a slow SDK on a slow machine.
SLACK = 6.0


@dataclass(frozen=True)
class _Pace:
    """What all systems' options have in common."""

    timeout: float = 3.0


def _load(name: str) -> Any:
    """The system's module. Imported here, and not above: only what is asked for is paid for."""
    if name == "http":
        from .http import system
    elif name == "kubernetes":
        from .kubernetes import system  # type: ignore[no-redef]
    elif name == "postgresql":
        from .postgresql import system  # type: ignore[no-redef]
    elif name == "rds":
        from .rds import system  # type: ignore[no-redef]
    else:
        from .redis import system  # type: ignore[no-redef]
    return system


def chosen(subset: Sequence[str]) -> list[str]:
    """The systems that a ``gather_subset`` asks for, as the setup module reads it: ``all``, names, ``!names``.

    :raises ConfigurationError: for a name that is no system.
    """
    asked = {word for word in subset if not word.startswith("!")} or {"all"}
    refused = {word[1:] for word in subset if word.startswith("!")}
    if unknown := sorted((asked | refused) - {"all", *SYSTEMS}):
        raise ConfigurationError(
            f"unknown subset {unknown[0]!r}", where="gather_subset", remedy=f"one of all, {', '.join(SYSTEMS)}"
        )
    return [name for name in SYSTEMS if ("all" in asked or name in asked) and name not in refused]


def read_platform(
    systems: Mapping[str, Mapping[str, Any]], subset: Sequence[str], within: float | None = None
) -> dict[str, Any]:
    """Read the chosen systems concurrently and judge them.

    :param systems: for each system the options of its check module.
    :param subset: see :func:`chosen`.
    :param within: seconds for all of it; a system that has not ended by then counts as unanswered. None: no limit but
        each system's own.
    :returns: ``findings`` (worst first), ``facts`` and ``seconds`` for each system, ``status``, ``healthy``;
        JSON-clean. A system that could not be read is an unknown finding, never an error.
    :raises ConfigurationError: options that make no sense; nothing has been read then.
    """
    names = chosen(subset)
    if within is not None and not 0 < within < math.inf:
        raise ConfigurationError(f"{within:g} s is no time to read in", where="within", remedy="a number above 0")
    salt = secrets.token_hex(8)  # makes fingerprints of secrets comparable within this reading only
    options, deadlines = {}, {}
    for name in names:
        if systems.get(name) is None:
            raise ConfigurationError("options are missing", where=f"systems.{name}", remedy="set it in the inventory")
        patience = 2 * build(_Pace, systems[name], f"systems.{name}").timeout + SLACK
        deadlines[name] = patience if within is None else min(patience, within)
        options[name] = {**systems[name], "salt": salt}
    modules = {name: _load(name) for name in names}
    jobs = {name: Job(_reader(modules[name], options[name]), deadlines[name]) for name in names}
    outcomes = gather(jobs)
    findings = []
    for name in names:
        findings += _judge(modules[name], name, outcomes[name], options[name])
    facts = {name: outcome.value or {} for name, outcome in outcomes.items()}
    if {"kubernetes", "rds"} <= set(names):
        from .drift import checks as drift

        findings += drift.judge(facts)
    findings.sort(key=lambda finding: -finding.status)
    status = worst(findings)
    return {
        "findings": [finding.to_result() for finding in findings],
        "facts": facts,
        "seconds": {name: round(outcome.seconds, 3) for name, outcome in outcomes.items()},
        "status": str(status),
        "healthy": status is Status.OK,
    }


def _reader(module: Any, options: Mapping[str, Any]) -> Any:
    return lambda: module.read(options)


def _judge(module: Any, name: str, outcome: Outcome, options: Mapping[str, Any]) -> list[Finding]:
    if outcome.error is None:
        judged: list[Finding] = module.judge(outcome.value, options)
        return judged
    # A system that cannot be asked (no credentials, no SDK) must not keep the others from being read.
    if not isinstance(outcome.error, RunbookError):
        raise outcome.error
    return [
        Finding(
            f"{name}.api",
            name,
            Status.UNKNOWN,
            f"not readable: {outcome.error}",
            {"error": str(outcome.error), "kind": getattr(outcome.error, "kind", "error")},
        )
    ]
