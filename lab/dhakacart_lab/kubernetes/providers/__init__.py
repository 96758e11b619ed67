# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab's Kubernetes comes from. One interface, :class:`.base.Provider`, and what stands behind it:

``simulated``      ours, pure Python, up in seconds; the default
``control-plane``  real etcd, kube-apiserver, kube-controller-manager and kube-scheduler as processes
``kubeconfig``     a cluster of yours that is marked as one to be thrown away
"""

from __future__ import annotations

from collections.abc import Callable

from ...layout import Foreign, Layout
from .base import Provider


def prepare(provider: str, foreign: Foreign | None, report: Callable[[str], None]) -> None:
    """What a provider needs before a lab is begun: LabError where it cannot be had. May build programs for minutes."""
    if provider == "control-plane":
        from ..control_plane.binaries import ensure

        ensure(report)
    if provider == "kubeconfig" and foreign:
        from .kubeconfig import refuse_unmarked

        refuse_unmarked(foreign)


def provider_of(layout: Layout) -> Provider:
    """The provider that the lab was started with."""
    match layout.provider:
        case "control-plane":
            from ..control_plane.provider import ControlPlane

            return ControlPlane(layout)
        case "kubeconfig":
            from .kubeconfig import Kubeconfig

            return Kubeconfig(layout)
        case _:
            from .simulated import Simulated

            return Simulated(layout)
