# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's answers to RDS, EC2 and Secrets Manager, with the lab's effects attached and every change written down."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import moto.ec2.urls
import moto.rds.urls
import moto.secretsmanager.urls
from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.responses import EC2Response
from moto.rds.exceptions import RDSClientError
from moto.rds.models import rds_backends
from moto.rds.responses import RDSResponse
from moto.secretsmanager.responses import SecretsManagerResponse

from .rds import LabBackend, LabInstance
from .rds_bridge import Bridge, require

READS = re.compile(r"(Describe|List|Get|BatchGet|Download)")
# What AWS keeps back until the maintenance window unless ApplyImmediately is set, and the lab can apply.
DEFERRED = ("AllocatedStorage", "DBInstanceClass", "EngineVersion", "MultiAZ", "NewDBInstanceIdentifier")
MASTER = ("MasterUserPassword", "ManageMasterUserPassword", "RotateMasterUserPassword")
LOG_PORTION = 1024 * 1024  # bytes; AWS answers at most 1 MB at a time


def install(bridge: Bridge) -> None:
    """Put these in the place of moto's. Must run before the first request: moto builds its URL maps then."""
    for response in (RdsResponse, Ec2Response, SecretsResponse):
        response.bridge = bridge
    moto.rds.urls.url_paths["{0}/$"] = RdsResponse.dispatch
    moto.ec2.urls.url_paths["{0}/"] = Ec2Response.dispatch
    moto.secretsmanager.urls.url_paths["{0}/$"] = SecretsResponse.dispatch


class Ec2Response(EC2Response):  # type: ignore[misc]  # mypy does not follow moto
    """EC2, where the rules of security groups matter to the database."""

    bridge: ClassVar[Bridge]

    def authorize_security_group_ingress(self) -> ActionResult:
        return self._then_apply(super().authorize_security_group_ingress())

    def revoke_security_group_ingress(self) -> ActionResult:
        return self._then_apply(super().revoke_security_group_ingress())

    def delete_security_group(self) -> ActionResult:
        group = self.params.get("GroupId")
        if any(group in instance.vpc_security_group_ids for instance in self.bridge.backend.instances()):
            raise RDSClientError("DependencyViolation", f"resource {group} has a dependent object")
        return super().delete_security_group()

    def _then_apply(self, result: ActionResult) -> ActionResult:
        self.bridge.apply_security_groups()
        self.bridge.save()
        return result


class SecretsResponse(SecretsManagerResponse):  # type: ignore[misc]
    bridge: ClassVar[Bridge]

    def call_action(self) -> TYPE_RESPONSE:
        answer = super().call_action()
        if not READS.match(self._get_action()):
            self.bridge.save()
        return answer


