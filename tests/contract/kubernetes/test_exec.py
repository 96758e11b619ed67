# SPDX-License-Identifier: GPL-3.0-or-later
"""pods/exec with the official client: through the API server to the kubelet. The same holds on a real control plane."""

from __future__ import annotations

import json
import socket
import ssl
import time
from typing import Any

import psutil
import pytest
from dhakacart_lab.kubernetes.access import read_kubeconfig
from dhakacart_lab.kubernetes.errors import ApiError
from kubernetes import client as official
from kubernetes.stream import stream
from kubernetes.stream.ws_client import ERROR_CHANNEL, WSClient

SLEEP = "import time; time.sleep(99)"
V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"


def begin(cluster: Any, client: official.ApiClient, command: list[str], pod: str = "p", **asked: Any) -> WSClient:
    asked = {"stdin": False, "stdout": True, "stderr": True, "tty": False, "_preload_content": False, **asked}
    call = official.CoreV1Api(client).connect_get_namespaced_pod_exec
    return stream(call, pod, cluster.namespace, command=command, **asked)


def run(cluster: Any, client: official.ApiClient, *command: str, **asked: Any) -> tuple[int, str, str]:
    """(exit code, stdout, stderr)"""
    session = begin(cluster, client, list(command), **asked)
    session.run_forever(timeout=10)
    assert not session.is_open()
    return session.returncode, session.read_stdout(), session.read_stderr()


@pytest.fixture
def pod(cluster: Any) -> Any:
    env = [{"name": "GREETING", "value": "good day"}]
    cluster.pod("p", cluster.container(SLEEP, env=env))

    def ready() -> Any:
        found = cluster.get("pods", "p").get("status", {}).get("containerStatuses") or [{}]
        return found[0].get("ready")

    cluster.eventually("p ready", ready)
    return cluster


@pytest.mark.parametrize("protocol", [V4, V5])
def test_output_errors_and_the_exit_code_come_on_channels_of_their_own(
    pod: Any, client: official.ApiClient, protocol: str
) -> None:
    client.set_default_header("sec-websocket-protocol", protocol)
    session = begin(pod, client, ["sh", "-c", "echo out; echo err >&2; exit 3"])
    session.run_forever(timeout=10)
    assert session.subprotocol == protocol
    assert (session.read_stdout(), session.read_stderr()) == ("out\n", "err\n")
    assert json.loads(session.read_channel(ERROR_CHANNEL)) == {
        "metadata": {},
        "status": "Failure",
        "message": "command terminated with non-zero exit code: exit status 3",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": "3"}]},
    }


def test_the_command_has_the_environment_and_the_folder_of_the_container(pod: Any, client: official.ApiClient) -> None:
    pod.container_folder("p").joinpath("note").write_text("of the container")
    code, out, _ = run(pod, client, "sh", "-c", 'echo "$GREETING, $HOSTNAME"; cat note')
    assert (code, out) == (0, "good day, p\nof the container")


def test_input_is_passed_on_until_it_ends(pod: Any, client: official.ApiClient) -> None:
    session = begin(pod, client, ["cat"], stdin=True)
    session.write_stdin("one\n")
    assert session.readline_stdout(timeout=5) == "one"
    session.close_channel(0)  # version 5 of the protocol can say so; version 4 cannot
    session.run_forever(timeout=5)
    assert session.returncode == 0


def test_much_output_comes_whole(pod: Any, client: official.ApiClient) -> None:
    code, out, _ = run(pod, client, "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x")
    assert (code, len(out)) == (0, 3_000_000)


@pytest.mark.parametrize(
    ("command", "code", "why"),
    [
        ("nosuch", 127, 'exec: "nosuch": executable file not found in $PATH: unknown'),
        ("/no/such", 127, 'exec: "/no/such": stat /no/such: no such file or directory: unknown'),
        ("./note", 126, 'exec: "./note": permission denied: unknown'),
    ],
)
def test_a_command_that_cannot_be_executed(
    pod: Any, client: official.ApiClient, command: str, code: int, why: str
) -> None:
    pod.container_folder("p").joinpath("note").write_text("no program")
    found, _, err = run(pod, client, command)
    assert found == code
    assert err == f"OCI runtime exec failed: exec failed: unable to start container process: {why}\n"


def test_no_command_is_an_internal_error_of_the_runtime(pod: Any, client: official.ApiClient) -> None:
    session = begin(pod, client, [])
    session.run_forever(timeout=10)
    status = json.loads(session.read_channel(ERROR_CHANNEL))
    assert (status["status"], status["reason"], status["code"]) == ("Failure", "InternalError", 500)


