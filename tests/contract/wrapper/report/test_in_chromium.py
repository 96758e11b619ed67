# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in a real browser: quiet, alone, legible in both colour schemes and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dhakacart_runbooks.finding import Finding
from dhakacart_runbooks.report.html import render
from dhakacart_runbooks.report.model import (
    Approval,
    Cause,
    Control,
    Figure,
    Moment,
    Opening,
    Outage,
    Record,
    Run,
    Section,
    Step,
    Verification,
)

BEGAN = 1795457126.0
WIDE, PHONE = 1280, 390
ENOUGH_CONTRAST = 4.5
UNDO = 'kubectl -n dhakacart patch hpa dhakacart-backend-hpa --type merge -p \'{"spec": {"maxReplicas": 50}}\''
LONG = "a-very-long-name-without-any-space-" * 8


def finding(id: str, status: str) -> Finding:
    return Finding.from_result(
        {
            "id": id,
            "component": id.split(".")[0],
            "status": status,
            "summary": f"{id} is {status}: {LONG}",
            "evidence": {"endpoint": "127.0.0.1:5432", "reason": LONG},
            "likely_cause": "the server is stopped",
            "next_step": "look at the standby",
        }
    )


def record() -> Record:
    """Something of everything that a page can show, and long words."""
    before = tuple(
        finding(f"system.{number}", status) for number, status in enumerate(["critical", "warning", "unknown"])
    )
    after = tuple(replace(one, status=type(one.status)("ok")) for one in before[:2])
    cause = Cause("primary_down", "The primary is down", (f"system.0: {LONG}",))
    approval = Approval(BEGAN + 8, "Fail over", "a later failover back", "command line", LONG, "rahima@bastion-1")
    sections = (
        Section("immediate", "sections/01-immediate.json", "r1", BEGAN, BEGAN + 400, 400.0, 300.0, "critical",
                cause, findings=before),
        Section("verification", "sections/02-verification.json", "r2", BEGAN + 900, BEGAN + 901, 1.0, 300.0, "ok",
                next="ansible-playbook playbooks/database-failure.yml --tags prevention", recovered=True,
                findings=after, controls=(Control("Backups", False, f"aws {LONG}"), Control("Multi-AZ", None))),
    )  # fmt: skip
    return Record(
        folder="2026-11-23-180526-lab-database-failure",
        runbook="database-failure",
        environment="lab",
        opened=BEGAN,
        opening=Opening(BEGAN, "critical", before, {"http": {"ready": {"status": 503, "body": LONG}}}),
        sections=sections,
        steps=(
            Step(BEGAN + 1, "immediate", "Hold the size of the backend", "changed", UNDO),
            Step(BEGAN + 9, "resolution", "Reboot the instance with failover", "changed", approval=approval),
            Step(BEGAN + 10, "resolution", "Wait", "failed", message=LONG),
            # So close that labels have to make room for each other.
            *(Step(BEGAN + 60 * n, "resolution", f"Restart the deployment {n}", "changed", UNDO) for n in range(1, 14)),
        ),
        approvals=(approval,),
        verifications=(Verification(BEGAN + 901, True, (), (f"system.2 is critical: {LONG}",)),),
        moments=(Moment(BEGAN, "opened", "the record"),),
        closed=BEGAN + 901,
        runs=(Run("r1", sections=("immediate",), started=BEGAN, status="cancelled", interrupted_step="Wait"),),
        outages=(Outage(BEGAN - 8, BEGAN + 12),),
        figures=(Figure("RTO", 20.0, "s", 300.0, True),),
        measured_by="the shopper's log",
        gaps=("timeline.jsonl line 7 is unreadable",),
    )


@pytest.fixture(scope="session")
def page(pages: Callable[[str, str], Path]) -> Path:
    return pages("report", render(record(), BEGAN + 1000))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_the_page_asks_for_nothing_and_complains_of_nothing(browser: Any, page: Path, width: int, dark: bool) -> None:
    browser.show(page, width=width, dark=dark)
    assert [address for address in browser.requested() if not address.startswith("data:")] == [page.as_uri()]
    assert browser.complaints() == []


