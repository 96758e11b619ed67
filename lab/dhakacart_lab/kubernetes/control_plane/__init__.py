# SPDX-License-Identifier: GPL-3.0-or-later
"""A real control plane of local processes: etcd, kube-apiserver, kube-controller-manager, kube-scheduler.

The programs are found or built (:mod:`.binaries`, :mod:`.build`), called as :mod:`.components` says, and started,
repaired and ended by :class:`.provider.ControlPlane`. ``python -m dhakacart_lab.kubernetes.control_plane`` finds or
builds them and says what they are.
"""
