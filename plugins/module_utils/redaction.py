# SPDX-License-Identifier: BSD-2-Clause
"""Keeps secrets and customer data out of what checks return. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re

_SQL_COMMENT = re.compile(r"/\*.*?(?:\*/|$)|--[^\n]*", re.DOTALL)
# The last quote may be missing: PostgreSQL itself cuts a query at track_activity_query_size.
_SQL_STRING = re.compile(r"\b[eE]'(?:\\.|''|[^'\\])*(?:'|$)|'(?:''|[^'])*(?:'|$)|\$(\w*)\$.*?(?:\$\1\$|$)", re.DOTALL)
_SQL_NUMBER = re.compile(r"(?<![\w$.\"])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b")
_SPACE = re.compile(r"\s+")

_SECRET_PAIR = re.compile(
    r"""(?ix)
    (["']?[\w.-]*(?:password|passwd|pwd|secret|token|authorization|api[_-]?key|cookie|credential)[\w-]*["']?\s*[:=]\s*)
    (?:"[^"]*"|'[^']*'|(?:bearer|basic)\s+[^\s,;}]+|[^\s,;}&]+)"""
)
_URL_PASSWORD = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/@]*@")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}")
_JWT = re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")


def query_shape(query: str, length: int = 200) -> str:
    """A query with every literal replaced by ``?`` and comments removed, cut to ``length`` characters."""
    text = _SQL_COMMENT.sub(" ", _SQL_STRING.sub("?", query))
    text = _SPACE.sub(" ", _SQL_NUMBER.sub("?", text)).strip()
    return text if len(text) <= length else text[: length - 1] + "…"


def redact(text: str, length: int = 300) -> str:
    """A log line or error text without passwords, tokens and mail addresses, cut to ``length`` characters."""
    text = _URL_PASSWORD.sub(r"\1:***@", text)
    text = _SECRET_PAIR.sub(r"\1***", text)
    text = _JWT.sub("***", _BEARER.sub(r"\1 ***", text))
    text = _SPACE.sub(" ", _MAIL.sub("***@***", text)).strip()
    return text if len(text) <= length else text[: length - 1] + "…"


def fingerprint(salt: str, value: str) -> str:
    """Eight hexadecimal digits that tell whether two secrets are equal within one run, and nothing else.

    :param salt: random, made for this run and thrown away: without it the digits are worthless.
    """
    return hmac.new(salt.encode(), value.encode(), hashlib.sha256).hexdigest()[:8]
