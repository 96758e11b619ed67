# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the check of the shop over HTTP. Not called http: pylint would take it for Python's own module."""

from __future__ import annotations


class ModuleDocFragment:
    """Found by Ansible under this name."""

    DOCUMENTATION = r"""
options:
  url:
    description: Base URL of the shop.
    type: str
    required: true
  ready_path:
    description:
      - >-
          Path of the gate: is the shop ready to take orders?
    type: str
    default: /ready
  live_path:
    description: Path that tells whether the process runs.
    type: str
    default: /live
  health_path:
    description: Path that also checks Redis and memory.
    type: str
    default: /health
  products_path:
    description: Path of one read that visitors make.
    type: str
    default: /api/products
  ca_file:
    description: PEM file of certificate authorities to trust instead of the system's.
    type: path
  validate_certs:
    description: Whether to check the certificate.
    type: bool
    default: true
  timeout:
    description: Seconds for one request as a whole.
    type: float
    default: 3.0
  thresholds:
    description:
      - Where observations become bad.
      - A value at its threshold counts as beyond it.
    type: dict
    suboptions:
      latency_warning_seconds:
        description: Time of the slowest answer.
        type: float
        default: 2.0
      latency_critical_seconds:
        description: Time of the slowest answer.
        type: float
        default: 5.0
"""
