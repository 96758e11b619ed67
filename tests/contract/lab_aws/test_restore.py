# SPDX-License-Identifier: GPL-3.0-or-later
"""Point-in-time recovery, snapshots and the swap of instances, for real."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .rig import Rig, until


def restorable(rig: Rig) -> datetime:
    found: datetime = rig.instance().get("LatestRestorableTime", datetime.min.replace(tzinfo=UTC))
    return found


def restore(rig: Rig, **when: Any) -> dict[str, Any]:
    when = when or {"UseLatestRestorableTime": True}
    answer = rig.rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=rig.layout.db_instance,
        TargetDBInstanceIdentifier=rig.layout.db_recovery_instance,
        **when,
    )
    return dict(answer["DBInstance"])


def lost_table(rig: Rig) -> datetime:
    """Drop a table; a moment at which it was still there, and that can be restored."""
    rig.query("primary", "CREATE TABLE IF NOT EXISTS precious AS SELECT 1 AS x")
    time.sleep(0.1)
    before = datetime.now(UTC)
    time.sleep(0.1)
    rig.query("primary", "DROP TABLE precious")
    until(lambda: restorable(rig) > before, "a restorable time after the accident", 15)
    return before


def test_a_moment_before_an_accident_is_restored_into_an_instance_of_its_own(whole: Rig) -> None:
    before = lost_table(whole)
    created = restore(whole, RestoreTime=before, VpcSecurityGroupIds=whole.database_groups())
    assert created["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in created
    assert (created["MultiAZ"], created["DeletionProtection"]) == (False, False)
    whole.wait_for_status("available", whole.layout.db_recovery_instance)
    endpoint = whole.instance(whole.layout.db_recovery_instance)["Endpoint"]
    assert endpoint["Address"] == whole.layout.endpoints["recovery"].host
    assert "ReadReplicaSourceDBInstanceIdentifier" not in whole.instance(whole.layout.db_recovery_instance)
    assert whole.query("recovery", "SELECT x FROM precious") == [(1,)]
    assert whole.query("primary", "SELECT to_regclass('precious') IS NULL") == [(True,)]
    with pytest.raises(ClientError, match="InsufficientDBInstanceCapacity"):
        whole.rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier=whole.layout.db_instance,
            TargetDBInstanceIdentifier="another",
            UseLatestRestorableTime=True,
        )

    whole.rds.delete_db_instance(DBInstanceIdentifier=whole.layout.db_recovery_instance, SkipFinalSnapshot=True)
    until(lambda: "c" not in whole.cluster.roles(), "the end of node c", 15)
    with pytest.raises(ClientError, match="DBInstanceNotFound"):
        whole.instance(whole.layout.db_recovery_instance)


def test_restored_without_naming_security_groups_the_application_is_kept_out(whole: Rig) -> None:
    restore(whole)
    identifier = whole.layout.db_recovery_instance
    whole.wait_for_status("available", identifier)
    assert whole.instance(identifier)["VpcSecurityGroups"] != whole.instance()["VpcSecurityGroups"]
    assert not whole.answers("recovery")
    whole.rds.modify_db_instance(
        DBInstanceIdentifier=identifier, VpcSecurityGroupIds=whole.database_groups(), ApplyImmediately=True
    )
    assert whole.answers("recovery")


def test_a_restore_that_cannot_be_is_refused(rig: Rig) -> None:
    with pytest.raises(ClientError, match="InvalidRestoreFault"):
        restore(rig, RestoreTime=datetime.now(UTC) - timedelta(days=2))
    with pytest.raises(ClientError, match="InvalidRestoreFault"):
        restore(rig, RestoreTime=datetime.now(UTC) + timedelta(days=2))
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        restore(rig, RestoreTime=datetime.now(UTC), UseLatestRestorableTime=True)
    with pytest.raises(ClientError, match="DBInstanceNotFound"):
        rig.instance(rig.layout.db_recovery_instance)


def test_a_snapshot_is_taken_with_its_events_and_restored(whole: Rig) -> None:
    layout = whole.layout
    whole.query("primary", "CREATE TABLE kept AS SELECT 7 AS x")
    whole.rds.create_db_snapshot(DBInstanceIdentifier=layout.db_instance, DBSnapshotIdentifier="before-change")
    whole.query("primary", "DROP TABLE kept")
    assert whole.messages()[-2:] == ["Backing up DB instance", "Finished DB instance backup"]
    whole.rds.restore_db_instance_from_db_snapshot(
        DBSnapshotIdentifier="before-change",
        DBInstanceIdentifier=layout.db_recovery_instance,
        VpcSecurityGroupIds=whole.database_groups(),
    )
    whole.wait_for_status("available", layout.db_recovery_instance)
    assert whole.query("recovery", "SELECT x FROM kept") == [(7,)]


def test_swapping_names_swaps_endpoints(whole: Rig) -> None:
    layout = whole.layout
    restore(whole, UseLatestRestorableTime=True, VpcSecurityGroupIds=whole.database_groups())
    whole.wait_for_status("available", layout.db_recovery_instance)
    for old, new in (
        (layout.db_instance, f"{layout.db_instance}-old"),
        (layout.db_recovery_instance, layout.db_instance),
    ):
        whole.rds.modify_db_instance(DBInstanceIdentifier=old, NewDBInstanceIdentifier=new, ApplyImmediately=True)
    assert whole.instance()["Endpoint"]["Address"] == layout.endpoints["primary"].host
    recovered = whole.cluster.node("c").address.host
    assert whole.query("primary", "SELECT inet_server_addr()::text") == [(f"{recovered}/32",)]
    assert whole.instance(f"{layout.db_instance}-old")["DBInstanceStatus"] == "available"
