# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's RDS with what a lab needs more of: real endpoints, unique resource ids, events that can be asked by time."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import moto.rds.models
import moto.rds.urls
from moto.core.utils import utcnow
from moto.rds.exceptions import DBInstanceAlreadyExists, RDSClientError
from moto.rds.models import DBInstance, RDSBackend, rds_backends
from moto.rds.utils import valid_preferred_maintenance_window

from ..layout import Address, Layout

KEPT_EVENTS = 500
DEFAULT_EVENT_WINDOW = timedelta(minutes=60)  # what AWS takes when Duration is not given


@dataclass
class Message:
    """An RDS event, with the attributes that moto's serializer looks for. ``date`` is naive UTC, as all of moto's."""

    source_identifier: str
    source_arn: str
    message: str
    event_categories: list[str]
    source_type: str = "db-instance"
    date: datetime = field(default_factory=utcnow)


class LabInstance(DBInstance):  # type: ignore[misc]  # mypy does not follow moto
    """A DB instance.

    :ivar role: the endpoint that serves it (a key of ``layout.endpoints``), or None for one without a server in the lab
        (the DR replica): its address is one that resolves nowhere.
    :ivar node: the PostgreSQL node that serves it, or None: the node that has its role (primary, standby) now.
    :ivar actions: how many actions of the bridge were begun on it.
    :ivar cut_off: its security groups keep the cluster's nodes out, and so the lab keeps everybody out.
    :ivar restorable_until: naive UTC; None while nothing can be restored.
    :ivar status_infos: what DescribeDBInstances says of replication, in AWS's shape.
    """

    resource_type = "db"
    endpoints: ClassVar[dict[str, Address]] = {}

    def __init__(self, backend: RDSBackend, **kwargs: Any) -> None:
        super().__init__(backend, **kwargs)
        self.role: str | None = None
        self.node: str | None = None
        self.replicas: list[str] = []
        self.cut_off = False
        self.actions = 0
        self.pending_modified_values: dict[str, Any] = {}
        self.restorable_until: datetime | None = None
        self.status_infos: list[dict[str, Any]] = []
        self.secondary_availability_zone: str | None = self.other_zone() if self.multi_az else None
        self.dbi_resource_id = resource_id(self.region, self.db_instance_identifier)

    @property
    def address(self) -> str:
        return self.endpoints[self.role].host if self.role else super().address

    @property
    def endpoint(self) -> dict[str, Any] | None:
        """None, and so absent from the answer, until there is something to connect to."""
        return None if self.status in ("creating", "failed") else super().endpoint

    @property
    def latest_restorable_time(self) -> datetime | None:
        return self.restorable_until  # None leaves the field out, as AWS does

    def remove_replica(self, replica: DBInstance) -> None:
        """Forget a read replica; one of another region is known by its ARN."""
        self.replicas = [known for known in self.replicas if known not in (replica.db_instance_identifier, replica.arn)]

    def other_zone(self) -> str:
        zone = str(self.availability_zone)
        return zone[:-1] + ("b" if zone.endswith("a") else "a")


def resource_id(region: str, identifier: str) -> str:
    """A DbiResourceId of AWS's shape that stays the same when the component starts again."""
    digest = hashlib.sha256(f"{region}/{identifier}".encode()).digest()
    return "db-" + base64.b32encode(digest).decode()[:26]


