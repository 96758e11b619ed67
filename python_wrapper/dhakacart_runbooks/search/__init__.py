# SPDX-License-Identifier: GPL-3.0-or-later
"""From a symptom, an error text or an alert's name to the runbook that answers it.

Pure and local: the corpus is the index, the written pages and the alert map of the collection. ``text`` makes words of
a pasted line, ``vocabulary`` knows which words mean the same, ``terms`` says what a text is about, ``alerts`` knows
their names, ``index`` weighs it against the runbooks, ``engine`` decides what is worth showing.
"""

from __future__ import annotations

from .alerts import AlertNames
from .engine import Hit, Search

__all__ = ["AlertNames", "Hit", "Search"]
