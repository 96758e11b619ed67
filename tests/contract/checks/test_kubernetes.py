# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes check against an API of canned answers: good, broken, absurd, large, silent."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.module_utils.kubernetes import system

from . import http_stub, kube_objects
from .http_stub import Answer

PODS = f"/api/v1{kube_objects.NAMESPACE}pods"
DEPLOYMENT = f"/apis/apps/v1{kube_objects.NAMESPACE}deployments/dhakacart-backend"


class Cluster:
    """Objects by path; lists are served in pages as the API does it."""

    def __init__(self) -> None:
        self.objects = kube_objects.healthy()
        self.overrides: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.expire_once = False

    def route(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Answer:
        self.requests.append(path)
        if headers.get("authorization") != "Bearer let-me-in":
            return Answer(401, {"message": "Unauthorized"})
        if path in self.overrides:
            return self.overrides[path]
        found = self.objects.get(path)
        if found is None:
            return Answer(404, {"message": f"{path} not found"})
        if not isinstance(found, list):
            return Answer(200, found)
        start, limit = int(query.get("continue", 0)), int(query["limit"])
        if start and self.expire_once:
            self.expire_once = False
            return Answer(410, {"message": "the continue token is too old"})
        following = str(start + limit) if start + limit < len(found) else ""
        return Answer(200, {"items": found[start : start + limit], "metadata": {"continue": following}})


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def judged(folder: Path, server: str, *, token: str = "let-me-in", **options: Any) -> dict[str, Finding]:
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(kube_objects.kubeconfig(server, token))
    params = {"kubeconfig": str(kubeconfig), "timeout": 1.0, "salt": "pepper", **options}
    facts = system.read(params)
    assert json.loads(json.dumps(facts)) == facts
    assert "let-me-in" not in json.dumps(facts)
    return {finding.id: finding for finding in system.judge(facts, params)}


def test_a_healthy_workload_is_ok(cluster: Cluster, tmp_path: Path) -> None:
    with http_stub.serve(cluster.route) as url:
        findings = judged(tmp_path, url)
    assert {name: str(finding.status) for name, finding in findings.items() if str(finding.status) != "ok"} == {}
    assert len(findings) == 9


def test_a_crash_loop_brings_its_log_lines_without_secrets(cluster: Cluster, tmp_path: Path) -> None:
    crashed = {
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"reason": "Error", "exitCode": 1, "finishedAt": kube_objects.ago(5)}},
        "restartCount": 6,
    }
    cluster.objects[PODS][0] = kube_objects.pod(0, ready=False, **crashed)
    cluster.overrides[f"{PODS}/dhakacart-backend-0/log"] = Answer(200, b"start\nerror: DB_PASSWORD=hunter2 refused\n")
    with http_stub.serve(cluster.route) as url:
        finding = judged(tmp_path, url)["kubernetes.pods"]
    assert finding.evidence["crash_loops"] == ["dhakacart-backend-0"]
    assert finding.evidence["last_exit_codes"] == [1]
    assert finding.evidence["logs"] == {"dhakacart-backend-0": ["error: DB_PASSWORD=*** refused"]}


def test_ten_thousand_pods_are_counted_page_by_page_and_trimmed(cluster: Cluster, tmp_path: Path) -> None:
    cluster.objects[PODS] = [kube_objects.pod(number) for number in range(10_000)]
    with http_stub.serve(cluster.route) as url:
        finding = judged(tmp_path, url, timeout=30.0)["kubernetes.pods"]
    assert finding.evidence["total"] == 10_000
    assert cluster.requests.count(PODS) == 20


def test_a_list_that_expires_while_it_is_read_is_read_again_and_counted_once(cluster: Cluster, tmp_path: Path) -> None:
    cluster.objects[PODS] = [kube_objects.pod(number) for number in range(600)]
    cluster.expire_once = True
    with http_stub.serve(cluster.route) as url:
        assert judged(tmp_path, url)["kubernetes.pods"].evidence["total"] == 600


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(403, {"message": "forbidden"}), "denied"),
        (Answer(404, {"message": "not found"}), "missing"),
        (Answer(429, {}), "overloaded"),
        (Answer(500, b""), "not_ready"),
        (Answer(200, b""), "unexpected"),
        (Answer(200, b"<html>"), "unexpected"),
        (Answer(200, []), "unexpected"),
        (Answer(200, {}), "absurd"),
        (Answer(200, b"{" * 500, trickle=True), "no_answer"),
    ],
)
def test_a_part_that_cannot_be_read_is_unknown_and_costs_only_itself(
    cluster: Cluster, tmp_path: Path, answer: Answer, kind: str
) -> None:
    cluster.overrides[DEPLOYMENT] = answer
    with http_stub.serve(cluster.route) as url:
        findings = judged(tmp_path, url)
    unknown = {name for name, finding in findings.items() if str(finding.status) == "unknown"}
    if kind != "absurd":
        assert findings["kubernetes.backend"].evidence["kind"] == kind
        assert unknown == {"kubernetes.backend", "kubernetes.rollout"}
    assert str(findings["kubernetes.backend"].status) != "ok"
    assert str(findings["kubernetes.pods"].status) == "ok"


def test_a_wrong_token_is_denied(cluster: Cluster, tmp_path: Path) -> None:
    with http_stub.serve(cluster.route) as url:
        findings = judged(tmp_path, url, token="other")
    assert [(f.id, f.evidence["kind"]) for f in findings.values()] == [("kubernetes.api", "denied")]


def test_an_unreachable_api_is_one_unknown(tmp_path: Path) -> None:
    findings = judged(tmp_path, f"http://127.0.0.1:{http_stub.closed_port()}")
    assert [(f.id, f.evidence["kind"]) for f in findings.values()] == [("kubernetes.api", "refused")]


def test_a_silent_api_ends_at_the_deadline(tmp_path: Path) -> None:
    with http_stub.silent() as port:
        started = time.monotonic()
        findings = judged(tmp_path, f"http://127.0.0.1:{port}", timeout=0.5)
    assert time.monotonic() - started < 1.5
    assert [(f.id, f.evidence["kind"]) for f in findings.values()] == [("kubernetes.api", "no_answer")]


def test_a_clock_that_differs_from_the_clusters_is_named(cluster: Cluster, tmp_path: Path) -> None:
    an_hour_ago = formatdate(time.time() - 3600, usegmt=True)
    cluster.overrides["/version"] = Answer(200, {"gitVersion": "v1.28.3"}, {"Date": an_hour_ago})
    with http_stub.serve(cluster.route) as url:
        finding = judged(tmp_path, url)["kubernetes.api"]
    assert str(finding.status) == "warning"
    assert 3590 < finding.evidence["clock_skew_seconds"] < 3610


@pytest.mark.parametrize(
    "content", ["", "{", "only text", "a: [", "clusters: 3\n", "\x00", "[]", "current-context: x\ncontexts: {}\n"]
)
def test_a_malformed_kubeconfig_is_one_line_with_its_path(tmp_path: Path, content: str) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        system.read({"kubeconfig": str(kubeconfig)})
    assert str(kubeconfig) in str(caught.value)
    assert "remedy" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_kubeconfig_and_context_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        system.read({"kubeconfig": "/nowhere"})
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(kube_objects.kubeconfig("http://127.0.0.1:1"))
    with pytest.raises(ConfigurationError, match="elsewhere"):
        system.read({"kubeconfig": str(kubeconfig), "context": "elsewhere"})
