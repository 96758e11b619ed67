# SPDX-License-Identifier: GPL-3.0-or-later
"""The PostgreSQL of the lab as RDS runs it: a primary, a synchronous standby, backups, and a recovery node."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from ..layout import LabError, Layout
from . import bootstrap, replication
from .account import check_reach
from .backups import Backups
from .connection import connect, deadline, role_of, set_password
from .disk import DEFAULT_SIZE
from .node import Node
from .recovery import recover
from .roles import Role, Roles, node_with, read_roles, write_roles

LOCK_TIMEOUT = 90.0
PAIR = ("a", "b")
RECOVERY_NODE = "c"


class Cluster:
    """Operations on the whole: one at a time per lab, whichever process asks. Public methods may raise LabError."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.home = layout.folder / "postgres"
        self._nodes = {name: Node(layout, name) for name in layout.nodes}
        self.backups = Backups(layout, self.node(PAIR[0]).account)

    # --- who is who
    def roles(self) -> Roles:
        """Node -> ``primary``, ``standby``, ``fenced`` or ``recovery``, as recorded; empty before the first ``up``."""
        return read_roles(self.layout)

    def node(self, name: str) -> Node:
        if name not in self._nodes:
            raise LabError(f"{name!r} is no database node; remedy: one of {', '.join(self._nodes)}")
        return self._nodes[name]

    def primary(self) -> Node:
        """The recorded primary, alive or not."""
        return self._with("primary")

    def standby(self) -> Node:
        """The recorded standby, alive or not; raises LabError where there is none (after a failover)."""
        return self._with("standby")

    def connect(
        self, node: str | None = None, *, user: str = "admin", timeout: float = 3, autocommit: bool = True
    ) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection straight to a node (None: the primary), past the edge. ``user``: admin, app or replication."""
        return connect(self.layout, node or self.primary().name, user=user, timeout=timeout, autocommit=autocommit)

    @property
    def features(self) -> frozenset[str]:
        """Optional parts that the PostgreSQL programs bring; see ``Binaries.features``."""
        return self.primary().binaries.features if self.roles() else self.node(PAIR[0]).binaries.features

    # --- from nothing, and back
    def up(self) -> None:
        """Make the cluster, or repair what is down; ends with a primary and a streaming, synchronous standby.

        An adopted recovery node stays alone until ``rebuild_standby`` or ``reset``.
        """
        with self._exclusive():
            self._up()

    def down(self) -> None:
        """Stop everything and unmount; the data stays for the next ``up``."""
        with self._exclusive():
            order = {"standby": 1}  # after the primary, whose last WAL it must get
            for name in sorted(self._nodes, key=lambda name: order.get(self.roles().get(name, ""), 0)):
                self._stop_or_kill(self.node(name))
            for name in PAIR:
                self._unmount(name)

    def destroy(self) -> None:
        """Kill everything, unmount, and remove all data, backups and settings."""
        if self.home.exists():
            with self._exclusive():
                for node in self._nodes.values():
                    node.kill()
                    node.small_disk.unmount()
            shutil.rmtree(self.home)

    # --- what RDS does
    def fail_over(self) -> float:
        """Kill what is left of the primary, frozen or not, and promote the standby; seconds until it was writable."""
        with self._exclusive():
            old, new = self.primary(), self.standby()
            if not new.running() or new.frozen():
                raise LabError(
                    f"standby {new.name} is {'frozen' if new.frozen() else 'down'}: nothing to fail over to; "
                    "remedy: bring it back, or restore from backup"
                )
            begin = time.monotonic()
            old.kill()
            # Recorded first: if this process dies now, ``up`` goes on with the promotion.
            self._record({old.name: "fenced", new.name: "primary"})
            replication.promote(new, self.backups)
            return time.monotonic() - begin

    def rebuild_standby(self) -> None:
        """Make the other node of the pair a streaming, synchronous standby; its own data is thrown away."""
        with self._exclusive():
            self._rebuild_standby()

    def switch_over(self) -> None:
        """Swap the roles without loss; raises LabError, the roles unchanged, where the standby does not follow."""
        with self._exclusive():
            self._switch_over()

    def back_up(self) -> None:
        """Take a base backup of the primary; nothing where no standby follows it: then there is something to repair."""
        with self._exclusive():
            primary = self.primary()
            if primary.accepting() and replication.is_streaming(primary):
                replication.back_up(primary, self.backups)

    def restore(self, target_time: datetime | None) -> Node:
        """Recover node c, alone and writable, to ``target_time`` (with a zone), or for None to the latest commit.

        Uses the newest fitting base backup, the archive, and the WAL still on the primary's disk, else the standby's.
        """
        with self._exclusive():
            roles = self.roles()
            if roles.get(RECOVERY_NODE) == "primary":
                raise LabError(
                    f"node {RECOVERY_NODE} serves as primary; remedy: reset the cluster before restoring again"
                )
            sources = [self.node(name) for role in ("primary", "standby") if (name := node_with(roles, role))]
            recover(self.node(RECOVERY_NODE), self.backups, sources, target_time)
            self._record({RECOVERY_NODE: "recovery"})
            return self.node(RECOVERY_NODE)

    def adopt_recovery(self) -> None:
        """Make the recovered node the primary and fence the pair; as with a new RDS instance, its backups begin now."""
        with self._exclusive():
            node = self._with("recovery")
            for name in PAIR:
                self.node(name).kill()
            self._record({PAIR[0]: "fenced", PAIR[1]: "fenced", RECOVERY_NODE: "primary"})
            self.backups.clear()
            node.configure(archive_command=self.backups.archive_command)
            node.reload()
            replication.back_up(node, self.backups)

    def drop_recovery(self) -> None:
        """Remove the recovered node; nothing where there is none."""
        with self._exclusive():
            self._drop_recovery()

    def reset(self) -> None:
        """Undo whatever was done (disk, freeze, setting, password): a healthy pair with the newest primary's data."""
        with self._exclusive():
            for node in self._nodes.values():
                node.thaw()
                if node.disk_can_fill:
                    node.unfill_disk()
                    node.resize_disk(DEFAULT_SIZE)
            if self.roles().get(RECOVERY_NODE) == "primary":
                replication.ensure_primary(self.node(RECOVERY_NODE), self.backups)
                self._rebuild_standby()
                self._switch_over()
            self._drop_recovery()
            for name in PAIR:
                replication.forget_overrides(self.node(name))
            self._up()

    def set_password(self, role: str, password: str) -> None:
        """Change a password in the database only. ``role``: admin, app, replication or the role's own name."""
        with self.connect() as connection, deadline(connection, 5):
            connection.execute("SET synchronous_commit = local")
            set_password(connection, role_of(self.layout, role)[0], password)

    # --- the same without the lock
    def _up(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        first = self.node(PAIR[0])
        check_reach(self.layout, first.account)
        self.backups.prepare()
        bootstrap.write_password_files(self.layout, first.account)
        for name in PAIR:
            self._mount(name)
        roles = self.roles()
        lost = roles.get(RECOVERY_NODE) != "primary" and not any(self.node(name).exists for name in PAIR)
        if lost or not roles:  # without roles: an ``up`` that was killed while it made the first server
            self._create(first)
        primary = self._choose_primary()
        replication.ensure_primary(primary, self.backups)
        bootstrap.ensure_roles(self.layout, primary)
        standby = self._other(primary)
        known = self.roles().get(standby.name) == "standby"
        wanted = known or primary.name != RECOVERY_NODE
        if wanted and not (known and replication.ensure_standby(standby, primary)):
            self._rebuild_standby()
        if self.roles().get(RECOVERY_NODE) == "recovery":
            self.node(RECOVERY_NODE).thaw()
            self.node(RECOVERY_NODE).start()

    def _create(self, first: Node) -> None:
        self.backups.clear()
        self.node(RECOVERY_NODE).remove()
        write_roles(self.layout, {})
        bootstrap.initialise(first, self.backups)
        self._record({first.name: "primary"})

    def _choose_primary(self) -> Node:
        """The recorded primary if it still has data, else the standby, which is then recorded as primary."""
        primary = self.primary()
        if primary.exists:
            return primary
        heir = node_with(self.roles(), "standby")
        if heir is None or not self.node(heir).exists:
            raise LabError(
                "the primary's data is gone and there is no standby; remedy: runbook lab down, runbook lab up"
            )
        self._record({primary.name: "fenced", heir: "primary"})
        return self.node(heir)

    def _rebuild_standby(self) -> None:
        primary = self.primary()
        standby = self._other(primary)
        self._record({standby.name: "fenced"})  # the agent makes commits wait for a recorded standby only
        primary.synchronous_with("")
        standby.remove()
        self._mount(standby.name)
        replication.copy_from(primary, standby.data, self.backups)
        if not replication.ensure_standby(standby, primary, replication.NEW_COPY_TIMEOUT):
            raise LabError(f"standby {standby.name} does not follow {primary.name}: {standby.last_words()}")
        self._record({standby.name: "standby"})

    def _switch_over(self) -> None:
        old, new = self.primary(), self.standby()
        replication.hand_over(old, new)
        self._record({old.name: "fenced", new.name: "primary"})
        replication.promote(new, self.backups)
        if old.name == RECOVERY_NODE:
            return
        if not replication.ensure_standby(old, new):
            self._rebuild_standby()
        self._record({old.name: "standby"})

    def _drop_recovery(self) -> None:
        roles = self.roles()
        if roles.get(RECOVERY_NODE) == "primary":
            raise LabError(f"node {RECOVERY_NODE} serves as primary; remedy: reset the cluster")
        self.node(RECOVERY_NODE).forget()
        roles.pop(RECOVERY_NODE, None)
        write_roles(self.layout, roles)

    def _stop_or_kill(self, node: Node) -> None:
        if node.running() and not node.frozen():
            with contextlib.suppress(LabError):  # what does not end in time is killed
                node.stop("fast", timeout=5)
        node.kill()

    def _mount(self, name: str) -> None:
        node = self.node(name)
        node.small_disk.mount()
        node.disk_folder.chmod(0o755)
        node.account.own(node.disk_folder)
        saved = self._saved(name)
        if saved.exists() and not node.exists:
            node.account.copy_tree(saved, node.data)
        shutil.rmtree(saved, ignore_errors=True)

    def _unmount(self, name: str) -> None:
        node = self.node(name)
        if not node.small_disk.mounted:
            return
        if node.exists:
            draft = self._saved(name).with_suffix(".new")
            shutil.rmtree(draft, ignore_errors=True)
            node.account.copy_tree(node.data, draft)
            draft.rename(self._saved(name))
        node.small_disk.unmount()

    def _saved(self, name: str) -> Path:
        """Where the data of an unmounted disk waits for the next ``up``."""
        return self.home / f"{name}.saved"

    def _with(self, role: Role) -> Node:
        if name := node_with(self.roles(), role):
            return self.node(name)
        raise LabError(f"the database cluster has no {role}; remedy: runbook lab up")

    def _other(self, primary: Node) -> Node:
        return self.node(next(name for name in PAIR if name != primary.name))

    def _record(self, changes: Roles) -> None:
        write_roles(self.layout, self.roles() | changes)

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One operation on this cluster at a time."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "lock").open("a") as lock:
            end = time.monotonic() + LOCK_TIMEOUT
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise LabError(
                            f"another operation holds the database cluster for {LOCK_TIMEOUT:.0f} s"
                        ) from None
                    time.sleep(0.05)
            try:
                yield
            except psycopg.OperationalError as error:
                said = str(error).strip().splitlines()[-1]
                raise LabError(
                    f"a database server of the lab failed meanwhile: {said}; remedy: runbook lab up"
                ) from error
