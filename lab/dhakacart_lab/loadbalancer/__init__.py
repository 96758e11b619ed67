# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for DhakaCart's Application Load Balancer: ``python -m dhakacart_lab.loadbalancer <lab folder>``."""
