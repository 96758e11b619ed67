# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab under test, and what tests do with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
from dhakacart_lab import edge
from dhakacart_lab.aws import Aws, client
from dhakacart_lab.layout import Layout
from dhakacart_lab.postgres.cluster import Cluster


class Rig:
    """The lab under test and the few things tests do with it."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.aws = Aws(layout)
        self.cluster = Cluster(layout)

    def client(self, service: str, region: str | None = None) -> Any:
        return client(self.layout, service, region)

    @property
    def rds(self) -> Any:
        return self.client("rds")

    def instance(self, identifier: str | None = None) -> dict[str, Any]:
        found = self.rds.describe_db_instances(DBInstanceIdentifier=identifier or self.layout.db_instance)
        return dict(found["DBInstances"][0])

    def wait_for_status(self, status: str, identifier: str | None = None, timeout: float = 30) -> None:
        until(lambda: self.instance(identifier)["DBInstanceStatus"] == status, f"status {status}", timeout)

    def messages(self, identifier: str | None = None, since: int = 0) -> list[str]:
        found = self.rds.describe_events(
            SourceType="db-instance", SourceIdentifier=identifier or self.layout.db_instance, Duration=60
        )
        return [event["Message"] for event in found["Events"]][since:]

    def query(self, endpoint: str, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as a client of an endpoint would."""
        with psycopg.connect(
            host=self.layout.endpoints[endpoint].host,
            user=self.layout.admin_user,
            password=self.layout.secret("db-admin"),
            dbname=self.layout.database,
            connect_timeout=2,
            autocommit=True,
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def answers(self, endpoint: str) -> bool:
        try:
            return self.query(endpoint, "SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            return False

    def database_groups(self) -> list[str]:
        return [group["VpcSecurityGroupId"] for group in self.instance()["VpcSecurityGroups"]]

    def heal(self) -> None:
        """What the lab's heal does, as far as the database goes."""
        self.cluster.reset()
        for endpoint, node in (("primary", self.cluster.primary()), ("replica", self.cluster.standby())):
            edge.set_mode(self.layout, endpoint, "forward")
            edge.point(self.layout, endpoint, node.name)
        self.aws.reset()


def until(true: Callable[[], bool], what: str, timeout: float = 30) -> None:
    end = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < end, f"{what}: not within {timeout} s"
        time.sleep(0.05)
