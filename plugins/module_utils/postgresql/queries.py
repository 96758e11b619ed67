# SPDX-License-Identifier: BSD-2-Clause
"""The statements behind the PostgreSQL facts: PostgreSQL 14 to 17, columns JSON-clean (numbers, text, ISO times)."""

from __future__ import annotations

from typing import Final

_UTC: Final = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


def _age(column: str) -> str:
    return f"round(extract(epoch FROM clock_timestamp() - {column})::numeric, 3)::float8"


# Read before the session is guarded, so that the values are the server's own.
SERVER: Final = f"""
SELECT pg_is_in_recovery() AS in_recovery,
       current_setting('server_version') AS version,
       current_setting('server_version_num')::int AS version_number,
       to_char(pg_postmaster_start_time(), '{_UTC}') AS started_at,
       {_age("pg_postmaster_start_time()")} AS uptime_seconds,
       current_setting('transaction_read_only') = 'on' AS transaction_read_only,
       current_setting('default_transaction_read_only') = 'on' AS default_transaction_read_only,
       host(inet_server_addr()) AS server_address,
       inet_server_port() AS server_port,
       current_database() AS database,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn()::text END AS current_lsn,
       to_char(clock_timestamp(), '{_UTC}') AS read_at
"""

SETTINGS: Final = """
SELECT name,
       CASE WHEN vartype IN ('integer', 'real') THEN
         CASE unit WHEN 'ms' THEN setting::float8 / 1000 WHEN 's' THEN setting::float8
                   WHEN 'min' THEN setting::float8 * 60 ELSE setting::float8 END
       END AS number,
       setting AS value, unit
FROM pg_settings WHERE name = ANY (ARRAY[
  'max_connections', 'superuser_reserved_connections', 'reserved_connections', 'rds.rds_superuser_reserved_connections',
  'statement_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'lock_timeout',
  'synchronous_standby_names', 'synchronous_commit', 'archive_mode', 'wal_level', 'log_min_duration_statement',
  'log_lock_waits', 'shared_preload_libraries', 'max_wal_senders', 'max_slot_wal_keep_size', 'wal_keep_size',
  'hot_standby', 'primary_slot_name', 'wal_receiver_timeout', 'fsync', 'full_page_writes', 'data_checksums'])
"""

ROLE_SETTINGS: Final = """
SELECT r.rolname AS role, coalesce(d.datname, '') AS database, s.setconfig AS settings
FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
ORDER BY 1, 2 LIMIT 50
"""

CONTROL: Final = """
SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
       (SELECT timeline_id FROM pg_control_checkpoint()) AS checkpoint_timeline
"""

SESSIONS: Final = f"""
SELECT a.pid, coalesce(a.usename, '') AS user, coalesce(a.application_name, '') AS application,
       coalesce(host(a.client_addr), 'local') AS client, coalesce(a.datname, '') AS database,
       coalesce(a.state, 'unknown') AS state, a.backend_type,
       a.pid = pg_backend_pid() OR a.application_name = '{{application}}' AS own,
       coalesce(r.rolsuper, false) AS superuser,
       coalesce(r.rolreplication, false) AND a.backend_type = 'walsender' AS replication,
       {_age("a.state_change")} AS state_seconds, {_age("a.xact_start")} AS transaction_seconds,
       {_age("a.query_start")} AS query_seconds,
       a.backend_start::text AS backend_start, a.xact_start::text AS transaction_start,
       a.query_start::text AS query_start, a.state_change::text AS state_change,
       coalesce(a.wait_event_type, '') AS wait_type, coalesce(a.wait_event, '') AS wait_event,
       CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid) ELSE ARRAY[]::int[] END AS blocked_by,
       left(a.query, 1024) AS query
FROM pg_stat_activity a LEFT JOIN pg_roles r ON r.oid = a.usesysid
WHERE a.backend_type IN ('client backend', 'walsender')
ORDER BY a.backend_start LIMIT 5000
"""  # noqa: S608 - constants only

STANDBYS: Final = f"""
SELECT application_name AS application, coalesce(host(client_addr), 'local') AS client, state, sync_state,
       pg_wal_lsn_diff(pg_current_wal_lsn(), sent_lsn)::float8 AS sent_lag_bytes,
       pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn)::float8 AS flush_lag_bytes,
       pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 AS replay_lag_bytes,
       coalesce(extract(epoch FROM flush_lag), 0)::float8 AS flush_lag_seconds,
       coalesce(extract(epoch FROM replay_lag), 0)::float8 AS replay_lag_seconds,
       {_age("reply_time")} AS last_reply_seconds
FROM pg_stat_replication WHERE application_name <> 'pg_basebackup' ORDER BY application_name LIMIT 20
"""  # noqa: S608 - constants only

SLOTS: Final = """
SELECT slot_name AS name, slot_type AS type, active, coalesce(wal_status, '') AS wal_status,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 END
         AS retained_bytes
FROM pg_replication_slots ORDER BY slot_name LIMIT 20
"""

RECEIVER: Final = f"""
SELECT status, {_age("last_msg_receipt_time")} AS last_message_seconds,
       coalesce(sender_host, '') AS sender_host, sender_port, coalesce(slot_name, '') AS slot,
       received_tli AS timeline, latest_end_lsn::text AS latest_end_lsn
FROM pg_stat_wal_receiver
"""  # noqa: S608 - constants only

RECOVERY: Final = f"""
SELECT pg_last_wal_receive_lsn()::text AS receive_lsn, pg_last_wal_replay_lsn()::text AS replay_lsn,
       pg_is_wal_replay_paused() AS replay_paused,
       coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)::float8 AS unreplayed_bytes,
       {_age("pg_last_xact_replay_timestamp()")} AS last_replayed_seconds,
       CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE {_age("pg_last_xact_replay_timestamp()")} END AS lag_seconds
"""

DATABASE: Final = """
SELECT pg_database_size(d.datname)::float8 AS size_bytes, d.deadlocks::float8 AS deadlocks,
       d.temp_files::float8 AS temp_files, d.temp_bytes::float8 AS temp_bytes, d.conflicts::float8 AS conflicts,
       d.xact_commit::float8 AS commits, d.xact_rollback::float8 AS rollbacks,
       d.sessions_abandoned::float8 AS sessions_abandoned, d.sessions_killed::float8 AS sessions_killed
FROM pg_stat_database d WHERE d.datname = current_database()
"""

WAL_SIZE: Final = "SELECT count(*)::int AS files, coalesce(sum(size), 0)::float8 AS bytes FROM pg_ls_waldir()"

ARCHIVER: Final = f"""
SELECT archived_count::float8 AS archived, failed_count::float8 AS failed,
       {_age("last_archived_time")} AS last_archived_seconds, {_age("last_failed_time")} AS last_failed_seconds
FROM pg_stat_archiver
"""  # noqa: S608 - constants only

TERMINATE: Final = """
SELECT pid, pg_terminate_backend(pid) AS signalled FROM pg_stat_activity
WHERE pid = %s AND backend_start = %s::timestamptz AND state IS NOT DISTINCT FROM %s
  AND xact_start IS NOT DISTINCT FROM %s::timestamptz AND query_start IS NOT DISTINCT FROM %s::timestamptz
  AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""

STILL_THERE: Final = """
SELECT pid, backend_start::text AS backend_start FROM pg_stat_activity WHERE pid = ANY (%s)
"""
