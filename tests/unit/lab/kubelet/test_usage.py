# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kubelet counts, what a metrics server makes of it, and the version a kubelet says it has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dhakacart_lab.kubernetes.kubelet.node import version_beside
from dhakacart_lab.kubernetes.kubelet.usage import Counter, Task, of_sessions, tasks
from dhakacart_lab.kubernetes.metrics.samples import Samples, Scrape, parse

TEXT = """# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{{container="c",namespace="n",pod="p"}} {cpu} {at}
container_memory_working_set_bytes{{container="c",namespace="n",pod="p"}} 4096 {at}
container_start_time_seconds{{container="c",namespace="n",pod="p"}} {started}
container_swap_usage_bytes{{container="c",namespace="n",pod="p"}} 0 {at}
node_cpu_usage_seconds_total {cpu} {at}
node_memory_working_set_bytes 1.2e+06 {at}
resource_scrape_error 0
"""


def scrape(at: float, cpu: float, started: float = 1.0) -> Scrape:
    return parse(TEXT.format(at=int(at * 1000), cpu=cpu, started=started))


def test_a_session_and_what_descends_from_it_count() -> None:
    everything = [
        Task(pid=10, parent=1, session=10, cpu=1.0, memory=100),
        Task(pid=11, parent=10, session=10, cpu=2.0, memory=200),
        Task(pid=12, parent=11, session=12, cpu=4.0, memory=400),  # a session of its own, but a child
        Task(pid=13, parent=1, session=10, cpu=8.0, memory=800),  # its parent has ended, its session is the same
        Task(pid=14, parent=1, session=14, cpu=99.0, memory=9900),
    ]
    found = of_sessions(everything, {10})
    assert (found.cpu, found.memory) == (15.0, 1500)


def test_the_processor_time_of_children_that_ended_stays() -> None:
    burn = "for n in range(4_000_000): pass"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {burn!r}]); print(1); input()"
    with subprocess.Popen(
        [sys.executable, "-S", "-c", code], start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin and child.stdout
        child.stdout.readline()
        # of the child itself, without what it waited for, there is next to nothing
        own = sum(map(int, Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
        found = of_sessions(tasks(), {child.pid})
        child.stdin.write(b"\n")
    assert found.cpu > own / os.sysconf("SC_CLK_TCK")
    assert found.memory > 1 << 20


def test_a_counter_never_falls() -> None:
    counter = Counter()
    assert [counter.count(seconds) for seconds in (1.0, 3.0, 0.5, 1.5, 0.0)] == [1.0, 3.0, 3.0, 4.0, 4.0]


def test_two_scrapes_give_a_use() -> None:
    samples = Samples()
    samples.add("node", scrape(100.0, 5.0))
    assert samples.node("node") is None
    assert samples.pod("node", "n", "p") is None
    samples.add("node", scrape(105.0, 7.5))
    samples.add("node", scrape(105.0, 9.9))  # of the same moment: nothing new
    found = samples.pod("node", "n", "p")
    assert found
    assert (found["c"].cpu, found["c"].memory, found["c"].moment, found["c"].window) == (0.5, 4096, 105.0, 5.0)
    used = samples.node("node")
    assert used
    assert (used.cpu, used.memory) == (0.5, 1_200_000)
    samples.forget("node")
    assert samples.node("node") is None


@pytest.mark.parametrize(("cpu", "started"), [(6.0, 101.0), (4.0, 1.0)])
def test_a_container_that_was_started_in_between_is_not_judged(cpu: float, started: float) -> None:
    samples = Samples()
    samples.add("node", scrape(100.0, 5.0))
    samples.add("node", scrape(105.0, cpu, started))
    assert samples.pod("node", "n", "p") is None


def test_a_container_that_was_seen_in_half_is_not_one() -> None:
    text = 'container_cpu_usage_seconds_total{container="c",namespace="n",pod="p"} 1 1000\nbroken {\n'
    assert parse(text).containers == {}


@pytest.mark.parametrize(
    ("server", "kubelet"),
    [
        ("v1.36.3", "v1.36.3-dhakacart-lab"),
        ("v1.33.4-eks-99bf3a2", "v1.33.4-dhakacart-lab"),
        ("v1.28.15-dhakacart-lab", "v1.28.15-dhakacart-lab"),
        ("", "v0.0.0-dhakacart-lab"),
    ],
)
def test_the_version_is_the_one_of_the_api_server(server: str, kubelet: str) -> None:
    assert version_beside(server) == kubelet
