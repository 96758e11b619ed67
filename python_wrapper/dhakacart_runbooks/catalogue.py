# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be run, and whether a request makes sense: Ansible itself says ok to a tag that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from .collection import Collection
from .errors import InfrastructureError, UsageError
from .pages import IndexEntry, Page, read_index, read_page
from .paths import expanded
from .request import RunRequest
from .variables import check_variables

DEFAULT_INVENTORY = "lab"
COMMON = Path("inventories/common/platform.yml")
TOOL = "tool"
_SHOWN = 80  # of a text that is too long for a path


@dataclass(frozen=True)
class Step:
    """A numbered step of a section: the same on the page and in the play."""

    number: int
    title: str


@dataclass(frozen=True)
class Section:
    """A tagged play.

    :param gated: it runs only when it is asked for by name; a bare run leaves it out.
    """

    tag: str
    gated: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Runbook:
    """A line of the index with its page and playbook; a ``tool`` is a playbook without a page.

    :param opens_when: the symptoms that lead to it, as the index says them.
    :param page: None where it is not written yet, like ``playbook``.
    """

    slug: str
    title: str
    category: str
    severity: str
    opens_when: str = ""
    page: Path | None = None
    playbook: Path | None = None
    root: Path = field(default=Path(), repr=False)

    @property
    def written(self) -> bool:
        return self.playbook is not None

    @cached_property
    def text(self) -> Page | None:
        """The page, parsed; None where it is not written yet."""
        return read_page(self.page) if self.page else None

    @property
    def owner(self) -> str:
        return self.text.fields.get("Owner", "") if self.text else ""

    @property
    def updated(self) -> date | None:
        return self.text.date("Last Updated") if self.text else None

    @property
    def review(self) -> date | None:
        return self.text.date("Review Date") if self.text else None

    @property
    def alerts(self) -> tuple[str, ...]:
        names = self.text.fields.get("Alerts", "") if self.text else ""
        return tuple(name.strip() for name in names.split(",") if name.strip())

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The tagged plays, in the playbook's order; none where it is not written yet."""
        return tuple(_sections(self.playbook)) if self.playbook else ()


