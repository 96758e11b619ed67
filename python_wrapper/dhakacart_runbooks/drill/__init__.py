# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsals with a score: break the lab on a leash, run the runbook, measure what customers lost."""
