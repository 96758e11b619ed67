# SPDX-License-Identifier: GPL-3.0-or-later
"""DhakaCart's VPCs, subnets and security groups.

Made in moto's EC2 backend directly: a boto3 EC2 client would cost the start half a second and 60 MB.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING

from moto.ec2.models import ec2_backends

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend
    from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule

    from .seed import Seed

ZONES = "ab"
DATABASE_PORT = 5432
THIRD_OCTETS = {"public": (1, 2), "app": (10, 20), "db": (100, 200)}


def seed_network(seed: Seed) -> None:
    """Create both sides; ``seed.ids`` gets ``vpc``, ``subnet-<tier>-<zone>``, ``sg-<name>`` and their ``dr-`` twins."""
    _vpc(seed, "", "10.0", ("public", "app", "db"))
    # The DR side has neither application subnets nor peering: the platform has none.
    _vpc(seed, "dr-", "10.1", ("public", "db"))
    for name, ingress in (
        ("alb", [(80, "0.0.0.0/0"), (443, "0.0.0.0/0")]),
        ("eks-cluster", [(443, "10.0.0.0/16")]),
        ("eks-nodes", [(0, "sg-eks-cluster"), (0, "sg-alb")]),
        ("rds", [(DATABASE_PORT, "sg-eks-nodes")]),
        ("redis", [(6379, "sg-eks-nodes")]),
    ):
        _security_group(seed, "", name, ingress)
    _security_group(seed, "dr-", "rds", [(DATABASE_PORT, "10.1.0.0/16")])


def backend(seed: Seed, side: str) -> EC2Backend:
    layout = seed.layout
    return ec2_backends[layout.account][layout.dr_region if side else layout.region]


def _vpc(seed: Seed, side: str, prefix: str, tiers: Iterable[str]) -> None:
    ec2 = backend(seed, side)
    vpc = ec2.create_vpc(f"{prefix}.0.0/16")
    vpc.add_tags(seed.tags(seed.name(f"{side}vpc")))
    seed.ids[f"{side}vpc"] = vpc.id
    for tier in tiers:
        for zone, octet in zip(ZONES, THIRD_OCTETS[tier], strict=True):
            subnet = ec2.create_subnet(vpc.id, f"{prefix}.{octet}.0/24", availability_zone=f"{ec2.region_name}{zone}")
            subnet.add_tags(seed.tags(seed.name(f"{side}{tier}-{zone}")))
            seed.ids[f"{side}subnet-{tier}-{zone}"] = subnet.id


def _security_group(seed: Seed, side: str, name: str, ingress: Iterable[tuple[int, str]]) -> None:
    """A group with ingress for (port, or 0 for every port; CIDR, or the logical name of a group)."""
    ec2, full_name = backend(seed, side), seed.name(f"{side}{name}-sg")
    group = ec2.create_security_group(full_name, f"DhakaCart {side}{name}", vpc_id=seed.ids[f"{side}vpc"])
    group.add_tags(seed.tags(full_name))
    seed.ids[f"{side}sg-{name}"] = group.id
    for port, source in ingress:
        is_group = source.startswith("sg-")
        ec2.authorize_security_group_ingress(
            group.id,
            "tcp",
            str(port),
            str(port or 65535),
            ip_ranges=[] if is_group else [{"CidrIp": source}],
            source_groups=[{"GroupId": seed.ids[source]}] if is_group else [],
        )


def lets_nodes_in(seed: Seed, group_ids: Iterable[str]) -> bool:
    """Whether these security groups let the cluster's nodes reach PostgreSQL's port."""
    ec2 = backend(seed, "")
    wanted = set(group_ids)
    groups: list[SecurityGroup] = [group for group in ec2.describe_security_groups() if group.id in wanted]
    return any(_opens(seed, rule) for group in groups for rule in group.ingress_rules)


def _opens(seed: Seed, rule: SecurityGroupRule) -> bool:
    if rule.ip_protocol not in ("tcp", "-1"):
        return False
    if rule.from_port is not None and not rule.from_port <= DATABASE_PORT <= (rule.to_port or rule.from_port):
        return False
    if cidr := (rule.ip_range or {}).get("CidrIp"):
        # Pods have addresses of the nodes' subnets (the VPC CNI).
        nodes = [ipaddress.ip_network(f"10.0.{octet}.0/24") for octet in THIRD_OCTETS["app"]]
        return any(ipaddress.ip_network(cidr, strict=False).overlaps(subnet) for subnet in nodes)
    return (rule.source_group or {}).get("GroupId") == seed.ids["sg-eks-nodes"]