class Catalogue:
    """The runbooks and inventories of one collection."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    @classmethod
    def load(cls, collection: Collection | None = None) -> Catalogue:
        """The catalogue of a collection, or of the one that is found here.

        :raises InfrastructureError: there is none, or it is not whole.
        """
        return cls(collection or Collection.find())

    @cached_property
    def runbooks(self) -> Mapping[str, Runbook]:
        """Every runbook of the index, written or not, by slug and in the index's order."""
        index = self.collection.root / "runbooks/README.md"
        return {entry.slug: self._runbook(entry) for entry in read_index(index)}

    @cached_property
    def tools(self) -> Mapping[str, Runbook]:
        """Playbooks that are no runbook, by slug."""
        # Symlinks are the same playbooks under the names that a full collection name needs.
        files = sorted(p for p in (self.collection.root / "playbooks").glob("*.yml") if not p.is_symlink())
        return {
            path.stem: Runbook(path.stem, path.stem, TOOL, "", playbook=path, root=self.collection.root)
            for path in files
            if path.stem not in self.runbooks
        }

    @cached_property
    def alerts(self) -> Mapping[str, str]:
        """Alert name → slug, as the inventories say."""
        found = self._common.get("dhakacart_alert_map")
        return {str(name): str(slug) for name, slug in found.items()} if isinstance(found, dict) else {}

    def get(self, slug: str) -> Runbook:
        """The runbook or tool of that name; UsageError with a suggestion otherwise."""
        if slug in self.runbooks:
            return self.runbooks[slug]
        if slug in self.tools:
            return self.tools[slug]
        raise UsageError(
            f"unknown runbook {slug!r}",
            remedy=_suggest(slug, self.runbooks, "runbook list shows them, runbook search finds one by symptom"),
        )

    def inventories(self) -> list[str]:
        """Names under ``inventories/``, the lab first."""
        folders = (self.collection.root / "inventories").glob("*/hosts.yml")
        return sorted((path.parent.name for path in folders), key=lambda name: (name != DEFAULT_INVENTORY, name))

    def inventory(self, name: str | None) -> Path:
        """The folder or file of an inventory, by name or path; UsageError with a suggestion otherwise."""
        chosen = DEFAULT_INVENTORY if name is None else name
        if not chosen:  # a script's variable that is not set must not become the lab
            raise UsageError("is empty", where="--inventory", remedy="name one, or leave it out for the lab")
        if chosen in self.inventories():
            return self.collection.root / "inventories" / chosen
        path = expanded(chosen)
        try:
            if path.exists():
                return path.resolve()
        except OSError as error:
            raise UsageError(
                f"cannot be read ({error.strerror})", where=f"--inventory {chosen[:_SHOWN]}", remedy="name another"
            ) from None
        raise UsageError(
            f"unknown inventory {chosen!r}",
            where="--inventory",
            remedy=_suggest(chosen, self.inventories(), f"one of {', '.join(self.inventories())}, or a path"),
        )

    def validate(self, request: RunRequest) -> None:
        """Whether the request can be run.

        :raises UsageError: something in it does not exist or makes no sense; nothing was started.
        """
        runbook = self.get(request.runbook)
        if not runbook.written:
            raise UsageError(
                f"runbook {runbook.slug!r} is not written yet",
                remedy="runbook list shows which are; runbook search finds the nearest by symptom",
            )
        if isinstance(request.sections, str):
            raise UsageError("is one text", where="sections", remedy=f"a tuple: ({request.sections!r},)")
        tags = [section.tag for section in runbook.sections]
        for asked in request.sections:
            if asked not in tags:
                known = f"sections are {', '.join(tags)}" if tags else f"{runbook.slug} has none"
                raise UsageError(f"unknown section {asked!r}", where=runbook.slug, remedy=_suggest(asked, tags, known))
        for inventory in (request.inventory, *request.overlays):
            self.inventory(inventory)
        if request.approve is not None and not request.approve.strip():
            raise UsageError("an approval needs a reason", where="--approve", remedy='--approve "why"')
        if request.timeout is not None and not request.timeout > 0:
            raise UsageError(f"{request.timeout:g} s is no limit", where="--timeout", remedy="a number above 0")
        check_variables(request.variables, self.collection.root)

    @cached_property
    def _common(self) -> dict[str, Any]:
        content = _yaml(self.collection.root / COMMON)
        return content if isinstance(content, dict) else {}

    def _runbook(self, entry: IndexEntry) -> Runbook:
        root = self.collection.root
        playbook = root / "playbooks" / f"{entry.slug}.yml"
        return Runbook(
            slug=entry.slug,
            title=entry.title,
            category=entry.category,
            severity=entry.severity,
            opens_when=entry.opens_when,
            page=root / "runbooks" / entry.page if entry.page else None,
            playbook=playbook if playbook.is_file() else None,
            root=root,
        )


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _sections(playbook: Path) -> Iterable[Section]:
    plays = _yaml(playbook)
    if not isinstance(plays, list) or not all(isinstance(play, dict) for play in plays):
        raise InfrastructureError(
            "is no playbook: not a list of plays", where=str(playbook), remedy="restore it from version control"
        )
    for play in plays:
        tags = _tags(play.get("tags"))
        named = [tag for tag in tags if tag not in ("always", "never")]
        tasks = play.get("tasks")
        rows = tasks if isinstance(tasks, list) else []
        titles = [str(task.get("name", "")) if isinstance(task, dict) else "" for task in rows]
        steps = tuple(Step(number, title) for number, title in enumerate(titles, start=1))
        yield from (Section(str(tag), "never" in tags, steps) for tag in named)


def _tags(value: Any) -> list[str]:
    """As Ansible reads them: a list, or one text with commas."""
    listed = value if isinstance(value, list) else [] if value is None else str(value).split(",")
    return [str(tag).strip() for tag in listed]


def _yaml(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - a safe loader
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "not UTF-8 text"
    except (yaml.YAMLError, ValueError, RecursionError):
        reason = "not YAML"
    remedy = "restore it from version control"
    raise InfrastructureError(f"cannot be read ({reason})", where=str(path), remedy=remedy)


def _suggest(word: str, known: Iterable[str], otherwise: str) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]}? {otherwise}" if close else otherwise
