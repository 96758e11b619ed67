# SPDX-License-Identifier: GPL-3.0-or-later
"""DhakaCart's network, databases and secrets in AWS, as its Terraform would leave them.

These exist before the component answers; :mod:`.seed_rest` holds what is created when somebody first asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..layout import Layout
from .inprocess import InProcess
from .network import DATABASE_PORT, ZONES, seed_network


@dataclass
class Seed:
    """What seeding needs and learns.

    :ivar engine_version: of PostgreSQL. The platform pins 15.4; the lab reports the server that it really runs, for a
        report that contradicts ``show server_version`` would send its reader after a difference that is not there.
    :ivar ids: logical name -> id or ARN of what was created, e.g. ``vpc``, ``subnet-db-a``, ``sg-rds``, ``dr-vpc``.
    """

    layout: Layout
    aws: InProcess
    engine_version: str
    ids: dict[str, str] = field(default_factory=dict)

    def client(self, service: str, *, dr: bool = False) -> Any:
        return self.aws.client(service, self.layout.dr_region if dr else self.layout.region)

    def name(self, suffix: str) -> str:
        return f"{self.layout.prefix}-{suffix}"

    def tags(self, name: str) -> dict[str, str]:
        says = self.layout.identity
        return {
            "Name": name,
            "Project": "dhakacart",
            "Environment": says["environment"],
            "ManagedBy": "terraform",
            "Drillable": says["drillable"],
            "LabId": says["lab_id"],
        }

    def tag_list(self, name: str) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in self.tags(name).items()]

    def subnets(self, tier: str) -> list[str]:
        return [self.ids[f"subnet-{tier}-{zone}"] for zone in ZONES]


def seed_core(seed: Seed) -> None:
    """Create network, security groups, RDS and secrets. Called once, on empty backends."""
    seed_network(seed)
    _rds(seed)
    _rds_dr(seed)
    _secrets(seed)


PARAMETERS = {
    "shared_preload_libraries": ("pg_stat_statements", "pending-reboot"),
    "max_connections": ("200", "pending-reboot"),
    "log_min_duration_statement": ("1000", "immediate"),
    "log_statement": ("all", "immediate"),
    "log_connections": ("1", "immediate"),
    "log_disconnections": ("1", "immediate"),
}


def _rds(seed: Seed) -> None:
    rds, layout = seed.client("rds"), seed.layout
    rds.create_db_subnet_group(
        DBSubnetGroupName=seed.name("db-subnet-group"),
        DBSubnetGroupDescription="DhakaCart database subnets",
        SubnetIds=seed.subnets("db"),
    )
    rds.create_db_parameter_group(
        DBParameterGroupName=seed.name("postgresql-params"),
        DBParameterGroupFamily=f"postgres{seed.engine_version.split('.')[0]}",
        Description="DhakaCart PostgreSQL",
    )
    rds.modify_db_parameter_group(
        DBParameterGroupName=seed.name("postgresql-params"),
        Parameters=[
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
            for name, (value, method) in PARAMETERS.items()
        ],
    )
    # No option group: moto knows none newer than PostgreSQL 13's.
    rds.create_db_instance(
        DBInstanceIdentifier=layout.db_instance,
        Engine="postgres",
        EngineVersion=seed.engine_version,
        DBInstanceClass="db.t3.micro",
        StorageType="gp3",
        Iops=3000,  # what AWS reports for gp3 below 400 GiB
        StorageThroughput=125,
        AllocatedStorage=20,
        MaxAllocatedStorage=100,
        StorageEncrypted=True,
        KmsKeyId=f"alias/{seed.name('rds')}",
        MultiAZ=True,
        DBName=layout.database,
        MasterUsername=layout.admin_user,
        MasterUserPassword=layout.secret("db-admin"),
        Port=DATABASE_PORT,
        PubliclyAccessible=False,
        BackupRetentionPeriod=30,
        PreferredBackupWindow="03:00-04:00",
        PreferredMaintenanceWindow="sun:04:00-sun:05:00",
        DBSubnetGroupName=seed.name("db-subnet-group"),
        DBParameterGroupName=seed.name("postgresql-params"),
        VpcSecurityGroupIds=[seed.ids["sg-rds"]],
        EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        MonitoringInterval=60,
        MonitoringRoleArn=f"arn:aws:iam::{layout.account}:role/{seed.name('rds-monitoring-role')}",
        EnablePerformanceInsights=True,
        PerformanceInsightsRetentionPeriod=7,
        AutoMinorVersionUpgrade=True,
        CopyTagsToSnapshot=True,
        DeletionProtection=True,  # Terraform sets it for prod; the lab stands in for prod
        Tags=seed.tag_list(layout.db_instance),
    )


def _rds_dr(seed: Seed) -> None:
    rds, layout = seed.client("rds", dr=True), seed.layout
    rds.create_db_subnet_group(
        DBSubnetGroupName=seed.name("dr-db-subnet-group"),
        DBSubnetGroupDescription="DhakaCart DR database subnets",
        SubnetIds=[seed.ids[f"dr-subnet-db-{zone}"] for zone in ZONES],
    )
    # rds.py makes it a replica: moto copies one from its source, region and all.
    rds.create_db_instance(
        DBInstanceIdentifier=seed.name("dr-replica"),
        Engine="postgres",
        EngineVersion=seed.engine_version,
        DBInstanceClass="db.t3.micro",
        StorageType="gp3",
        Iops=3000,  # what AWS reports for gp3 below 400 GiB
        StorageThroughput=125,
        AllocatedStorage=20,
        MaxAllocatedStorage=100,
        StorageEncrypted=True,
        KmsKeyId=f"alias/{seed.name('dr-rds')}",
        MultiAZ=False,
        DBName=layout.database,
        MasterUsername=layout.admin_user,
        MasterUserPassword=layout.secret("db-admin"),
        Port=DATABASE_PORT,
        PubliclyAccessible=False,
        BackupRetentionPeriod=30,
        PreferredBackupWindow="05:00-06:00",
        PreferredMaintenanceWindow="sun:06:00-sun:07:00",
        DBSubnetGroupName=seed.name("dr-db-subnet-group"),
        VpcSecurityGroupIds=[seed.ids["dr-sg-rds"]],
        EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        Tags=seed.tag_list(seed.name("dr-replica")),
    )


def database_secret(layout: Layout, password: str) -> dict[str, Any]:
    """The value of ``PFX-db-credentials``: what External Secrets would hand the shop."""
    endpoint = layout.endpoints["primary"]
    return {
        "host": endpoint.host,
        "port": endpoint.port,
        "dbname": layout.database,
        "username": layout.app_user,
        "password": password,
    }


def _secrets(seed: Seed) -> None:
    layout, manager = seed.layout, seed.client("secretsmanager")
    values: dict[str, Callable[[], dict[str, Any]]] = {
        "db-credentials": lambda: database_secret(layout, layout.secret("db-app")),
        "redis-credentials": lambda: {
            "host": layout.redis.host,
            "port": layout.redis.port,
            "password": layout.secret("redis-token"),
        },
        # The application's other secrets; nothing in the lab reads them.
        "app-secrets": lambda: {"jwt_secret": layout.lab_id, "session_secret": layout.lab_id},
    }
    for suffix, value in values.items():
        manager.create_secret(
            Name=seed.name(suffix), SecretString=json.dumps(value()), Tags=seed.tag_list(seed.name(suffix))
        )
