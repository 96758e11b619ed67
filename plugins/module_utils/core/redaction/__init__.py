# SPDX-License-Identifier: BSD-2-Clause
"""Takes secrets out of what is kept or shown: known values, then names and forms, then what looks random.

Standard library only. Equal secrets become equal tokens, e.g. ``(secret:1a2b3c4d)``, as long as the key is the same.
The parentheses mean nothing in JSON, YAML, Markdown, HTML, Jinja or a terminal's markup: a token survives wherever a
text is shown.
"""

from __future__ import annotations

from .key import KEY_BYTES, KEY_FILE, key_of
from .names import TOKEN, secret_name, secret_variables
from .redactor import Redactor

__all__ = ["KEY_BYTES", "KEY_FILE", "TOKEN", "Redactor", "key_of", "secret_name", "secret_variables"]
