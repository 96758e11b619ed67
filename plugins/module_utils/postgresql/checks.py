# SPDX-License-Identifier: BSD-2-Clause
"""What the PostgreSQL facts mean. Pure: no I/O, no clock, no Ansible.

Every finding is always returned; where its facts were not read or are absurd it is ``unknown`` and its evidence is
``kind`` and ``reason``. Finding ids and evidence keys are an interface: diagnosis rules name them.

=================================  ====================================================================================
id (component)                     evidence
=================================  ====================================================================================
postgresql.primary (primary)       reachable, endpoint, address, seconds; kind and reason of a failure: refused,
                                   no_route, no_answer, denied, overloaded, not_ready, missing, unexpected
postgresql.role (primary)          in_recovery, transaction_read_only, default_transaction_read_only, endpoint, version,
                                   uptime_seconds
postgresql.standby (standby)       reachable, configured, endpoint, address, kind, reason, in_recovery, same_server
postgresql.split_brain (cluster)   both_primary, same_server, system_identifiers, timelines, lsns
postgresql.replication (standby)   streaming, standbys, receiver_status, last_message_seconds, hears_primary,
                                   sender_host, primary_reachable, replay_paused, judged_from; catching_up
postgresql.lag (standby)           lag_seconds, lag_bytes, unreplayed_bytes, receive_lsn, replay_lsn, primary_lsn,
                                   replay_paused, replayed_all_received
postgresql.sync (standby)          sync_states, synchronous_standby_names, flush_lag_bytes, commits_waiting,
                                   commits_blocked
postgresql.slots (primary)         slots, inactive, retained_bytes, lost
postgresql.connections (primary)   used, usable, max_connections, used_pct, by_state, groups, oldest_idle_seconds
postgresql.locks (primary)         blocked, longest_wait_seconds, longest_held_seconds, roots
postgresql.long_queries (primary)  queries, longest_seconds
postgresql.idle_in_transaction     sessions, oldest_seconds
postgresql.wal_archiving           archive_mode, failed, last_archived_seconds, last_failed_seconds
postgresql.settings (primary)      gaps: list of setting, value, wanted, why
=================================  ====================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.finding import Finding
from . import availability, prevention, replication, sessions
from .arguments import Thresholds


def judge(facts: Mapping[str, Any], thresholds: Thresholds, *, app_user: str = "dhakacart") -> list[Finding]:
    """All findings on the two servers, in the order of the table above."""
    return [
        availability.primary(facts),
        availability.role(facts),
        availability.standby(facts),
        availability.split_brain(facts),
        replication.replication(facts, thresholds),
        replication.lag(facts, thresholds),
        replication.sync(facts, thresholds),
        replication.slots(facts, thresholds),
        sessions.connections(facts, thresholds),
        sessions.locks(facts, thresholds),
        sessions.long_queries(facts, thresholds),
        sessions.idle_in_transaction(facts, thresholds),
        prevention.wal_archiving(facts, thresholds),
        prevention.settings(facts, thresholds, app_user),
    ]
