# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet: processes, environment, probes, restarts, logs, ends."""

from __future__ import annotations

import re
import signal
import time
from typing import Any

import psutil
import pytest
from dhakacart_lab.kubernetes import containers
from kubernetes import client as official

SLEEP = "import time; time.sleep(99)"


def status(cluster: Any, pod: str) -> dict[str, Any]:
    """The status of a pod's container."""
    found = cluster.get("pods", pod).get("status", {}).get("containerStatuses")
    return found[0] if found else {"state": {}, "lastState": {}, "restartCount": 0, "ready": False}


def waits_for(cluster: Any, pod: str, reason: str) -> dict[str, Any]:
    """The waiting state once it has that reason."""

    def reached() -> Any:
        waiting = status(cluster, pod)["state"].get("waiting", {})
        return waiting if waiting.get("reason") == reason else None

    return cluster.eventually(reason, reached)


def ready(cluster: Any, pod: str) -> dict[str, Any]:
    cluster.eventually(f"{pod} ready", lambda: status(cluster, pod)["ready"])
    return cluster.get("pods", pod)


def log(cluster: Any, client: official.ApiClient, pod: str, **asked: Any) -> str:
    return official.CoreV1Api(client).read_namespaced_pod_log(pod, cluster.namespace, **asked)


def running(cluster: Any, pod: str) -> psutil.Process | None:
    found = containers.running(cluster.layout, namespace=cluster.namespace)
    return next((container.process for container in found if container.pod == pod), None)


def test_the_environment_comes_from_values_secrets_config_maps_and_fields(
    cluster: Any, client: official.ApiClient
) -> None:
    for kind, data in (("Secret", "stringData"), ("ConfigMap", "data")):
        meta = {"name": "source", "namespace": cluster.namespace}
        cluster.api.create({"apiVersion": "v1", "kind": kind, "metadata": meta, data: {"key": f"of the {kind}"}})
    env = [
        {"name": "PLAIN", "value": "$(POD_IP):$(UNKNOWN)"},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "source", "key": "key"}}},
        {"name": "CONFIG", "valueFrom": {"configMapKeyRef": {"name": "source", "key": "key"}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "ABSENT", "valueFrom": {"secretKeyRef": {"name": "none", "key": "x", "optional": True}}},
    ]
    code = "import os\nfor n in ('PLAIN','SECRET','CONFIG','NAME','ALL_key','ABSENT'): print(n, os.environ.get(n))"
    container = cluster.container(code, env=env, envFrom=[{"prefix": "ALL_", "secretRef": {"name": "source"}}])
    cluster.pod("p", container, restartPolicy="Never")
    cluster.eventually("finished", lambda: cluster.get("pods", "p")["status"]["phase"] == "Succeeded")
    address = cluster.get("pods", "p")["status"]["podIP"]
    assert log(cluster, client, "p").splitlines() == [
        f"PLAIN {address}:$(UNKNOWN)",
        "SECRET of the Secret",
        "CONFIG of the ConfigMap",
        "NAME p",
        "ALL_key of the Secret",
        "ABSENT None",
    ]


