# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what is broken, rank the causes over all runbooks, and name the safest next command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding, Status
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.console import line, show_diagnosis, show_findings
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.runbooks import RUNBOOKS
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.sections import clock, command
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.triage import (
    CUSTOMERS,
    customers_are_hurt,
    earliest_sign,
    rank,
)

ARGUMENT_SPEC = {
    "findings": {"type": "list", "elements": "dict", "required": True},
    "facts": {"type": "dict", "default": {}},
    "asked": {"type": "list", "elements": "str", "default": []},
    "rto_seconds": {"type": "float", "required": True},
}
KEEPS_EVIDENCE = "keeps the evidence, and changes only what can be taken back"
MOST_UNREAD = 5


class ActionModule(ActionBase):
    """The action M(dhakacart.runbooks.triage)."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """The ranking with what follows from it; what is broken is an answer, no failure."""
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        try:
            findings = [Finding.from_result(finding) for finding in options["findings"]]
        except (KeyError, TypeError, AttributeError) as error:
            return {"failed": True, "changed": False, "msg": f"findings: not a finding ({error})"}
        ranked = rank(findings, RUNBOOKS.values(), options["asked"])
        sign = earliest_sign(findings, options["facts"]) if customers_are_hurt(findings) or ranked["likely"] else {}
        diagnosis = {
            **ranked,
            "healthy": _healthy(findings, ranked),
            "asked": [slug for slug in options["asked"] if slug not in RUNBOOKS],
            "since": sign,
            "rto": _objective(options["rto_seconds"], sign) if customers_are_hurt(findings) else {},
            **_following(findings, ranked, options["asked"], task_vars or {}),
        }
        _show(options["findings"], diagnosis)
        likely = ranked["likely"] or {}
        return {
            "changed": False,
            "diagnosis": diagnosis,
            "likely_cause": likely.get("id", ""),
            "next": diagnosis["next"],
            "ansible_stats": {
                "data": {"dhakacart_findings": options["findings"]},
                "per_host": False,
                "aggregate": True,
            },
        }


def _healthy(findings: Sequence[Finding], ranked: Mapping[str, Any]) -> bool:
    """Everything was read, nothing is critical, and no cause is confirmed."""
    wrong = any(finding.status is Status.CRITICAL or _is_unread(finding) for finding in findings)
    return bool(findings) and not wrong and ranked["likely"] is None


def _objective(seconds: float, sign: Mapping[str, Any]) -> dict[str, float]:
    """How much of the recovery time is left; below 0 it is broken. Unknown where no system keeps the beginning."""
    return {"seconds": seconds, **({"left": round(seconds - sign["seconds"], 1)} if sign else {})}


def _following(
    findings: Sequence[Finding], ranked: Mapping[str, Any], asked: Sequence[str], variables: Mapping[str, Any]
) -> dict[str, str]:
    """``next``, ``why`` that is the safest, and ``then``; the safest keeps the evidence before anything is resolved."""
    likely = ranked["likely"]
    if likely:
        return _after_a_cause(likely, variables)
    slug = next((slug for slug in asked if slug in RUNBOOKS), None) or _nearest(ranked)
    unread = [finding.id for finding in findings if _is_unread(finding)]
    if any(finding.status is Status.CRITICAL for finding in findings):
        reason = f"no cause is confirmed; it {KEEPS_EVIDENCE}"
        return {
            "next": command(slug, "immediate", variables),
            "why": reason,
            "then": command(slug, "escalation", variables),
        }
    if unread:
        more = f" and {len(unread) - MOST_UNREAD} more" if len(unread) > MOST_UNREAD else ""
        return {
            "next": command(slug, "investigation", variables),
            "why": f"reads only; not known: {', '.join(unread[:MOST_UNREAD])}{more} could not be read",
            "then": "",
        }
    return {"next": "nothing: no cause of a runbook is present", "why": "", "then": ""}


def _after_a_cause(likely: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, str]:
    slug, resolution = likely["runbook"], likely["resolution"]
    if likely["risk"]:
        return {
            "next": command(slug, "investigation", variables),
            "why": "reads only; customers are served, and this is a risk",
            "then": likely["next_step"],
        }
    then = likely["next_step"]
    if resolution and not resolution["refused"]:
        approval = "-e approve=true" if variables.get("dhakacart_approval_required") is not False else ""
        then = command(slug, "resolution", variables, approval)
    elif resolution:
        then = command(slug, "escalation", variables)
    return {"next": command(slug, "immediate", variables), "why": KEEPS_EVIDENCE, "then": then}


def _nearest(ranked: Mapping[str, Any]) -> str:
    """The runbook with most causes that are not ruled out; the first one where none has any."""
    slugs = [entry["runbook"] for entry in ranked["possible"]]
    return max(RUNBOOKS, key=slugs.count)


def _is_unread(finding: Finding) -> bool:
    """Not what an environment rightly lacks, nor what answered and has too few samples to be judged by."""
    return finding.status is Status.UNKNOWN and finding.evidence.get("kind") not in ("not_configured", "no_samples")


def _show(findings: Sequence[Mapping[str, Any]], diagnosis: Mapping[str, Any]) -> None:
    line("Customers:")
    show_findings(finding for finding in findings if finding["id"].startswith(CUSTOMERS))
    line("Platform:")
    show_findings(finding for finding in findings if not finding["id"].startswith(CUSTOMERS))
    show_diagnosis(diagnosis)
    resolution = (diagnosis["likely"] or {}).get("resolution")
    if resolution:
        line(f"Resolution: {resolution['branch']}, {resolution['title']}. Undo: {resolution['undo']}")
        for reason in resolution["refused"]:
            line(f"  refused by the evidence: {reason}", "critical")
    if rto := diagnosis["rto"]:
        line(_clock(rto, diagnosis["since"]))
    for slug in diagnosis["asked"]:
        line(f"{slug} has no playbook yet: runbooks/README.md says what is written")
    line(f"Next: {diagnosis['next']}")
    if diagnosis["why"]:
        line(f"      {diagnosis['why']}")
    if diagnosis["then"]:
        line(f"Then: {diagnosis['then']}")


def _clock(rto: Mapping[str, float], since: Mapping[str, Any]) -> str:
    whole = f"RTO {clock(rto['seconds'])}"
    if "left" not in rto:
        return f"{whole}: since when customers are hurt is not known"
    left = f"{clock(rto['left'])} left" if rto["left"] >= 0 else f"missed by {clock(-rto['left'])}"
    return f"{whole}: {left} ({since['sign']} for {clock(since['seconds'])})"
