# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole lab: up, status, heal, down. Usable from the command line, from Python and from pytest."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from . import edge, founding, overlay, process
from .aws import Aws
from .faults import leash
from .faults.state import active
from .kubernetes.providers import prepare, provider_of
from .layout import (
    DEFAULT_NAME,
    Foreign,
    LabError,
    Layout,
    lab_folder,
    load_layout,
    read_layout,
)
from .locking import exclusive, holder
from .postgres.cluster import Cluster
from .postgres.disk import Disk
from .postgres.roles import Roles, node_with
from .redis import Redis
from .shop import schema

CREDENTIALS = ("db-admin", "db-app", "db-replication", "redis-token", "kube-admin-token", "kube-readonly-token")
# Plain components: a module each, no state to create first. In the order they start.
LATE_COMPONENTS = {
    "loadbalancer": "dhakacart_lab.loadbalancer",
    "webhook": "dhakacart_lab.webhook",
    "shopper": "dhakacart_lab.shopper",
    **leash.MODULES,
}

Report = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """One part of the lab: its name, whether it is well, and what is wrong if not."""

    name: str
    healthy: bool
    detail: str


class Lab:
    """One lab.

    :param layout: where it is; :meth:`open` finds or chooses it by name.
    """

    def __init__(self, layout: Layout, report: Report = lambda _line: None) -> None:
        self.layout = layout
        self.report = report
        self.cluster = Cluster(layout)
        self.redis = Redis(layout)
        self.aws = Aws(layout)
        self.kubernetes = provider_of(layout)

    @classmethod
    def open(cls, name: str = DEFAULT_NAME, report: Report = lambda _line: None) -> Lab:
        """The lab called ``name``, which must exist (LabError otherwise)."""
        return cls(load_layout(name), report)

    @classmethod
    def up(
        cls,
        name: str = DEFAULT_NAME,
        report: Report = lambda _line: None,
        *,
        plays: str | None = None,
        provider: str | None = None,
        foreign: Foreign | None = None,
    ) -> Lab:
        """Start the lab called ``name``; one that is half dead is repaired, one that is whole is left alone.

        :param plays: the environment whose names and labels it has, ``lab`` or ``staging``. None: what it has played
            so far, ``lab`` where it is new. UsageError where it is up as another one.
        :param provider: where its Kubernetes comes from. None: what it has had so far; where it is new, what
            ``DHAKACART_LAB_KUBERNETES`` says, else ``simulated``. UsageError where it is up with another one.
        :param foreign: the cluster of the provider ``kubeconfig``.
        """
        folder = lab_folder(name)
        wanted = founding.Wanted.of(plays, provider, foreign)
        prepare(founding.provider_for(folder, wanted), wanted.foreign, report)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)  # PostgreSQL's user must reach his files
        except OSError as error:
            raise LabError(f"{folder}: cannot be created ({error.strerror}); remedy: set DHAKACART_LAB_HOME") from None
        with exclusive(folder):
            lab = cls(founding.layout_for(name, folder, wanted), report)
            leash.hold(folder)
            overlay.write(lab.layout)
            lab.layout.faults.mkdir(mode=0o700, parents=True, exist_ok=True)
            lab.layout.faults.parent.chmod(0o700)
            lab._create_credentials()
            lab._start()
        return lab

    @classmethod
    def remove(cls, name: str = DEFAULT_NAME, report: Report = lambda _line: None) -> Path:
        """:meth:`down` by name, also for a lab that was only begun or whose lab file is spoilt; its folder."""
        folder = lab_folder(name)
        if not folder.is_dir():
            raise LabError(f"no lab is up ({folder} is missing)")
        try:
            lab = cls(read_layout(folder), report)
        except LabError:
            with exclusive(folder):
                _clear_away(folder)
        else:
            lab.down()
        return folder

    def down(self) -> None:
        """End every process of the lab and remove its folder; LabError while another command is at work on it."""
        leash.let_go(self.layout.folder)
        try:
            janitor = process.find(self.layout, leash.JANITOR)
            # It may try for ever to heal what cannot be healed.
            if janitor and holder(self.layout.folder) == janitor.pid:
                process.stop(self.layout, leash.JANITOR, timeout=2)
            with exclusive(self.layout.folder):
                self._down()
        except BaseException:
            leash.hold(self.layout.folder)
            raise

    def _down(self) -> None:
        layout = self.layout
        self.report("ending processes")
        self._wake()  # what waits for a frozen part would not end in time
        # What would restart or complain goes first, then what may hold the lock of the database cluster, frozen or not.
        for component in (leash.WATCHDOG, leash.JANITOR, "shopper", "loadbalancer", "aws", "postgres-agent"):
            process.stop(layout, component, timeout=2)
        self.kubernetes.down(self.report)
        # Before the rest: PostgreSQL's children hide their environment, its own code finds them.
        self.cluster.destroy()
        process.end(process.all_of(layout.lab_id), timeout=3)
        if left := process.all_of(layout.lab_id):
            raise LabError(
                f"processes that do not end: {[p.pid for p in left]}; remedy: kill -9 them, runbook lab down"
            )
        shutil.rmtree(layout.folder, ignore_errors=False)

    # ------------------------------------------------------------------ start and repair

    def _start(self) -> None:
        self._wake()
        before = self.cluster.roles()
        with ThreadPoolExecutor(max_workers=3) as pool:
            jobs = [pool.submit(self._timed, *step) for step in self._first_steps()]
            for job in jobs:
                job.result()
        if _made_anew(before, self.cluster.roles()):
            self.aws.reset()  # what it knew was of servers that are gone, as after a reboot of the machine
        if self._expired():
            from .faults.catalogue import put_back

            self._timed("healing of faults whose lease is over", lambda: put_back(self))
        self._timed("kubernetes and the shop", self._start_kubernetes)
        self._timed("load balancer, shopper, webhook sink", self._start_late)
        self._timed("the first orders", self._first_orders)

    def _expired(self) -> bool:
        return any(fault.expired for fault in active(self.layout))

    def _first_orders(self) -> None:
        try:
            self.wait_until_serving()
        except LabError as error:
            if faults := ", ".join(fault.name for fault in active(self.layout)):
                raise LabError(f"{faults}: still broken; remedy: runbook lab heal") from error
            raise

    def _first_steps(self) -> list[tuple[str, Callable[[], object]]]:
        return [
            ("PostgreSQL primary and standby", self._start_postgres),
            ("AWS (moto) with DhakaCart's resources", self.aws.up),
            ("Redis", self.redis.up),
        ]

    def _timed(self, what: str, step: Callable[[], object]) -> None:
        begin = time.monotonic()
        step()
        self.report(f"{what} ({time.monotonic() - begin:.1f} s)")

    def _start_postgres(self) -> None:
        before = self.cluster.roles()
        if self._expired():  # a setting may be what keeps the database from being repaired
            self.cluster.reset()
        else:
            self.cluster.up()
        self._start_edge_and_agent()
        if edge.state(self.layout)["primary"].get("target") is None or _made_anew(before, self.cluster.roles()):
            self.point_endpoints()
        with self.cluster.connect(user="app") as connection:
            schema.install(connection)
            schema.seed(connection)

    def _start_edge_and_agent(self) -> None:
        process.start_python(self.layout, edge.COMPONENT, edge.MODULE)
        process.start_python(self.layout, "postgres-agent", "dhakacart_lab.postgres.agent")
        process.wait_for("edge", lambda: edge.ready(self.layout), timeout=10, log=self.layout.logs / "edge.log")

    def point_endpoints(self) -> None:
        """Endpoints at the nodes that hold the roles now."""
        edge.point(self.layout, "primary", self.cluster.primary().name)
        edge.point(self.layout, "replica", self.cluster.standby().name)

    def _start_kubernetes(self) -> None:
        from .kubernetes.manifests import objects

        self.kubernetes.up(objects(self.layout))

    def _start_late(self) -> None:
        for component, module in LATE_COMPONENTS.items():
            process.start_python(self.layout, component, module)

    def wait_until_serving(self, timeout: float = 60) -> None:
        """Wait until the shop takes orders through the load balancer."""
        from .shopper.record import place_order

        def served() -> bool:
            return place_order(f"http://{self.layout.load_balancer}", timeout=2).outcome == "acknowledged"

        process.wait_for("the shop", served, timeout=timeout, interval=0.2, log=self.layout.logs)

    def revive(self) -> None:
        """Wake what is frozen and start what is dead, but PostgreSQL, whose roles decide what is done with it."""
        self._wake()
        self.redis.up()
        self.aws.up()
        self._start_edge_and_agent()
        self._start_late()

    def _wake(self) -> None:
        for frozen in process.all_of(self.layout.lab_id):
            with contextlib.suppress(psutil.NoSuchProcess):
                frozen.resume()

    def wait_until_well(self, timeout: float = 90) -> None:
        """Wait until every part is well and the shop takes orders; LabError names the parts that are not."""

        def ill() -> list[str]:
            return [
                f"{part.name}: {part.detail}" for part in self.status() if not part.healthy and part.name != "faults"
            ]

        try:
            process.wait_for("the lab", lambda: not ill(), timeout=timeout, interval=0.3)
        except LabError:
            raise LabError(f"not well after {timeout:.0f} s: {'; '.join(ill())}; remedy: runbook lab up") from None
        self.wait_until_serving()

    def _create_credentials(self) -> None:
        folder = self.layout.credentials
        folder.mkdir(mode=0o700, exist_ok=True)
        for name in CREDENTIALS:
            path = folder / name
            if not path.exists():
                if self.cluster.roles():
                    raise LabError(
                        f"{path}: lost, and the lab's servers know no other; remedy: runbook lab down, runbook lab up"
                    )
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(secrets.token_urlsafe(24))

    # ------------------------------------------------------------------ status

    def status(self) -> list[Part]:
        """Every part with its health; answers within a few seconds even when parts are dead or frozen."""
        parts = [self._postgres_part(), self._redis_part()]
        parts += [
            Part(name, not problems, "; ".join(problems) or "answers")
            for name, problems in (("aws", self.aws.healthy()), ("kubernetes", self.kubernetes.healthy()))
        ]
        for component in ("edge", "postgres-agent", *LATE_COMPONENTS):
            running = process.find(self.layout, component)
            parts.append(Part(component, running is not None, f"pid {running.pid}" if running else "not running"))
        faults = active(self.layout)
        parts.append(Part("faults", not faults, ", ".join(fault.name for fault in faults) or "none"))
        return parts

    def _postgres_part(self) -> Part:
        roles = self.cluster.roles()
        problems = [
            f"{name} ({role}) {'is frozen' if self.cluster.node(name).frozen() else 'does not accept connections'}"
            for name, role in sorted(roles.items())
            if not self.cluster.node(name).accepting()
        ]
        detail = ", ".join(f"{name} {role}" for name, role in sorted(roles.items()))
        healthy = not problems and {"primary", "standby"} <= set(roles.values())
        return Part("postgresql", healthy, "; ".join(problems) or detail or "no server was created")

    def _redis_part(self) -> Part:
        healthy = self.redis.healthy()
        return Part("redis", healthy, "answers" if healthy else "does not answer")


def _made_anew(before: Roles, after: Roles) -> bool:
    """Whether ``up`` found data gone: another node is primary now, or one that had a role has none."""
    moved = node_with(before, "primary") != node_with(after, "primary")
    return bool(before) and (moved or not before.keys() <= after.keys())


def _clear_away(folder: Path) -> None:
    """End what works in the folder, unmount what is mounted in it, remove it."""
    leash.let_go(folder)
    process.end(process.inside(folder), timeout=3)
    for disk in sorted(folder.glob("postgres/*/")):
        Disk(disk).unmount()
    shutil.rmtree(folder)
