# SPDX-License-Identifier: GPL-3.0-or-later
"""The load balancer between a Kubernetes API double and target doubles; its process is the real one."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import queue
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from dhakacart_lab import process
from dhakacart_lab.kubernetes.access import read_kubeconfig
from dhakacart_lab.layout import LabError, Layout
from dhakacart_lab.loadbalancer.proxy import application
from dhakacart_lab.loadbalancer.targets import Targets

ENDPOINTS = "/api/v1/namespaces/dhakacart/endpoints"


class EndpointsApiDouble:
    """Test double of the Kubernetes API: list and watch of one Endpoints object, token checked. Not a simulation."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.targets: list[str] = []
        self.version = 1
        self.watchers: list[queue.Queue[list[str] | None]] = []
        self.server: ThreadingHTTPServer | None = None

    def start(self, tls: tuple[Path, Path] | None = None) -> None:
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                token = double.layout.secret("kube-admin-token")
                asked = self.path.startswith(ENDPOINTS + "?") and "dhakacart-backend-service" in self.path
                known = self.headers["authorization"] == f"Bearer {token}"
                self.send_response(200 if asked and known else 403)
                self.send_header("content-type", "application/json")
                self.end_headers()
                if not (asked and known):
                    return
                if "watch=true" not in self.path:
                    items = [double.object()] if double.targets else []
                    metadata = {"resourceVersion": str(double.version)}
                    self.wfile.write(json.dumps({"metadata": metadata, "items": items}).encode())
                    return
                changes: queue.Queue[list[str] | None] = queue.Queue()
                double.watchers.append(changes)
                if f"resourceVersion={double.version}" not in self.path:
                    changes.put(double.targets)
                while changes.get() is not None:
                    event = json.dumps({"type": "MODIFIED", "object": double.object()}).encode()
                    # In two parts, as a network may deliver it.
                    self.wfile.write(event[:40])
                    self.wfile.flush()
                    self.wfile.write(event[40:] + b"\n")

            def log_message(self, *args: object) -> None:
                pass

        address = self.layout.kubernetes_api
        self.server = ThreadingHTTPServer((address.host, address.port), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self.server:
            for watcher in self.watchers:
                watcher.put(None)
            self.watchers.clear()
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def set(self, *targets: str) -> None:
        self.targets = list(targets)
        self.version += 1
        for watcher in self.watchers:
            watcher.put(self.targets)

    def object(self) -> dict[str, Any]:
        addresses = [{"ip": target} for target in self.targets]
        subsets = [{"addresses": addresses, "ports": [{"name": "http", "port": 5000}]}] if addresses else None
        return {
            "metadata": {"name": "dhakacart-backend-service"},
            "subsets": subsets
            and [*subsets, {"notReadyAddresses": [{"ip": "127.153.9.9"}], "ports": [{"port": 5000}]}],
        }


class TargetDouble:
    """Test double of a pod: answers with its own address and what it was sent."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.requests = 0
        self.connections: list[socket.socket] = []
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                double.connections.append(self.connection)

            def do_GET(self) -> None:
                double.requests += 1
                length = int(self.headers.get("content-length") or 0)
                answer = {
                    "host": double.host,
                    "path": self.path,
                    "body": self.rfile.read(length).decode(),
                    "for": self.headers["x-forwarded-for"],
                    "peer": self.client_address[0],
                }
                content = json.dumps(answer).encode()
                self.send_response(201)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer((host, 5000), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """As a killed pod: what is connected is cut off."""
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def api(layout: Layout) -> Iterator[EndpointsApiDouble]:
    token = layout.secret("kube-admin-token")
    layout.kubeconfig.write_text(
        json.dumps(
            {
                "current-context": "lab",
                "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "admin"}}],
                "clusters": [{"name": "lab", "cluster": {"server": f"http://{layout.kubernetes_api}"}}],
                "users": [{"name": "admin", "user": {"token": token}}],
            }
        ),
        encoding="utf-8",
    )
    double = EndpointsApiDouble(layout)
    double.start()
    yield double
    double.stop()


@pytest.fixture
def targets(layout: Layout) -> Iterator[list[TargetDouble]]:
    doubles = [TargetDouble(layout.dialled(layout.pod_ip(number))) for number in (20, 21)]
    yield doubles
    for double in doubles:
        double.stop()


@pytest.fixture
def balancer(layout: Layout, api: EndpointsApiDouble, component: Callable[..., Any], http: Callable[..., Any]) -> Any:
    component("loadbalancer", "dhakacart_lab.loadbalancer")

    class Balancer:
        url = f"http://{layout.load_balancer}"

        def get(self, path: str = "/x") -> Any:
            return http(self.url + path)

        def post(self, path: str = "/x", body: Any = None) -> Any:
            return http(self.url + path, "POST", body)

        def wait_for_targets(self, *hosts: str) -> float:
            wanted = [f"{host}:5000" for host in hosts]
            return process.wait_for(
                f"targets {wanted}", lambda: self.get("/lb/targets").body["targets"] == wanted, timeout=5, interval=0.02
            )

    process.wait_for("load balancer", lambda: listens(layout), timeout=5)
    return Balancer()


def listens(layout: Layout) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((layout.load_balancer.host, layout.load_balancer.port)) == 0


def test_requests_go_round_the_ready_targets_and_arrive_whole(balancer: Any, api: Any, targets: Any) -> None:
    api.set(*(target.host for target in targets))
    balancer.wait_for_targets(*(target.host for target in targets))
    replies = [balancer.post("/a%2Fb?q=1%20x", {"n": number}) for number in range(4)]
    assert {reply.status for reply in replies} == {201}
    hosts = [reply.body["host"] for reply in replies]
    assert hosts[0] != hosts[1] and hosts[:2] == hosts[2:]
    assert replies[3].body["path"] == "/a%2Fb?q=1%20x"
    assert json.loads(replies[3].body["body"]) == {"n": 3}
    assert replies[3].body["for"].startswith("127.")
    assert replies[3].body["peer"] == balancer.url.split("/")[2].split(":")[0]


def test_a_change_of_the_endpoints_is_followed_at_once(balancer: Any, api: Any, targets: Any) -> None:
    one, two = (target.host for target in targets)
    api.set(one)
    balancer.wait_for_targets(one)
    api.set(two)
    assert balancer.wait_for_targets(two) < 1
    api.set()
    balancer.wait_for_targets()
    reply = balancer.get()
    assert (reply.status, reply.body) == (503, {"error": "no healthy targets"})


def test_the_last_known_targets_stay_while_the_api_is_down(balancer: Any, api: Any, targets: Any) -> None:
    one, two = (target.host for target in targets)
    api.set(one)
    balancer.wait_for_targets(one)
    api.stop()
    process.wait_for("the error", lambda: balancer.get("/lb/targets").body["error"] is not None, timeout=5)
    assert balancer.get().body["host"] == one
    api.targets = [two]
    api.start()
    balancer.wait_for_targets(two)
    assert balancer.get("/lb/targets").body["error"] is None


def test_a_dead_target_costs_a_get_nothing_and_a_post_a_502(balancer: Any, api: Any, targets: Any) -> None:
    alive, dead = targets
    api.set(alive.host, dead.host)
    balancer.wait_for_targets(alive.host, dead.host)
    assert {balancer.get().status for _ in range(4)} == {201}
    assert dead.requests
    dead.stop()
    assert [balancer.get().body["host"] for _ in range(4)] == [alive.host] * 4
    assert sorted(balancer.post().status for _ in range(4)) == [201, 201, 502, 502]
    api.set(dead.host)
    balancer.wait_for_targets(dead.host)
    assert balancer.get().status == 502


def test_a_silent_target_ends_in_504() -> None:
    """In this process, with a shorter deadline than the 10 s of the real one."""

    class OneTarget:
        ready = ("127.153.2.2:5000",)

        def next(self, *, other_than: str | None = None) -> str | None:
            return self.ready[0] if other_than is None else None

    async def ask() -> int:
        runner = web.AppRunner(application(OneTarget(), "127.153.0.71", target_seconds=0.3))  # type: ignore[arg-type]
        await runner.setup()
        await web.TCPSite(runner, "127.153.0.71", 8080).start()
        try:
            async with aiohttp.ClientSession() as session, session.post("http://127.153.0.71:8080/x") as response:
                return response.status
        finally:
            await runner.cleanup()

    with socket.create_server(("127.153.2.2", 5000)):
        assert asyncio.run(ask()) == 504


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_an_api_behind_tls_is_followed_with_its_own_authority(layout: Layout, api: Any) -> None:
    api.stop()
    host = layout.kubernetes_api.host
    key, certificate = layout.folder / "tls.key", layout.folder / "tls.crt"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "1",
            ),
            *(
                "-subj",
                "/CN=lab",
                "-addext",
                f"subjectAltName=IP:{host}",
                "-keyout",
                str(key),
                "-out",
                str(certificate),
            ),
        ],
        check=True,
        capture_output=True,
        timeout=10,
    )
    api.start(tls=(certificate, key))
    api.set("127.153.1.30")
    config = json.loads(layout.kubeconfig.read_text(encoding="utf-8"))
    cluster = {"server": f"https://{layout.kubernetes_api}"}
    config["clusters"][0]["cluster"] = cluster

    async def follow() -> list[str]:
        path = layout.folder / "tls-kubeconfig"
        path.write_text(json.dumps(config), encoding="utf-8")
        targets = Targets(read_kubeconfig(path), "dhakacart", "dhakacart-backend-service")
        following = asyncio.create_task(targets.follow())
        while targets.synced_at is None and targets.error == "not read yet":
            await asyncio.sleep(0.02)
        following.cancel()
        return targets.ready if targets.error is None else [targets.error]

    (refused,) = asyncio.run(follow())
    assert "certificate verify failed" in refused.lower()
    cluster["certificate-authority-data"] = base64.b64encode(certificate.read_bytes()).decode()
    assert asyncio.run(follow()) == ["127.153.1.30:5000"]


@pytest.mark.parametrize("content", ["", "[", "{}", "current-context: x\ncontexts: []\nclusters: []\nusers: []"])
def test_a_broken_kubeconfig_is_named_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(LabError, match="cannot be used as a kubeconfig") as caught:
        read_kubeconfig(path)
    assert "\n" not in str(caught.value)