@pytest.mark.parametrize("width", [WIDE, 768, PHONE, 320])
def test_nothing_sticks_out_at_the_side(browser: Any, page: Path, width: int) -> None:
    browser.show(page, width=width, dark=False)
    browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.value("document.documentElement.scrollWidth") <= width
    wider = browser.value(
        "[...document.querySelectorAll('body *')].filter(one => one.getClientRects().length && !one.closest('.skip')"
        " && !one.closest('thead') && one.getBoundingClientRect().right > innerWidth + 1)"
        ".map(one => one.outerHTML.slice(0, 120))"
    )
    assert wider == []


CONTRASTS = """
(() => {
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const parts = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const behind = one => {
    for (let at = one; at; at = at.parentElement) {
      const back = parts(getComputedStyle(at).backgroundColor);
      if (back.length === 3 || back[3] === 1) return back;
    }
    return null;
  };
  const found = [];
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !one.getClientRects().length || one.closest("title, desc, script")) continue;
    const style = getComputedStyle(one);
    const back = behind(one) || behind(document.body) || [255, 255, 255];
    const front = parts(one.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    found.push([(a + .05) / (b + .05), one.tagName, one.textContent.trim().slice(0, 40), style.color]);
  }
  return found;
})()
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(browser: Any, page: Path, dark: bool) -> None:
    browser.show(page, width=WIDE, dark=dark)
    browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    measured = browser.value(CONTRASTS)
    assert len(measured) > 80
    assert [one for one in measured if one[0] < ENOUGH_CONTRAST] == []


def test_the_two_schemes_are_two(browser: Any, page: Path) -> None:
    backgrounds = []
    for dark in (False, True):
        browser.show(page, width=WIDE, dark=dark)
        backgrounds.append(browser.value("getComputedStyle(document.body).backgroundColor"))
    assert backgrounds[0] != backgrounds[1]


@pytest.mark.parametrize(("width", "kind"), [(WIDE, "wide"), (PHONE, "narrow")])
def test_one_chart_is_shown_and_none_of_its_labels_overlap_as_the_browser_draws_them(
    browser: Any, page: Path, width: int, kind: str
) -> None:
    browser.show(page, width=width, dark=False)
    shown = "[...document.querySelectorAll('svg.chart')].filter(one => one.getClientRects().length)"
    assert browser.value(f"{shown}.map(one => one.classList[1])") == [kind]
    boxes = browser.value(
        f"[...{shown}[0].querySelectorAll('text')].map(one => {{ const b = one.getBBox();"
        " return [one.textContent, b.x, b.y + 2, b.x + b.width, b.y + b.height - 2]; })"
    )
    assert len(boxes) > 8
    overlapping = [
        (one[0], other[0])
        for number, one in enumerate(boxes)
        for other in boxes[number + 1 :]
        if one[1] < other[3] and other[1] < one[3] and one[2] < other[4] and other[2] < one[4]
    ]
    assert overlapping == []


def test_the_answers_are_on_the_first_screen_of_a_laptop(browser: Any, page: Path) -> None:
    browser.show(page, width=WIDE, dark=False)
    for heading in ("Type next", "What was broken", "Likely cause", "Since when"):
        top = browser.value(
            "[...document.querySelectorAll('.answers h2')].find(one => one.textContent.startsWith("
            f"'{heading}')).getBoundingClientRect().top"
        )
        assert top < 900, heading


def test_a_command_gets_a_button_that_copies_it(browser: Any, page: Path) -> None:
    browser.show(page, width=WIDE, dark=False)
    assert browser.value("document.querySelectorAll('pre.command button').length") > 0


def test_on_paper_the_details_are_open_and_the_colours_are_light(browser: Any, page: Path) -> None:
    browser.show(page, width=WIDE, dark=True)
    browser.value("dispatchEvent(new Event('beforeprint'))")
    assert browser.value("document.querySelectorAll('details:not([open])').length") == 0
    browser.value("dispatchEvent(new Event('afterprint'))")
    assert browser.value("document.querySelectorAll('details[open]').length") == 0
    browser.call(
        "Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}]
    )
    assert browser.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    browser.call("Emulation.setEmulatedMedia", media="", features=[])


def test_a_page_that_carries_foreign_script_runs_none_of_it(browser: Any, pages: Callable[[str, str], Path]) -> None:
    """Should a template ever forget to escape: the policy of the page still lets nothing run."""
    whole = render(record(), BEGAN + 1000)
    broken = whole.replace("<main", "<script>document.title = 'taken over'</script><main", 1)
    browser.show(pages("foreign", broken), width=WIDE, dark=False)
    assert browser.value("document.title") != "taken over"
    assert browser.complaints() != []
