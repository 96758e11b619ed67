# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server of the simulated Kubernetes API: ``python -m dhakacart_lab.kubernetes.server <lab folder>``."""