@pytest.mark.parametrize(
    ("asked", "status", "why"),
    [
        ({"container": "other"}, 400, "container other is not valid for pod p"),
        ({"pod": "none"}, 404, "pods none not found"),
        ({"stdout": False, "stderr": False}, 400, "you must specify at least 1 of stdin, stdout, stderr"),
        ({"tty": True}, 400, "has no terminals"),
    ],
)
def test_what_is_refused_before_anything_runs(
    pod: Any, client: official.ApiClient, asked: dict[str, Any], status: int, why: str
) -> None:
    with pytest.raises(official.ApiException) as refused:
        begin(pod, client, ["true"], **asked)
    assert f"Handshake status {status} " in str(refused.value)
    assert why in str(refused.value).replace('\\"', "")


def test_a_container_that_does_not_run(cluster: Any, client: official.ApiClient) -> None:
    cluster.pod("p", cluster.container("print('done')"), restartPolicy="Never")
    cluster.eventually("done", lambda: cluster.get("pods", "p").get("status", {}).get("phase") == "Succeeded")
    with pytest.raises(official.ApiException) as refused:
        begin(cluster, client, ["true"])
    assert "Handshake status 500 " in str(refused.value)
    assert 'container not found ("c")' in str(refused.value)


def test_an_unscheduled_pod_has_no_host(cluster: Any, client: official.ApiClient) -> None:
    cluster.pod("p", cluster.container(SLEEP, resources={"requests": {"cpu": "4k"}}))
    with pytest.raises(official.ApiException, match="pod p does not have a host assigned"):
        begin(cluster, client, ["true"])


def test_the_reader_may_not(pod: Any, reader: official.ApiClient) -> None:
    with pytest.raises(official.ApiException) as refused:
        begin(pod, reader, ["true"])
    assert "Handshake status 403 " in str(refused.value)
    assert r"cannot get resource \"pods/exec\" in API group" in str(refused.value)


def test_plain_http_needs_an_upgrade(pod: Any) -> None:
    path = f"/api/v1/namespaces/{pod.namespace}/pods/p/exec"
    with pytest.raises(ApiError, match="Upgrade request required") as refused:
        pod.api.request("POST", path, query={"command": "true", "stdout": "true"})
    assert refused.value.code == 400


def test_spdy_is_refused_in_words(pod: Any) -> None:
    access = read_kubeconfig(pod.layout.kubeconfig)
    url = f"{access.server}/api/v1/namespaces/{pod.namespace}/pods/p/exec?command=true&stdout=true"
    headers = {**access.headers, "Connection": "Upgrade", "Upgrade": "SPDY/3.1"}
    text = raw(access.server, access.tls, url, headers)
    assert text.startswith("HTTP/1.1 400 ")
    assert "speaks WebSocket with v5.channel.k8s.io or v4.channel.k8s.io, not SPDY/3.1" in text


def raw(server: str, tls: ssl.SSLContext | None, url: str, headers: dict[str, str]) -> str:
    """The answer to a request that http clients would not send."""
    host, _, port = server.split("//")[1].partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as plain:
        connection = tls.wrap_socket(plain, server_hostname=host) if tls else plain
        lines = [f"POST {url.removeprefix(server)} HTTP/1.1", f"Host: {host}", "Content-Length: 0"]
        connection.sendall("\r\n".join([*lines, *(f"{k}: {v}" for k, v in headers.items()), "", ""]).encode())
        connection.settimeout(5)
        found = b""
        while b"not SPDY" not in found and (data := connection.recv(4096)):
            found += data
        return found.decode()


def test_the_command_ends_when_the_connection_ends(pod: Any, client: official.ApiClient) -> None:
    session = begin(pod, client, ["sh", "-c", "echo $$; sleep 88 & wait"])
    pid = int(session.readline_stdout(timeout=5))
    assert psutil.pid_exists(pid)
    family = [psutil.Process(pid), *psutil.Process(pid).children()]
    session.sock.sock.close()  # without a word
    pod.eventually("the command ended", lambda: not any(map(alive, family)))


def test_it_ends_with_its_container(pod: Any, client: official.ApiClient) -> None:
    session = begin(pod, client, ["sh", "-c", "echo $$; exec sleep 88"])
    process = psutil.Process(int(session.readline_stdout(timeout=5)))
    pod.api.delete("pods", "p", namespace=pod.namespace)
    pod.eventually("the command ended", lambda: not alive(process))


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_many_commands_at_once(pod: Any, client: official.ApiClient) -> None:
    begun = time.monotonic()
    sessions = [begin(pod, client, ["sh", "-c", f"sleep 0.3; echo {number}"]) for number in range(8)]
    for session in sessions:
        session.run_forever(timeout=10)
    assert [int(session.read_stdout()) for session in sessions] == list(range(8))
    assert time.monotonic() - begun < 5
