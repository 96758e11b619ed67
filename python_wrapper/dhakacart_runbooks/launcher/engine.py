# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-runner, with its traps closed. The only module that imports it.

What is avoided here, by number in ansible/ansible-runner: an event handler only enqueues, a slow one makes a good run
fail (#1343); no files under ``env/`` but settings, without which runner ignores its own timeouts (#176, #493); a folder
and a name for each run, since runner merges runs of one name; the environment is cut to what may be written into
``artifacts/<ident>/command`` (#46, #809); a cancel callback of our own, since without one runner replaces the
application's signal handlers; and that callback ends every process of the run before runner looks at its own, since
runner ends one process group only (#973).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_runner import Runner, RunnerConfig
from ansible_runner.config.runner import ExecutionMode

from .environment import RUNNERS_OWN
from .plan import Plan

CHILD = Path(__file__).with_name("child.py")
CALLBACK = str(Path(__file__).with_name("callback"))
IDENT = "run"


class _Config(RunnerConfig):  # type: ignore[misc]
    """A command of our own with an environment of our own."""

    env: dict[str, str]

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        callback = {name: value for name, value in plan.environment.items() if name in RUNNERS_OWN}
        super().__init__(
            str(plan.folder), ident=IDENT, envvars={**callback, "AWX_LIB_DIRECTORY": CALLBACK}, fact_cache_type="memory"
        )

    def prepare_env(self) -> None:
        """Runner starts from this process's environment; only its own additions are kept of that."""
        super().prepare_env()
        own = {name: value for name, value in self.env.items() if name in RUNNERS_OWN}
        self.env = {**self._plan.environment, **own}
        self.cwd = self._plan.cwd

    def prepare_command(self) -> None:
        """The child script in place of ``ansible-playbook``; runner would look for that on ``PATH``."""
        self.execution_mode = ExecutionMode.RAW
        self.command = [self._plan.python, "-P", str(CHILD), str(self._plan.fifo), *self._plan.arguments]


def execute(
    plan: Plan,
    *,
    on_event: Callable[[dict[str, Any]], None],
    on_running: Callable[[], None],
    should_stop: Callable[[], bool],
) -> int | None:
    """Run Ansible to its end.

    :param on_event: gets every event of runner; must return at once and never raise.
    :param on_running: called when the child is about to be started.
    :param should_stop: asked several times a second; when it says yes, no process of the run is left.
    :returns: Ansible's exit code; 254 after a stop; None where it was killed.
    """

    def enqueue(event: dict[str, Any]) -> bool:
        on_event(event)
        return False  # not to be written to a file

    def status(found: Mapping[str, Any], **_config: object) -> None:
        if found["status"] == "running":
            on_running()

    config = _Config(plan)
    config.prepare()
    runner = Runner(config, event_handler=enqueue, status_handler=status, cancel_callback=should_stop)
    runner.run()
    return runner.rc  # type: ignore[no-any-return]
