# SPDX-License-Identifier: BSD-2-Clause
"""Layer by layer: known values, names and forms, randomness. Pure."""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .entropy import CANDIDATE, decoded, is_public, looks_random, public_blocks
from .known import forms, not_looked_for
from .names import SHORTEST, TOKEN, harmless, is_plain, secret_name
from .patterns import NAME, PATTERNS, VALUE

_Known = list[tuple[str, str]]


class Redactor:
    """Takes secrets out of texts and data. What it gives back it leaves alone when it sees it again.

    :param known: secrets in plain text; found in every usual encoding. ``ignored`` says why some are not looked for.
    :param key: makes the tokens: the same key, the same secret, the same token; without the key they tell nothing.
    :param patterns: False for the known values alone, which is quick and never wrong.
    """

    def __init__(self, known: Iterable[str], key: bytes, *, patterns: bool = True) -> None:
        self.key, self._patterns = key, patterns
        values = {value.strip() for value in known}
        self.ignored = tuple(sorted({reason for value in values if (reason := not_looked_for(value))}))
        found: dict[str, str] = {}
        for value in sorted(values, key=lambda value: (-len(value), value)):
            if not_looked_for(value):
                continue
            # Of a key of many lines each line is one.
            for part in (value, *(row.strip() for row in value.splitlines()[1:-1] if len(row.strip()) >= 16)):
                token = self.token(part)
                found.update((form, token) for form in forms(part) if form not in found)
        # The longest first: a shorter one may be a part of it.
        self._known: _Known = sorted(found.items(), key=lambda item: (-len(item[0]), item[0]))

    def token(self, secret: str) -> str:
        """What is written in the place of a secret."""
        digest = hmac.new(self.key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"(secret:{digest.hexdigest()[:8]})"

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._text(text, self._known)

    def data(self, data: Any) -> Any:
        """The same for plain JSON types, keys too; numbers, booleans and null stay what they are."""
        # Nearly always none of the known values is in it, and no single string need be searched for all of them.
        whole = "\n".join(_strings(data))
        present = [item for item in self._known if item[0] in whole]
        return _Walk(self, present).value(data, "") if present or self._patterns else data

    def _text(self, text: str, known: _Known) -> str:
        for form, token in known:
            if form in text:
                text = text.replace(form, token)
        return self._by_form(text) if self._patterns and len(text) >= SHORTEST else text

    def _by_form(self, text: str) -> str:
        lowered = text.lower()
        for pattern in PATTERNS:
            if any(hint in lowered for hint in pattern.hints):
                text = pattern.expression.sub(functools.partial(self._secret, pattern.unless), text)
        return self._random(self._pairs(text))

    def _secret(self, unless: Callable[[str], bool] | None, match: re.Match[str]) -> str:
        secret = match["secret"]
        if TOKEN.search(secret) or is_plain(secret) or (unless and unless(secret)):
            return match[0]
        begin, end = match.start("secret") - match.start(), match.end("secret") - match.start()
        return match[0][:begin] + self.token(secret) + match[0][end:]

    def _pairs(self, text: str) -> str:
        """Values that stand after the name of a secret."""
        written: list[str] = []
        done = 0
        for found in NAME.finditer(text):
            if found.start() < done or not secret_name(found["name"]):
                continue
            value = VALUE.match(text, found.end())
            group = value.lastgroup if value else None
            if value is None or group is None or harmless(found["name"], value[group]):
                continue
            written += [text[done : value.start(group)], self.token(value[group])]
            done = value.end(group)
        return "".join([*written, text[done:]]) if written else text

    def _random(self, text: str) -> str:
        blocks = public_blocks(text)

        def judged(match: re.Match[str]) -> str:
            word = match[0]
            if not self._is_secret(word) or is_public(text, match.start(), blocks):
                return word
            return self.token(word)

        return CANDIDATE.sub(judged, text)

    def _is_secret(self, word: str) -> bool:
        if not looks_random(word):
            return False
        plain = decoded(word)
        # Base64 of a text is what the text is.
        return plain is None or self._by_form(plain) != plain

    def names_secret(self, name: str) -> bool:
        """Whether what stands under this name is to be taken out as a whole."""
        return self._patterns and bool(name) and secret_name(name)


class _Walk:
    """One pass over data; equal strings are looked at once."""

    def __init__(self, redactor: Redactor, known: _Known) -> None:
        self._redactor, self._known = redactor, known
        self._seen: dict[str, str] = {}

    def value(self, data: Any, name: str) -> Any:
        """:param name: the key that the value stands under."""
        if data is None or isinstance(data, bool | float):
            return data
        if isinstance(data, int):
            number = abs(data) >= 10 ** (SHORTEST - 1) and self._redactor.names_secret(name)
            return self._redactor.token(str(data)) if number else data
        if isinstance(data, Mapping):
            return self._mapping(data, name)
        if isinstance(data, list | tuple | set | frozenset):
            return [self.value(item, name) for item in data]
        return self._string(_plain(data), name)

    def _mapping(self, data: Mapping[Any, Any], name: str) -> dict[str, Any]:
        # Kubernetes and AWS list settings as {"name": "DB_PASSWORD", "value": …}, Terraform {"password": {"value": …}}.
        label = next((data[key] for key in ("name", "Name", "key", "Key") if isinstance(data.get(key), str)), "")
        outer = next((entry for entry in (label, name) if self._redactor.names_secret(entry)), "")
        return {
            self._string(str(key), ""): self.value(
                value, outer if outer and str(key).lower() in ("value", "plaintext") else str(key)
            )
            for key, value in data.items()
        }

    def _string(self, text: str, name: str) -> str:
        if self._redactor.names_secret(name) and not harmless(name, text):
            return self._redactor.token(text)
        if text not in self._seen:
            self._seen[text] = self._redactor._text(text, self._known)
        return self._seen[text]


def _plain(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _strings(data: Any) -> Iterator[str]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield str(key)
            yield from _strings(value)
    elif isinstance(data, list | tuple | set | frozenset):
        for item in data:
            yield from _strings(item)
    elif data is not None and not isinstance(data, bool | int | float):
        yield _plain(data)
