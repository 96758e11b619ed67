# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes quantities as numbers."""

from __future__ import annotations

UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 1e3, "M": 1e6, "G": 1e9, "m": 1e-3}


def quantity(text: object) -> float:
    """``250m`` is 0.25, ``1Gi`` is 1073741824. ValueError for what is none."""
    value = str(text)
    for suffix, factor in UNITS.items():
        if value.endswith(suffix):
            return float(value.removesuffix(suffix)) * factor
    return float(value)
