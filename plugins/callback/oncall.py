# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: oncall
type: stdout
author: DhakaCart platform team (@dhakacart)
short_description: What an engineer on call needs to read, and no more
version_added: 1.0.0
description:
  - Steps by number and title, as on the runbook's page; what changed; why something failed, in one line.
  - With C(-v) it is the default callback.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - Set as stdout_callback in the configuration.
"""

import contextlib
import sys
import time

from ansible import constants as C
from ansible.playbook.task import Task
from ansible.plugins.callback.default import CallbackModule as Default
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.sections import SECTIONS, clock
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.step_notes import StepNotes

MOST_MESSAGE = 2000
# A step that took this long says how long.
LONG_SECONDS = 5
# Tasks that Ansible adds by itself, or that only include others.
QUIET = ("ansible.builtin.validate_argument_spec", "ansible.builtin.include_tasks")
# Actions that say in a line of their own what was changed, and how it is undone.
SAYS_IT = ("autoscaler_hold",)
# The action that closes a section: it has said what comes next, also when it fails.
CLOSES = "next_step"


class CallbackModule(Default):
    """Plain lines for people; everything of the default callback with ``-v``. It also notes steps in the record."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "dhakacart.runbooks.oncall"

    def __init__(self):
        super().__init__()
        self._step = 0
        self._numbered = False
        self._section = ""
        self._heading = ""
        self._section_began = 0.0
        self._top_level: dict[str, str] = {}
        self._shown: set[str] = set()
        self._said_nothing_ran = False
        self._began: dict[str, float] = {}
        self._escalation = ""
        self._stopped_in = ""
        self._notes = StepNotes(self._display.warning)

    @property
    def _verbose(self) -> bool:
        return self._display.verbosity > 0

    def _say(self, text: str, color: str | None = None, *, stderr: bool = False) -> None:
        """A line at once, also into a pipe: whoever writes along with ``tee`` reads along."""
        self._display.display(text, color=color, stderr=stderr)
        self._flush()

    def _flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more
            sys.stdout.flush()

    def _dump_results(self, result, *arguments, **keywords):
        """With ``-v``: results without secrets, whichever module they come from."""
        return super()._dump_results(self._notes.hidden(dict(result)), *arguments, **keywords)

    def _handle_warnings(self, res):
        """Warnings and deprecations of modules are shown, without secrets."""
        task = self._current_task_result
        if res.pop("warnings", None) and task:
            for warning in task.warnings:
                self._display._warning(self._notes.hidden(warning))
        if res.pop("deprecations", None) and task:
            for deprecation in task.deprecations:
                self._display._deprecated(self._notes.hidden(deprecation))

    def _handle_exception(self, result, use_stderr=False):
        """With ``-v``: what Ansible itself says of an error, without secrets."""
        task = self._current_task_result
        if result.pop("exception", None) and task and task.exception:
            self._display._error(self._notes.hidden(task.exception), stderr=use_stderr)

    def v2_playbook_on_play_start(self, play):
        """A section begins; its steps are counted anew."""
        self._section = next((tag for tag in play.tags if tag in SECTIONS), "")
        self._section_began = time.monotonic()
        self._top_level = {task._uuid: task.name or "" for block in play.tasks for task in _flat(block)}
        if self._verbose:
            super().v2_playbook_on_play_start(play)
            return
        self._play = play
        self._step = 0
        self._numbered = "always" not in play.tags
        # Said with its first step: Ansible also begins the plays that nobody asked for, and runs nothing of them.
        self._heading = self._section

    def v2_playbook_on_task_start(self, task, is_conditional):
        """The title at once; that of a task that may turn out not to be needed, when it is."""
        self._began[task._uuid] = time.monotonic()
        if self._verbose:
            super().v2_playbook_on_task_start(task, is_conditional)
        elif task._uuid in self._top_level or not task.when:
            self._title(task)

    def v2_playbook_on_include(self, included_file):
        """The tasks of an included file announce themselves."""
        if self._verbose:
            super().v2_playbook_on_include(included_file)

    def _title(self, task: Task) -> None:
        if not self._numbered or task._uuid in self._shown:
            return
        if task.action in QUIET and task._uuid not in self._top_level:
            return
        self._shown.add(task._uuid)
        if self._heading:
            budget = clock(SECTIONS[self._heading].budget)
            self._say(f"\n{self._heading.capitalize()}, within {budget}", color=C.COLOR_HIGHLIGHT)
            self._heading = ""
        name = task.name or task.get_name()
        if task._uuid in self._top_level:
            self._step += 1
            self._say(f"{self._step} {name}")
        else:
            self._say(f"  - {_plain_title(task)}")

    def _note(self, result, outcome: str, message: str = "") -> None:
        """Into the record, where there is one."""
        title = _plain_title(result.task)
        undo = str(result.result.get("undo") or "")
        self._notes.step(result.host.get_name(), self._section, title, outcome, undo=undo, message=message)

    def v2_runner_on_ok(self, result):
        """Nothing, unless something was changed or a message was meant to be read."""
        answer = result.result
        self._notes.learn(result.host.get_name(), answer)
        self._escalation = str(answer.get("escalation") or self._escalation)
        if answer.get("changed"):
            self._note(result, "would_change" if result.task.check_mode else "changed")
        if self._verbose:
            super().v2_runner_on_ok(result)
            return
        self._title(result.task)
        self._handle_warnings(answer)
        if answer.get("changed"):
            self._changed(result.task, answer)
        elif took := self._took(result.task):
            self._say(f"    done{took}")
        if not result.task.loop:
            self._message(result.task, answer)
        self._flush()

    def _changed(self, task: Task, answer) -> None:
        if task.action.rpartition(".")[2] in SAYS_IT:
            return
        word = "would be changed" if task.check_mode else "changed"
        undo = f"   undo: {answer['undo']}" if answer.get("undo") else ""
        self._say(f"    {word}{self._took(task)}{undo}", color=C.COLOR_CHANGED)

    def _took(self, task: Task) -> str:
        seconds = time.monotonic() - self._began.get(task._uuid, time.monotonic())
        numbered = self._numbered and task.action not in ("ansible.builtin.include_role", *QUIET)
        return f" after {clock(seconds)}" if numbered and seconds >= LONG_SECONDS else ""

    def _message(self, task: Task, answer) -> None:
        if task.action in ("ansible.builtin.debug", "debug") and "msg" in answer:
            message = answer["msg"]
            for row in message if isinstance(message, list) else [message]:
                self._say(f"    {row}")

    def v2_runner_item_on_ok(self, result):
        """A message was meant to be read; the task's own result says whether anything was changed."""
        if self._verbose:
            super().v2_runner_item_on_ok(result)
            return
        self._title(result.task)
        self._handle_warnings(result.result)
        self._message(result.task, result.result)

    def v2_runner_item_on_skipped(self, result):
        """The task's own result says it, when no item was needed."""
        if self._verbose:
            super().v2_runner_item_on_skipped(result)

    def v2_runner_item_on_failed(self, result):
        """Which item, and why; the task's own result only counts them."""
        if self._verbose:
            super().v2_runner_item_on_failed(result)
            return
        self._title(result.task)
        self._failed(result, f"item={self._get_item_label(result.result)}", _after(result.task))

    def v2_runner_on_skipped(self, result):
        """What was not needed is not shown, but a step says so."""
        if self._verbose:
            super().v2_runner_on_skipped(result)
        elif result.task._uuid in self._top_level:
            self._say("    not needed", color=C.COLOR_SKIP)

    def v2_runner_retry(self, result):
        """Progress on something that takes its time."""
        if self._verbose:
            super().v2_runner_retry(result)
            return
        self._title(result.task)
        attempts, retries = result.result.get("attempts", 0), result.result.get("retries", 0)
        if attempts % 5 == 1:
            waited = clock(time.monotonic() - self._began.get(result.task._uuid, time.monotonic()))
            self._say(f"    not yet (look {attempts} of {retries}, {waited} so far)")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """Why, in one line, on standard error, and what becomes of it."""
        after = "ignored" if ignore_errors else _after(result.task)
        self._note(result, "failed", " ".join(filter(None, (f"({after})" if after else "", _reason(result.result)))))
        if not after:
            self._stopped(result.task)
        if self._verbose:
            super().v2_runner_on_failed(result, ignore_errors)
            return
        self._title(result.task)
        self._failed(result, after)

    def _failed(self, result, *about: str) -> None:
        self._handle_warnings(result.result)
        message = self._notes.hidden(_reason(result.result)[:MOST_MESSAGE])
        known = ", ".join(filter(None, about))
        host = f"{result.host.get_name()} ({known})" if known else result.host.get_name()
        self._say(f"FAILED {host}: {message}", color=C.COLOR_ERROR, stderr=True)

    def _stopped(self, task: Task) -> None:
        """Remember the section that could not be closed, because its last step was not reached."""
        if self._section and task.action.rpartition(".")[2] != CLOSES:
            elapsed = clock(time.monotonic() - self._section_began)
            self._stopped_in = f"{self._section}, after {elapsed} of {clock(SECTIONS[self._section].budget)}"

    def v2_runner_on_unreachable(self, result):
        """Why, in one line, on standard error."""
        message = " ".join(str(result.result.get("msg", "")).split())[:MOST_MESSAGE]
        self._note(result, "failed", f"unreachable: {message}")
        self._stopped(result.task)
        if self._verbose:
            super().v2_runner_on_unreachable(result)
            return
        self._title(result.task)
        self._handle_warnings(result.result)
        text = f"UNREACHABLE {result.host.get_name()}: {self._notes.hidden(message)}"
        self._say(text, color=C.COLOR_UNREACHABLE, stderr=True)

    def v2_playbook_on_stats(self, stats):
        """Nothing when all went well: the section has said what comes next."""
        if self._verbose:
            super().v2_playbook_on_stats(stats)
            return
        bad = [host for host in sorted(stats.processed) if stats.failures.get(host) or stats.dark.get(host)]
        if bad:
            where = f" in {self._stopped_in}" if self._stopped_in else ""
            self._say(f"Stopped on {', '.join(bad)}{where}: what was done before is listed above.", C.COLOR_ERROR)
            if self._stopped_in and self._escalation:
                self._say(f"Next: as the failure above says; if that does not help: {self._escalation}")

    def v2_playbook_on_no_hosts_matched(self):
        """A play without hosts does nothing and Ansible calls that success; say so loudly, once."""
        if self._said_nothing_ran:
            return
        self._said_nothing_ran = True
        message = "no host matches; remedy: an inventory with group 'primary', or -e dhakacart_target=<host>"
        self._say(f"NOTHING RAN: {message}", color=C.COLOR_ERROR, stderr=True)


