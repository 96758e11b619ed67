# SPDX-License-Identifier: BSD-2-Clause
"""How a known secret may be written elsewhere. Pure."""

from __future__ import annotations

import base64
import html
import json
import shlex
from urllib.parse import quote, quote_plus

from .names import SHORTEST

# Somebody's password and everybody's word: looked for everywhere they would make a record unreadable. Where they are
# used as one (password=postgres) their name gives them away.
TRIVIAL = frozenset(
    {
        "administrator",
        "backend",
        "changeme",
        "database",
        "default",
        "dhakacart",
        "disabled",
        "enabled",
        "example",
        "frontend",
        "kubernetes",
        "localhost",
        "master",
        "password",
        "postgres",
        "postgresql",
        "primary",
        "production",
        "replica",
        "secret",
        "service",
        "staging",
        "standby",
        "testing",
        "unknown",
        "username",
    }
)


def not_looked_for(value: str) -> str:
    """Why a value is not looked for, without the value; empty when it is."""
    if len(value) < SHORTEST:
        return f"a value of {len(value)} characters would be found everywhere"
    return "a value that is a common word would be found everywhere" if value.lower() in TRIVIAL else ""


def forms(value: str) -> set[str]:
    """The value as it stands in a URL, JSON (also inside JSON), HTML, SQL, a shell, or (part of) base64."""
    raw = value.encode("utf-8", "surrogatepass")
    found = {value, html.escape(value), value.replace("'", "''"), repr(value)[1:-1], raw.hex()}
    found |= {quote(raw), quote(raw, safe=""), quote_plus(raw), shlex.quote(value).strip("'")}
    for _twice in range(2):
        found |= {json.dumps(form, ensure_ascii=plain)[1:-1] for form in found for plain in (True, False)}
    return found | _base64(raw)


def _base64(raw: bytes) -> set[str]:
    found = set()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        # The characters at both ends depend on what stands beside the value.
        whole = len(encoded) if (shift + len(raw)) % 3 == 0 else len(encoded) - 1
        core = encoded[(0, 2, 3)[shift] : whole]
        if len(core) >= 8:
            found |= {core, core.translate({43: 45, 47: 95})}
    return found
