# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before anything is read or changed: is what was asked for possible, and does the inventory make sense?"""

from __future__ import annotations

import configparser
import difflib
import re
import secrets
import stat
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils import incidents
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.console import line
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.known_values import CREDENTIALS
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.record import Record, Run
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.runbooks import TOOLS, known
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.sections import (
    ANSIBLE_TAGS,
    CHANGING,
    SECTIONS,
    command,
)
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.variables import CHECKS

ARGUMENT_SPEC = {
    "runbook": {"type": "str", "required": True},
    "branch": {"type": "str", "default": ""},
}
# Sections that open an incident, and those that are begun only when their record can be written.
OPENING = frozenset({"immediate", "resolution", "escalation"})
NEEDS_RECORD = frozenset({"immediate", "resolution"})


class Asked(ConfigurationError):
    """What the person typed makes no sense; the inventory and this machine may be well."""


class ActionModule(ActionBase):
    """The action M(dhakacart.runbooks.preflight)."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """``values`` of the checked variables are not returned, but for what names the environment and its record."""
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        variables = task_vars or {}
        try:
            sections = self._asked(options, variables)
            values = self._values(variables)
            if self._connection.transport == "local":  # on a bastion the files are the bastion's
                _readable_credentials(values)
            name = f"{values['dhakacart_prefix']} {values['dhakacart_region']}"
            run = self._run_of(values, variables)
            record, problem = self._record(run, options["runbook"], sections, {**values, "name": name}, variables)
        except ConfigurationError as error:
            reason = "usage" if isinstance(error, Asked) else "environment"
            return {"failed": True, "changed": False, "msg": str(error), "reason": reason}
        shown = ", ".join(sections) or "bare run, reads only"
        mode = " (--check)" if self._task.check_mode else ""
        line(f"{options['runbook']} / {shown}{mode}        {name}")
        if record:
            line(f"Record: {record.folder}")
        if problem:
            line(f"Nothing of this run is recorded: {problem}", "warning")
        return {
            "changed": False,
            "sections": sections,
            "started": time.time(),
            "environment": values["dhakacart_env"],
            "name": name,
            "record": str(record.folder) if record else "",
            "budgets": {section.tag: section.budget for section in SECTIONS.values()},
            # For whoever has to say what comes next when a section cannot say so itself.
            "escalation": command(options["runbook"], "escalation", variables),
            "ansible_facts": (record or run).facts(),
        }

    def _asked(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> list[str]:
        """The sections asked for.

        :raises Asked: what was asked for does not exist or cannot be done.
        """
        try:
            sections = self._sections(variables)
            known(options["runbook"], options["branch"])
            _one_at_a_time(sections, variables)
        except ConfigurationError as error:
            raise Asked(error.message, where=error.where, remedy=error.remedy) from None
        return sections

    def _run_of(self, values: Mapping[str, Any], variables: Mapping[str, Any]) -> Run:
        """This run, still without a record."""
        credentials = {variable: str(values[variable]) for variable in CREDENTIALS if values[variable]}
        here = self._connection.transport == "local"
        run_id = str(variables.get("dhakacart_run_id") or secrets.token_hex(4))
        return Run("", run_id, credentials if here else {}, values["dhakacart_instance"])

    def _record(
        self, run: Run, runbook: str, sections: Sequence[str], values: Mapping[str, Any], variables: Mapping[str, Any]
    ) -> tuple[Record | None, str]:
        """The record of the run, or why there is none although there should be.

        A run of the wrapper always has one. Without the wrapper a section that only reads joins an open incident but
        opens none, and `resolution` opens one when the change is approved.

        :raises Asked: a folder was named that is not there.
        :raises ConfigurationError: the record of a change cannot be written.
        """
        root = Path(values["dhakacart_incident_dir"]).expanduser().resolve()
        environment = values["dhakacart_env"]
        folder = _named(root, environment, str(variables.get("dhakacart_incident") or ""))
        if self._task.check_mode or (runbook in TOOLS and not folder):
            return None, ""
        # What is learnt after the end belongs to the incident that taught it.
        ended = set(sections) == {"prevention"}
        folder = folder or incidents.latest(root, environment, runbook, instance=run.instance, closed=ended)
        try:
            if folder:
                record = run.at(folder)
                record.writable()
                return record, ""
            if variables.get("dhakacart_run_id") or {"immediate", "escalation"} & set(sections):
                about = {"name": values["name"], "sections": sections, "incident": bool(OPENING & set(sections))}
                return run.opened(root, environment, runbook, **about), ""
        except ConfigurationError as error:
            if NEEDS_RECORD & set(sections):
                raise
            return None, str(error)
        return None, ""

    def _sections(self, variables: Mapping[str, Any]) -> list[str]:
        """The sections asked for. Ansible itself runs nothing and says ok when a tag is mistyped."""
        asked = [str(tag) for tag in variables.get("ansible_run_tags") or ()]
        for tag in asked:
            if tag not in SECTIONS and tag not in ANSIBLE_TAGS:
                close = difflib.get_close_matches(tag, SECTIONS, n=1)
                hint = f"did you mean {close[0]}? " if close else ""
                raise ConfigurationError(
                    f"unknown section {tag!r}", where="--tags", remedy=f"{hint}sections are {', '.join(SECTIONS)}"
                )
        return [tag for tag in SECTIONS if tag in asked]

    def _values(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        folder = Path(str(variables.get("inventory_dir") or "inventories"))
        place = Path(*folder.parts[-2:]) / "group_vars/all"
        found = {}
        for name, wrong in CHECKS.items():
            if name not in variables:
                file = place / "required.yml"
                raise ConfigurationError("is not set", where=name, remedy=f"set it in {file}")
            try:
                value = self._templar.template(trust_as_template("{{ " + name + " }}"))
            except AnsibleError as error:
                raise ConfigurationError(_root(error), where=name, remedy=_remedy(error, place)) from None
            if problem := wrong(value):
                raise ConfigurationError(f"{problem}, not {value!r}", where=name, remedy=f"mend it in {place}")
            found[name] = value
        return found


def _named(root: Path, environment: str, name: str) -> Path | None:
    """The incident that was asked for by name."""
    try:
        return incidents.named(root, environment, name) if name else None
    except ConfigurationError as error:
        raise Asked(error.message, where=error.where, remedy=error.remedy) from None


def _one_at_a_time(sections: Sequence[str], variables: Mapping[str, Any]) -> None:
    """A change is decided and approved for one environment: the prompt would speak of the first of several only."""
    hosts = list(variables.get("ansible_play_hosts_all") or ())
    if len(hosts) > 1 and CHANGING & set(sections):
        raise ConfigurationError(
            f"{len(hosts)} environments at once ({', '.join(hosts)})",
            where="dhakacart_target",
            remedy=f"change one after the other: -e dhakacart_target={hosts[0]}",
        )


def _root(error: BaseException) -> str:
    """The innermost message: the outer ones only say which template was being rendered."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(getattr(error, "message", "") or error)
    return " ".join(text.partition("; remedy:")[0].split())


