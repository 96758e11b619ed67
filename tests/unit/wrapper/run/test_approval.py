# SPDX-License-Identifier: GPL-3.0-or-later
"""An approval is asked for by the command itself, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.cli.approval import approved, required
from dhakacart_runbooks.errors import UsageError
from dhakacart_runbooks.request import RunRequest


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def asked(inventory: str | None = "production", *sections: str, **more: object) -> RunRequest:
    return RunRequest("database-failure", sections=sections or ("resolution",), inventory=inventory, **more)  # type: ignore[arg-type]


def test_production_wants_an_approval_and_the_lab_does_not(catalogue: Catalogue) -> None:
    assert required(asked("production"), catalogue) is True
    assert required(asked("staging"), catalogue) is True
    assert required(asked(None), catalogue) is False


def test_a_change_without_approval_is_refused_in_one_line_that_says_how(catalogue: Catalogue) -> None:
    with pytest.raises(UsageError) as caught:
        approved(asked(), catalogue, ask=False)
    assert str(caught.value) == (
        "--approve: database-failure / resolution changes production, and that is not approved; nothing was started;"
        ' remedy: --approve "why", or --check to see what it would do'
    )


@pytest.mark.parametrize(
    "request_",
    [
        asked("production", "investigation"),
        asked("production", "immediate"),
        asked("production", check=True),
        asked("production", approve="because"),
        asked(None),
    ],
    ids=["reading", "what can be taken back", "dry run", "approved", "lab"],
)
def test_what_needs_no_approval_is_not_asked_for_one(catalogue: Catalogue, request_: RunRequest) -> None:
    assert approved(request_, catalogue, ask=False) is request_


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    given: list[str] = []
    monkeypatch.setattr(typer, "prompt", lambda *_args, **_kwargs: given.pop(0))
    return given


def test_a_person_approves_by_typing_the_name_and_a_reason(catalogue: Catalogue, answers: list[str]) -> None:
    answers += ["production", " the primary is dead "]
    assert approved(asked(), catalogue, ask=True).approve == "the primary is dead"


@pytest.mark.parametrize("typed", [["yes"], [""], ["lab"], ["production", " "]])
def test_any_other_answer_starts_nothing(catalogue: Catalogue, answers: list[str], typed: list[str]) -> None:
    answers += typed
    with pytest.raises(UsageError, match="nothing was started"):
        approved(asked(), catalogue, ask=True)
    assert answers == []


def test_whoever_leaves_at_the_question_interrupted_it(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    def leaves(*_args: object, **_kwargs: object) -> str:
        raise typer.Abort

    monkeypatch.setattr(typer, "prompt", leaves)
    with pytest.raises(KeyboardInterrupt):
        approved(asked(), catalogue, ask=True)


def inventory_of(folder: Path, **files: str) -> str:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        ({"hosts": "all:"}, True),
        ({"group_vars__all__x": "dhakacart_approval_required: false"}, False),
        ({"group_vars__all__a": "dhakacart_approval_required: false", "group_vars__all__b": "other: 1"}, False),
        ({"group_vars__all__x": "dhakacart_approval_required: '{{ something }}'"}, None),
        ({"group_vars__all__x": "dhakacart_approval_required: ["}, None),
        ({"group_vars__dr__x": "dhakacart_approval_required: false"}, None),
        ({"host_vars__h": "dhakacart_approval_required: false"}, None),
        ({"hosts": "all:\n  vars:\n    dhakacart_approval_required: false\n"}, None),
    ],
)
def test_what_only_ansible_can_tell_is_left_to_ansible(
    catalogue: Catalogue, tmp_path: Path, files: dict[str, str], answer: bool | None
) -> None:
    request = asked(inventory_of(tmp_path, **files))
    assert required(request, catalogue) is answer
    if answer is None:
        assert approved(request, catalogue, ask=False) is request


def test_a_variable_on_the_command_line_wins(catalogue: Catalogue) -> None:
    assert required(asked(variables={"dhakacart_approval_required": False}), catalogue) is False
    assert required(asked(variables={"dhakacart_approval_required": "false"}), catalogue) is None
