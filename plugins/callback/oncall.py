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

from ansible import constants as C
from ansible.playbook.task import Task
from ansible.plugins.callback.default import CallbackModule as Default

MOST_MESSAGE = 2000
# Tasks that Ansible adds by itself, or that only include others.
QUIET = ("ansible.builtin.validate_argument_spec", "ansible.builtin.include_tasks")


class CallbackModule(Default):
    """Plain lines for people; everything of the default callback with ``-v``."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "dhakacart.runbooks.oncall"

    def __init__(self):
        super().__init__()
        self._step = 0
        self._numbered = False
        self._top_level: set[str] = set()
        self._shown: set[str] = set()
        self._said_nothing_ran = False

    @property
    def _verbose(self) -> bool:
        return self._display.verbosity > 0

    def v2_playbook_on_play_start(self, play):
        """A section begins; its steps are counted anew."""
        if self._verbose:
            super().v2_playbook_on_play_start(play)
            return
        self._play = play
        self._step = 0
        self._numbered = "always" not in play.tags
        self._top_level = {task._uuid for block in play.tasks for task in _flat(block)}

    def v2_playbook_on_task_start(self, task, is_conditional):
        """The title at once; that of a task that may turn out not to be needed, when it is."""
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
        name = task.name or task.get_name()
        if task._uuid in self._top_level:
            self._step += 1
            self._display.display(f"{self._step} {name}", color=C.COLOR_HIGHLIGHT)
        else:
            self._display.display(f"  - {name.rpartition(' : ')[2]}")

    def v2_runner_on_ok(self, result):
        """Nothing, unless something was changed or a message was meant to be read."""
        if self._verbose:
            super().v2_runner_on_ok(result)
            return
        self._title(result.task)
        answer = result.result
        if answer.get("changed"):
            word = "would be changed" if result.task.check_mode else "changed"
            undo = answer.get("undo")
            # An action that names its undo has said so itself, in a line of its own.
            said = f"   undo: {undo}" if undo and result.task.action.rpartition(".")[2] != "autoscaler_hold" else ""
            self._display.display(f"    {word}{said}", color=C.COLOR_CHANGED)
        if not result.task.loop:
            self._message(result.task, answer)

    def _message(self, task: Task, answer) -> None:
        if task.action in ("ansible.builtin.debug", "debug") and "msg" in answer:
            message = answer["msg"]
            for row in message if isinstance(message, list) else [message]:
                self._display.display(f"    {row}")

    def v2_runner_item_on_ok(self, result):
        """A message was meant to be read; the task's own result says whether anything was changed."""
        if self._verbose:
            super().v2_runner_item_on_ok(result)
            return
        self._title(result.task)
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
        self._failed(result, f" (item={self._get_item_label(result.result)})")

    def v2_runner_on_skipped(self, result):
        """What was not needed is not shown, but a step says so."""
        if self._verbose:
            super().v2_runner_on_skipped(result)
        elif result.task._uuid in self._top_level:
            self._display.display("    not needed", color=C.COLOR_SKIP)

    def v2_runner_retry(self, result):
        """Progress on something that takes its time."""
        if self._verbose:
            super().v2_runner_retry(result)
            return
        self._title(result.task)
        attempts, retries = result.result.get("attempts", 0), result.result.get("retries", 0)
        if attempts % 5 == 1:
            self._display.display(f"    not yet (look {attempts} of {retries})")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """Why, in one line, on standard error."""
        if self._verbose:
            super().v2_runner_on_failed(result, ignore_errors)
            return
        self._title(result.task)
        self._failed(result)

    def _failed(self, result, item: str = "") -> None:
        message = _reason(result.result)[:MOST_MESSAGE]
        self._display.display(f"FAILED {result.host.get_name()}{item}: {message}", color=C.COLOR_ERROR, stderr=True)

    def v2_runner_on_unreachable(self, result):
        """Why, in one line, on standard error."""
        if self._verbose:
            super().v2_runner_on_unreachable(result)
            return
        message = " ".join(str(result.result.get("msg", "")).split())[:MOST_MESSAGE]
        self._display.display(
            f"UNREACHABLE {result.host.get_name()}: {message}", color=C.COLOR_UNREACHABLE, stderr=True
        )

    def v2_playbook_on_stats(self, stats):
        """Nothing when all went well: the section has said what comes next."""
        if self._verbose:
            super().v2_playbook_on_stats(stats)
            return
        bad = [host for host in sorted(stats.processed) if stats.failures.get(host) or stats.dark.get(host)]
        if bad:
            self._display.display(
                f"Stopped on {', '.join(bad)}: what was done before is listed above.", color=C.COLOR_ERROR
            )

    def v2_playbook_on_no_hosts_matched(self):
        """A play without hosts does nothing and Ansible calls that success; say so loudly, once."""
        if self._said_nothing_ran:
            return
        self._said_nothing_ran = True
        self._display.display(
            "NOTHING RAN: no host matches; remedy: an inventory with group 'primary', or -e dhakacart_target=<host>",
            color=C.COLOR_ERROR,
            stderr=True,
        )


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
