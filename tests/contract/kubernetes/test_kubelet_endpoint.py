# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may ask a kubelet what, and what it says of the use of its containers."""

from __future__ import annotations

import http.client
import re
import ssl
from pathlib import Path
from typing import Any

import pytest
from dhakacart_lab.kubernetes.kubelet.serving import API_SERVER, MASTERS, METRICS_SERVER
from dhakacart_lab.kubernetes.metrics.samples import parse
from dhakacart_lab.kubernetes.pki import Authority, Pair
from dhakacart_lab.layout import Layout

BUSY = "import time\nwhile True: pass"


def ask(
    layout: Layout, path: str, pair: Pair | None, *, node: str = "lab-node-1", method: str = "GET"
) -> tuple[int, str]:
    context = ssl.create_default_context(cafile=str(Authority.open(layout).certificate))
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    address = layout.kubelets[node]
    connection = http.client.HTTPSConnection(address.host, address.port, timeout=5, context=context)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def pair_of(layout: Layout, name: str, *organizations: str) -> Pair:
    return Authority.open(layout).issue(f"test-{name}", common_name=name, organizations=organizations)


def test_who_shows_no_certificate_is_nobody(cluster: Any) -> None:
    for path in ("/metrics/resource", f"/containerLogs/{cluster.namespace}/p/c", f"/exec/{cluster.namespace}/p/c"):
        assert ask(cluster.layout, path, None) == (401, "Unauthorized")
    assert ask(cluster.layout, "/healthz", None) == (200, "ok")


@pytest.mark.parametrize(
    ("name", "organization", "logs", "metrics"),
    [
        (API_SERVER, "", 404, 200),
        ("kubernetes-admin", MASTERS, 404, 200),
        (METRICS_SERVER, "", 403, 200),
        ("system:node:lab-node-2", "system:nodes", 403, 403),
    ],
)
def test_the_certificate_says_who_asks(cluster: Any, name: str, organization: str, logs: int, metrics: int) -> None:
    pair = pair_of(cluster.layout, name, *filter(None, [organization]))
    code, text = ask(cluster.layout, f"/containerLogs/{cluster.namespace}/p/c", pair)
    assert (code, text) == (
        logs,
        "pod does not exist"
        if logs == 404
        else f"Forbidden (user={name}, verb=get, resource=nodes, subresource(s)=[proxy])",
    )
    assert ask(cluster.layout, "/metrics/resource", pair)[0] == metrics


def test_a_certificate_of_another_authority_is_refused(cluster: Any, tmp_path: Path) -> None:
    foreign = Layout(name="x", folder=tmp_path, subnet=99, lab_id="x")
    foreign.credentials.mkdir()
    pair = pair_of(foreign, API_SERVER, MASTERS)
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        ask(cluster.layout, "/metrics/resource", pair)


def test_the_use_of_containers_in_the_names_of_a_real_kubelet(cluster: Any) -> None:
    code = "import time; kept = bytearray(64 << 20); time.sleep(99)"
    cluster.pod("quiet", cluster.container(code))
    # all its work is done by children, half of which have ended when they are counted
    spawning = (
        "import subprocess, sys\n"
        "while True: subprocess.run([sys.executable, '-S', '-c', 'for n in range(3_000_000): pass'])"
    )
    cluster.pod("busy", cluster.container(spawning))
    pair = pair_of(cluster.layout, METRICS_SERVER)

    def texts() -> str:
        return "".join(ask(cluster.layout, "/metrics/resource", pair, node=node)[1] for node in cluster.layout.kubelets)

    def seen(pod: str) -> Any:
        return parse(texts()).containers.get((cluster.namespace, pod, "c"))

    cluster.eventually("memory", lambda: (found := seen("quiet")) and found.memory > 64 << 20)
    first = cluster.eventually("seen", lambda: seen("busy"))
    cluster.eventually("a second of work", lambda: seen("busy").cpu > first.cpu + 1)
    assert seen("quiet").cpu < 0.5
    text = texts()
    for name in (
        "node_cpu_usage_seconds_total",
        "node_memory_working_set_bytes",
        "pod_cpu_usage_seconds_total",
        "pod_memory_working_set_bytes",
        "container_start_time_seconds",
    ):
        assert re.search(rf"^{name}(\{{.*\}})? \d+(\.\d+)?( \d+)?$", text, re.MULTILINE), name
    assert "resource_scrape_error 0" in text
