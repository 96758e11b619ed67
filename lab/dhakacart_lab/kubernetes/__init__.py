# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Kubernetes: an API server, its controllers and a kubelet that runs pods as local processes.

Its answers are held to those of a real control plane (v1.36.3) by ``tests/contract/conformance``; what differs, and
why, is in docs/conformance.md. It does not pretend to the rest, and answers so: no attach or port-forward, no OpenAPI,
no Jobs, StatefulSets or CustomResources (404). Stored but without effect: Roles (the two users of the lab have fixed
rights), NetworkPolicies, ResourceQuotas, Ingresses, resource limits, volumes and security contexts. There is no
kube-proxy: a Service's clusterIP routes nothing, clients use its Endpoints.
"""
