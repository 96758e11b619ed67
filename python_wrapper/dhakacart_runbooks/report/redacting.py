# SPDX-License-Identifier: GPL-3.0-or-later
"""A record is redacted when it is written; a report redacts again, for it is what people send around."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from .reading import Redact


def redact_for(root: Path) -> Redact:
    """What takes secrets out of a record under ``root``, with the tokens that the record itself has.

    Where the key of ``root`` is missing or cannot be read, tokens made here are equal within one report only.
    """
    from .._redaction import KEY_BYTES, KEY_FILE, Redactor, key_of, secret_variables

    try:  # reading a record makes no key
        key = key_of(root) if (root / KEY_FILE).exists() else secrets.token_bytes(KEY_BYTES)
    except OSError:
        key = secrets.token_bytes(KEY_BYTES)
    return Redactor(secret_variables(os.environ), key).data
