# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration files of a node, outside its data folder: a copied data folder must not bring them along."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..layout import Address, Layout

STANDBY_NAME = "dhakacart_standby"
MAX_CONNECTIONS = 200
REPLICATION_PASSFILE = "postgres/replication.pgpass"  # in the lab folder
HBA = "host all all 127.0.0.0/8 scram-sha-256\nhost replication {replication} 127.0.0.0/8 scram-sha-256\n"

COMMON = """\
unix_socket_directories = ''
max_connections = {max_connections}
superuser_reserved_connections = 3
shared_buffers = 32MB
# SysV and POSIX segments outlive a killed server; files in the lab folder do not outlive the lab.
dynamic_shared_memory_type = mmap
max_logical_replication_workers = 0
jit = off
# Only processes are killed here, never the machine: what was written to the kernel stays written.
fsync = off
wal_level = replica
hot_standby = on
archive_mode = on
archive_timeout = 30
wal_keep_size = 16MB
min_wal_size = 32MB
max_wal_size = 64MB
# A standby that no longer answers is noticed in seconds, as in a Multi-AZ instance.
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 500ms
password_encryption = scram-sha-256
track_io_timing = on
log_min_duration_statement = 1000
log_lock_waits = on
log_line_prefix = '%m [%p] %q%u@%d '
log_timezone = UTC
timezone = UTC
"""


@dataclass(frozen=True)
class Recovery:
    """How a node gets the WAL it lacks: from ``primary`` by streaming, or by ``restore_command`` up to ``target``.

    ``target`` is a time in ISO 8601 with its zone, or None for everything there is.
    """

    primary: Address | None = None
    restore_command: str | None = None
    target: str | None = None


def quoted(value: object) -> str:
    """A value for postgresql.conf."""
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


def render(
    layout: Layout,
    node: str,
    *,
    title: str,
    synchronous_file: Path,
    archive_command: str,
    preload: frozenset[str],
    recovery: Recovery,
) -> str:
    """The text of a node's postgresql.conf. ``title`` begins every process title of the node."""
    address = layout.nodes[node]
    lines = [
        f"listen_addresses = {quoted(address.host)}",
        f"port = {address.port}",
        f"cluster_name = {quoted(title)}",
        COMMON.format(max_connections=MAX_CONNECTIONS).rstrip(),
        f"archive_command = {quoted(archive_command)}",
    ]
    if preload:
        lines.append(f"shared_preload_libraries = {quoted(','.join(sorted(preload)))}")
    if recovery.primary:
        passfile = re.sub(r"(['\\])", r"\\\1", str(layout.folder / REPLICATION_PASSFILE))
        conninfo = (
            f"host={recovery.primary.host} port={recovery.primary.port} user={layout.replication_user} "
            f"passfile='{passfile}' application_name={STANDBY_NAME} "
            "sslmode=disable gssencmode=disable connect_timeout=3"
        )
        lines.append(f"primary_conninfo = {quoted(conninfo)}")
    if recovery.restore_command:
        lines += [f"restore_command = {quoted(recovery.restore_command)}", "recovery_target_action = promote"]
    if recovery.target:
        lines.append(f"recovery_target_time = {quoted(recovery.target)}")
    lines.append(f"include_if_exists {quoted(synchronous_file)}")
    return "\n".join(lines) + "\n"
