# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-playbook`` commands are said as ``runbook`` commands, and what is not known stays as it is."""

from __future__ import annotations

import pytest
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.cli.following import translate

RUN = "runbook run database-failure"
PLAY = "ansible-playbook playbooks/database-failure.yml"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"{PLAY} --tags immediate", f"{RUN} -s immediate"),
        (PLAY, RUN),
        (
            f"{PLAY} --tags resolution -i inventories/production -e approve=true",
            f'{RUN} -s resolution -i production --approve "why"',
        ),
        (
            f"{PLAY} --tags resolution -e branch=failover -e dhakacart_target=dr",
            f"{RUN} -s resolution --branch failover --target dr",
        ),
        (
            "ansible-playbook dhakacart.runbooks.database_failure --tags symptoms,investigation -i /etc/x/hosts.yml",
            f"{RUN} -s symptoms -s investigation -i /etc/x/hosts.yml",
        ),
        ("ansible-playbook playbooks/triage.yml -i inventories/staging", "runbook triage -i staging"),
        (
            f"not known, rds.api could not be read; then: {PLAY} --tags escalation",
            f"not known, rds.api could not be read; then: {RUN} -s escalation",
        ),
    ],
)
def test_a_command_of_the_collection_is_translated(catalogue: Catalogue, said: str, shown: str) -> None:
    assert translate(said, catalogue) == shown


def test_a_playbook_by_its_whole_path_is_the_collections(catalogue: Catalogue) -> None:
    root = catalogue.collection.root
    said = f"ansible-playbook {root}/playbooks/database-failure.yml --tags immediate -i {root}/inventories/staging"
    assert translate(said, catalogue) == f"{RUN} -s immediate -i staging"


@pytest.mark.parametrize(
    "said",
    [
        "nothing: no cause was found",
        "Do not fail over until the lag is below the RPO.",
        "ansible-playbook site.yml --tags immediate",
        "ansible-playbook other/playbooks/database-failure.yml",
        "ansible-playbook playbooks/unheard-of.yml",
        "ansible-playbook somebody.else.database_failure",
        "ansible-playbook playbooks/database-failure.yml --limit lab",
        "ansible-playbook playbooks/database-failure.yml -e something=else",
        f"{PLAY} --tags",
        f"{PLAY} --tags 'immediate",
        "ansible-playbook ",
    ],
)
def test_what_is_not_known_stays_as_it_is(catalogue: Catalogue, said: str) -> None:
    assert translate(said, catalogue) == said
