# SPDX-License-Identifier: GPL-3.0-or-later
"""What the shell offers on Tab."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from dhakacart_runbooks.cli import completion


class _Line:
    """What Typer knows of a command line that is half typed."""

    def __init__(self, **params: Any) -> None:
        self.params = params


def offered(complete: Any, incomplete: str = "", **params: Any) -> list[str]:
    return [name for name, _help in complete(_Line(**params), incomplete)]


def test_only_runbooks_that_can_run_are_offered() -> None:
    assert "database-failure" in offered(completion.complete_slug)
    assert "network-issues" not in offered(completion.complete_slug)
    assert offered(completion.complete_slug, "x") == []


def test_the_sections_are_those_of_the_runbook_on_the_line() -> None:
    assert offered(completion.complete_section, "in", runbook="database-failure") == ["investigation"]
    assert offered(completion.complete_section, "im") == ["immediate"]
    assert offered(completion.complete_section, "", runbook="unheard-of") == []


def test_inventories_are_offered_by_name_and_paths_are_left_to_the_shell() -> None:
    assert offered(completion.complete_inventory, "s") == ["staging"]
    assert offered(completion.complete_inventory, "/etc/") == []


def test_drills_are_offered_by_name() -> None:
    assert "database-primary-killed" in offered(completion.complete_drill, "database-primary")


def test_without_a_collection_nothing_is_offered_and_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DHAKACART_COLLECTION", "/nowhere")
    assert offered(completion.complete_slug) == []
    assert capsys.readouterr() == ("", "")


def test_typer_itself_offers_them_in_a_shell(capsys: pytest.CaptureFixture[str]) -> None:
    from dhakacart_runbooks.cli import run
    from typer.testing import CliRunner

    app = typer.Typer()
    app.callback()(lambda: None)
    run.add(app)
    line = "root run database-failure -s inv"
    result = CliRunner().invoke(
        app, [], env={"_ROOT_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "4"}, prog_name="root"
    )
    assert result.stdout.split() == ["investigation"]
