# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS, the edge, Redis, and the machine under the lab: processes, mounts, files, faults on record."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from .. import edge, process
from ..faults.state import active
from ..kubernetes import containers
from ..lab import Lab
from ..layout import LabError, Layout
from .kubernetes import digest

# Of the lab's folder; what is in logs and pods are records.
LISTED = (".", "credentials", "postgres", "run", "inventory", "private")
# Written when there is first something to write; the last is the drill's, which ends after the scan.
STATE_FILES = frozenset({"edge.json", "blind-drill.json"})
MARKS = "dhakacart_lab."
# Redis' settings that it changes by itself.
REDIS_MOVING = frozenset({"dir", "loglevel"})
SHOP_KEYS = b"cache:"


def items(lab: Lab) -> dict[str, Any]:
    """All of it; LabError where AWS, the edge or Redis does not answer."""
    layout = lab.layout
    return {
        **_aws(lab),
        **_edge(lab),
        "database servers": sorted(lab.cluster.roles().values()),
        "processes": processes(layout),
        "mounts": _mounts(layout),
        "files": _files(layout),
        "credentials": {
            str(path.relative_to(layout.credentials)): digest(path.read_text("utf-8"))
            for path in layout.credentials.rglob("*")
            if path.is_file()
        },
        "faults on record": [fault.name for fault in active(layout)],
        "redis": redis(layout),
    }


def _aws(lab: Lab) -> dict[str, Any]:
    facts = lab.aws.facts_digest()
    found: dict[str, Any] = {}
    for region, instances in facts.pop("instances").items():
        for name, instance in instances.items():
            found[f"RDS instance {name} in {region}"] = instance
    for name, versions in facts.pop("secrets").items():
        found[f"Secrets Manager secret {name}"] = versions
    found["security group of the database"] = facts.pop("database_group")
    for what, by_region in facts.items():
        found |= {f"RDS {what.replace('_', ' ')} in {region}": value for region, value in by_region.items()}
    return found


def _edge(lab: Lab) -> dict[str, Any]:
    """Where endpoints lead, by the role of the server: a pair may have swapped its roles."""
    roles = lab.cluster.roles()
    return {
        f"endpoint {name}": {
            "target": f"the {roles.get(found['target'], 'unknown server')}" if found["target"] else "nothing",
            "mode": found["mode"],
            "stalled connections": found["stalled"],
            "accepting": found["accepting"],
        }
        for name, found in edge.state(lab.layout).items()
    }


def processes(layout: Layout) -> dict[str, Any]:
    """Component -> how many processes it has; ``stray`` and ``frozen`` ones of the lab by their command.

    PostgreSQL's children come and go with sessions and are left out.
    """
    known = {found.pid: path.stem for path in layout.run.glob("*.pid") if (found := process.find(layout, path.stem))}
    known |= {found.process.pid: "container" for found in containers.running(layout)}
    known |= dict.fromkeys(_parents(layout), "container shim")
    counts: Counter[str] = Counter()
    stray, frozen = [], []
    for found in process.all_of(layout.lab_id):
        try:
            command = _command(found)
            if found.status() == psutil.STATUS_STOPPED:
                frozen.append(command)
            if found.pid in known:
                counts[known[found.pid]] += 1
            elif found.name() == "postgres":
                counts["postgres"] += command.startswith(("postgres -D", "/"))
            elif not _of_postgres(found):
                stray.append(command)
        except psutil.NoSuchProcess:
            continue
    return {"component": dict(counts), "stray": sorted(stray), "frozen": sorted(frozen)}


def _parents(layout: Layout) -> list[int]:
    return [found.process.ppid() for found in containers.running(layout) if found.process.is_running()]


def _of_postgres(found: psutil.Process) -> bool:
    """Whether a server runs it: a shell that archives a file of WAL."""
    return any(parent.name() == "postgres" for parent in found.parents())


def _command(found: psutil.Process) -> str:
    """Its command without interpreter and folder."""
    argv = found.cmdline()
    for place, word in enumerate(argv):
        if word.startswith(MARKS):
            return " ".join([word, *argv[place + 2 :]])
    return " ".join(argv)[:120].strip()


def _mounts(layout: Layout) -> list[str]:
    rows = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    folder = str(layout.folder).replace(" ", "\\040")
    return sorted(f"{row[1]} {row[2]} {row[3]}" for row in rows if row[1].startswith(f"{folder}/"))


def _files(layout: Layout) -> dict[str, list[str]]:
    """What is in the folders of the lab that nothing but the lab writes to."""
    found = {}
    for name in LISTED:
        folder = layout.folder / name
        if folder.is_dir():
            # Drafts and pid files follow from processes.
            names = {entry.name for entry in folder.iterdir() if entry.suffix not in (".new", ".pid")}
            found[name] = sorted(names - STATE_FILES)
    return found


def redis(layout: Layout) -> dict[str, Any]:
    """Its settings, users and role, whether there is room, and keys that are not the shop's."""
    import redis as driver

    where = layout.redis
    client = driver.Redis(
        host=where.host,
        port=where.port,
        password=layout.secret("redis-token"),
        socket_timeout=3,
        socket_connect_timeout=3,
    )
    try:
        settings: Any = client.config_get("*")
        info: Any = client.info()
        strange = sorted({key.decode(errors="replace") for key in client.scan_iter(count=500) if not _of_shop(key)})
        users: Any = client.acl_list() if tuple(map(int, info["redis_version"].split(".")[:2])) >= (6, 0) else []
    except driver.RedisError as error:
        raise LabError(f"Redis at {where} cannot be read ({error}); remedy: runbook lab up") from None
    finally:
        client.close()
    limit = int(settings.get("maxmemory") or 0)
    full = limit and info["used_memory"] > 0.9 * limit
    return {
        "setting": {k: _setting(k, v) for k, v in settings.items() if k not in REDIS_MOVING},
        "user": [digest(str(user)) for user in users],
        "role": info["role"],
        "memory": "full" if full else "enough",
        "key": strange,
    }


def _of_shop(key: bytes) -> bool:
    return key.startswith(SHOP_KEYS)


def _setting(name: str, value: Any) -> str:
    return digest(str(value)) if name in ("requirepass", "masterauth") and value else str(value)
