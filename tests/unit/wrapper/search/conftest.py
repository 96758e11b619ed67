# SPDX-License-Identifier: GPL-3.0-or-later
"""A search over the real collection, and one over a small made-up one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.collection import Collection
from dhakacart_runbooks.search import Search

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="session")
def real() -> Catalogue:
    return Catalogue.load(Collection.find(ROOT))


@pytest.fixture(scope="session")
def search(real: Catalogue) -> Search:
    return Search(real)


@pytest.fixture
def made_up(tmp_path: Path) -> Callable[..., Catalogue]:
    """A catalogue with the given index (title → when to open it), alert map (alert → slug) and pages (title → page)."""

    def make(
        index: dict[str, str], alerts: dict[str, str] | None = None, pages: dict[str, str] | None = None
    ) -> Catalogue:
        (tmp_path / "galaxy.yml").write_text("namespace: dhakacart\nname: runbooks\nversion: 1.0.0\n")
        common = tmp_path / "inventories/common/platform.yml"
        common.parent.mkdir(parents=True)
        common.write_text(yaml.safe_dump({"dhakacart_alert_map": alerts or {}}))
        (tmp_path / "runbooks").mkdir()
        rows = ["| Runbook | Category | Severity | Written | Open it when |", "|---|---|---|---|---|"]
        for title, opens in index.items():
            name = title
            if title in (pages or {}):
                file = f"{title.lower().replace(' ', '-')}.md"
                (tmp_path / "runbooks" / file).write_text((pages or {})[title])
                name = f"[{title}]({file})"
            rows.append(f"| {name} | emergency | P1 | not yet | {opens} |")
        (tmp_path / "runbooks/README.md").write_text("\n".join(rows) + "\n")
        return Catalogue.load(Collection(tmp_path, "1.0.0", checkout=True))

    return make
