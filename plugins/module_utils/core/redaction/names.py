# SPDX-License-Identifier: BSD-2-Clause
"""Which names carry a secret, and which only speak of one. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

TOKEN = re.compile(r"\(secret:[0-9a-f]{8}\)")
SHORTEST = 6

_SECRET = re.compile(
    r"""(?xi)
    pass(?:word|wd|phrase|code) | (?<![a-z])pass(?![a-z]) | (?<![a-z])pwd | pgpass(?!file) | secret | token
    | (?:api|access|auth|private|signing|encryption|routing|integration|service|license|client|shared|storage|master)
      [_. -]?key(?!s?[_-]?id)
    | credential | authorization | cookie | requirepass | masterauth | key[_-]data
    | session[_-]?id | sessid | connect\.sid | (?<![a-z])(?:otp|jwt|sig)(?![a-z]) | x-amz-(?:signature|credential)"""
)
# What comes last says what the value is: where the secret lies, what it is called, how long it lives.
_ABOUT = re.compile(
    r"""(?xi)
    (?:[_-]|(?<=[a-z])(?=[A-Z]))?
    (?: file | files | path | dir | name | names | arn | refs? | selector | ttl | length | size | count | number | limit
      | quota | total | types? | kind | versions? | encryption | method | rotation\w* | policy | fingerprint | digest
      | algorithm | status | state | age | expir\w* | seconds | minutes | hours | days | updated | changed | created
      | required | enabled | requirement | exists | present | valid | match\w* | same | equal | endpoint | url | uri
      | host | port | user | username | provider | store | mount\w* | source | usage | errors? | keyref | manager
      | metadata | used
      | reviews? | requests? | class | driver | [_-]id | at | key | keys | since | s
    )$"""
)
_NO_SECRET_BEFORE = re.compile(
    r"(?i)^(?:automount|max|min|next|num|total|image_?pull|use|no|has|is|missing|starting)[_-]?"
)
# Names that end in "key" or "s" and yet hold the thing itself.
_ITSELF = re.compile(
    r"""(?xi)
    (?: (?:api|access|auth|private|secret|signing|encryption|routing|integration|service|license|client|shared|storage
           |master)[_. -]?(?:access[_-]?)?keys?
      | (?:^|[_-])(?:credentials?|passwords|pass|secrets?|tokens?)
      | pgpass
    )$"""
)
_PLAIN_WORD = re.compile(
    r"""(?xi)
    true | false | null | none | nil | undefined | yes | no | on | off | n/a | unset | empty | hidden | omitted
    | disabled | required | missing | invalid | expired | denied
    | \*+ | x{3,} | \.{3} | <[\w\ .-]*>? | \(sensitive[\ \w]*\)? | \[?redacted\]? | \(redacted\)?
    | \[ | \{ | \| | > | -"""
)
# The name of a secret in Kubernetes or AWS says what it is; a generated secret does not end so.
_NAME_OF_SECRET = re.compile(
    r"[a-z0-9][a-z0-9./-]*[a-z0-9]-(?:secrets?|credentials|tokens?|tls|certs?|keys?)(?:-[A-Za-z0-9]{6})?"
)
_ELSEWHERE = ("{{", "${", "$(", "%(")
_PLACES = ("/", "~/", "./", "arn:aws:", "file:", "ssm:", "vault:", *_ELSEWHERE)


@functools.lru_cache(maxsize=4096)
def secret_name(name: str) -> bool:
    """Whether a value under this name is a secret: ``DB_PASSWORD``, but not ``password_file``."""
    bare = name.strip("\"'\\ ")
    if not _SECRET.search(bare) or _NO_SECRET_BEFORE.match(bare):
        return False
    return bool(_ITSELF.search(bare)) or not _ABOUT.search(bare)


def harmless(name: str, value: str) -> bool:
    """Whether a value under a secret's name is none: nothing, a word, a place, or what the secret is called."""
    if not value or is_plain(value) or TOKEN.search(value) or value.startswith(_ELSEWHERE):
        return True
    if name.lower() == "pwd" and value.startswith("/"):  # where a shell is
        return True
    if re.search(r"(?i)pass|pwd", name):
        return False
    if value.isdecimal() and len(value) < SHORTEST:
        return True
    sentence = value.endswith(":") and value[:-1].isalpha()  # "getting credentials: exec: not found"
    return sentence or bool(_NAME_OF_SECRET.fullmatch(value)) or value.startswith(_PLACES)


def is_plain(value: str) -> bool:
    """Whether it is a word that stands where a value would: ``true``, ``<none>``, ``***``."""
    return bool(_PLAIN_WORD.fullmatch(value))


def secret_variables(environ: Mapping[str, str]) -> list[str]:
    """The values of environment variables whose name says that they are a secret."""
    return [value for name, value in environ.items() if secret_name(name) and not harmless(name, value)]
