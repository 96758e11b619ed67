# SPDX-License-Identifier: GPL-3.0-or-later
"""The reads of ``platform_facts`` by one plain Python process: the baseline that Ansible is measured against.

Two ways, chosen by the first argument; the benchmark takes the faster one, so that neither a clumsy script nor a clumsy
collection makes the ratio look good. (It is ``collection``: the typed clients spend longer on their models.)

``clients``
    As an engineer would write it without the collection: threads, and the official Kubernetes client, boto3, psycopg,
    redis and urllib3, each imported in the thread that needs it, so that imports and answers overlap. The same API
    calls, and the same SQL statements, taken from the collection so that the servers do the same work. No judgement.
``collection``
    The collection's own ``read_platform``, called directly: it also trims and judges what it reads.

The second argument is a JSON file with the value of ``dhakacart_systems``. Prints what failed, as JSON; exit code 1 if
anything did.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Options = Mapping[str, Any]


def http(options: Options) -> None:
    """Four endpoints of the shop, at the same time."""
    import urllib3

    pool = urllib3.PoolManager(timeout=options["timeout"], retries=False, maxsize=4)
    paths = [options[name] for name in ("ready_path", "live_path", "health_path", "products_path")]
    at_once(lambda path=path: pool.request("GET", options["url"] + path).json() for path in paths)


def kubernetes(options: Options) -> None:
    """The backend and what surrounds it, at the same time; then the logs of pods that are not ready."""
    from kubernetes import client, config

    configuration = client.Configuration()
    config.load_kube_config(options["kubeconfig"], client_configuration=configuration, persist_config=False)
    api = client.ApiClient(configuration)
    where = {"namespace": options["namespace"], "_request_timeout": options["timeout"]}
    core = client.CoreV1Api(api)
    client.VersionApi(api).get_code(_request_timeout=options["timeout"])

    def pods() -> None:
        for pod in core.list_namespaced_pod(label_selector=options["selector"], limit=500, **where).items:
            if not any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions):
                core.read_namespaced_pod_log(pod.metadata.name, tail_lines=200, **where)

    slices = f"kubernetes.io/service-name={options['service']}"
    at_once(
        (
            pods,
            lambda: client.AppsV1Api(api).read_namespaced_deployment(options["deployment"], **where),
            lambda: core.read_namespaced_service(options["service"], **where),
            lambda: client.DiscoveryV1Api(api).list_namespaced_endpoint_slice(label_selector=slices, **where),
            lambda: client.AutoscalingV2Api(api).read_namespaced_horizontal_pod_autoscaler(options["hpa"], **where),
            lambda: client.PolicyV1Api(api).read_namespaced_pod_disruption_budget(options["pdb"], **where),
            lambda: core.list_namespaced_event(field_selector="type=Warning", limit=500, **where),
            lambda: core.read_namespaced_secret(options["secret"], **where),
        )
    )


def postgresql(options: Options) -> None:
    """Primary and standby, at the same time, a session each."""
    at_once(
        (
            lambda: server(options, options["host"], options["port"]),
            lambda: server(options, options["replica_host"], options["replica_port"]),
        )
    )


def server(options: Options, host: str, port: int) -> None:
    """One PostgreSQL server: the statements of the collection."""
    import psycopg
    from ansible_collections.dhakacart.runbooks.plugins.module_utils.postgresql import queries as sql

    settings = {name: options[name] for name in ("dbname", "user", "passfile", "sslmode")}
    with psycopg.connect(
        host=host, port=port, connect_timeout=options["timeout"], autocommit=True, **settings
    ) as session:
        row = session.execute(sql.SERVER.encode()).fetchone()
        standby = row is not None and row[0]
        role = (sql.RECEIVER, sql.RECOVERY) if standby else (sql.STANDBYS, sql.ARCHIVER)
        sessions = sql.SESSIONS.replace("{application}", "benchmark")
        for statement in (
            sql.SETTINGS,
            sessions,
            sql.CONTROL,
            sql.SLOTS,
            *role,
            sql.DATABASE,
            sql.ROLE_SETTINGS,
            sql.WAL_SIZE,
        ):
            session.execute(statement.encode()).fetchall()


def rds(options: Options) -> None:
    """The instance, then all that surrounds it, at the same time."""
    import boto3
    import botocore.config
    import botocore.session

    core = botocore.session.Session()
    core.set_config_variable("credentials_file", options["credentials_file"])
    session = boto3.Session(botocore_session=core, region_name=options["region"])
    config = botocore.config.Config(
        connect_timeout=options["timeout"],
        read_timeout=options["timeout"],
        retries={"total_max_attempts": 1},
        max_pool_connections=10,
        parameter_validation=False,
    )
    make = {"endpoint_url": options["endpoint_url"] or None, "config": config}
    database = session.client("rds", **make)
    instance, replica = options["instance"], options["replica"]
    found = database.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    groups = [group["VpcSecurityGroupId"] for group in found["VpcSecurityGroups"]]
    # Making a client is not thread-safe.
    metrics, network, secrets = (session.client(name, **make) for name in ("cloudwatch", "ec2", "secretsmanager"))
    now = datetime.now(UTC)

    def metric_data(name: str, *wanted: str) -> None:
        dimensions = [{"Name": "DBInstanceIdentifier", "Value": name}]
        queries = [
            {
                "Id": f"m{index}",
                "MetricStat": {
                    "Metric": {"Namespace": "AWS/RDS", "MetricName": metric, "Dimensions": dimensions},
                    "Period": 60,
                    "Stat": "Average",
                },
            }
            for index, metric in enumerate(wanted)
        ]
        metrics.get_metric_data(MetricDataQueries=queries, StartTime=now - timedelta(hours=1), EndTime=now)

    at_once(
        (
            lambda: database.describe_db_instances(DBInstanceIdentifier=replica),
            lambda: database.describe_events(SourceIdentifier=instance, SourceType="db-instance", Duration=60),
            lambda: database.describe_db_snapshots(DBInstanceIdentifier=instance),
            lambda: metric_data(
                instance, "FreeStorageSpace", "DatabaseConnections", "CPUUtilization", "FreeableMemory"
            ),
            lambda: metric_data(replica, "ReplicaLag"),
            lambda: network.describe_security_groups(GroupIds=groups),
            lambda: secrets.get_secret_value(SecretId=options["secret"]),
        )
    )


def redis(options: Options) -> None:
    """PING and INFO."""
    from redis import Redis

    token = Path(options["token_file"]).read_text(encoding="utf-8").strip()
    with Redis(options["host"], options["port"], password=token, ssl=options["tls"], socket_timeout=3) as session:
        session.ping()
        session.info()


def at_once(calls: Any) -> None:
    """Run all calls concurrently; the first error is raised when all have ended."""
    listed = list(calls)
    with ThreadPoolExecutor(max_workers=len(listed)) as pool:
        for job in [pool.submit(call) for call in listed]:
            job.result()


SYSTEMS: tuple[Callable[[Options], None], ...] = (http, kubernetes, postgresql, rds, redis)


def with_clients(systems: Mapping[str, Options]) -> dict[str, str]:
    """System -> what failed."""
    failed = {}
    with ThreadPoolExecutor(max_workers=len(SYSTEMS)) as pool:
        jobs = {system.__name__: pool.submit(system, systems[system.__name__]) for system in SYSTEMS}
        for name, job in jobs.items():
            if error := job.exception():
                failed[name] = f"{type(error).__name__}: {error}"
    return failed


def with_collection(systems: Mapping[str, Options]) -> dict[str, str]:
    """System -> what failed, also of a part of it."""
    from ansible_collections.dhakacart.runbooks.plugins.module_utils.platform_reading import read_platform

    facts = read_platform(systems, ["all"])["facts"]
    failed = {}
    for name, read in facts.items():
        parts = [read, *(part for part in read.values() if isinstance(part, dict))]
        errors = [str(part["error"]) for part in parts if part.get("error")]
        if errors or not read:
            failed[name] = "; ".join(errors) or "nothing was read"
    return failed


def main() -> int:
    """Exit code 0 when everything was read."""
    gc.disable()  # as the collection does around its imports; a process this short never needs it
    way = {"clients": with_clients, "collection": with_collection}[sys.argv[1]]
    failed = way(json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
    print(json.dumps(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
