# SPDX-License-Identifier: GPL-3.0-or-later
"""The query form of label selectors, parsed as the server parses it, so that a mistake is answered in its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .errors import ApiError, bad_request
from .kinds import Obj
from .validation_metadata import key_problems

TOKEN = re.compile(r"\s*(==|!=|=|!|,|\(|\)|<|>|[^\s=!,()<>]+|$)")
OPERATORS = ("in", "notin", "=", "==", "!=", "gt", "lt", ">", "<")
Labels = Mapping[str, str]
Test = Callable[[Labels], bool]
SIGNS = set("=!,()<>") | {"==", "!="}


class _Tokens:
    """What is left of the text, one token ahead."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def peek(self) -> str:
        found = TOKEN.match(self._text, self._at)
        return found[1] if found else ""

    def take(self) -> str:
        found = TOKEN.match(self._text, self._at)
        self._at = found.end() if found else len(self._text)
        return found[1] if found else ""


def label_predicate(text: str) -> Callable[[Obj], bool]:
    """The test a ``labelSelector`` query parameter stands for; ApiError 400 for one that does not parse."""
    tokens, tests = _Tokens(text), []
    while tokens.peek():
        if tokens.peek() != "!" and tokens.peek() in SIGNS:
            raise bad_request(f"found '{tokens.peek()}', expected: !, identifier, or 'end of string'")
        tests.append(_requirement(tokens))
        sign = tokens.take()
        if sign == ",":
            following = tokens.peek()
            if following != "!" and (not following or following in SIGNS):
                raise bad_request(f"found '{following}', expected: identifier after ','")
        elif sign:
            raise bad_request(f"found '{sign}', expected: ',' or 'end of string'")
    return lambda obj: all(test(obj["metadata"].get("labels") or {}) for test in tests)


def _unparsed(why: str) -> ApiError:
    return bad_request(f"unable to parse requirement: {why}")


def _requirement(tokens: _Tokens) -> Test:
    negated = tokens.peek() == "!" and bool(tokens.take())
    key = tokens.take()
    if problems := key_problems("<nil>", key):
        raise _unparsed(f"<nil>: {problems[0][2]}")
    if negated:
        return lambda labels: key not in labels
    operator = tokens.peek()
    if operator in ("", ","):
        return lambda labels: key in labels
    tokens.take()
    if operator not in OPERATORS or operator in ("gt", "lt"):
        raise _unparsed(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")
    if operator in ("in", "notin"):
        values = _values(tokens)
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    value = "" if tokens.peek() in ("", ",") else tokens.take()
    return _comparison(key, operator, value)


def _comparison(key: str, operator: str, value: str) -> Test:
    if operator in (">", "<"):
        if not re.fullmatch(r"-?\d+", value):
            why = "for 'Gt', 'Lt' operators, the value must be an integer"
            raise _unparsed(f'values[0][{key}]: Invalid value: "{value}": {why}')
        more = operator == ">"

        def compare(labels: Labels) -> bool:
            found = labels.get(key, "")
            return bool(re.fullmatch(r"-?\d+", found)) and (
                int(found) > int(value) if more else int(found) < int(value)
            )

        return compare
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    return lambda labels: labels.get(key) == value


def _values(tokens: _Tokens) -> set[str]:
    if (found := tokens.take()) != "(":
        raise _unparsed(f"found '{found}' expected: '('" if found not in SIGNS else f"found '{found}', expected: '('")
    values: set[str] = set()
    current = ""
    while (sign := tokens.take()) != ")":
        if sign == ",":
            values.add(current)
            current = ""
        elif sign:
            current = sign
        if not sign or (current and tokens.peek() not in (",", ")")):
            raise _unparsed(f"found '{tokens.peek()}', expected: ',' or ')'")
    return values | {current}
