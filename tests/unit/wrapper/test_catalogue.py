# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be run, and requests that make no sense."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from dhakacart_runbooks.catalogue import Catalogue, Runbook
from dhakacart_runbooks.collection import Collection
from dhakacart_runbooks.errors import InfrastructureError, UsageError
from dhakacart_runbooks.pages import read_index, read_page
from dhakacart_runbooks.paths import state_home
from dhakacart_runbooks.request import RunRequest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.load(Collection.find(ROOT))


def test_the_index_has_22_runbooks_in_five_categories(catalogue: Catalogue) -> None:
    assert len(catalogue.runbooks) == 22
    assert {r.category for r in catalogue.runbooks.values()} == {
        "emergency",
        "troubleshooting",
        "operations",
        "monitoring",
        "maintenance",
    }
    assert {"backup-restore", "dr-testing", "data-loss-recovery"} <= set(catalogue.runbooks)


def test_a_written_runbook_knows_its_page_and_its_sections(catalogue: Catalogue) -> None:
    runbook = catalogue.get("database-failure")
    assert runbook.written
    assert runbook.owner.startswith("Database team")
    assert runbook.review is not None and runbook.review > date(2026, 1, 1)
    assert "DhakaCartDatabaseConnectionHigh" in runbook.alerts
    assert [s.tag for s in runbook.sections] == [
        "symptoms",
        "immediate",
        "investigation",
        "resolution",
        "verification",
        "prevention",
        "escalation",
    ]
    assert [s.tag for s in runbook.sections if not s.gated] == ["symptoms", "investigation", "prevention"]


def test_the_steps_of_the_plays_are_the_steps_of_the_page(catalogue: Catalogue) -> None:
    for runbook in catalogue.runbooks.values():
        page = {s.tag: s.steps for s in runbook.text.sections} if runbook.text else {}
        for section in runbook.sections:
            assert tuple(step.title for step in section.steps) == page[section.tag]


def test_every_alert_leads_to_a_runbook_of_the_index(catalogue: Catalogue) -> None:
    assert catalogue.alerts
    assert set(catalogue.alerts.values()) <= set(catalogue.runbooks)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (RunRequest("databse-failure"), ["'databse-failure'", "did you mean database-failure?"]),
        (RunRequest("deployment"), ["not written yet", "runbook list"]),
        (RunRequest("database-failure", ("imediate",)), ["'imediate'", "did you mean immediate?", "verification"]),
        (RunRequest("database-failure", inventory="stagin"), ["--inventory", "did you mean staging?"]),
        (RunRequest("database-failure", overlays=("/no/such",)), ["'/no/such'"]),
        (RunRequest("database-failure", variables={"dhakacart_db_hots": 1}), ["did you mean dhakacart_db_host?"]),
        (RunRequest("database-failure", variables={"db_password": 1}), ["looks like a secret", "inventory names"]),
        (RunRequest("database-failure", variables={"ansible_become_password": 1}), ["looks like a secret"]),
        (RunRequest("database-failure", variables={"branch": "failover"}), ["--branch"]),
        (RunRequest("database-failure", approve="  "), ["needs a reason"]),
        (RunRequest("database-failure", timeout=0.0), ["--timeout"]),
        (RunRequest("database-failure", timeout=float("nan")), ["--timeout"]),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_a_remedy(
    catalogue: Catalogue, asked: RunRequest, words: list[str]
) -> None:
    with pytest.raises(UsageError) as refused:
        catalogue.validate(asked)
    message = str(refused.value)
    assert "\n" not in message
    for word in words:
        assert word in message
    assert "; remedy: " in message


@pytest.mark.parametrize(
    "asked",
    [
        RunRequest("database-failure"),
        RunRequest("database-failure", ("resolution", "immediate"), inventory="production", approve="INC-1"),
        RunRequest("database-failure", variables={"dhakacart_db_host": "x", "ansible_ssh_user": "ops"}),
        RunRequest("database-failure", variables={"database_recovery_cause": "primary_down"}),
        RunRequest("database-failure", inventory=str(ROOT / "inventories/staging")),
    ],
)
def test_a_request_that_makes_sense_is_accepted(catalogue: Catalogue, asked: RunRequest) -> None:
    catalogue.validate(asked)


