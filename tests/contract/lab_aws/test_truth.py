# SPDX-License-Identifier: GPL-3.0-or-later
"""Statuses, metrics, logs and security groups follow what really is, and survive the component."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from dhakacart_lab import process
from dhakacart_lab.layout import LabError

from .rig import Rig, until


def latest(rig: Rig, metric: str, identifier: str) -> float | None:
    now = datetime.now(UTC)
    points = rig.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/RDS",
        MetricName=metric,
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": identifier}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(seconds=1),
        Period=1,
        Statistics=["Maximum"],
    )["Datapoints"]
    return max(points, key=lambda point: point["Timestamp"])["Maximum"] if points else None


def replication(rig: Rig) -> str:
    infos = rig.instance(rig.layout.db_read_replica).get("StatusInfos", [])
    return infos[0]["Status"] if infos else ""


def test_a_full_disk_is_storage_full_until_it_is_grown(whole: Rig) -> None:
    primary, identifier = whole.cluster.primary(), whole.layout.db_instance
    if not primary.disk_can_fill:
        pytest.skip(f"the disk of the database cannot be filled here: {primary.disk_reason}")
    size = primary.disk()[0]
    primary.fill_disk()
    whole.wait_for_status("storage-full", timeout=10)
    assert any("Allocated storage has been exhausted" in message for message in whole.messages())
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        whole.rds.reboot_db_instance(DBInstanceIdentifier=identifier)
    with pytest.raises(ClientError, match="at least 10 percent"):
        whole.rds.modify_db_instance(DBInstanceIdentifier=identifier, AllocatedStorage=21, ApplyImmediately=True)
    pending = whole.rds.modify_db_instance(DBInstanceIdentifier=identifier, AllocatedStorage=40)["DBInstance"]
    assert (pending["AllocatedStorage"], pending["PendingModifiedValues"]) == (20, {"AllocatedStorage": 40})
    whole.rds.modify_db_instance(DBInstanceIdentifier=identifier, AllocatedStorage=40, ApplyImmediately=True)
    whole.wait_for_status("storage-optimization")
    whole.wait_for_status("available")
    after = whole.instance()
    assert after["AllocatedStorage"] == 40
    assert not after.get("PendingModifiedValues")
    assert primary.disk()[0] == 2 * size


def test_metrics_come_from_the_servers(rig: Rig) -> None:
    primary, replica = rig.layout.db_instance, rig.layout.db_read_replica
    until(lambda: latest(rig, "ReplicaLag", replica) is not None, "a data point", 15)
    assert 0 <= (latest(rig, "ReplicaLag", replica) or 0) < 60
    until(lambda: 0 < (latest(rig, "FreeStorageSpace", primary) or 0) < 20 * 1024**3, "free space within 20 GiB", 15)
    assert latest(rig, "DatabaseConnections", primary) is not None


def test_a_dead_replica_shows_in_its_status_and_events(whole: Rig) -> None:
    until(lambda: replication(whole) == "replicating", "replication", 15)
    whole.cluster.standby().kill()
    until(lambda: replication(whole) == "error", "the broken replication", 15)
    assert whole.messages(whole.layout.db_read_replica)[-1] == "Replication has stopped."
    whole.cluster.standby().start()
    until(lambda: replication(whole) == "replicating", "replication again", 20)
    assert whole.messages(whole.layout.db_read_replica)[-1] == "Replication for the Read Replica resumed."


def test_the_server_log_can_be_read_through_the_api(rig: Rig) -> None:
    identifier = rig.layout.db_instance
    with pytest.raises(Exception, match="no_such_table"):
        rig.query("primary", "SELECT * FROM no_such_table")
    files = rig.rds.describe_db_log_files(DBInstanceIdentifier=identifier)["DescribeDBLogFiles"]
    assert files[0]["Size"] > 0
    portion = rig.rds.download_db_log_file_portion(
        DBInstanceIdentifier=identifier, LogFileName=files[0]["LogFileName"], NumberOfLines=20
    )
    assert "no_such_table" in portion["LogFileData"]
    with pytest.raises(ClientError, match="DBLogFileNotFoundFault"):
        rig.rds.download_db_log_file_portion(DBInstanceIdentifier=identifier, LogFileName="../credentials/db-admin")


def test_events_are_asked_by_time_and_category(rig: Rig) -> None:
    def ask(**options: object) -> list[str]:
        answer = rig.rds.describe_events(SourceType="db-instance", SourceIdentifier=rig.layout.db_instance, **options)
        return [event["Message"] for event in answer["Events"]]

    assert "DB instance created" in ask(Duration=60, EventCategories=["creation"])
    assert ask(EventCategories=["low storage"]) == [
        message for message in ask() if message.startswith("Allocated storage")
    ]
    assert ask(StartTime=datetime.now(UTC) - timedelta(days=2), EndTime=datetime.now(UTC) - timedelta(days=1)) == []
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        rig.rds.describe_events(SourceIdentifier=rig.layout.db_instance)


def test_a_wrong_security_group_cuts_the_database_off(whole: Rig) -> None:
    ec2, (group,) = whole.client("ec2"), whole.database_groups()
    rules = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules)
    assert not whole.answers("primary")
    elsewhere = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "192.168.0.0/16"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[elsewhere])
    assert not whole.answers("primary")
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
    assert whole.answers("primary")
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_security_group(GroupId=group)


def test_what_changed_survives_a_kill_and_a_reset_undoes_it(whole: Rig) -> None:
    first = whole.aws.facts_digest()
    manager, name = whole.client("secretsmanager"), "dhakacart-lab-db-credentials"
    manager.put_secret_value(SecretId=name, SecretString=json.dumps({"password": "changed"}))
    whole.rds.promote_read_replica(DBInstanceIdentifier=whole.layout.db_read_replica)
    whole.wait_for_status("available", whole.layout.db_read_replica)
    changed, said = whole.aws.facts_digest(), whole.messages()
    assert changed != first

    running = process.find(whole.layout, "aws")
    assert running is not None
    running.kill()
    begin = time.monotonic()
    whole.aws.up()
    assert time.monotonic() - begin < 15
    assert whole.aws.facts_digest() == changed
    assert whole.messages() == said
    assert json.loads(manager.get_secret_value(SecretId=name)["SecretString"]) == {"password": "changed"}
    previous = json.loads(manager.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")["SecretString"])
    assert previous["username"] == whole.layout.app_user

    whole.heal()
    assert whole.aws.facts_digest() == first


def test_a_state_file_that_is_none_is_named_and_an_action_cut_short_is_not_passed_over(rig: Rig) -> None:
    path = rig.layout.folder / "aws" / "state.json"
    rig.aws.down()
    state = json.loads(path.read_text(encoding="utf-8"))
    path.write_text("{", encoding="utf-8")
    with pytest.raises(LabError, match=r"state\.json.*remedy: remove"):
        rig.aws.up()

    state["now"]["rds"]["us-west-2"]["instances"][rig.layout.db_instance]["status"] = "rebooting"
    path.write_text(json.dumps(state), encoding="utf-8")
    rig.aws.up()
    assert rig.instance()["DBInstanceStatus"] == "available"
    assert "restarted while the instance was rebooting" in rig.messages()[-1]


def test_a_frozen_component_is_replaced_by_up(rig: Rig) -> None:
    frozen = process.find(rig.layout, "aws")
    assert frozen is not None
    frozen.suspend()
    assert "does not answer" in rig.aws.healthy()[0]
    rig.aws.up()
    assert rig.aws.healthy() == []
