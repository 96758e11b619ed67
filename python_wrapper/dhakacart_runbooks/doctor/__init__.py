# SPDX-License-Identifier: GPL-3.0-or-later
"""Is this machine, this inventory, and are these credentials fit to run a runbook? Asked before the incident."""
