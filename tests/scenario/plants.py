# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill might leave behind, one of each class: how it is planted, how it goes away, and the words that name it.

A plant without an ``undo`` is one that ``heal`` must put back.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from dhakacart_lab import edge, process
from dhakacart_lab.aws import client
from dhakacart_lab.faults.state import ActiveFault, forget, record
from dhakacart_lab.lab import Lab

BACKEND, HPA, NAMESPACE = "dhakacart-backend", "dhakacart-backend-hpa", "dhakacart"
Do = Callable[[Lab], object]


@dataclass(frozen=True)
class Plant:
    do: Do
    words: tuple[str, ...]
    undo: Do | None = None


held: dict[str, Any] = {}  # what must stay open while it is planted


def execute(*statements: str, standby: bool = False) -> Do:
    def do(lab: Lab) -> None:
        with lab.cluster.connect(lab.cluster.standby().name if standby else None) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    return do


def patch(resource: str, name: str, change: dict[str, Any], namespace: str | None = NAMESPACE) -> Do:
    return lambda lab: lab.kubernetes.api.patch(resource, name, change, namespace=namespace)


def create(obj: dict[str, Any]) -> Do:
    return lambda lab: lab.kubernetes.api.create(obj)


def delete(resource: str, name: str) -> Do:
    return lambda lab: lab.kubernetes.api.delete(resource, name, namespace=NAMESPACE, grace=0)


def rds(call: str, **arguments: Any) -> Do:
    def do(lab: Lab) -> None:
        filled = {key: value.format(prefix=lab.layout.prefix) if isinstance(value, str) else value
                  for key, value in arguments.items()}  # fmt: skip
        getattr(client(lab.layout, "rds"), call)(**filled)

    return do


def keep_open(lab: Lab, statement: str, seconds: float = 0.0) -> None:
    connection = psycopg.connect(
        host=lab.cluster.primary().address.host, port=5432, dbname=lab.layout.database, user=lab.layout.admin_user,
        password=lab.layout.secret("db-admin"), application_name="left-behind",
    )  # fmt: skip
    connection.execute(statement.encode())
    held["session"] = connection
    time.sleep(seconds)


def hang_up(_lab: Lab) -> None:
    held.pop("session").close()
    time.sleep(0.3)


def stray(lab: Lab) -> None:
    held["process"] = subprocess.Popen(["sleep", "600"], env=process.environment(lab.layout))
    time.sleep(0.2)


def end_stray(_lab: Lab) -> None:
    held["process"].kill()
    held.pop("process").wait()


def signal_component(component: str, number: signal.Signals) -> Do:
    def do(lab: Lab) -> None:
        found = process.find(lab.layout, component)
        assert found is not None
        found.send_signal(number)
        time.sleep(0.3)

    return do


def redis(*command: str) -> Do:
    def do(lab: Lab) -> None:
        import redis as driver

        where = lab.layout.redis
        with driver.Redis(host=where.host, port=where.port, password=lab.layout.secret("redis-token")) as connection:
            connection.execute_command(*command)

    return do


def spoil_credential(lab: Lab) -> None:
    path = lab.layout.credentials / "db-replication"
    held["credential"] = path.read_text()
    path.write_text("another")


def mend_credential(lab: Lab) -> None:
    (lab.layout.credentials / "db-replication").write_text(held.pop("credential"))


def another_secret(lab: Lab) -> None:
    manager = client(lab.layout, "secretsmanager")
    name = f"{lab.layout.prefix}-db-credentials"
    value = json.loads(manager.get_secret_value(SecretId=name)["SecretString"])
    manager.put_secret_value(SecretId=name, SecretString=json.dumps({**value, "host": "127.0.0.1"}))


def revoke_rule(lab: Lab) -> None:
    ec2 = client(lab.layout, "ec2")
    (group,) = ec2.describe_security_groups(
        Filters=[{"Name": "group-name", "Values": [f"{lab.layout.prefix}-rds-sg"]}]
    )["SecurityGroups"]  # fmt: skip
    ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"], IpProtocol="tcp", FromPort=5432, ToPort=5432, CidrIp="10.9.0.0/16"
    )


def change_password(lab: Lab) -> None:
    lab.cluster.set_password("app", "another")


def mount(lab: Lab) -> None:
    folder = lab.layout.folder / "left"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "left", str(folder)], check=True)


