# SPDX-License-Identifier: GPL-3.0-or-later
"""Scorecards as files: JUnit for a pipeline, one self-contained page for people."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InfrastructureError
from .series import tables


def write_junit(path: Path, results: Sequence[Mapping[str, Any]]) -> None:
    """One test case a drill: failed is a failure, invalid an error."""
    from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

    suite = TestSuite("drills")
    for result in results:
        name = f"{result['scenario']} #{result['repetition']}"
        case = TestCase(name, classname=f"drills.{result['runbook']}", time=result["seconds"])
        if result["verdict"] == "failed":
            case.result = [Failure(result["reason"], "drill")]
        elif result["verdict"] != "passed":
            case.result = [Error(f"{result['verdict']}: {result['reason']}", "drill")]
        case.system_out = "\n".join(_line(criterion) for criterion in result["criteria"])
        suite.add_testcase(case)
    suite.update_statistics()  # type: ignore[no-untyped-call]
    xml = JUnitXml("runbook drill")
    xml.add_testsuite(suite)
    xml.update_statistics()  # type: ignore[no-untyped-call]
    _save(path, lambda: xml.write(str(path), pretty=True))


def _line(criterion: Mapping[str, Any]) -> str:
    met = {True: "yes", False: "no", None: "not applicable"}[criterion["met"]]
    return f"{criterion['name']}: {met} ({criterion['detail']})"


def write_html(path: Path, results: Sequence[Mapping[str, Any]]) -> None:
    """A page that needs nothing but itself."""
    _save(path, lambda: path.write_text(render_html(results), encoding="utf-8"))


def render_html(results: Sequence[Mapping[str, Any]]) -> str:
    """The scorecards as HTML."""
    from ..report.page import render_page

    return render_page(
        "Drills",
        Path(__file__).parent / "scorecard.html.j2",
        results=results,
        tables=[table.to_json() for table in tables(results)],
        made=time.time(),
        passed=sum(result["verdict"] == "passed" for result in results),
        steps=("detect", "contain", "diagnose", "probe", "recover", "customers", "verify"),
    )


def _save(path: Path, write: Any) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write()
    except OSError as error:
        raise InfrastructureError(
            f"cannot be written ({error.strerror})", where=str(path), remedy="choose another file"
        ) from None
