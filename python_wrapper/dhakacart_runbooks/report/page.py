# SPDX-License-Identifier: GPL-3.0-or-later
"""One self-contained HTML page: style, light and dark, print; shared by the report and the drill's scorecard."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from . import text

TEMPLATES = Path(__file__).parent / "templates"
FILTERS = {
    "moment": text.moment,
    "time_of_day": text.time_of_day,
    "clock": text.clock,
    "duration": text.duration,
    "shorten": text.shorten,
    "plural": text.plural,
    "one_line": text.one_line,
    "figure": text.figure,
}


@cache
def environment() -> jinja2.Environment:
    """Templates with autoescape on; a name that does not exist is an error, not a blank."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    return made


def render_page(title: str, body_template: str | Path, **context: Any) -> str:
    """A page that needs nothing but itself: no request, and no script to be read.

    :param title: of the page; escaped.
    :param body_template: the name of a template beside ``base.html.j2``, or the path of a template of your own. It is
        rendered inside ``<body>``, must bring its own ``<header>`` and ``<main id="main">``, and may
        ``{% import "parts.html.j2" as parts %}``.
    :param context: what the body reads; everything is escaped unless it is ``Markup``.
    """
    made = environment()
    body = (
        made.from_string(body_template.read_text(encoding="utf-8"))
        if isinstance(body_template, Path)
        else made.get_template(body_template)
    )
    script = _asset("page.js")
    return made.get_template("base.html.j2").render(
        **context,
        page_title=title,
        page_body=body,
        page_style=Markup(_asset("page.css")),  # noqa: S704 - a file of this package
        page_script=Markup(script),  # noqa: S704 - a file of this package
        page_script_hash=_hash(script),
    )


@cache
def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8").strip()


def _hash(script: str) -> str:
    """What the content security policy lets run: this script and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
