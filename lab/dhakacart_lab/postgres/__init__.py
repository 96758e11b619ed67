# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's PostgreSQL: real servers that can be killed, frozen, filled and recovered."""

from .cluster import Cluster
from .node import Node

__all__ = ["Cluster", "Node"]