class RdsResponse(RDSResponse):  # type: ignore[misc]
    """RDS. An instance that has no server in the lab (``role`` None) is moto's alone."""

    bridge: ClassVar[Bridge]

    @property
    def backend(self) -> LabBackend:
        found = super().backend
        if not isinstance(found, LabBackend):  # a region where DhakaCart has nothing
            found = rds_backends[self.current_account][self.region] = LabBackend(self.region, self.current_account)
        return found

    def call_action(self) -> TYPE_RESPONSE:
        answer = super().call_action()
        if not READS.match(self._get_action()):
            self.bridge.save()
        return answer

    def _named(self, key: str = "DBInstanceIdentifier") -> LabInstance:
        return self.backend.instance(str(self.params.get(key)))

    # --- instances

    def reboot_db_instance(self) -> ActionResult:
        instance = self._named()
        self.bridge.reboot(instance, force_failover=bool(self.params.get("ForceFailover")))
        return ActionResult({"DBInstance": instance})

    def promote_read_replica(self) -> ActionResult:
        instance, backend = self._named(), self.backend

        def finish() -> None:
            instance.is_replica = False
            instance.source_db_instance_identifier = None
            instance.status_infos = []
            for region in (self.bridge.backend, backend):
                for other in region.instances():
                    other.remove_replica(instance)

        self.bridge.promote(instance, finish)
        return ActionResult({"DBInstance": instance})

    def create_db_instance_read_replica(self) -> ActionResult:
        raise RDSClientError(
            "InsufficientDBInstanceCapacity",
            "The lab has one server for a read replica, and it is made by the failover of the primary or by heal.",
        )

    def restore_db_instance_to_point_in_time(self) -> ActionResult:
        source = self._named("SourceDBInstanceIdentifier")
        moment = self.params.get("RestoreTime")
        latest = bool(self.params.get("UseLatestRestorableTime"))
        if latest == bool(moment):
            raise RDSClientError(
                "InvalidParameterCombination", "Give either RestoreTime or UseLatestRestorableTime, not both."
            )
        target_time = as_utc(moment) if moment else None
        until = source.restorable_until
        if target_time and until and target_time > until.replace(tzinfo=UTC):
            raise RDSClientError(
                "InvalidRestoreFault",
                f"The specified instance cannot be restored to a time later than {until.isoformat()}Z",
            )
        self.bridge.reserve_recovery(target_time)
        self._drop_defaults()
        super().restore_db_instance_to_point_in_time()
        return self._restored("TargetDBInstanceIdentifier", source.db_instance_identifier, target_time)

    def restore_db_instance_from_db_snapshot(self) -> ActionResult:
        snapshot = self.backend.get_db_snapshot(str(self.params.get("DBSnapshotIdentifier")))
        taken = snapshot.original_snapshot_create_time.replace(tzinfo=UTC)
        self.bridge.reserve_recovery(taken)
        self._drop_defaults()
        super().restore_db_instance_from_db_snapshot()
        return self._restored("DBInstanceIdentifier", snapshot.db_snapshot_identifier, taken)

    def _drop_defaults(self) -> None:
        """Say what AWS takes when it is not told; moto copies the source's instead.

        A restored instance is Single-AZ, unprotected, and in the VPC's *default* security group, which keeps the
        application out: the best-known surprise of a restore.
        """
        major = self.bridge.seed.engine_version.split(".")[0]
        self.params.setdefault("DBParameterGroupName", f"default.postgres{major}")
        if not self.params.get("VpcSecurityGroupIds"):
            self.params["VpcSecurityGroupIds"] = [self.bridge.default_security_group()]

    def _restored(self, key: str, source: str, target_time: datetime | None) -> ActionResult:
        instance = self._named(key)
        instance.source_db_instance_identifier = None  # it has an origin, but follows nobody
        instance.multi_az = bool(self.params.get("MultiAZ"))
        instance.secondary_availability_zone = instance.other_zone() if instance.multi_az else None
        instance.deletion_protection = bool(self.params.get("DeletionProtection"))
        instance.created = instance.instance_create_time = utcnow()
        self.bridge.restore(instance, source, target_time)
        return ActionResult({"DBInstance": instance})

    def delete_db_instance(self) -> ActionResult:
        instance, backend = self._named(), self.backend
        if instance.status == "deleting":
            require(instance, "available")
        super().delete_db_instance()  # refuses a protected one, takes the final snapshot

        def finish() -> None:
            backend.databases.pop(instance.db_instance_identifier, None)

        backend.databases[instance.db_instance_identifier] = instance
        self.bridge.delete(instance, finish)
        return ActionResult({"DBInstance": instance})

    def stop_db_instance(self) -> ActionResult:
        instance = self._named()
        self.bridge.stop(instance)
        return ActionResult({"DBInstance": instance})

    def start_db_instance(self) -> ActionResult:
        instance = self._named()
        self.bridge.start(instance)
        return ActionResult({"DBInstance": instance})

    def modify_db_instance(self) -> ActionResult:
        instance = self._named()
        if any(self.params.get(key) for key in MASTER):
            raise RDSClientError(
                "InvalidParameterCombination", "The lab does not change the master password; change it with ALTER ROLE."
            )
        storage = self.params.get("AllocatedStorage")
        if storage is not None and int(storage) < instance.allocated_storage * 1.1:
            raise RDSClientError(
                "InvalidParameterCombination",
                f"Invalid storage size: increase it by at least 10 percent, from {instance.allocated_storage} GiB.",
            )
        require(instance, "available", "storage-full")
        if self.params.pop("ApplyImmediately", False):
            for key, value in instance.pending_modified_values.items():
                self.params.setdefault("NewDBInstanceIdentifier" if key == "DBInstanceIdentifier" else key, value)
            instance.pending_modified_values = {}
        else:
            # A lab has no maintenance window: what waits for it waits for good, and DescribeDBInstances says so.
            for key in DEFERRED:
                if key in self.params:
                    shown = "DBInstanceIdentifier" if key == "NewDBInstanceIdentifier" else key
                    instance.pending_modified_values[shown] = self.params.pop(key)
        storage = self.params.get("AllocatedStorage")
        renamed = "NewDBInstanceIdentifier" in self.params
        self.params.pop("AllocatedStorage", None)
        super().modify_db_instance()
        if renamed:
            self.bridge.renamed(instance)
        self.bridge.apply_security_groups()
        if storage is not None:
            self.bridge.grow(instance, int(storage))
        return ActionResult({"DBInstance": instance})

    # --- snapshots, logs

    def create_db_snapshot(self) -> ActionResult:
        instance = self._named()
        require(instance, "available", "storage-full")
        self.backend.note(instance, "Backing up DB instance", "backup")
        result = super().create_db_snapshot()
        snapshot = self.backend.get_db_snapshot(str(self.params.get("DBSnapshotIdentifier")))
        snapshot.add_event("DB_SNAPSHOT_CREATE_MANUAL_START")
        snapshot.add_event("DB_SNAPSHOT_CREATE_MANUAL_FINISH")
        self.backend.note(instance, "Finished DB instance backup", "backup")
        return result

    def describe_db_log_files(self) -> ActionResult:
        files = [
            {"LogFileName": name, "LastWritten": int(path.stat().st_mtime * 1000), "Size": path.stat().st_size}
            for name, path in self._log_files(self._named()).items()
        ]
        return ActionResult({"DescribeDBLogFiles": files})

    def download_db_log_file_portion(self) -> ActionResult:
        """The end of a log (``Marker`` 0 or none), or what follows a byte offset. moto has no such call."""
        name = str(self.params.get("LogFileName"))
        path = self._log_files(self._named()).get(name)
        if path is None:
            raise RDSClientError("DBLogFileNotFoundFault", f"DBLog File: {name}, is not found on the DB instance")
        size = path.stat().st_size
        marker = int(self.params.get("Marker") or 0)
        with path.open("rb") as file:
            file.seek(marker or max(0, size - LOG_PORTION))
            portion = file.read(LOG_PORTION)
            end = file.tell()
        lines = int(self.params.get("NumberOfLines") or 0)
        text = portion.decode("utf-8", "replace")
        if lines and not marker:
            text = "".join(text.splitlines(keepends=True)[-lines:])
        return ActionResult({"LogFileData": text, "Marker": str(end), "AdditionalDataPending": end < size})

    def _log_files(self, instance: LabInstance) -> dict[str, Path]:
        node = self.bridge.node_of(instance)
        return {"error/postgresql.log": node.log} if node and node.log.exists() else {}


def as_utc(moment: datetime | str) -> datetime:
    """A request's time, with its zone; a naive one is UTC, as moto's parser leaves it."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