def test_a_checkout_is_found_from_a_folder_inside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DHAKACART_COLLECTION", raising=False)
    found = Collection.find(ROOT / "roles/approval")
    assert (found.root, found.checkout) == (ROOT, True)
    assert (found.search_path / "ansible_collections/dhakacart/runbooks/galaxy.yml").is_file()


def test_an_installed_collection_is_found_by_ansibles_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "ansible_collections/dhakacart/runbooks"
    home.mkdir(parents=True)
    manifest = '{"collection_info": {"namespace": "dhakacart", "name": "runbooks", "version": "7.0.0"}}'
    (home / "MANIFEST.json").write_text(manifest, encoding="utf-8")
    monkeypatch.setenv("DHAKACART_COLLECTION", str(home))
    found = Collection.find(tmp_path)
    assert (found.version, found.checkout, found.search_path) == ("7.0.0", False, tmp_path)


def test_a_folder_that_is_no_collection_is_said_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "galaxy.yml").write_text("namespace: other\nname: thing\n", encoding="utf-8")
    monkeypatch.setenv("DHAKACART_COLLECTION", str(tmp_path))
    with pytest.raises(InfrastructureError, match=r"DHAKACART_COLLECTION: .* is no dhakacart\.runbooks collection"):
        Collection.find()


def test_a_hash_in_a_fenced_block_is_no_heading(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# T\n**Owner:** me\n## Symptoms\n```\n# not one\n## nor this\n```\n### 1. Look\n", encoding="utf-8"
    )
    found = read_page(page)
    assert [(s.tag, s.steps) for s in found.sections] == [("symptoms", ("Look",))]
    assert found.fields == {"Owner": "me"}


def test_an_index_without_a_table_is_said_so(tmp_path: Path) -> None:
    index = tmp_path / "README.md"
    index.write_text("# Runbooks\n", encoding="utf-8")
    with pytest.raises(InfrastructureError, match="no table of runbooks"):
        read_index(index)


def test_a_page_that_cannot_be_read_is_said_by_name(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_bytes(b"\xff\xfe")
    with pytest.raises(InfrastructureError, match=r"page\.md: cannot be read \(not UTF-8 text\)"):
        read_page(page)


def test_an_unpacked_collection_where_ansible_would_not_find_it_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DHAKACART_COLLECTION", raising=False)
    manifest = '{"collection_info": {"namespace": "dhakacart", "name": "runbooks", "version": "7.0.0"}}'
    (tmp_path / "MANIFEST.json").write_text(manifest, encoding="utf-8")
    assert Collection.find(tmp_path).root == ROOT


def test_tags_in_one_text_are_read_as_ansible_reads_them(tmp_path: Path) -> None:
    playbook = tmp_path / "x.yml"
    playbook.write_text("- hosts: all\n  tags: immediate, never\n  tasks: [{name: Look}]\n", encoding="utf-8")
    (section,) = Runbook("x", "X", "", "", playbook=playbook).sections
    assert (section.tag, section.gated, section.steps[0].title) == ("immediate", True, "Look")


def test_a_heading_without_words_is_none(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# T\n##  \n## Symptoms\n", encoding="utf-8")
    assert [section.tag for section in read_page(page).sections] == ["symptoms"]


def test_sections_given_as_one_text_are_not_taken_for_letters(catalogue: Catalogue) -> None:
    asked = RunRequest("database-failure", sections="immediate")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"sections: is one text; remedy: a tuple: \('immediate',\)"):
        catalogue.validate(asked)


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("DHAKACART_STATE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(InfrastructureError, match="no home folder; remedy: set HOME or DHAKACART_STATE_HOME"):
        state_home()
