# SPDX-License-Identifier: GPL-3.0-or-later
"""Of a program that ended, its own last words are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from dhakacart_lab.kubernetes.control_plane.provider import last_words


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '{"level":"warn","msg":"x"}\n{"level":"fatal","msg":"discovery failed","error":"listen tcp: in use"}\n',
            "listen tcp: in use",
        ),
        ('{"level":"fatal","msg":"no error in it"}\n', "no error in it"),
        ('I1123 starting\nE1123 "command failed" err="bad flag"\n\n', 'E1123 "command failed" err="bad flag"'),
        ('["a list"]', '["a list"]'),
        ("x" * 500, "x" * 200),
        ("", "it said nothing"),
    ],
)
def test_the_reason_is_one_short_line(tmp_path: Path, text: str, told: str) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert last_words(log) == told


def test_a_program_without_a_log_said_nothing(tmp_path: Path) -> None:
    assert last_words(tmp_path / "none") == "it said nothing"
