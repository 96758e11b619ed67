# SPDX-License-Identifier: GPL-3.0-or-later
"""Does an environment equal its before-state? Named items before and after, and the differences as readable lines.

Customers go on ordering between two snapshots. So what moves by itself is left out or reduced to what must hold: pods
to how many of each owner are ready, orders to sequences that are not behind their tables, memory and disks to whether
there is room. What a change may leave on purpose is left out, too:

* which of the two database servers is the primary, as after a Multi-AZ failover: both are equal, and timelines grow;
* the history of a rollout, that is ReplicaSets without pods and revision numbers, which Kubernetes keeps for an undo;
* events, logs, metrics, WAL archive and base backups: records of what happened.

The restart annotation of a Deployment is residue: it is part of the pod template, and ``heal`` puts the template back.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..lab import Lab
from ..layout import LabError
from . import database, kubernetes, platform

MOST_SHOWN = 100  # characters of a value


@dataclass(frozen=True)
class Snapshot:
    """What a lab is at one moment.

    :param taken: epoch seconds.
    :param items: name, such as ``deployment dhakacart/dhakacart-backend``, -> a JSON-clean value; secrets as digests.
    """

    taken: float
    items: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """For a file: a drill that was killed is compared with what it wrote before."""
        return {"taken": self.taken, "items": dict(self.items)}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Snapshot:
        """The inverse; KeyError or TypeError for what is none."""
        return cls(float(found["taken"]), dict(found["items"]))


def snapshot(lab: Lab) -> Snapshot:
    """Everything, read at once, in about half a second. LabError when a part cannot be read: then nothing is proven."""
    from ..failures import as_lab_errors

    taken = time.time()
    readers = (kubernetes.items, database.items, platform.items)
    with as_lab_errors(), ThreadPoolExecutor(max_workers=len(readers)) as pool:
        found = [job.result() for job in [pool.submit(reader, lab) for reader in readers]]
    return Snapshot(taken, {name: value for part in found for name, value in part.items()})


def compare(before: Snapshot, after: Snapshot) -> list[str]:
    """One line for each difference; none means that the environment equals its before-state."""
    return [
        line
        for name in sorted({*before.items, *after.items})
        for line in _differences(name, (), before.items.get(name), after.items.get(name))
    ]


def remaining(lab: Lab, before: Snapshot, *, within: float = 30.0, every: float = 1.0) -> list[str]:
    """The differences that are still there after ``within`` seconds, for an environment that is settling.

    Returns as soon as there are none. LabError only where it cannot be read at the end.
    """
    end = time.monotonic() + within
    while True:
        try:
            found = compare(before, snapshot(lab))
        except LabError:
            if time.monotonic() > end:
                raise
        else:
            if not found or time.monotonic() > end:
                return found
        time.sleep(every)


def _differences(name: str, path: tuple[str, ...], before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _differences(name, (*path, key), before.get(key), after.get(key))
        return
    where = f"{name}: {' '.join(path)}: " if path else f"{name}: "
    if isinstance(before, list) and isinstance(after, list):
        gone = [value for value in before if value not in after]
        new = [value for value in after if value not in before]
        if gone or new:
            yield from (f"{where}{_shown(value)} is gone" for value in gone)
            yield from (f"{where}{_shown(value)} was left behind" for value in new)
            return
    if before is None:
        yield f"{where}{_shown(after)} was left behind"
    elif after is None:
        yield f"{where}{_shown(before)} is gone"
    else:
        yield f"{where}was {_shown(before)}, is {_shown(after)}"


def _shown(value: Any) -> str:
    text = ", ".join(str(entry) for entry in value) if isinstance(value, list) else str(value)
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"
