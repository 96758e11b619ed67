# SPDX-License-Identifier: BSD-2-Clause
"""The rules of the runbook database-failure: what explains the findings, and which branch may act on it."""

from __future__ import annotations

from ..core.diagnosis import Branch, Cause, Condition, Runbook, bad, critical, not_bad, ok
from ..core.finding import Status

PRIMARY = "postgresql.primary"
STANDBY = "postgresql.standby"
GONE = ("refused", "no_route", "not_ready")

CAUSES = (
    Cause(
        "disk_full",
        "The primary's disk is full",
        (critical("rds.storage"),),
        branch="storage",
        hides=("primary_down", "application_pool_dead", "replication_broken", "runaway_query", "standby_lag"),
    ),
    Cause(
        "split_brain",
        "Two servers take writes, so orders go to both",
        (critical("postgresql.split_brain"),),
        next_step="Stop the writes to the older one at once (default_transaction_read_only), repoint the shop, then"
        " compare the orders of both since they parted; see the page, Resolution.",
        hides=("replication_broken", "standby_down", "standby_lag"),
    ),
    Cause(
        "database_moved",
        "The other endpoint takes writes now; the shop still uses the old one",
        (critical(PRIMARY, kind=GONE), Condition(STANDBY, evidence={"reachable": True, "in_recovery": False})),
        branch="repoint",
        hides=("primary_down", "replication_broken", "standby_down", "application_pool_dead"),
    ),
    Cause(
        "primary_read_only",
        "The primary takes no writes: sessions are read-only by a setting",
        (critical("postgresql.role", in_recovery=False, transaction_read_only=True),),
        next_step="Find who set default_transaction_read_only, and why, before you reset it; see the page, Resolution.",
    ),
    Cause(
        "no_server_left",
        "Neither the primary nor the standby is running",
        (
            critical(PRIMARY, kind="refused"),
            critical(STANDBY, kind="refused"),
            # A restore is no answer to a broken path: AWS must have lost the server, too.
            Condition("rds.activity", evidence={"alive": False}),
        ),
        branch="restore",
        hides=("primary_down", "standby_down", "application_pool_dead", "replication_broken"),
    ),
    Cause(
        "database_network_cut",
        "The network to the primary is cut; the primary itself is alive",
        (
            critical(PRIMARY, kind=("no_route", "no_answer")),
            ok(STANDBY),
            Condition("postgresql.replication", evidence={"hears_primary": True}),
        ),
        next_step="Do not fail over a living primary. Open Network Issues at step 1; check security group and routes.",
        hides=("primary_down", "primary_frozen", "application_pool_dead"),
    ),
    Cause(
        "primary_frozen",
        "The primary is frozen: it accepts connections and answers nothing",
        (
            critical(PRIMARY, kind="no_answer"),
            ok(STANDBY),
            Condition("postgresql.replication", evidence={"hears_primary": False}),
        ),
        branch="failover",
        hides=("application_pool_dead", "replication_broken", "standby_lag"),
    ),
    Cause(
        "primary_down",
        "The primary is down and the standby is alive",
        (
            critical(PRIMARY, kind=GONE),
            ok(STANDBY),
            Condition("postgresql.replication", evidence={"hears_primary": False}),
        ),
        branch="failover",
        hides=("application_pool_dead", "replication_broken", "standby_lag"),
    ),
    Cause(
        "primary_down_unseen_standby",
        "The primary is down; its Multi-AZ standby cannot be asked, and AWS has lost the primary, too",
        (
            critical(PRIMARY, kind=("refused", "no_answer", "not_ready")),
            Condition(STANDBY, frozenset({Status.UNKNOWN}), {"kind": "not_configured"}),
            Condition("rds.multi_az", evidence={"multi_az": True}),
            Condition("rds.activity", evidence={"alive": False}),
        ),
        branch="failover",
        hides=("application_pool_dead",),
    ),
    Cause(
        "endpoint_stale",
        "The primary's endpoint leads to a server that is a standby",
        (critical("postgresql.role", in_recovery=True),),
        branch="repoint",
        hides=("replication_broken", "application_pool_dead", "standby_lag"),
    ),
    Cause(
        "connections_exhausted",
        "The server has no connections left",
        (critical("postgresql.connections"),),
        branch="end-sessions",
        hides=("application_pool_dead",),
    ),
    Cause(
        "lock_pileup",
        "Sessions wait behind a lock",
        (bad("postgresql.locks"),),
        branch="end-sessions",
        hides=("runaway_query", "application_pool_dead"),
    ),
    Cause(
        "credentials_stale",
        "The shop's database credentials are not the ones that are valid",
        (ok(PRIMARY), bad("drift.credentials")),
        branch="repoint",
        hides=("application_pool_dead",),
    ),
    Cause(
        "runaway_query",
        "A query runs far too long",
        (critical("postgresql.long_queries"), not_bad("postgresql.locks")),
        branch="end-sessions",
    ),
    Cause(
        "application_pool_dead",
        "The backends' connection pools are dead; the database is well",
        (
            ok(PRIMARY),
            ok("postgresql.role"),
            not_bad("postgresql.connections"),
            not_bad("postgresql.locks"),
            not_bad("drift.credentials"),
            critical("http.ready"),
        ),
        branch="restart-pods",
    ),
    Cause(
        "standby_down",
        "The standby is down; the primary is well, and nothing would take over from it",
        (ok(PRIMARY), ok("postgresql.role"), bad(STANDBY)),
        next_step="Do not fail over. RDS makes a new standby by itself; a read replica is made anew: see the page,"
        " Resolution.",
        hides=("replication_broken", "standby_lag"),
        risk=True,
    ),
    Cause(
        "replication_broken",
        "The standby runs but does not follow the primary",
        (ok(PRIMARY), ok("postgresql.role"), ok(STANDBY), bad("postgresql.replication")),
        next_step="Do not fail over: the standby is behind and falling further. See the page, Resolution.",
        hides=("standby_lag",),
        risk=True,
    ),
    Cause(
        "standby_lag",
        "The standby is too far behind",
        (ok(PRIMARY), ok(STANDBY), not_bad("postgresql.replication"), bad("postgresql.lag")),
        next_step="Do not fail over until the lag is below the RPO: what is not replayed yet would be waited for.",
        risk=True,
    ),
)