def unmount(lab: Lab) -> None:
    folder = lab.layout.folder / "left"
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def file_in(*path: str) -> Do:
    return lambda lab: lab.layout.folder.joinpath(*path).touch()


def no_file_in(*path: str) -> Do:
    return lambda lab: lab.layout.folder.joinpath(*path).unlink()


CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "left", "namespace": NAMESPACE}}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "left", "namespace": NAMESPACE},
    "spec": {
        "nodeSelector": {"no": "such-node"},
        "containers": [{"name": "left", "image": "dhakacart/backend:1.0.0"}],
    },
}
HOLD = {
    "metadata": {"annotations": {"runbooks.dhakacart.com/held-bounds": "{}"}},
    "spec": {"minReplicas": 3, "maxReplicas": 3},
}
RESTART = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}

PLANTS = {
    "a restart annotation": Plant(
        patch("deployments", BACKEND, RESTART), (f"deployment dhakacart/{BACKEND}", "restartedAt")
    ),
    "an annotation": Plant(
        patch("deployments", BACKEND, {"metadata": {"annotations": {"x": "1"}}}), (BACKEND, "annotation", "left behind")
    ),
    "a held autoscaler": Plant(
        patch("horizontalpodautoscalers", HPA, HOLD), ("held-bounds", "maxReplicas: was 50, is 3")
    ),
    "a value in a Secret": Plant(
        patch("secrets", "dhakacart-secrets", {"stringData": {"log-level": "debug"}}), ("secret dhakacart", "digest")
    ),
    "a label of the namespace": Plant(
        patch("namespaces", NAMESPACE, {"metadata": {"labels": {"dhakacart.com/environment": "prod"}}}, None),
        ("namespace dhakacart", "was lab, is prod"),
    ),
    "a cordoned node": Plant(
        patch("nodes", "lab-node-1", {"spec": {"unschedulable": True}}, None), ("node", "unschedulable")
    ),
    "a ConfigMap": Plant(create(CONFIG_MAP), ("configmap dhakacart/left",), delete("configmaps", "left")),
    "a pod of nobody": Plant(create(POD), ("pods dhakacart/left (of nobody)",), delete("pods", "left")),
    "a snapshot": Plant(
        rds("create_db_snapshot", DBSnapshotIdentifier="left", DBInstanceIdentifier="{prefix}-postgresql"),
        ("RDS snapshots in us-west-2", "left was left behind"),
    ),
    "an instance": Plant(
        rds(
            "create_db_instance",
            DBInstanceIdentifier="{prefix}-postgresql-failed",
            DBInstanceClass="db.t3.micro",
            Engine="postgres",
            AllocatedStorage=20,
            MasterUsername="x",
            MasterUserPassword="12345678",
        ),
        ("RDS instance dhakacart-lab-postgresql-failed",),
    ),
    "a parameter": Plant(
        rds(
            "modify_db_parameter_group",
            DBParameterGroupName="{prefix}-postgresql-params",
            Parameters=[{"ParameterName": "work_mem", "ParameterValue": "1", "ApplyMethod": "immediate"}],
        ),
        ("RDS parameter groups", "work_mem"),
    ),
    "a secret in AWS": Plant(another_secret, ("Secrets Manager secret", "db-credentials")),
    "a rule of the security group": Plant(revoke_rule, ("security group of the database", "10.9.0.0/16")),
    "a setting": Plant(execute("ALTER SYSTEM SET work_mem = '1MB'"), ("primary", "ALTER SYSTEM", "work_mem")),
    "a setting of the standby": Plant(
        execute("ALTER SYSTEM SET work_mem = '1MB'", standby=True), ("standby", "work_mem")
    ),
    "a setting of a role": Plant(execute("ALTER ROLE dhakacart SET work_mem = '1MB'"), ("set for", "work_mem=1MB")),
    "a role": Plant(
        execute("CREATE ROLE left_behind LOGIN"), ("database roles", "left_behind"), execute("DROP ROLE left_behind")
    ),
    "a right of a role": Plant(
        execute("ALTER ROLE dhakacart CREATEDB"),
        ("database roles", "createdb"),
        execute("ALTER ROLE dhakacart NOCREATEDB"),
    ),
    "a password": Plant(change_password, ("database roles", "another password than the lab's")),
    "a database": Plant(
        execute("CREATE DATABASE left_behind"), ("databases", "left_behind"), execute("DROP DATABASE left_behind")
    ),
    "a schema": Plant(
        execute("CREATE SCHEMA left_behind"), ("schema", "left_behind"), execute("DROP SCHEMA left_behind")
    ),
    "a table": Plant(
        execute("CREATE TABLE left_behind (id int)"), ("table left_behind",), execute("DROP TABLE left_behind")
    ),
    "an index": Plant(
        execute("CREATE INDEX left_behind ON orders (user_id)"),
        ("index left_behind",),
        execute("DROP INDEX left_behind"),
    ),
    "an extension": Plant(
        execute("UPDATE pg_extension SET extversion = '0' WHERE extname = 'plpgsql'"),
        ("extension", "plpgsql", "was 1.0, is 0"),
        execute("UPDATE pg_extension SET extversion = '1.0' WHERE extname = 'plpgsql'"),
    ),
    "a replication slot": Plant(
        execute("SELECT pg_create_physical_replication_slot('left_behind')"),
        ("replication slots", "left_behind"),
        execute("SELECT pg_drop_replication_slot('left_behind')"),
    ),
    "a row": Plant(
        execute("UPDATE products SET name = name || '!' WHERE id = 1"),
        ("database rows", "products"),
        execute("UPDATE products SET name = rtrim(name, '!') WHERE id = 1"),
    ),
    "a sequence behind its table": Plant(
        execute("SELECT setval('categories_id_seq', 1)"),
        ("categories_id_seq", "at 1, its table at 5"),
        execute("SELECT setval('categories_id_seq', 5)"),
    ),
    "a session": Plant(lambda lab: keep_open(lab, "SELECT 1"), ("database sessions", "left-behind"), hang_up),
    "a lock": Plant(
        lambda lab: keep_open(lab, "LOCK TABLE users IN SHARE MODE", 6), ("more than 5 s", "users ShareLock"), hang_up
    ),
    "an advisory lock": Plant(
        lambda lab: keep_open(lab, "SELECT pg_advisory_lock(7)"), ("database locks", "0:7"), hang_up
    ),
    "a paused replay": Plant(execute("SELECT pg_wal_replay_pause()", standby=True), ("standby", "replay paused")),
    "a full disk": Plant(
        lambda lab: lab.cluster.primary().fill_disk(64 * 1024 * 1024), ("disk of the primary", "% used", "ballast")
    ),
    "a disk that grew": Plant(
        lambda lab: lab.cluster.standby().resize_disk(600 * 1024 * 1024), ("disk of the standby", "bytes")
    ),
    "a cut network": Plant(
        lambda lab: edge.set_mode(lab.layout, "replica", "drop"), ("endpoint replica", "mode: was forward")
    ),
    "an endpoint elsewhere": Plant(
        lambda lab: edge.point(lab.layout, "replica", lab.cluster.primary().name),
        ("endpoint replica", "was the standby, is the primary"),
    ),
    "a process": Plant(stray, ("processes", "stray", "sleep 600"), end_stray),
    "a frozen process": Plant(signal_component("webhook", signal.SIGSTOP), ("processes", "frozen", "webhook")),
    "a dead process": Plant(signal_component("webhook", signal.SIGKILL), ("processes", "component webhook")),
    "a mount": Plant(mount, ("mounts", "/left tmpfs"), unmount),
    "a file": Plant(file_in("postgres", "left"), ("files", "left"), no_file_in("postgres", "left")),
    "a credential": Plant(spoil_credential, ("credentials", "db-replication"), mend_credential),
    "a fault on record": Plant(
        lambda lab: record(lab.layout, ActiveFault("left", "c", time.time(), time.time() + 600)),
        ("faults on record", "left"),
        lambda lab: forget(lab.layout, "left"),
    ),
    "a setting of Redis": Plant(
        redis("CONFIG", "SET", "maxmemory", "1mb"), ("redis", "maxmemory"), redis("CONFIG", "SET", "maxmemory", "64mb")
    ),
    "a key in Redis": Plant(redis("SET", "left", "1"), ("redis", "key", "left"), redis("DEL", "left")),
}
NEEDS_ROOT = frozenset({"a mount", "a full disk", "a disk that grew"})


def can_be_planted(name: str) -> bool:
    return name not in NEEDS_ROOT or os.geteuid() == 0
