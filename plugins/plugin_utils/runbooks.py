# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of every runbook, by slug."""

from __future__ import annotations

import difflib

from ansible_collections.dhakacart.runbooks.plugins.module_utils.causes import database_failure
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.diagnosis import Branch, Runbook
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError

RUNBOOKS = {runbook.slug: runbook for runbook in (database_failure.RUNBOOK,)}
# Playbooks that are no runbook: they only read, and have neither causes nor branches.
TOOLS = frozenset({"triage", "drill-target"})


def known(slug: str, branch: str = "") -> None:
    """ConfigurationError unless a runbook, or a tool, is called ``slug``, and has the ``branch`` where one is given."""
    if slug in TOOLS and not branch:
        return
    runbook = rules(slug)
    if branch:
        known_branch(runbook, branch)


def rules(slug: str) -> Runbook:
    """The rules of a runbook; ConfigurationError where there is none of that name."""
    try:
        return RUNBOOKS[slug]
    except KeyError:
        raise ConfigurationError(
            f"unknown runbook {slug!r}", where="runbook", remedy=f"one of {', '.join(sorted(RUNBOOKS))}"
        ) from None


def known_branch(runbook: Runbook, name: str) -> Branch:
    """The branch called ``name``; ConfigurationError, with a suggestion, where the runbook has none of that name."""
    if name in runbook.branches:
        return runbook.branches[name]
    close = difflib.get_close_matches(name, runbook.branches, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise ConfigurationError(
        f"unknown branch {name!r}", where="branch", remedy=f"{hint}branches are {', '.join(runbook.branches)}"
    )