def _remedy(error: BaseException, place: Path) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    _what, found, remedy = str(error).partition("; remedy: ")
    return remedy if found else f"mend it in {place}"


def _readable_credentials(values: Mapping[str, Any]) -> None:
    """Files that are named must exist and make sense; empty means the client's own default, which it reports itself."""
    for name, check in (
        ("dhakacart_db_passfile", _passfile),
        ("dhakacart_redis_token_file", _token),
        ("dhakacart_kubeconfig", _kubeconfig),
        ("dhakacart_aws_credentials_file", _aws_credentials),
    ):
        if not values[name]:
            continue
        path = Path(values[name]).expanduser()
        try:
            problem = check(path, path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            problem = "does not exist"
        except (OSError, UnicodeDecodeError) as error:
            problem = f"cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8 text'})"
        if problem:
            raise ConfigurationError(f"{path} {problem}", where=name, remedy="mend the file, or name another")


def _passfile(path: Path, text: str) -> str:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return "may be read by others, so libpq ignores it: chmod 600"
    for number, row in enumerate(text.splitlines(), start=1):
        fields = re.sub(r"\\.", "", row).split(":")  # libpq escapes a colon and a backslash by a backslash
        if row.strip() and not row.startswith("#") and len(fields) != 5:
            return f"line {number} is not host:port:database:user:password"
    return ""


def _token(_path: Path, text: str) -> str:
    return "" if text.strip() and len(text.split()) == 1 else "must hold the token and nothing else"


def _kubeconfig(_path: Path, text: str) -> str:
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
        mark = getattr(error, "problem_mark", None)
        return f"is not YAML (line {mark.line + 1})" if mark else "is not YAML"
    if not isinstance(content, dict) or not all(content.get(key) for key in ("clusters", "contexts", "users")):
        return "is not a kubeconfig: clusters, contexts and users are needed"
    return ""


def _aws_credentials(_path: Path, text: str) -> str:
    parser = configparser.ConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error:
        return "is not an AWS credentials file: [profile] and key = value lines are needed"
    return "" if parser.sections() else "holds no profile"
