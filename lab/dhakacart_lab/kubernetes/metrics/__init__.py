# SPDX-License-Identifier: GPL-3.0-or-later
"""What pods and nodes use, as metrics.k8s.io: ``python -m dhakacart_lab.kubernetes.metrics <lab folder>``."""
