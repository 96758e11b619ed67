# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call to RDS does to the real PostgreSQL servers and endpoints.

The API answers at once, as AWS does; the work runs in a thread, the instance's status and events tell how it goes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from moto.rds.exceptions import RDSClientError

from .. import edge
from ..layout import LabError
from ..postgres import replication
from ..postgres.cluster import Cluster
from ..postgres.roles import node_with, write_roles
from ..process import wait_for
from . import network
from .rds import LabBackend, LabInstance
from .seed import Seed

if TYPE_CHECKING:
    from ..postgres.node import Node

log = logging.getLogger(__name__)
GIB = 1024**3
ENDPOINT_TIMEOUT = 5.0  # seconds for an endpoint to open once its server accepts connections
OPTIMISING = 2.0  # seconds in storage-optimization, which takes AWS hours


class Bridge:
    """Carries RDS actions of the lab's region into its servers.

    :ivar save: writes the state file; called after every change of an instance.
    """

    def __init__(self, seed: Seed, backend: LabBackend, save: Callable[[], None]) -> None:
        self.layout = seed.layout
        self.seed = seed
        self.backend = backend
        self.save = save
        self.cluster = Cluster(seed.layout)
        # Two changes of the servers at once would meet half-made states: the second waits.
        self.servers = threading.Lock()

    def node_of(self, instance: LabInstance) -> Node | None:
        """The server behind an instance; None while there is none."""
        if instance.node:
            return self.cluster.node(instance.node)
        if instance.role is None:
            return None
        name = node_with(self.cluster.roles(), "standby" if instance.is_replica else "primary")
        return self.cluster.node(name) if name else None

    # --- reboot

    def reboot(self, instance: LabInstance, *, force_failover: bool) -> None:
        require(instance, "available")
        if force_failover and not instance.multi_az:
            raise RDSClientError(
                "InvalidParameterCombination",
                "Cannot reboot Db Instance with failover when the instance is not a Multi-AZ instance.",
            )
        if force_failover:
            self.begin(instance, "rebooting", "The failover", lambda: self._fail_over(instance))
        else:
            self.begin(instance, "rebooting", "The reboot", lambda: self._restart(instance))

    def _restart(self, instance: LabInstance) -> None:
        if node := self.node_of(instance):
            if node.frozen():
                node.kill()  # AWS restarts the host: a server that does not listen to signals goes with it
            else:
                node.stop()
            instance.backend.note(instance, "DB instance shutdown", "availability")
            node.start()
        instance.backend.note(instance, "DB instance restarted", "availability")

    def _fail_over(self, instance: LabInstance) -> None:
        standby = self._standby()
        if standby is None or not standby.accepting():
            # AWS does not make an unavailable standby the primary either: the instance stays where it is.
            message = "Unable to fail over: the Multi-AZ standby is not available."
            instance.backend.note(instance, message, "failover")
            return
        instance.backend.note(instance, "Multi-AZ instance failover started.", "failover")
        took = self.cluster.fail_over()
        instance.node = None
        self._point(instance, self.cluster.primary().name)
        log.info("failed over to node %s in %.2f s", self.cluster.primary().name, took)
        self._wait_for_endpoint(instance)
        left = instance.availability_zone
        instance.availability_zone = instance.secondary_availability_zone or instance.other_zone()
        instance.secondary_availability_zone = left
        instance.backend.note(instance, "DB instance restarted", "availability")
        instance.backend.note(instance, "Multi-AZ instance failover completed", "failover")
        instance.backend.note(instance, "The user requested a failover of the DB instance.", "notification")
        # Clients can write again; the new standby is made behind their back, as AWS does it.
        self._settle(instance, "available")
        self._rebuild_standby()

    def _rebuild_standby(self) -> None:
        self.cluster.rebuild_standby()
        standby = self.cluster.standby()
        for replica in self.backend.instances():
            if replica.is_replica and replica.role and replica.node is None:
                self._point(replica, standby.name)

    # --- promote

    def promote(self, instance: LabInstance, finish: Callable[[], None]) -> None:
        """Make a read replica an instance of its own. ``finish`` brings moto's record up to date.

        The source is left alone, and so is its endpoint: who promotes to survive must repoint the applications, and
        must keep the old primary from taking writes.
        """
        if not instance.is_replica:
            raise RDSClientError(
                "InvalidDBInstanceState", f"DB Instance {instance.db_instance_identifier} is not a read replica."
            )
        require(instance, "available")
        self.begin(instance, "modifying", "The promotion", lambda: self._promote(instance, finish))

    def _promote(self, instance: LabInstance, finish: Callable[[], None]) -> None:
        node = self.node_of(instance)
        if instance.role and node is None:
            raise LabError("the read replica has no server: nothing to promote")
        if node is not None:
            self._leave_source(instance, node)
        finish()
        instance.backend.note(
            instance, "Promoted read replica to a standalone DB instance", "availability", "read replica"
        )

    def _leave_source(self, instance: LabInstance, node: Node) -> None:
        source = next((other for other in self.backend.instances() if other.role == "primary"), None)
        old = self.node_of(source) if source else None
        replication.promote(node, self.cluster.backups)
        instance.node = node.name
        roles = self.cluster.roles()
        if old is not None and source is not None:
            # The lab's read replica is its Multi-AZ standby too, and it has just left: commits must not wait for it.
            old.synchronous_with("")
            source.node, source.secondary_availability_zone = old.name, None
            roles[old.name] = "fenced"
        write_roles(self.layout, {**roles, node.name: "primary"})

    # --- restore, delete

    def reserve_recovery(self, target_time: datetime | None) -> None:
        """Raise AWS's errors where a restore cannot be: its server is taken, no backup reaches that far back."""
        try:
            self.cluster.backups.for_moment(target_time)
        except LabError as error:
            raise RDSClientError("InvalidRestoreFault", one_line(error)) from None
        for other in self.backend.instances():
            if other.role == "recovery" or (other.node and self._is_recovery(other.node)):
                raise RDSClientError(
                    "InsufficientDBInstanceCapacity",
                    "The lab has one server for restored instances, and "
                    f"{other.db_instance_identifier} is on it. Delete that instance first.",
                )

    def restore(self, instance: LabInstance, source: str, target_time: datetime | None) -> None:
        instance.role = "recovery"
        self.begin(
            instance, "creating", "The restore", lambda: self._restore(instance, source, target_time), failed="failed"
        )

    def _restore(self, instance: LabInstance, source: str, target_time: datetime | None) -> None:
        node = self.cluster.restore(target_time)
        instance.node = node.name
        self._point(instance, node.name)
        self.apply_security_groups()
        instance.backend.note(
            instance, f"Restored from DB instance {source} to {instance.db_instance_identifier}", "restoration"
        )

    def delete(self, instance: LabInstance, finish: Callable[[], None]) -> None:
        """End the server of a restored instance; of another only the way to it. ``finish`` removes the record."""
        self.begin(instance, "deleting", "The deletion", lambda: self._delete(instance, finish), failed="deleting")

    def _delete(self, instance: LabInstance, finish: Callable[[], None]) -> None:
        if instance.role:
            edge.point(self.layout, instance.role, None)
        if self._is_recovery(instance.node) if instance.node else instance.role == "recovery":
            self.cluster.drop_recovery()
        finish()
        instance.backend.note(instance, "DB instance deleted", "deletion")

    # --- modify

    def grow(self, instance: LabInstance, gib: int) -> None:
        """Give the servers the disk that ``gib`` GiB of AWS stand for."""
        require(instance, "available", "storage-full")
        self.begin(instance, "modifying", "The change of storage", lambda: self._grow(instance, gib))

    def _grow(self, instance: LabInstance, gib: int) -> None:
        if node := self.node_of(instance):
            scale = gib / instance.allocated_storage
            grown = [node] if instance.node else [node, self._standby()]
            for server in grown:
                if server is not None and server.disk_can_fill:  # else it has the machine's whole disk already
                    server.resize_disk(round(server.disk()[0] * scale))
            if not node.accepting():
                node.start()  # a server that died of a full disk comes back by itself in RDS
        instance.allocated_storage = gib
        self._settle(instance, "storage-optimization")
        instance.backend.note(instance, "Finished applying modification to allocated storage", "configuration change")
        threading.Event().wait(OPTIMISING)

    def renamed(self, instance: LabInstance) -> None:
        """Give an instance the endpoint of its new name, as a rename in AWS does."""
        node = self.node_of(instance)
        taken = {other.role for other in self.backend.instances() if other is not instance}
        names = {self.layout.db_instance: "primary", self.layout.db_read_replica: "replica"}
        role = names.get(instance.db_instance_identifier, "recovery")
        instance.node = node.name if node else None
        if instance.role:
            left = instance.role
            self.effect(instance, "The old endpoint", lambda: edge.point(self.layout, left, None))
        instance.role = None if role in taken else role
        if instance.role == "primary" and instance.node and self._is_recovery(instance.node):
            # From here on the shop writes to the restored server: it is the one whose data counts.
            self.effect(instance, "The takeover by the restored server", self.cluster.adopt_recovery)
        self.follow(instance)
        self.apply_security_groups()

    def apply_security_groups(self) -> None:
        """Open and close endpoints as the security groups of their instances say, where that changed."""
        for instance in self.backend.instances():
            if instance.role is None:
                continue
            cut_off = not network.lets_nodes_in(self.seed, instance.vpc_security_group_ids)
            if cut_off != instance.cut_off:
                work = partial(edge.set_mode, self.layout, instance.role, "drop" if cut_off else "forward")
                if self.effect(instance, "The security group", work):
                    instance.cut_off = cut_off

    def follow(self, instance: LabInstance) -> None:
        """Point an instance's endpoint at the server that is behind it now."""
        node = self.node_of(instance)
        if node is not None and instance.role:
            self.effect(instance, "The endpoint", partial(edge.point, self.layout, instance.role, node.name))

    def close_recovery_endpoint(self) -> None:
        """Have the endpoint of restored instances lead nowhere: there is none any more."""
        try:
            edge.point(self.layout, "recovery", None)
            edge.set_mode(self.layout, "recovery", "forward")
        except LabError as error:
            log.warning("endpoint recovery: %s", error)

    def default_security_group(self) -> str:
        """The id of the VPC's default group, where AWS puts an instance that was restored without naming groups."""
        ec2 = network.backend(self.seed, "")
        return str(ec2.get_default_security_group(self.seed.ids["vpc"]).id)

    # --- stop, start

    def stop(self, instance: LabInstance) -> None:
        require(instance, "available")
        if instance.is_replica or instance.replicas:
            raise RDSClientError(
                "InvalidDBInstanceState", "Cannot stop or start a read replica, or an instance that has one."
            )
        self.begin(instance, "stopping", "The stop", lambda: self._stop(instance), done="stopped")

    def _stop(self, instance: LabInstance) -> None:
        if node := self.node_of(instance):
            node.stop()
        instance.backend.note(instance, "DB instance stopped", "notification")

    def start(self, instance: LabInstance) -> None:
        require(instance, "stopped")
        self.begin(instance, "starting", "The start", lambda: self._start(instance), failed="stopped")

    def _start(self, instance: LabInstance) -> None:
        if node := self.node_of(instance):
            node.start()
        instance.backend.note(instance, "DB instance started", "notification")

    # --- how an action runs

    def begin(
        self,
        instance: LabInstance,
        status: str,
        what: str,
        work: Callable[[], None],
        *,
        done: str = "available",
        failed: str = "available",
    ) -> None:
        """Set the status, then do the work in a thread; ``done`` or ``failed`` is the status after it."""
        self._settle(instance, status)
        instance.actions = number = instance.actions + 1

        def end(status: str) -> None:
            if instance.actions == number:  # else a later action has the say
                self._settle(instance, status)

        def run() -> None:
            try:
                with self.servers:
                    work()
                    if done == "available":
                        self._wait_for_endpoint(instance)
                end(done)
            except Exception as error:  # a thread has no caller to raise to: status, event and log carry it
                log.exception("%s of %s", what, instance.db_instance_identifier)
                instance.backend.note(instance, f"{what} did not complete: {one_line(error)}", "failure")
                end(failed)

        threading.Thread(target=run, name=f"rds-{instance.db_instance_identifier}", daemon=True).start()

    def effect(self, instance: LabInstance, what: str, work: Callable[[], object]) -> bool:
        """Do a quick piece of work now; whether it was done. Its failure becomes an event of the instance."""
        try:
            work()
        except (LabError, OSError) as error:
            log.warning("%s of %s: %s", what, instance.db_instance_identifier, error)
            instance.backend.note(instance, f"{what} was not applied: {one_line(error)}", "failure")
            return False
        return True

    def _settle(self, instance: LabInstance, status: str) -> None:
        instance.status = status
        self.save()

    def _point(self, instance: LabInstance, node: str) -> None:
        if instance.role:
            edge.point(self.layout, instance.role, node)

    def _wait_for_endpoint(self, instance: LabInstance) -> None:
        """Wait until clients get through: an instance that AWS calls available takes connections."""
        role = instance.role

        def open_or_cut() -> bool:
            found = edge.state(self.layout)[role] if role else {}
            return not found.get("target") or found["mode"] != "forward" or bool(found["accepting"])

        try:
            wait_for(f"endpoint {role}", open_or_cut, timeout=ENDPOINT_TIMEOUT)
        except LabError as error:
            log.warning("%s: %s", instance.db_instance_identifier, error)

    def _standby(self) -> Node | None:
        name = node_with(self.cluster.roles(), "standby")
        return self.cluster.node(name) if name else None

    def _is_recovery(self, node: str) -> bool:
        return self.cluster.roles().get(node) == "recovery"


def require(instance: LabInstance, *statuses: str) -> None:
    """Raise AWS's InvalidDBInstanceState unless the instance has one of these statuses."""
    if instance.status not in statuses:
        raise RDSClientError(
            "InvalidDBInstanceState",
            f"Instance {instance.db_instance_identifier} is not in {statuses[0]} state (it is {instance.status}).",
        )


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