@pytest.mark.parametrize(
    ("key", "message"),
    [("other", "couldn't find key other in Secret {}/here"), (None, 'secret "gone" not found')],
)
def test_a_missing_secret_or_key_is_a_configuration_error(cluster: Any, key: str | None, message: str) -> None:
    meta = {"name": "here", "namespace": cluster.namespace}
    cluster.api.create({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": {"key": "x"}})
    reference = {"name": "here", "key": key} if key else {"name": "gone", "key": "key"}
    cluster.pod("p", cluster.container(SLEEP, env=[{"name": "A", "valueFrom": {"secretKeyRef": reference}}]))
    waiting = waits_for(cluster, "p", "CreateContainerConfigError")
    assert waiting["message"] == message.format(cluster.namespace)
    assert cluster.get("pods", "p")["status"]["phase"] == "Pending"
    cluster.eventually("event", lambda: cluster.events("Failed"))


def test_an_unknown_image_is_not_pulled(cluster: Any) -> None:
    cluster.pod("p", {"name": "c", "image": "dhakacart/backend:9.9.9"})
    waiting = waits_for(cluster, "p", "ErrImagePull")
    assert "dhakacart/backend:9.9.9" in waiting["message"]
    waiting = waits_for(cluster, "p", "ImagePullBackOff")
    assert waiting["message"] == 'Back-off pulling image "dhakacart/backend:9.9.9"'
    messages = {event["message"] for event in cluster.events("Failed")}
    assert "Error: ErrImagePull" in messages


def test_a_crash_restarts_at_once_and_then_backs_off(cluster: Any, client: official.ApiClient) -> None:
    cluster.pod("p", cluster.container("print('about to fail'); raise SystemExit(3)"))
    waiting = waits_for(cluster, "p", "CrashLoopBackOff")
    assert re.match(r"back-off 10s restarting failed container=c pod=p_test-\d+\(", waiting["message"])
    found = status(cluster, "p")
    assert found["restartCount"] == 1, "the first restart is not delayed"
    terminated = found["lastState"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (3, "Error")
    assert cluster.get("pods", "p")["status"]["phase"] == "Running"
    assert log(cluster, client, "p", previous=True) == "about to fail\n"
    cluster.eventually("event", lambda: cluster.events("BackOff"))


def test_a_killed_process_is_exit_code_137(cluster: Any) -> None:
    cluster.pod("p", cluster.container(SLEEP))
    process = cluster.eventually("process", lambda: running(cluster, "p"))
    ready(cluster, "p")
    process.kill()
    cluster.eventually("restart", lambda: status(cluster, "p")["restartCount"] == 1)
    assert status(cluster, "p")["lastState"]["terminated"]["exitCode"] == 137
    assert cluster.eventually("new process", lambda: running(cluster, "p")).pid != process.pid


def test_a_failed_liveness_probe_restarts_the_container(cluster: Any) -> None:
    probe = {"exec": {"command": ["test", "!", "-e", "sick"]}, "periodSeconds": 1, "failureThreshold": 1}
    cluster.pod("p", cluster.container(SLEEP, livenessProbe=probe))
    ready(cluster, "p")
    folder = cluster.container_folder("p")
    (folder / "sick").touch()
    cluster.eventually("killed", lambda: cluster.events("Killing"))
    (folder / "sick").unlink()
    cluster.eventually("restart", lambda: status(cluster, "p")["restartCount"] == 1)
    assert status(cluster, "p")["lastState"]["terminated"]["exitCode"] == 143
    assert cluster.events("Killing")[0]["message"] == "Container c failed liveness probe, will be restarted"
    assert cluster.events("Unhealthy")[0]["message"].startswith("Liveness probe failed")


def test_readiness_needs_its_threshold_of_failures(cluster: Any) -> None:
    probe = {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1, "failureThreshold": 2}
    ports = [{"name": "http", "containerPort": 8000}]
    cluster.pod("p", cluster.container(ports=ports, readinessProbe=probe))
    ready(cluster, "p")
    (cluster.container_folder("p") / "sick").touch()
    began = time.monotonic()
    cluster.eventually("not ready", lambda: not status(cluster, "p")["ready"])
    assert time.monotonic() - began > 0.9
    assert status(cluster, "p")["restartCount"] == 0
    conditions = {c["type"]: c for c in cluster.get("pods", "p")["status"]["conditions"]}
    assert conditions["Ready"]["message"] == "containers with unready status: [c]"
    messages = {event["message"] for event in cluster.events("Unhealthy")}
    assert "Readiness probe failed: HTTP probe failed with statuscode: 503" in messages


def test_a_tcp_probe_waits_for_the_port(cluster: Any) -> None:
    probe = {"tcpSocket": {"port": 8000}, "periodSeconds": 1}
    code = "import time; time.sleep(0.5)\n" + cluster.container()["command"][-1]
    cluster.pod("p", cluster.container(code, readinessProbe=probe))
    ready(cluster, "p")
    assert any("connection refused" in event["message"] for event in cluster.events("Unhealthy"))


@pytest.mark.parametrize(("code", "phase"), [("", "Succeeded"), ("raise SystemExit(1)", "Failed")])
def test_a_pod_that_is_not_restarted_ends(cluster: Any, code: str, phase: str) -> None:
    cluster.pod("p", cluster.container(code), restartPolicy="Never")
    cluster.eventually(phase, lambda: cluster.get("pods", "p")["status"]["phase"] == phase)


def test_init_containers_run_before(cluster: Any, client: official.ApiClient) -> None:
    init = {**cluster.container("print('first')"), "name": "init"}
    cluster.pod("p", cluster.container(SLEEP), initContainers=[init])
    found = ready(cluster, "p")
    assert found["status"]["initContainerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
    assert log(cluster, client, "p", container="init") == "first\n"


def test_a_deleted_pod_ends_by_itself_within_its_grace_period(cluster: Any) -> None:
    code = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); time.sleep(99)"
    cluster.pod("p", cluster.container(code), terminationGracePeriodSeconds=30)
    ready(cluster, "p")
    process = cluster.eventually("process", lambda: running(cluster, "p"))
    time.sleep(0.2)  # the handler must be in place
    assert cluster.api.delete("pods", "p", namespace=cluster.namespace)["metadata"]["deletionGracePeriodSeconds"] == 30
    cluster.eventually("gone", lambda: not cluster.pods(), timeout=3)
    assert not process.is_running()


def test_a_stubborn_or_frozen_pod_is_killed_after_its_grace_period(cluster: Any, client: official.ApiClient) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('x', flush=True); time.sleep(99)"
    cluster.pod("p", cluster.container(code), terminationGracePeriodSeconds=30)
    ready(cluster, "p")
    process = cluster.eventually("process", lambda: running(cluster, "p"))
    cluster.eventually("its handler", lambda: log(cluster, client, "p") == "x\n")
    process.suspend()
    began = time.monotonic()
    cluster.api.delete("pods", "p", namespace=cluster.namespace, grace=1)
    cluster.eventually("gone", lambda: not cluster.pods(), timeout=4)
    assert time.monotonic() - began >= 1.0
    assert not process.is_running()


def test_a_forced_deletion_is_at_once_and_leaves_no_process(cluster: Any) -> None:
    cluster.pod("p", cluster.container(SLEEP), terminationGracePeriodSeconds=30)
    ready(cluster, "p")
    process = cluster.eventually("process", lambda: running(cluster, "p"))
    cluster.api.delete("pods", "p", namespace=cluster.namespace, grace=0)
    assert cluster.pods() == []
    cluster.eventually("process ended", lambda: not process.is_running())


def test_logs_by_tail_time_and_container(cluster: Any, client: official.ApiClient) -> None:
    code = (
        "import time\nfor n in range(5): print('line', n, flush=True)\ntime.sleep(1.5); print('late'); time.sleep(99)"
    )
    cluster.pod("p", {**cluster.container(code)})
    cluster.eventually("lines", lambda: status(cluster, "p")["ready"] and "line 4" in log(cluster, client, "p"))
    assert log(cluster, client, "p", tail_lines=2) == "line 3\nline 4\n"
    stamped = log(cluster, client, "p", tail_lines=1, timestamps=True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 4\n", stamped)
    assert log(cluster, client, "p", since_seconds=60).startswith("line 0\n")
    for asked, reason in (
        ({"container": "other"}, "container other is not valid for pod p"),
        ({"previous": True}, 'previous terminated container \\"c\\" in pod \\"p\\" not found'),
    ):
        with pytest.raises(official.ApiException) as refused:
            log(cluster, client, "p", **asked)
        assert refused.value.status == 400
        assert reason in refused.value.body


def test_the_log_of_a_container_that_cannot_start_is_a_bad_request(cluster: Any, client: official.ApiClient) -> None:
    cluster.pod("p", {"name": "c", "image": "nowhere/nothing:1"})
    waits_for(cluster, "p", "ErrImagePull")
    with pytest.raises(official.ApiException) as refused:
        log(cluster, client, "p")
    assert refused.value.status == 400
    assert "is waiting to start: trying and failing to pull image" in refused.value.body


def test_signals_to_a_process_are_what_faults_use(cluster: Any) -> None:
    cluster.pod("p", cluster.container(SLEEP))
    ready(cluster, "p")
    found = containers.running(cluster.layout, namespace=cluster.namespace, container="c")
    assert [(container.pod, container.restart) for container in found] == [("p", 0)]
    found[0].process.send_signal(signal.SIGTERM)
    cluster.eventually("restart", lambda: status(cluster, "p")["restartCount"] == 1)