BRANCHES = {
    branch.name: branch
    for branch in (
        Branch(
            "failover",
            "Fail over to the standby",
            (
                critical(PRIMARY, kind=("refused", "no_route", "no_answer", "not_ready")),
                # A standby that is not configured cannot be asked; one that is asked must not be known to be dead, or
                # to hear from its primary.
                Condition(STANDBY, frozenset({Status.OK, Status.UNKNOWN}), {"kind": (None, "not_configured")}),
                Condition("postgresql.replication", frozenset(Status), {"hears_primary": (False, None)}),
                # AWS refuses a reboot with failover without it: a read replica does not take over.
                Condition("rds.multi_az", evidence={"multi_az": True}),
            ),
            "a later failover back, once the old primary has become a standby",
            # That the primary is gone must be known from somebody else than us.
            requires_one=(
                Condition("postgresql.replication", evidence={"hears_primary": False}),
                Condition("rds.activity", evidence={"alive": False}),
            ),
        ),
        Branch(
            "restore",
            "Restore to a point in time on a new instance, and let the shop use it",
            (
                Condition(
                    PRIMARY, frozenset({Status.CRITICAL}), {"kind": ("refused", "no_route", "no_answer", "missing")}
                ),
                # Not merely "no standby": one that was promoted lives, and holds the newest orders.
                critical(STANDBY, reachable=False),
                ok("rds.pitr"),
            ),
            "the old instance is kept as <name>-failed; rename both back",
        ),
        Branch(
            "end-sessions",
            "End the sessions that exhaust, block or run away",
            (Condition(PRIMARY, frozenset({Status.OK, Status.WARNING})),),
            requires_one=(
                critical("postgresql.connections"),
                bad("postgresql.locks"),
                critical("postgresql.long_queries"),
            ),
            undo="cannot be undone: an ended transaction is rolled back and its client must try again",
        ),
        Branch(
            "repoint",
            "Give the shop the endpoint and credentials that are valid",
            (Condition("kubernetes.api", frozenset({Status.OK})),),
            "the old values are kept in the Secret <name>-previous, and as AWSPREVIOUS in Secrets Manager",
        ),
        Branch(
            "restart-pods",
            "Restart the backend pods",
            (ok(PRIMARY), ok("postgresql.role"), ok("kubernetes.api")),
            "not needed: the pods run the same release",
        ),
        Branch(
            "storage",
            "Let the database have more storage",
            (critical("rds.storage"),),
            "cannot be undone: RDS storage cannot shrink",
        ),
    )
}

RUNBOOK = Runbook("database-failure", CAUSES, BRANCHES)
