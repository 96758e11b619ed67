# SPDX-License-Identifier: GPL-3.0-or-later
"""Which incident somebody means: a folder, its name, the id of a run, or the newest one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..collection import Collection
from ..errors import InfrastructureError, UsageError
from ..paths import expanded
from .record import OPENING, RUNS, looks_like_a_record

VARIABLE = "DHAKACART_INCIDENTS"
LAST = "last"
_SHOWN = 120  # of a text that is too long for a name
_NAME = re.compile(r"\d{4}-\d{2}-\d{2}-\d{6}-.+")
_RUN_ID = re.compile(r"[\w.-]+")


def incidents_root(chosen: Path | None = None) -> Path:
    """The folder of the incident folders: the one chosen, DHAKACART_INCIDENTS, or ``incidents/`` of the collection.

    :raises InfrastructureError: nothing says where it is.
    """
    if chosen:
        return expanded(chosen)
    if named := os.environ.get(VARIABLE):
        return expanded(named)
    return Collection.find().root / "incidents"


def locate(what: str, root: Path, environment: str = "", runbook: str = "") -> Path:
    """The folder that is meant.

    :param what: a path, the name of an incident, the id of a run (or its beginning), or ``last``.
    :param environment: only its incidents are looked at for ``last``; as ``runbook``.
    :raises UsageError: there is none.
    :raises InfrastructureError: the incidents cannot be listed.
    """
    if what == LAST:
        return _newest(root, environment, runbook)
    for path in (expanded(what), root / what):
        if is_folder(path):
            return path
    if os.path.exists(what):  # noqa: PTH110 - Path.exists raises for a text that is too long for a path
        raise UsageError("not a folder", where=what, remedy="name the folder of an incident")
    if _RUN_ID.fullmatch(what) and (found := _of_run(what, root)):
        return found
    raise UsageError(
        f"no incident, and no run, of this name; looked in {root}",
        where=what[:_SHOWN],
        remedy="runbook report last, or runbook history",
    )


def is_folder(path: Path) -> bool:
    """Whether a folder is there; what is too long for a path, or may not be looked at, is none."""
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises there


def _newest(root: Path, environment: str, runbook: str) -> Path:
    """The newest incident; only where there is none, the newest record of a run that read."""
    name = re.compile(rf"\d{{4}}-\d\d-\d\d-\d{{6}}-{re.escape(environment) or '.+'}-{re.escape(runbook) or '.+'}")
    found = [path for path in _records(root) if name.fullmatch(path.name)]
    incidents = [path for path in found if (path / OPENING).exists()]
    if found:
        return (incidents or found)[-1]
    wanted = " ".join(filter(None, (runbook, f"on {environment}" if environment else "")))
    raise UsageError(
        f"holds no incident record{f' of {wanted}' if wanted else ''}",
        where=str(root),
        remedy=f"runbook run <runbook> -s immediate writes one; or name the folder: --incidents, or {VARIABLE}",
    )


def _records(root: Path) -> Iterator[Path]:
    """In the order of their names, which is the order of time."""
    try:
        yield from sorted(
            path
            for path in root.iterdir()
            if _NAME.fullmatch(path.name) and path.is_dir() and looks_like_a_record(path)
        )
    except FileNotFoundError:
        return
    except OSError as error:
        raise InfrastructureError(
            f"cannot be listed ({error.strerror})",
            where=str(root),
            remedy=f"name another folder: --incidents, or {VARIABLE}",
        ) from None


def _of_run(run_id: str, root: Path) -> Path | None:
    """Where the run left its file; else what the history knows of it. Several runs of one beginning are refused."""
    found = {path: folder for folder in _records(root) for path in (folder / RUNS).glob(f"{run_id}*.json*")}
    ids = sorted({_run_id(path) for path in found})
    chosen = [run_id] if run_id in ids else ids
    if len(chosen) > 1:
        raise _ambiguous(run_id, chosen)
    if chosen:
        return next(folder for path, folder in found.items() if _run_id(path) == chosen[0])
    from ..history import History

    with History.open() as history:
        rows = history.find(run_id)
    if len(rows) > 1:
        raise _ambiguous(run_id, [row.id for row in rows])
    if not rows:
        return None
    remedy = f"runbook show-run {run_id}"
    if not rows[0].record:
        raise UsageError("the run left no incident record", where=run_id, remedy=remedy)
    folder = Path(rows[0].record)
    if not is_folder(folder):
        raise UsageError(f"its record {folder} is gone", where=run_id, remedy=remedy)
    return folder


def _run_id(path: Path) -> str:
    return path.name.removesuffix(".json").removesuffix(".events.jsonl")


def _ambiguous(run_id: str, ids: list[str]) -> UsageError:
    listed = ", ".join(ids[:3]) + (", ..." if len(ids) > 3 else "")
    return UsageError(f"{len(ids)} runs begin so: {listed}", where=run_id, remedy="type more of the id")
