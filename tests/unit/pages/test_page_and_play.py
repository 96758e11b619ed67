# SPDX-License-Identifier: GPL-3.0-or-later
"""A page and its play are the same list of steps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.runbooks import RUNBOOKS, rules
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.sections import SECTIONS

ROOT = Path(__file__).resolve().parents[3]
HEADINGS = {
    "symptoms": "Symptoms",
    "immediate": "Immediate Actions (< 5 minutes)",
    "investigation": "Investigation (5-15 minutes)",
    "resolution": "Resolution (15-60 minutes)",
    "verification": "Verification",
    "prevention": "Prevention",
    "escalation": "Escalation",
}
PAGES = sorted(path for path in (ROOT / "runbooks").glob("*/*.md"))


def sections_of(page: Path) -> dict[str, str]:
    """Heading → text."""
    parts = re.split(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def plays_of(page: Path) -> list[dict]:
    return yaml.safe_load((ROOT / "playbooks" / f"{page.stem}.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_template_in_its_order(page: Path) -> None:
    assert list(sections_of(page)) == ["Overview", *HEADINGS.values(), "Related Documentation"]
    head = page.read_text(encoding="utf-8").partition("## ")[0]
    assert head.startswith("# ")
    assert re.search(r"\*\*Severity:\*\* P[0-3]$", head, re.MULTILINE)
    for field in ("Last Updated", "Review Date"):
        assert re.search(rf"\*\*{field}:\*\* \d{{4}}-\d{{2}}-\d{{2}}$", head, re.MULTILINE), field
    assert re.search(r"\*\*Owner:\*\* .+", head)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
@pytest.mark.parametrize("tag", HEADINGS)
def test_the_steps_of_a_section_are_the_tasks_of_its_play(page: Path, tag: str) -> None:
    steps = re.findall(r"^### (\d+)\. (.+)$", sections_of(page)[HEADINGS[tag]], re.MULTILINE)
    play = next(play for play in plays_of(page) if tag in play["tags"])
    assert [int(number) for number, _ in steps] == list(range(1, len(steps) + 1))
    assert [title for _, title in steps] == [task["name"] for task in play["tasks"]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_only_reading_sections_are_in_a_bare_run(page: Path) -> None:
    plays = plays_of(page)
    assert plays[0]["tags"] == ["always"]
    assert [play["tags"][0] for play in plays[1:]] == list(SECTIONS)
    assert {play["tags"][0] for play in plays if "never" not in play["tags"]} == {
        "always",
        "symptoms",
        "investigation",
        "prevention",
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_cause_and_branch_of_the_rules_is_on_the_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for cause in rules(page.stem).causes:
        assert f"`{cause.id}`" in text, cause.id
    for branch in rules(page.stem).branches:
        assert f"`{branch}`" in text, branch


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_of_a_page_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_every_runbook_with_rules_has_a_page_and_a_playbook() -> None:
    assert {page.stem for page in PAGES} == set(RUNBOOKS)


def test_the_index_lists_22_runbooks_and_says_truly_which_are_written() -> None:
    categories = "emergency|troubleshooting|operations|monitoring|maintenance"
    rows = re.findall(
        rf"^\| (\[?[A-Z][^|]+?) \| ({categories}) \| P[0-3] \| (\S[^|]*?) \| \S[^|]* \|$",
        (ROOT / "runbooks/README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert len(rows) == 22
    written = {re.search(r"\((.+?)\)", name).group(1) for name, _, state in rows if state.startswith("yes")}
    assert written == {str(page.relative_to(ROOT / "runbooks")) for page in PAGES}
    assert all(not name.startswith("[") for name, _, state in rows if state == "not yet")


def test_every_branch_of_the_rules_has_its_tasks() -> None:
    tasks = ROOT / "roles/database_recovery/tasks"
    assert all((tasks / f"{name}.yml").exists() for name in rules("database-failure").branches)