def _plain_title(task: Task) -> str:
    """The title of a step, without the role that it stands in."""
    return (task.name or task.get_name()).rpartition(" : ")[2]


def _after(task: Task) -> str:
    """What becomes of a failure of this task, as the play says it; empty where it ends the run on its host."""
    if task.ignore_errors is True:
        return "ignored"
    inner, outer = task, task._parent
    while outer is not None:
        tried = {entry._uuid for entry in getattr(outer, "block", None) or ()}
        if getattr(outer, "rescue", None) and inner._uuid in tried:
            return "rescued"
        inner, outer = outer, outer._parent
    return ""


def _reason(answer) -> str:
    """One line. A command says why it failed on its standard error, and in ``msg`` only that it did."""
    said = str(
        answer.get("msg") or answer.get("censored") or _waited(answer) or "no reason was given; run again with -v"
    )
    rows = str(answer.get("stderr") or "").strip().splitlines()
    if rows and rows[-1] not in said:
        said += f": {rows[-1]}"
    return " ".join(said.split())


def _waited(answer) -> str:
    """What a wait that was in vain saw last."""
    if "attempts" not in answer:
        return ""
    seen = [
        f"{row['id']} is {row['status']}: {row['summary']}"
        for row in answer.get("findings", [])
        if row["status"] != "ok"
    ]
    return f"not so after {answer['attempts']} looks" + (f"; last seen: {'; '.join(seen[:3])}" if seen else "")


def _flat(block):
    for entry in block.block:
        if hasattr(entry, "block"):
            yield from _flat(entry)
        else:
            yield entry
