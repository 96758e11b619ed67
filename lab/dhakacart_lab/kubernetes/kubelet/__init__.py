# SPDX-License-Identifier: GPL-3.0-or-later
"""A kubelet that runs pods as local processes: ``python -m dhakacart_lab.kubernetes.kubelet <lab folder> <node>``."""
