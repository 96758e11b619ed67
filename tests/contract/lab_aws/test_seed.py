# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS holds before anybody did anything."""

from __future__ import annotations

import json
import stat
from typing import Any

import pytest

from .rig import Rig


def test_the_primary_is_as_terraform_makes_it(rig: Rig) -> None:
    instance = rig.instance()
    endpoint = rig.layout.endpoints["primary"]
    assert instance["Endpoint"]["Address"] == endpoint.host
    assert instance["Endpoint"]["Port"] == endpoint.port
    expected = {
        "DBInstanceStatus": "available",
        "MultiAZ": True,
        "DBInstanceClass": "db.t3.micro",
        "AllocatedStorage": 20,
        "MaxAllocatedStorage": 100,
        "BackupRetentionPeriod": 30,
        "PreferredBackupWindow": "03:00-04:00",
        "PreferredMaintenanceWindow": "sun:04:00-sun:05:00",
        "DeletionProtection": True,
        "StorageType": "gp3",
    }
    assert {key: instance[key] for key in expected} == expected
    assert instance["DBParameterGroups"][0]["DBParameterGroupName"] == "dhakacart-lab-postgresql-params"
    assert {instance["AvailabilityZone"], instance["SecondaryAvailabilityZone"]} == {"us-west-2a", "us-west-2b"}


def test_the_engine_version_is_that_of_the_server_that_runs(rig: Rig) -> None:
    said = rig.query("primary", "SHOW server_version")[0][0]
    assert rig.instance()["EngineVersion"] == said.split()[0]


def test_the_replicas_know_their_source(rig: Rig) -> None:
    layout = rig.layout
    replica = rig.instance(layout.db_read_replica)
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == layout.db_instance
    assert replica["Endpoint"]["Address"] == layout.endpoints["replica"].host
    remote = rig.client("rds", layout.dr_region).describe_db_instances()["DBInstances"]
    assert [instance["DBInstanceIdentifier"] for instance in remote] == ["dhakacart-lab-dr-replica"]
    primary = rig.instance()
    assert remote[0]["ReadReplicaSourceDBInstanceIdentifier"] == primary["DBInstanceArn"]
    assert set(primary["ReadReplicaDBInstanceIdentifiers"]) == {layout.db_read_replica, remote[0]["DBInstanceArn"]}
    assert len({instance["DbiResourceId"] for instance in (primary, replica, *remote)}) == 3


def test_there_is_a_recent_automated_and_a_manual_snapshot(rig: Rig) -> None:
    snapshots = rig.rds.describe_db_snapshots(DBInstanceIdentifier=rig.layout.db_instance)["DBSnapshots"]
    assert {snapshot["SnapshotType"] for snapshot in snapshots} == {"automated", "manual"}
    assert all(snapshot["Status"] == "available" for snapshot in snapshots)


def test_the_database_secret_opens_the_database(rig: Rig) -> None:
    import psycopg

    value = rig.client("secretsmanager").get_secret_value(SecretId="dhakacart-lab-db-credentials")["SecretString"]
    secret = json.loads(value)
    assert set(secret) == {"host", "port", "dbname", "username", "password"}
    with psycopg.connect(
        host=secret["host"],
        port=secret["port"],
        dbname=secret["dbname"],
        user=secret["username"],
        password=secret["password"],
        connect_timeout=3,
    ) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (rig.layout.app_user,)


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "expected"),
    [
        ("s3", "list_buckets", {}, "dhakacart-lab-database-backups-"),
        ("sns", "list_topics", {}, "dhakacart-lab-backup-notifications"),
        ("cloudwatch", "describe_alarms", {}, "dhakacart-lab-redis-evictions"),
        ("elasticache", "describe_replication_groups", {}, "dhakacart-lab-redis-002"),
        ("eks", "list_clusters", {}, "dhakacart-lab-cluster"),
        ("eks", "list_nodegroups", {"clusterName": "dhakacart-lab-cluster"}, "dhakacart-lab-node-group"),
        ("elbv2", "describe_load_balancers", {}, "dhakacart-alb"),
        ("route53", "list_hosted_zones", {}, "dhakacart.com."),
        ("acm", "list_certificates", {}, "*.dhakacart.com"),
        ("ecr", "describe_repositories", {}, "dhakacart-lab-backend"),
        ("iam", "list_roles", {}, "dhakacart-lab-operator-role"),
        ("logs", "describe_log_groups", {}, "/aws/rds/instance/dhakacart-lab-postgresql/postgresql"),
        ("kms", "list_aliases", {}, "alias/dhakacart-lab-rds"),
        ("events", "list_rules", {}, "dhakacart-lab-daily-backup"),
        ("wafv2", "list_web_acls", {"Scope": "REGIONAL"}, "dhakacart-lab-waf"),
        ("ec2", "describe_security_groups", {}, "dhakacart-lab-rds-sg"),
    ],
)
def test_a_service_is_filled_when_it_is_first_asked(
    rig: Rig, service: str, operation: str, arguments: dict[str, Any], expected: str
) -> None:
    found = getattr(rig.client(service), operation)(**arguments)
    assert expected in json.dumps(found, default=str)
    assert rig.aws.healthy() == []


def test_redis_is_known_by_its_real_address(rig: Rig) -> None:
    group = rig.client("elasticache").describe_replication_groups()["ReplicationGroups"][0]
    endpoint = group["NodeGroups"][0]["PrimaryEndpoint"]
    assert (endpoint["Address"], endpoint["Port"]) == (rig.layout.redis.host, rig.layout.redis.port)
    assert len(group["MemberClusters"]) == 2


def test_the_credentials_file_is_for_its_owner_only(rig: Rig) -> None:
    path = rig.layout.aws_credentials
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text(encoding="utf-8").startswith("[default]\n")


def test_moto_cannot_be_reset_under_the_lab(rig: Rig) -> None:
    import urllib.error
    import urllib.request

    request = urllib.request.Request(f"http://{rig.layout.aws}/moto-api/reset", method="POST")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(request, timeout=3)
    assert rig.instance()["DBInstanceStatus"] == "available"
