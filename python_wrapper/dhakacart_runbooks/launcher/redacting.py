# SPDX-License-Identifier: GPL-3.0-or-later
"""What leaves a run goes through the collection's own redaction."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, Protocol

KEY_BYTES = 32


class Redacts(Protocol):
    """Takes secrets out of texts, and out of plain JSON types."""

    def text(self, text: str) -> str: ...

    def data(self, data: Any) -> Any: ...


def redactor(known: Iterable[str]) -> Redacts:
    """A redactor for one run: its tokens tell within the run which secrets are equal.

    :param known: values that are secret.
    """
    from .._redaction import Redactor

    return Redactor(known, secrets.token_bytes(KEY_BYTES))
