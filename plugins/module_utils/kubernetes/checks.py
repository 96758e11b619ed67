# SPDX-License-Identifier: BSD-2-Clause
"""What the Kubernetes facts mean. Pure: no I/O, no clock, no Ansible.

If the API cannot be read at all, ``kubernetes.api`` is the only finding. Otherwise every finding is returned; where its
part was not read or is absurd it is ``unknown``, with ``kind`` and ``reason`` as evidence.

==========================  ==========================================================================================
id                          evidence
==========================  ==========================================================================================
kubernetes.api              server, version, clock_skew_seconds; kind and reason of a failure
kubernetes.backend          desired, ready, available, updated, ready_pct, images, revision
kubernetes.pods             total, crash_loops, image_pulls, config_errors, oom_killed, unschedulable, not_ready,
                            terminating, restarts, last_exit_codes, logs
kubernetes.rollout          paused, updated, desired, replicas, progressing_reason, revision, restarted_at
kubernetes.service          service, endpoints_ready, endpoints_not_ready
kubernetes.hpa              minimum, maximum, current, desired, target, conditions
kubernetes.pdb              healthy, required, disruptions_allowed, expected
kubernetes.events           events (aggregated warnings of 30 min), total
kubernetes.secret           name, fields, host, port, user, password_set, external_secret_ready
==========================  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.finding import Finding, Status
from ..judging import Facts, NotJudged, flag, judges, not_read, number, optional_number, part, rows, seconds
from .arguments import Thresholds

_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
_CONFIG = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})


def judge(facts: Mapping[str, Any], thresholds: Thresholds) -> list[Finding]:
    """All findings on the workload, in the order of the table above."""
    reachable = api(facts, thresholds)
    answered = facts.get("api") if isinstance(facts, Mapping) else None
    if not isinstance(answered, Mapping) or answered.get("reachable") is not True:
        return [reachable]
    found = [
        reachable,
        backend(facts, thresholds),
        pods(facts, thresholds),
        rollout(facts, thresholds),
        service(facts),
        hpa(facts),
        pdb(facts),
        events(facts, thresholds),
    ]
    return found if facts.get("secret") is None else [*found, secret(facts)]


@judges("kubernetes.api", "Kubernetes API")
def api(facts: Facts, limits: Thresholds) -> Finding:
    """Could the cluster be read, and do its clock and ours agree?"""
    name, component = "kubernetes.api", "Kubernetes API"
    answered = facts.get("api")
    if not isinstance(answered, Mapping):
        raise NotJudged("the cluster was not read", "missing")
    evidence: dict[str, Any] = {key: answered.get(key) for key in ("server", "version", "clock_skew_seconds")}
    if answered.get("reachable") is not True:
        reason = not_read(answered.get("error") or {"kind": "unexpected", "message": "no answer and no error"})
        evidence |= {"kind": reason.kind, "reason": str(reason)}
        step = "check the kubeconfig and the route to the API; nothing about the pods is known until then"
        return Finding(name, component, Status.UNKNOWN, f"not readable: {reason}", evidence, "", step)
    skew = number(answered, "clock_skew_seconds", at_least=float("-inf"))
    summary = f"answers ({answered.get('version')})"
    if abs(skew) >= limits.clock_skew_seconds:
        ahead = "ahead of" if skew > 0 else "behind"
        summary += f", but this machine's clock is {seconds(abs(skew))} {ahead} the cluster's"
        step = "synchronise the clock: signed AWS calls and tokens fail with a wrong one"
        return Finding(name, component, Status.WARNING, summary, evidence, "the clock is wrong", step)
    return Finding(name, component, Status.OK, summary, evidence)


@judges("kubernetes.backend", "backend")
def backend(facts: Facts, limits: Thresholds) -> Finding:
    """Are as many replicas ready as wanted?"""
    found = part(facts, "deployment")
    desired, ready = number(found, "desired"), number(found, "ready")
    evidence = {key: found.get(key) for key in ("desired", "ready", "available", "updated", "images", "revision")}
    name, component = "kubernetes.backend", "backend"
    if desired == 0:
        summary, cause = f"{found.get('name')} is scaled to 0", "somebody or a runbook scaled it down"
        return Finding(name, component, Status.CRITICAL, summary, {**evidence, "ready_pct": 0.0}, cause)
    percent = 100 * ready / desired
    evidence["ready_pct"] = round(percent, 1)
    summary = f"{ready:g} of {desired:g} replicas ready"
    if ready >= desired:
        return Finding(name, component, Status.OK, summary, evidence)
    status = Status.CRITICAL if percent <= limits.ready_critical_pct else Status.WARNING
    step = "read kubernetes.pods: its evidence has reasons and log lines"
    return Finding(name, component, status, f"{summary} (limit {limits.ready_critical_pct:g} %)", evidence, "", step)


def _unready_seconds(pod: Facts) -> float:
    """Since its readiness changed; a pod that has no such condition yet was never ready."""
    changed = optional_number(pod, "ready_seconds")
    return (changed if changed is not None else optional_number(pod, "age_seconds")) or 0


@judges("kubernetes.pods", "backend pods")
def pods(facts: Facts, limits: Thresholds) -> Finding:
    """Why are pods not ready?"""
    found = part(facts, "pods")
    total = number(found, "total")
    unready = rows(found, "unready")
    every = [*unready, *rows(found, "ready")]
    recent = [pod for pod in every if _ended_recently(pod, limits)]
    loops = [pod for pod in every if _crash_loops(pod, limits)]
    image = [pod for pod in unready if pod.get("waiting") in _IMAGE]
    config = [pod for pod in unready if pod.get("waiting") in _CONFIG]
    oom = [pod for pod in recent if _last(pod).get("reason") == "OOMKilled"]
    waiting = [pod for pod in unready if pod.get("unschedulable")]
    terminating = [pod for pod in every if pod.get("deleting") is True]
    slow = [
        pod for pod in unready if pod not in terminating and _unready_seconds(pod) >= limits.pending_warning_seconds
    ]
    logs = facts.get("logs")
    evidence = {
        "total": total,
        "crash_loops": _names(loops),
        "image_pulls": _names(image),
        "config_errors": _names(config),
        "oom_killed": _names(oom),
        "unschedulable": _names(waiting),
        "not_ready": _names([pod for pod in unready if pod not in terminating]),
        "terminating": _names(terminating),
        "restarts": found.get("restarts"),
        "last_exit_codes": sorted({code for pod in recent if isinstance(code := _last(pod).get("exit_code"), int)}),
        "logs": dict(logs) if isinstance(logs, Mapping) else {},
    }
    name, component = "kubernetes.pods", "backend pods"
    if total == 0:
        summary = "the selector matches no pod"
        return Finding(name, component, Status.CRITICAL, summary, evidence, "scaled to 0, or the labels differ")
    parts = [
        f"{len(group)} {word}"
        for group, word in (
            (loops, "crash-looping"),
            (oom, "killed for memory"),
            (image, "without image"),
            (config, "with broken configuration"),
            (waiting, "not schedulable"),
        )
        if group
    ]
    not_ready = sum(pod not in terminating for pod in unready)
    if parts:
        waits = str(waiting[0].get("unschedulable"))[:150] if waiting else ""
        cause = waits or "; ".join(dict.fromkeys(_why(pod) for pod in (*loops, *oom, *image, *config)))[:200]
        summary = f"{', '.join(parts)}, of {total:g} pods"
        return Finding(name, component, Status.CRITICAL, summary, evidence, cause, "read the log lines in the evidence")
    if not_ready:
        status = Status.CRITICAL if not_ready >= total else Status.WARNING
        summary = f"{not_ready} of {total:g} pods not ready"
        summary += f", {len(slow)} of them for over {seconds(limits.pending_warning_seconds)}" if slow else ""
        cause = "they run, but their readiness probe fails: the database is out of reach, or their pool is dead"
        return Finding(name, component, status, summary, evidence, cause, "read the log lines in the evidence")
    return Finding(name, component, Status.OK, f"all {total:g} pods ready", evidence)


def _last(pod: Facts) -> Facts:
    found = pod.get("last_termination")
    return found if isinstance(found, Mapping) else {}


def _ended_recently(pod: Facts, limits: Thresholds) -> bool:
    age = _last(pod).get("seconds_ago")
    return isinstance(age, int | float) and age < limits.restart_recent_seconds


def _crash_loops(pod: Facts, limits: Thresholds) -> bool:
    if pod.get("waiting") == "CrashLoopBackOff":
        return True
    return _ended_recently(pod, limits) and number(pod, "restarts") >= limits.restarts_critical


def _names(found: list[Facts]) -> list[str]:
    return [str(pod.get("name")) for pod in found][:20]


def _why(pod: Facts) -> str:
    reason = pod.get("waiting") or _last(pod).get("reason") or "not ready"
    code = _last(pod).get("exit_code")
    return f"{reason} (exit code {code})" if code is not None else str(reason)


@judges("kubernetes.rollout", "backend rollout")
def rollout(facts: Facts, limits: Thresholds) -> Finding:
    """Is a rollout paused, under way or stuck?"""
    found = part(facts, "deployment")
    paused = flag(found, "paused")
    desired, updated = number(found, "desired"), number(found, "updated")
    replicas, available = number(found, "replicas"), number(found, "available")
    progressing = next((row for row in rows(found, "conditions") if row.get("type") == "Progressing"), None)
    evidence = {
        "paused": paused,
        "updated": updated,
        "desired": desired,
        "replicas": replicas,
        "progressing_reason": progressing.get("reason") if progressing else None,
        "revision": found.get("revision"),
        "restarted_at": found.get("restarted_at"),
    }
    name, component = "kubernetes.rollout", "backend rollout"
    if paused:
        step = "kubectl rollout resume, once you know who paused it"
        summary = "the rollout is paused: no change takes effect"
        return Finding(name, component, Status.WARNING, summary, evidence, "somebody paused it", step)
    generation, observed = number(found, "generation"), number(found, "observed_generation")
    if observed < generation:
        raise NotJudged("the controller has not seen the newest change yet", "pending")
    if progressing and progressing.get("status") == "False":
        summary = f"stuck: {progressing.get('message') or progressing.get('reason')}"
        step = "kubectl rollout undo, or mend the new version"
        return Finding(name, component, Status.CRITICAL, summary, evidence, "the new pods do not become ready", step)
    if updated < desired or replicas > updated or available < updated:
        age = optional_number(progressing, "seconds") if progressing else None
        stuck = age is not None and age >= limits.rollout_stuck_seconds and updated < desired
        if updated >= desired and replicas <= updated:
            summary = f"revision {found.get('revision')} is rolled out, {available:g} of {desired:g} available"
        else:
            summary = f"under way: {updated:g} of {desired:g} updated, {available:g} available"
        status = Status.CRITICAL if stuck else Status.WARNING
        return Finding(name, component, status, summary, evidence)
    return Finding(name, component, Status.OK, f"revision {found.get('revision')} is rolled out", evidence)


@judges("kubernetes.service", "backend service")
def service(facts: Facts) -> Finding:
    """Does the Service have anybody to send requests to?"""
    found = part(facts, "service")
    ready, unready = number(found, "endpoints_ready"), number(found, "endpoints_not_ready")
    evidence = {"service": found.get("name"), "endpoints_ready": ready, "endpoints_not_ready": unready}
    name, component = "kubernetes.service", "backend service"
    if not ready:
        cause = "no pod is ready" if unready else "no pod matches its selector"
        summary = f"{found.get('name')} has no ready endpoint: every request fails"
        return Finding(name, component, Status.CRITICAL, summary, evidence, cause)
    return Finding(name, component, Status.OK, f"{ready:g} ready endpoints", evidence)


@judges("kubernetes.hpa", "backend autoscaler")
def hpa(facts: Facts) -> Finding:
    """Can the autoscaler still react?"""
    found = part(facts, "hpa")
    low, high = number(found, "minimum"), number(found, "maximum", at_least=1)
    if low > high:
        raise NotJudged(f"minimum {low:g} is above maximum {high:g}")
    current, desired = optional_number(found, "current"), optional_number(found, "desired")
    conditions = rows(found, "conditions")
    evidence = {key: found.get(key) for key in ("minimum", "maximum", "current", "desired", "target", "conditions")}
    name, component = "kubernetes.hpa", "backend autoscaler"
    blind = [row for row in conditions if row.get("type") == "ScalingActive" and row.get("status") == "False"]
    blind = [row for row in blind if row.get("reason") != "ScalingDisabled"]
    if current is not None and current >= high > low:  # equal bounds are somebody's decision
        summary = f"at its maximum of {high:g} replicas"
        step = "raise the maximum, minding connections: each pod may open its whole pool"
        return Finding(name, component, Status.WARNING, summary, evidence, "more load than it may scale to", step)
    if blind:
        summary = f"cannot read its metrics: {blind[0].get('reason')}"
        return Finding(name, component, Status.WARNING, summary, evidence, "metrics-server is missing or broken")
    if current is None:
        raise NotJudged("the autoscaler has not reported a count yet", "missing")
    wants = f", wants {desired:g}" if desired is not None and desired != current else ""
    return Finding(name, component, Status.OK, f"{current:g} replicas of {low:g} to {high:g}{wants}", evidence)


@judges("kubernetes.pdb", "disruption budget")
def pdb(facts: Facts) -> Finding:
    """Is the disruption budget met?"""
    found = part(facts, "pdb")
    healthy, required = number(found, "healthy"), number(found, "required")
    allowed = number(found, "disruptions_allowed")
    evidence = {key: found.get(key) for key in ("healthy", "required", "disruptions_allowed", "expected")}
    name, component = "kubernetes.pdb", "disruption budget"
    if healthy < required:
        summary = f"{healthy:g} healthy pods, {required:g} required: evictions are refused"
        return Finding(name, component, Status.WARNING, summary, evidence, "pods are not ready")
    if not allowed:
        summary = f"{healthy:g} healthy pods, no disruption allowed: a node drain will wait"
        return Finding(name, component, Status.WARNING, summary, evidence)
    return Finding(name, component, Status.OK, f"{allowed:g} disruptions allowed", evidence)


@judges("kubernetes.events", "events")
def events(facts: Facts, limits: Thresholds) -> Finding:
    """Which warnings did the cluster record in the last 30 minutes?"""
    found = rows(facts, "events")
    total = sum(number(event, "count", at_least=1) for event in found)
    evidence = {"events": found, "total": total}
    if not found:
        return Finding("kubernetes.events", "events", Status.OK, "no warnings in 30 min", evidence)
    # Warnings tell what happened, not how it is now: they are never critical.
    status = Status.WARNING if total >= limits.event_warning_count else Status.OK
    reasons = ", ".join(f"{event['count']} x {event.get('reason')}" for event in found[:3])
    first = str(found[0].get("message", ""))
    return Finding("kubernetes.events", "events", status, f"in 30 min: {reasons}", evidence, first)


@judges("kubernetes.secret", "database secret")
def secret(facts: Facts) -> Finding:
    """Does the Secret hold what the shop needs to reach the database?"""
    found = part(facts, "secret")
    evidence = {key: found.get(key) for key in ("name", "fields", "host", "port", "user", "password_set")}
    external = facts.get("external_secret")
    evidence["external_secret_ready"] = external.get("ready") if isinstance(external, Mapping) else None
    name, component = "kubernetes.secret", "database secret"
    lacking = [key for key in ("host", "user") if not found.get(key)]
    if found.get("password_set") is not True:
        lacking.append("password")
    if lacking:
        return Finding(name, component, Status.CRITICAL, f"{found.get('name')} lacks {', '.join(lacking)}", evidence)
    if isinstance(external, Mapping):
        ready = part(facts, "external_secret").get("ready")
        if ready is not True:
            summary = f"{found.get('name')} is complete, but its ExternalSecret is not ready"
            return Finding(name, component, Status.WARNING, summary, evidence)
    return Finding(name, component, Status.OK, f"{found.get('name')} is complete", evidence)
