# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Kubernetes: an API server, its controllers and a kubelet that runs pods as local processes.

It behaves as Kubernetes 1.28 where it is used: reading and watching, three patch types, rollouts, budgets,
evictions, endpoints, probes, restarts, logs, events. It does not pretend to the rest, and answers so: no server-side
apply (415), no Table output, no exec, attach or port-forward, no Jobs, StatefulSets, CustomResources or
metrics.k8s.io (404). Stored but without effect: Roles (the two users of the lab have fixed rights), NetworkPolicies,
ResourceQuotas, Ingresses, resource limits, volumes and security contexts. There is no kube-proxy: a Service's
clusterIP routes nothing, clients use its Endpoints.
"""
