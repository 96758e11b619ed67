# SPDX-License-Identifier: GPL-3.0-or-later
"""What of AWS outlives the component: RDS instances, snapshots and events, secrets, the database's security group.

moto keeps everything in memory. The seed is made anew on every start; these facts are then laid over it. Anything
else that somebody changed (an alarm, a tag, an S3 object) is as seeded again after a restart.
"""

from __future__ import annotations

import copy
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from moto.ec2.models.security_groups import SecurityGroup
from moto.rds.models import DBParameterGroup, DBSnapshot
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend, secretsmanager_backends

from ..layout import LabError
from . import network
from .rds import LabBackend, LabInstance, Message
from .seed import Seed

INSTANCE_FACTS = (
    "status",
    "role",
    "node",
    "availability_zone",
    "secondary_availability_zone",
    "multi_az",
    "is_replica",
    "source_db_instance_identifier",
    "replicas",
    "allocated_storage",
    "storage_type",
    "engine_version",
    "db_instance_class",
    "dbi_resource_id",
    "vpc_security_group_ids",
    "db_parameter_group_name",
    "deletion_protection",
    "backup_retention_period",
    "preferred_backup_window",
    "preferred_maintenance_window",
    "pending_modified_values",
    "cut_off",
    "tags",
)


class StateFile:
    """``aws/state.json`` of the lab: mode 0600, for it holds the secrets."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any] | None:
        """What was written last: facts ``now`` and at the ``first`` start, or None. LabError for a file not ours."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            found = None
        if not isinstance(found, dict) or not {"now", "first"} <= found.keys():
            raise LabError(f"{self.path}: not a state of the lab's AWS; remedy: remove the file")
        return found

    def write(self, facts: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(self.path.name + ".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(facts, file)
        temporary.replace(self.path)


def capture(seed: Seed, backends: dict[str, LabBackend]) -> dict[str, Any]:
    """The facts, JSON-clean and sharing nothing with moto's objects."""
    facts = {
        "rds": {region: _capture_rds(backend) for region, backend in backends.items()},
        "secrets": {secret.name: _capture_secret(secret) for secret in _secrets(seed)},
        "database_group": capture_database_group(seed),
    }
    copied: dict[str, Any] = json.loads(json.dumps(facts))
    return copied


def restore(seed: Seed, backends: dict[str, LabBackend], facts: dict[str, Any]) -> None:
    """Lay captured facts over fresh seeds. Raises LabError where they do not fit."""
    try:
        for region, found in facts["rds"].items():
            _restore_rds(backends[region], found)
        manager = _manager(seed)
        for name in manager.secrets.keys() - facts["secrets"].keys():
            manager.secrets.pop(name)
        for name, versions in facts["secrets"].items():
            _restore_secret(manager, name, versions)
        restore_database_group(seed, facts["database_group"])
    except (KeyError, TypeError, ValueError) as error:
        raise LabError(
            f"aws/state.json: not a state of this lab ({error!r}); remedy: remove {seed.layout.folder}/aws/state.json"
        ) from error


def _capture_rds(backend: LabBackend) -> dict[str, Any]:
    return {
        "instances": {
            instance.db_instance_identifier: {
                **{fact: getattr(instance, fact) for fact in INSTANCE_FACTS},
                "max_allocated_storage": instance.max_allocated_storage,
                "created": instance.created.isoformat(),
            }
            for instance in backend.instances()
        },
        "snapshots": [
            {
                "id": snapshot.db_snapshot_identifier,
                "type": snapshot.snapshot_type,
                "instance": snapshot.db_instance_identifier,
                "created": snapshot.created.isoformat(),
            }
            for snapshot in list(backend.database_snapshots.values())
        ],
        "parameter_groups": {
            name: {
                "family": group.family,
                "description": group.description,
                "tags": group.tags,
                "parameters": group.parameters,
            }
            for name, group in backend.db_parameter_groups.items()
        },
        "events": [{**vars(event), "date": event.date.isoformat()} for event in backend.events],
    }


def _restore_rds(backend: LabBackend, found: dict[str, Any]) -> None:
    seeded = dict(backend.databases)
    template = next(iter(seeded.values()))
    for identifier, facts in found["instances"].items():
        instance = seeded.get(identifier)
        if not isinstance(instance, LabInstance):
            instance = copy.copy(template)
            instance.db_instance_identifier = identifier
        for fact in INSTANCE_FACTS:
            setattr(instance, fact, facts[fact])
        # No autoscaling: moto reads it as None and wants it written as the size itself.
        instance.max_allocated_storage = facts["max_allocated_storage"] or facts["allocated_storage"]
        instance.created = instance.instance_create_time = datetime.fromisoformat(facts["created"])
        backend.databases[identifier] = instance
    # What is too much goes last: nobody who asks meanwhile shall find an RDS without databases.
    for identifier in seeded.keys() - found["instances"].keys():
        del backend.databases[identifier]
    backend.database_snapshots.clear()
    for facts in found["snapshots"]:
        source = backend.databases.get(facts["instance"], template)
        snapshot = DBSnapshot(backend, source, facts["id"], facts["type"])
        snapshot.created = snapshot.original_snapshot_create_time = datetime.fromisoformat(facts["created"])
        snapshot.db_instance_identifier = facts["instance"]
        backend.database_snapshots[facts["id"]] = snapshot
    backend.db_parameter_groups.clear()
    for name, facts in found["parameter_groups"].items():
        group = DBParameterGroup(backend, name, facts["description"], facts["family"], facts["tags"])
        group.parameters.update(facts["parameters"])
        backend.db_parameter_groups[name] = group
    backend.events[:] = [
        Message(**{**event, "date": datetime.fromisoformat(event["date"])}) for event in found["events"]
    ]


def _manager(seed: Seed) -> SecretsManagerBackend:
    return secretsmanager_backends[seed.layout.account][seed.layout.region]


def _secrets(seed: Seed) -> list[FakeSecret]:
    """Those whose every version is text, as all of DhakaCart's are: bytes have no place in JSON."""
    return [
        secret
        for secret in list(_manager(seed).secrets.values())
        if isinstance(secret, FakeSecret) and all(version.get("secret_string") for version in secret.versions.values())
    ]


def _capture_secret(secret: FakeSecret) -> dict[str, Any]:
    return {
        "versions": copy.deepcopy(secret.versions),
        "current": secret.default_version_id,
        "deleted": secret.deleted_date,
        "changed": secret.last_changed_date,
    }


def _restore_secret(manager: SecretsManagerBackend, name: str, facts: dict[str, Any]) -> None:
    if name not in manager.secrets:
        manager.create_secret(name, "{}", None, None, None, None, None, [], False)
    secret = manager.secrets[name]
    if not isinstance(secret, FakeSecret):
        raise TypeError(f"secret {name} is a replica")
    secret.versions = facts["versions"]
    secret.set_default_version_id(facts["current"])
    secret.deleted_date = facts["deleted"]
    secret.last_changed_date = facts["changed"]


def capture_database_group(seed: Seed) -> list[dict[str, Any]]:
    """The ingress rules of PFX-rds-sg, in an order of their own."""
    rules = [
        {
            "protocol": rule.ip_protocol,
            "from": rule.from_port,
            "to": rule.to_port,
            "range": rule.ip_range or None,
            "group": (rule.source_group or {}).get("GroupId"),
        }
        for rule in _database_group(seed).ingress_rules
    ]
    return sorted(rules, key=lambda rule: json.dumps(rule, sort_keys=True))


def restore_database_group(seed: Seed, rules: list[dict[str, Any]]) -> None:
    """Make these the ingress rules of PFX-rds-sg."""
    ec2, group = network.backend(seed, ""), _database_group(seed)
    group.ingress_rules = []
    for facts in rules:
        ec2.authorize_security_group_ingress(
            group.id,
            facts["protocol"],
            facts["from"],
            facts["to"],
            ip_ranges=[facts["range"]] if facts["range"] else [],
            source_groups=[{"GroupId": facts["group"]}] if facts["group"] else [],
        )


def _database_group(seed: Seed) -> SecurityGroup:
    group = network.backend(seed, "").get_security_group_from_id(seed.ids["sg-rds"])
    if group is None:  # the API refuses to delete a group in use
        raise LabError("the security group of the database was deleted; remedy: runbook lab heal")
    return group
