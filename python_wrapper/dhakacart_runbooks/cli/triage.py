# SPDX-License-Identifier: GPL-3.0-or-later
"""``runbook triage``: what is broken, why, and the safest next command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.text import Text

from ..catalogue import Catalogue
from ..finding import Finding, Status
from ..outcome import RunOutcome, RunStatus
from ..request import RunRequest
from ..triage.answer import Answer
from ..triage.asking import Asked, ask
from .console import STYLES, Json, err, one_line_errors, out, print_json
from .findings import row, show_cause, show_findings
from .following import translate
from .moving import MovingLine, clock
from .run import Every, Inventory, follow, inventories, make_launcher, make_observers, show_record

# It ends by itself long before; a name lookup or a file system that hangs below all deadlines must not hold a person.
LONGEST = 30.0


def add(app: typer.Typer) -> None:
    """Register the command."""

    @app.command()
    def triage(
        text: Annotated[list[str] | None, typer.Argument(help="What you see: a symptom or an error text.")] = None,
        alert: Annotated[str | None, typer.Option(metavar="NAME", help="The alert that fired.")] = None,
        inventory: Inventory = None,
        target: Annotated[str | None, typer.Option(help="Host or group, e.g. dr.")] = None,
        history: Annotated[bool, typer.Option("--history/--no-history", help="Keep it in the history.")] = True,
        every: Every = False,
        as_json: Json = False,
    ) -> None:
        """See what is broken and what to type next. Reads only, and ends within 10 seconds.

        Examples:

        `runbook triage`

        `runbook triage too many connections -i staging`

        `runbook triage --alert DhakaCartDatabaseConnectionHigh -i production`
        """
        with one_line_errors("triage"):
            catalogue = Catalogue.load()
            asked = ask(catalogue, text or (), alert)
            first, overlays = inventories(inventory)
            request = RunRequest(
                "triage",
                inventory=first,
                overlays=overlays,
                target=target,
                variables={"triage_asked": [runbook.slug for runbook in asked.runbooks]} if asked.words else {},
                timeout=LONGEST,
            )
            catalogue.validate(request)
            launcher = make_launcher(catalogue, make_observers(history=history))
            answer = Answer(asked)
            with MovingLine(err) as moving:
                moving.say("reading every system")
                answer.outcome = follow(launcher.start(request), answer.take)
        if as_json:
            print_json(answer.to_json())
        else:
            show(answer, answer.outcome, catalogue, every=every)
        raise typer.Exit(int(answer.exit_code))


def show(answer: Answer, outcome: RunOutcome, catalogue: Catalogue, *, every: bool = False) -> None:
    """The answer for people."""
    if outcome.status not in (RunStatus.HEALTHY, RunStatus.UNHEALTHY):
        text = outcome.message or f"the reading did not end ({outcome.status})"
        err.print(Text(f"runbook triage: {text}", style="red"), soft_wrap=True)
        return
    known = answer.name if answer.environment in answer.name else f"{answer.name} ({answer.environment})"
    out.print(Text(f"triage        {known}        {outcome.seconds:.1f} s", style="bold"), soft_wrap=True)
    _asked(answer.asked)
    _part("Customers", answer.customers, every)
    _part("Platform", answer.platform, every)
    diagnosis = answer.diagnosis
    if diagnosis.get("healthy"):
        show_record(outcome)
        out.print(_healthy(answer.findings), soft_wrap=True)
        return
    show_cause(out, diagnosis, answer.findings)
    _resolution((diagnosis.get("likely") or {}).get("resolution") or {})
    _objective(diagnosis.get("rto") or {}, diagnosis.get("since") or {})
    show_record(outcome)
    _following(diagnosis, catalogue)


def _healthy(findings: Sequence[Finding]) -> Text:
    warnings = sum(finding.status is Status.WARNING for finding in findings)
    said = f", with {warnings} warning{'s' if warnings > 1 else ''}" if warnings else ""
    text = f"Healthy{said}: every system answers, and no runbook's cause is present."
    return Text(text, style="yellow" if warnings else "bold green")


def _asked(asked: Asked) -> None:
    if not asked.words:
        return
    leads = ", ".join(runbook.title for runbook in asked.runbooks) or "no runbook that is known"
    out.print(Text(f'"{asked.words}" leads to: {leads}'), soft_wrap=True)


def _part(title: str, findings: tuple[Finding, ...], every: bool) -> None:
    worst = max((finding.status for finding in findings), key=lambda status: status.severity, default=Status.UNKNOWN)
    out.print(Text().append(title, style="bold").append(f" {worst}", style=STYLES[worst]), soft_wrap=True)
    show_findings(out, findings, every=every)


def _resolution(resolution: Mapping[str, Any]) -> None:
    if not resolution:
        return
    out.print(Text(f"Resolution: {resolution['title']} (branch {resolution['branch']})"), soft_wrap=True)
    row(out, "undo", "", "", str(resolution["undo"]), 0)
    for reason in resolution["refused"]:
        row(out, "refused", STYLES["critical"], "", str(reason), 0)


def _objective(rto: Mapping[str, Any], since: Mapping[str, Any]) -> None:
    if not rto:
        return
    whole = f"RTO {clock(rto['seconds'])}: "
    if "left" not in rto:
        out.print(Text(f"{whole}not known since when customers are hurt"), soft_wrap=True)
        return
    left = float(rto["left"])
    said = f"{clock(left)} left" if left >= 0 else f"missed by {clock(-left)}"
    style = "bold red" if left < 0 else "yellow"
    seen = f" ({since.get('sign')} for {clock(float(since.get('seconds', 0)))})"
    out.print(Text(whole).append(said, style=style).append(seen), soft_wrap=True)


def _following(diagnosis: Mapping[str, Any], catalogue: Catalogue) -> None:
    for slug in diagnosis.get("asked") or ():
        runbook = catalogue.get(slug)
        text = f"{runbook.title} is not automated yet ({runbook.category}); what is here answers for the other runbooks"
        out.print(Text(text), soft_wrap=True)
    out.print(Text(f"Next: {translate(str(diagnosis.get('next') or 'nothing'), catalogue)}", style="bold"))
    if diagnosis.get("why"):
        out.print(Text(f"      {diagnosis['why']}"), soft_wrap=True)
    if diagnosis.get("then"):
        out.print(Text(f"Then: {translate(str(diagnosis['then']), catalogue)}"), soft_wrap=True)
