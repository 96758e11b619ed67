# SPDX-License-Identifier: BSD-2-Clause
"""What looks as if a generator of secrets had made it. Pure.

Hexadecimal never counts: digests, commits and ids are hexadecimal, and a record without them is worth little. A secret
in hexadecimal is found by its name, or because it is known.
"""

from __future__ import annotations

import base64
import functools
import itertools
import re

CANDIDATE = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_HEX = re.compile(r"(?i)[0-9a-f-]+")
_RUNS = re.compile(r"[A-Z]?[a-z]{4,}|[A-Z]{5,}|\d{5,}")
_SPOKEN = re.compile(r"(?i)[aeiouy\d]")
_LONG = 40
# AWS's own ids of databases, and digests as npm writes them.
_RESOURCE = re.compile(r"(?:db|cluster|cluster-ro|proxy)-[A-Z0-9]{26}|sha(?:1|256|384|512)-[\w+/]+")
_PUBLIC_BLOCK = re.compile(
    r"-----BEGIN (?:[A-Z0-9 ]*PUBLIC KEY|[A-Z ]*CERTIFICATE(?: REQUEST)?)-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)",
    re.DOTALL,
)
# Random, public, and needed to find the same thing elsewhere: request ids, digests, versions.
_PUBLIC_BEFORE = re.compile(
    r"""(?xi)
    (?: (?:request|host|trace|version)[_ -]?id | x-amz-id-2 | x-amz-cf-id | etag | digest | checksum | integrity
      | fingerprint | resource[_ -]?version | continue | uid | commit | revision | sha-?(?:1|256|384|512) | md5
      | ssh-(?:rsa|ed25519) | certificate[_-]authority[_-]data | ca[_-]?bundle | marker | (?:next|starting)[_-]?token
    )\\*["']?\s*[:=@ -]\s*\\*["'(]?$"""
)
_BEFORE = 40
_ENOUGH = 256


def public_blocks(text: str) -> list[tuple[int, int]]:
    """Where certificates and public keys stand."""
    return [match.span() for match in _PUBLIC_BLOCK.finditer(text)] if "-----BEGIN" in text else []


def is_public(text: str, begin: int, blocks: list[tuple[int, int]]) -> bool:
    """Whether what begins there is random and public, as what stands before it says."""
    if any(start <= begin < end for start, end in blocks):
        return True
    return bool(_PUBLIC_BEFORE.search(text[max(0, begin - _BEFORE) : begin]))


@functools.lru_cache(maxsize=8192)
def looks_random(text: str) -> bool:
    """Whether a word of 20 characters or more has neither words nor a pattern in it."""
    bare = text[:_ENOUGH].rstrip("=")
    if _HEX.fullmatch(bare) or _RESOURCE.fullmatch(bare):
        return False
    parts = re.split(r"[-_/+]", bare)
    longest = max(parts, key=len)
    if bare.lower() == bare or bare.upper() == bare:
        return _one_case(longest)
    # Names in camel case have short words, too, but no digit.
    if not any(character.isdigit() for character in bare) or (len(bare) < _LONG and len(longest) < 8):
        return False
    words = sum(len(run) for run in _RUNS.findall(bare) if _SPOKEN.search(run))
    kinds = [_kind(character) for character in bare]
    changes = sum(one != other for one, other in itertools.pairwise(kinds))
    # In a long one chance makes fewer runs that look like words, and few names are that long.
    most, least = (0.42, 0.35) if len(bare) < _LONG else (0.52, 0.28)
    return words / len(bare) < most and changes / len(bare) >= least and len(set(bare)) >= 4 + len(bare) ** 0.5


def _one_case(word: str) -> bool:
    """Letters of one case and digits, as base32 and base36 have them: longer, and digits all over it."""
    if len(word) < 22 or _HEX.fullmatch(word):
        return False
    changes = sum(one.isdigit() != other.isdigit() for one, other in itertools.pairwise(word))
    return sum(character.isdigit() for character in word) >= 3 and changes >= len(word) / 5


def _kind(character: str) -> int:
    return 0 if character.islower() else 1 if character.isupper() else 2 if character.isdigit() else 3


def decoded(text: str) -> str | None:
    """The text that base64 of a text stands for; None where it is anything else."""
    bare = text.rstrip("=").translate({45: 43, 95: 47})
    try:
        plain = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True).decode("ascii")
    except ValueError:
        return None
    return plain if all(character.isprintable() or character in "\r\n\t" for character in plain) else None
