#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_workload_check
short_description: Judge a workload in Kubernetes and what surrounds it
version_added: 1.0.0
author: DhakaCart platform team (@dhakacart)
description:
  - Reads the Deployment, its pods, Service, autoscaler, disruption budget, recent warnings, the Secret with the
    database settings, and log lines of pods that are not ready.
  - Lists are read page by page and trimmed, so that ten thousand pods cost little.
  - Secrets are never returned. With O(salt) the password is returned as a fingerprint that can be compared within
    one run.
  - If the API cannot be read, C(kubernetes.api) is the only finding and it is V(unknown).
extends_documentation_fragment:
  - dhakacart.runbooks.kubernetes
  - dhakacart.runbooks.check
seealso:
  - module: dhakacart.runbooks.platform_facts
  - module: dhakacart.runbooks.http_check
"""

EXAMPLES = r"""
- name: Judge the shop's backend
  dhakacart.runbooks.kubernetes_workload_check:
    kubeconfig: "{{ dhakacart_kubeconfig }}"
    namespace: "{{ dhakacart_namespace }}"
    deployment: "{{ dhakacart_backend_deployment }}"
    selector: "{{ dhakacart_backend_selector }}"
  register: backend

- name: Judge it on EKS without a kubeconfig
  dhakacart.runbooks.kubernetes_workload_check:
    eks_cluster: "{{ dhakacart_eks_cluster }}"
    region: "{{ dhakacart_region }}"
"""

RETURN = r"""
status:
  description: The worst status of all findings.
  returned: when the options make sense
  type: str
  sample: warning
healthy:
  description: Whether every finding is V(ok).
  returned: when the options make sense
  type: bool
  sample: false
findings:
  description: The judged observations, the worst first.
  returned: when the options make sense
  type: list
  elements: dict
  contains:
    id:
      description: What was judged. The ids and the keys of the evidence are an interface.
      type: str
      sample: kubernetes.backend
    component:
      description: What people call it.
      type: str
      sample: backend
    status:
      description: One of V(ok), V(unknown), V(warning), V(critical).
      type: str
      sample: warning
    summary:
      description: One line, with the figure and its limit.
      type: str
      sample: "2 of 3 replicas ready (limit 50 %)"
    evidence:
      description: What the summary rests on.
      type: dict
      sample: {desired: 3, ready: 2}
    likely_cause:
      description: What this observation alone suggests, or empty.
      type: str
    next_step:
      description: What to do next, or empty.
      type: str
facts:
  description:
    - The parts C(deployment), C(pods), C(service), C(hpa), C(pdb), C(events), C(secret), C(logs).
    - A part that could not be read is C(error) with C(kind) and C(message).
  returned: when the options make sense
  type: dict
"""

from ..module_utils.check_module import run_check
from ..module_utils.kubernetes import system


def main() -> None:
    """Read, judge, answer."""
    run_check(system)


if __name__ == "__main__":
    main()