class LabBackend(RDSBackend):  # type: ignore[misc]
    """One region's RDS."""

    events: list[Any]

    @property
    def _url_module(self) -> Any:
        return moto.rds.urls  # moto guesses it from the module of the class

    def create_db_instance(self, db_kwargs: dict[str, Any]) -> DBInstance:
        identifier = db_kwargs["db_instance_identifier"]
        if identifier in self.databases:
            raise DBInstanceAlreadyExists()
        if db_kwargs.get("db_cluster_identifier"):
            raise RDSClientError("InvalidParameterCombination", "The lab has no Aurora cluster: neither has DhakaCart.")
        self._validate_db_identifier(identifier)
        instance = LabInstance(self, **db_kwargs)
        self.databases[identifier] = instance
        self.note(instance, "DB instance created", "creation")
        return instance

    def instance(self, identifier: str) -> LabInstance:
        """The instance of that id; raises AWS's DBInstanceNotFound."""
        found = self.describe_db_instances(identifier)[0]
        if not isinstance(found, LabInstance):
            raise TypeError(f"{identifier} is a {type(found).__name__}")
        return found

    def instances(self) -> list[LabInstance]:
        return [instance for instance in list(self.databases.values()) if isinstance(instance, LabInstance)]

    def note(self, instance: DBInstance, message: str, *categories: str) -> None:
        """Record an event of a DB instance."""
        self.events.append(Message(instance.db_instance_identifier, instance.arn, message, list(categories)))
        del self.events[:-KEPT_EVENTS]

    def describe_events(
        self, source_identifier: str | None = None, source_type: str | None = None, **options: Any
    ) -> list[Any]:
        """Events of a window of time, oldest first.

        moto returns every event there ever was, whatever ``Duration``, ``StartTime``, ``EndTime`` and
        ``EventCategories`` say.
        """
        begin, end = _window(options)
        wanted = set(options.get("event_categories") or ())
        return [
            event
            for event in super().describe_events(source_identifier, source_type)
            if begin <= event.date <= end and (not wanted or wanted & set(event.event_categories))
        ]


def _window(options: dict[str, Any]) -> tuple[datetime, datetime]:
    start, end = _naive(options.get("start_time")), _naive(options.get("end_time"))
    duration = timedelta(minutes=int(options["duration"])) if options.get("duration") else None
    if start is not None:
        return start, end or (start + duration if duration else utcnow())
    end = end or utcnow()
    return end - (duration or DEFAULT_EVENT_WINDOW), end


def _naive(moment: datetime | str | None) -> datetime | None:
    if moment is None or moment == "":
        return None
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def install(layout: Layout) -> dict[str, LabBackend]:
    """Put the lab's backends in moto's place, for the region and the DR region; returns them by region."""
    LabInstance.endpoints = layout.endpoints
    moto.rds.models.valid_preferred_maintenance_window = _valid_window
    made = {}
    for region in (layout.region, layout.dr_region):
        made[region] = LabBackend(region, layout.account)
        rds_backends[layout.account][region] = made[region]
    return made


def _valid_window(window: object, _backup_window: object) -> str | None:
    """moto's check of a maintenance window, without the one against the backup window.

    It takes windows that touch, as DhakaCart's do (backup to 04:00, maintenance on Sunday from 04:00), for an overlap.
    """
    message: str | None = valid_preferred_maintenance_window(window, None)
    return message


def finish_seed(layout: Layout, backends: dict[str, LabBackend]) -> None:
    """What the API cannot say or would refuse: the replicas, backups of old."""
    here, dr = backends[layout.region], backends[layout.dr_region]
    primary = here.instance(layout.db_instance)
    here.create_db_instance_read_replica(
        {
            "db_instance_identifier": layout.db_read_replica,
            "source_db_instance_identifier": layout.db_instance,
            "multi_az": False,
            "deletion_protection": False,
        }
    )
    replica = here.instance(layout.db_read_replica)
    primary.role, replica.role = "primary", "replica"
    # moto copies a replica from its source object; what is the source's own must not come along.
    replica.dbi_resource_id = resource_id(layout.region, layout.db_read_replica)
    replica.availability_zone = primary.other_zone()
    replica.secondary_availability_zone = None
    replica.replicas = []

    remote = dr.instance(f"{layout.prefix}-dr-replica")
    remote.source_db_instance_identifier = primary.arn
    remote.is_replica = True
    primary.replicas.append(remote.arn)
    _old_backups(layout, here)


def _old_backups(layout: Layout, backend: LabBackend) -> None:
    """The nightly automated snapshot, and the manual one that PFX-backup-manager takes at 02:00 UTC."""
    midnight = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    for kind, hour in (("automated", 3), ("manual", 2)):
        taken = midnight + timedelta(hours=hour, minutes=7)
        if taken > utcnow() - timedelta(hours=1):
            taken -= timedelta(days=1)
        stamp = taken.strftime("%Y-%m-%d-%H-%M" if kind == "automated" else "%Y-%m-%d-%H-%M-%S")
        prefix = f"rds:{layout.db_instance}-" if kind == "automated" else f"{layout.db_instance}-daily-"
        snapshot = backend.create_db_snapshot(layout.db_instance, prefix + stamp, snapshot_type=kind)
        snapshot.created = snapshot.original_snapshot_create_time = taken
