# SPDX-License-Identifier: GPL-3.0-or-later
"""Reboot and promotion in the AWS API act on the real servers."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

from .rig import Rig, until


def test_a_reboot_with_failover_brings_a_dead_primary_back_on_the_standby(whole: Rig) -> None:
    zone, heir = whole.instance()["AvailabilityZone"], whole.cluster.standby().name
    said = len(whole.messages())
    whole.cluster.primary().kill()
    assert whole.instance()["DBInstanceStatus"] == "available"  # as in AWS: a dead server is not seen for minutes
    begin = time.monotonic()
    answer = whole.rds.reboot_db_instance(DBInstanceIdentifier=whole.layout.db_instance, ForceFailover=True)
    assert answer["DBInstance"]["DBInstanceStatus"] == "rebooting"
    until(lambda: whole.answers("primary"), "an answering primary endpoint", 20)
    assert time.monotonic() - begin < 10
    whole.wait_for_status("available")
    assert whole.cluster.primary().name == heir
    assert whole.query("primary", "SELECT pg_is_in_recovery()") == [(False,)]
    after = whole.instance()
    assert (after["SecondaryAvailabilityZone"], after["AvailabilityZone"] != zone) == (zone, True)
    assert whole.messages(since=said) == [
        "Multi-AZ instance failover started.",
        "DB instance restarted",
        "Multi-AZ instance failover completed",
        "The user requested a failover of the DB instance.",
    ]
    until(lambda: "standby" in whole.cluster.roles().values(), "a new standby", 30)
    until(lambda: whole.answers("replica"), "the replica endpoint", 10)
    assert whole.query("replica", "SELECT pg_is_in_recovery()") == [(True,)]


def test_an_instance_that_reboots_refuses_another_reboot(whole: Rig) -> None:
    whole.rds.reboot_db_instance(DBInstanceIdentifier=whole.layout.db_instance)
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        whole.rds.reboot_db_instance(DBInstanceIdentifier=whole.layout.db_instance, ForceFailover=True)
    whole.wait_for_status("available")


def test_a_reboot_restarts_the_server_where_it_is(whole: Rig) -> None:
    statement = "SELECT pg_postmaster_start_time()"
    before, name = whole.query("primary", statement), whole.cluster.primary().name
    whole.rds.reboot_db_instance(DBInstanceIdentifier=whole.layout.db_instance)
    whole.wait_for_status("available")
    assert whole.query("primary", statement) > before
    assert whole.cluster.primary().name == name


def test_without_a_standby_nothing_fails_over_and_an_event_says_so(whole: Rig) -> None:
    primary = whole.cluster.primary().name
    whole.cluster.standby().kill()
    whole.rds.reboot_db_instance(DBInstanceIdentifier=whole.layout.db_instance, ForceFailover=True)
    whole.wait_for_status("available")
    assert whole.messages()[-1] == "Unable to fail over: the Multi-AZ standby is not available."
    assert whole.cluster.primary().name == primary
    assert whole.answers("primary")


def test_a_single_az_instance_has_nothing_to_fail_over_to(rig: Rig) -> None:
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        rig.rds.reboot_db_instance(DBInstanceIdentifier=rig.layout.db_read_replica, ForceFailover=True)


def test_an_action_that_fails_shows_in_the_events(whole: Rig) -> None:
    primary = whole.cluster.primary()
    aside = primary.data.with_name("aside")
    primary.kill()
    primary.data.rename(aside)
    try:
        whole.rds.reboot_db_instance(DBInstanceIdentifier=whole.layout.db_instance)
        whole.wait_for_status("available")
        assert whole.messages()[-1].startswith("The reboot did not complete: database node")
    finally:
        aside.rename(primary.data)


def test_a_promoted_replica_takes_writes_and_the_old_primary_is_left_alone(whole: Rig) -> None:
    layout = whole.layout
    answer = whole.rds.promote_read_replica(DBInstanceIdentifier=layout.db_read_replica)
    assert answer["DBInstance"]["DBInstanceStatus"] == "modifying"
    whole.wait_for_status("available", layout.db_read_replica)
    for endpoint in ("replica", "primary"):
        whole.query(endpoint, "CREATE TABLE promoted (x int)")  # both are writable now, and neither waits for the other
    assert "ReadReplicaSourceDBInstanceIdentifier" not in whole.instance(layout.db_read_replica)
    assert layout.db_read_replica not in whole.instance()["ReadReplicaDBInstanceIdentifiers"]
    with pytest.raises(ClientError, match="not a read replica"):
        whole.rds.promote_read_replica(DBInstanceIdentifier=layout.db_read_replica)
    for endpoint in ("replica", "primary"):
        whole.query(endpoint, "DROP TABLE promoted")


def test_the_dr_replica_has_no_server_and_is_promoted_on_paper(whole: Rig) -> None:
    rds = whole.client("rds", whole.layout.dr_region)
    rds.promote_read_replica(DBInstanceIdentifier="dhakacart-lab-dr-replica")

    def promoted() -> bool:
        found = rds.describe_db_instances()["DBInstances"][0]
        return found["DBInstanceStatus"] == "available" and "ReadReplicaSourceDBInstanceIdentifier" not in found

    until(promoted, "the promotion", 5)
    assert len(whole.instance()["ReadReplicaDBInstanceIdentifiers"]) == 1
