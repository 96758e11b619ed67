# SPDX-License-Identifier: GPL-3.0-or-later
"""An endpoint looks to its clients as the real one would in each state of server and network."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from dhakacart_lab import edge, process
from dhakacart_lab.edge.listening import from_proc, from_sock_diag
from dhakacart_lab.layout import Address, LabError, Layout

from .conftest import Upstream, start_edge

PROPAGATION = 1.0  # 0.2 s on a machine that has nothing else to do


def dial(layout: Layout, endpoint: str = "primary", timeout: float = 2.0) -> socket.socket:
    address = layout.endpoints[endpoint]
    return socket.create_connection((address.host, address.port), timeout=timeout)


def ask(connection: socket.socket, timeout: float = 2.0) -> str:
    connection.settimeout(timeout)
    connection.sendall(b"?")
    return connection.recv(100).decode()


def seconds_until(true: Callable[[], bool]) -> float:
    begin = time.monotonic()
    while not true():
        assert time.monotonic() - begin < 5
        time.sleep(0.01)
    return time.monotonic() - begin


def refuses(layout: Layout, endpoint: str = "primary") -> bool:
    try:
        dial(layout, endpoint).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # the listener closed just now
        return False
    return False


def answers(layout: Layout, endpoint: str = "primary") -> bool:
    try:
        with dial(layout, endpoint) as connection:
            return ask(connection) != ""
    except OSError:
        return False


def test_an_endpoint_forwards_to_its_node(running_edge: Layout) -> None:
    with dial(running_edge) as primary, dial(running_edge, "replica") as replica:
        assert ask(primary) == "a:?"
        assert ask(replica) == "b:?"
    assert refuses(running_edge, "recovery")


def test_the_server_sees_the_address_of_the_client(running_edge: Layout) -> None:
    import psutil

    pod = running_edge.dialled(running_edge.pod_ip(3))
    address = running_edge.endpoints["primary"]
    with socket.create_connection((address.host, address.port), timeout=2, source_address=(pod, 0)) as connection:
        ask(connection)
        node = running_edge.nodes["a"]
        peers = {
            found.raddr.ip
            for found in psutil.Process().net_connections("tcp4")
            if found.laddr == (node.host, node.port) and found.raddr
        }
    assert pod in peers


def test_a_move_resets_the_connections_and_new_ones_reach_the_new_node(running_edge: Layout) -> None:
    with dial(running_edge) as old:
        assert ask(old) == "a:?"
        begin = time.monotonic()
        edge.point(running_edge, "primary", "b")
        with pytest.raises(ConnectionResetError):
            old.recv(1)
        with dial(running_edge) as new:
            assert ask(new) == "b:?"
        assert time.monotonic() - begin < PROPAGATION


def test_pointing_where_it_points_already_resets_nothing(running_edge: Layout) -> None:
    with dial(running_edge) as connection:
        assert ask(connection) == "a:?"
        edge.point(running_edge, "primary", "a")
        assert ask(connection) == "a:?"


def test_an_endpoint_of_a_dead_server_refuses_until_it_is_back(
    running_edge: Layout, nodes: dict[str, Upstream]
) -> None:
    nodes["a"].stop()
    assert seconds_until(lambda: refuses(running_edge)) < PROPAGATION
    nodes["a"] = Upstream("a", running_edge.nodes["a"])
    assert seconds_until(lambda: answers(running_edge)) < PROPAGATION


def test_a_cut_network_lets_no_connection_be_made_and_no_byte_pass(running_edge: Layout) -> None:
    with dial(running_edge) as present:
        assert ask(present) == "a:?"
        for _ in range(2):  # a network that was cut and came back is cut again
            edge.set_mode(running_edge, "primary", "forward")
            assert answers(running_edge)
            edge.set_mode(running_edge, "primary", "drop")
            begin = time.monotonic()
            with pytest.raises(TimeoutError):
                dial(running_edge, timeout=1)
            assert time.monotonic() - begin >= 1
        with pytest.raises(TimeoutError):
            ask(present, timeout=0.3)
        edge.set_mode(running_edge, "primary", "forward")
        present.settimeout(2)
        assert present.recv(100) == b"a:?"
    assert answers(running_edge)


def test_a_caller_who_waits_gets_through_when_the_network_is_back(running_edge: Layout) -> None:
    edge.set_mode(running_edge, "primary", "drop")
    address = running_edge.endpoints["primary"]
    with socket.socket() as waiting:
        waiting.setblocking(False)
        waiting.connect_ex((address.host, address.port))
        edge.set_mode(running_edge, "primary", "forward")
        waiting.settimeout(3)
        assert ask_when_connected(waiting, address.host, address.port) == "a:?"


def ask_when_connected(connection: socket.socket, host: str, port: int) -> str:
    # connect() again waits for the attempt under way.
    connection.connect_ex((host, port))
    return ask(connection)


def test_an_endpoint_that_is_down_refuses_and_resets(running_edge: Layout) -> None:
    with dial(running_edge) as present:
        assert ask(present) == "a:?"
        edge.set_mode(running_edge, "primary", "down")
        with pytest.raises(ConnectionResetError):
            present.recv(1)
    assert refuses(running_edge)
    edge.set_mode(running_edge, "primary", "forward")
    assert answers(running_edge)


def test_stalled_connections_are_silent_while_new_ones_work(running_edge: Layout) -> None:
    with dial(running_edge) as old:
        assert ask(old) == "a:?"
        edge.stall(running_edge, "primary")
        with pytest.raises(TimeoutError):
            ask(old, timeout=0.3)
        with dial(running_edge) as new:
            assert ask(new) == "a:?"
            assert edge.state(running_edge)["primary"]["stalled"] == 1
        edge.stall(running_edge, "primary", stalled=False)
        old.settimeout(2)
        assert old.recv(100) == b"a:?"


def test_an_edge_that_is_started_again_goes_on_as_before(running_edge: Layout) -> None:
    edge.point(running_edge, "primary", "b")
    edge.set_mode(running_edge, "replica", "drop")
    found = process.find(running_edge, edge.COMPONENT)
    assert found is not None
    found.kill()
    found.wait(5)
    start_edge(running_edge)
    with dial(running_edge) as connection:
        assert ask(connection) == "b:?"
    with pytest.raises(TimeoutError):
        dial(running_edge, "replica", timeout=0.5)


def test_the_edge_ends_within_a_second_of_sigterm(running_edge: Layout) -> None:
    with dial(running_edge) as connection:
        ask(connection)
        begin = time.monotonic()
        process.stop(running_edge, edge.COMPONENT, timeout=5)
        assert time.monotonic() - begin < 1


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (("primary", {"target": "q"}), "no node 'q'"),
        (("primary", {"mode": "sideways"}), "no mode 'sideways'"),
        (("primary", {"stall": "yes"}), "stall must be"),
        (("primary", {}), "JSON object"),
        (("writer", {"mode": "drop"}), "no endpoint 'writer'"),
    ],
)
def test_a_senseless_request_is_refused_in_words(
    running_edge: Layout, wanted: tuple[str, dict[str, object]], words: str
) -> None:
    before = edge.state(running_edge)
    with pytest.raises(LabError, match=words):
        edge._call(running_edge, *wanted)
    assert edge.state(running_edge) == before


@pytest.mark.parametrize("look", [from_sock_diag, from_proc])
def test_a_listener_is_seen_as_long_as_it_listens(layout: Layout, look: Callable[[], frozenset[Address]]) -> None:
    host = layout.host(0, 99)
    with socket.socket() as listener:
        listener.bind((host, 0))
        where = Address(host, listener.getsockname()[1])
        assert where not in look()
        listener.listen()
        assert where in look()
    assert where not in look()


def test_an_edge_that_cannot_start_says_why_in_one_line(layout: Layout) -> None:
    record = layout.folder / "edge.json"
    record.write_text("{", encoding="utf-8")
    try:
        argv = [sys.executable, "-m", edge.MODULE, str(layout.folder)]
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=20, check=False, env=process.environment(layout)
        )
    finally:
        record.unlink()
    assert done.returncode == 1
    assert done.stderr.startswith(f"edge: {record}: not a record of endpoints")
    assert len(done.stderr.splitlines()) == 1


def test_without_an_edge_the_client_says_what_to_do(layout: Layout) -> None:
    with pytest.raises(LabError, match="remedy: runbook lab up"):
        edge.state(layout)
