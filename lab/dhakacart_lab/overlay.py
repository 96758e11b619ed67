# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory that lets another environment's inventory address a lab that plays it.

``ansible-playbook -i inventories/staging -i <lab folder>/inventory …``: names, approvals and objectives are those of
staging, as they would be in earnest; addresses, files of credentials and the fast clock are the lab's.
"""

from __future__ import annotations

from typing import Any

import yaml

from .layout import Layout

HEAD = "---\n# Written by `runbook lab up`: what a lab that plays {environment} has of its own.\n"
# As in inventories/lab, and held together with it by a test: the lab's clock runs faster, so that a fault shows soon.
CLOCK = {
    "dhakacart_replica_lag_rpo": 5,
    "dhakacart_max_replica_lag": 30,
    "dhakacart_runaway_query_seconds": 5,
    "dhakacart_metric_period_seconds": 5,
    "dhakacart_database_silence_seconds": 15,
    "dhakacart_receiver_silence_seconds": 3,
}


def variables(layout: Layout) -> dict[str, Any]:
    """The variables of the overlay: addresses, paths and limits, never a secret."""
    lab, prefix, account = layout.describe(), layout.prefix, layout.account
    balancing = f"arn:aws:elasticloadbalancing:{layout.region}:{account}"
    return {
        "dhakacart_instance": layout.lab_id,
        "dhakacart_shop_url": lab["shop"]["url"],
        "dhakacart_kubeconfig": lab["kubernetes"]["kubeconfig"],
        "dhakacart_aws_endpoint_url": lab["aws"]["endpoint_url"],
        "dhakacart_aws_credentials_file": lab["aws"]["credentials_file"],
        "dhakacart_db_host": lab["postgres"]["host"],
        "dhakacart_db_replica_host": lab["postgres"]["replica_host"],
        "dhakacart_db_passfile": lab["postgres"]["passfile"],
        "dhakacart_db_sslmode": "prefer",
        "dhakacart_redis_host": lab["redis"]["host"],
        "dhakacart_redis_tls": False,
        "dhakacart_redis_token_file": lab["redis"]["token_file"],
        "dhakacart_notify_webhook_url": lab["webhook"]["url"],
        "dhakacart_route53_zone_id": "ZLAB",
        "dhakacart_acm_arn": f"arn:aws:acm:{layout.region}:{account}:certificate/lab",
        "dhakacart_target_group_arn": f"{balancing}:targetgroup/{prefix}/lab",
        "dhakacart_backup_bucket": f"{prefix}-database-backups-00000000",
        "dhakacart_dr_backup_bucket": f"{prefix}-dr-backups-00000000",
        **CLOCK,
    }


def write(layout: Layout) -> None:
    """Write the overlay; for a lab that plays itself too, whose host is called as in inventories/lab."""
    host = layout.environment if layout.environment == "lab" else f"{layout.environment}-{layout.region}"
    hosts = {"all": {"children": {"primary": {"hosts": {host: None}}}}}
    head = HEAD.format(environment=layout.environment)
    for name, content in (("hosts.yml", hosts), ("group_vars/all/lab.yml", variables(layout))):
        path = layout.inventory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(head + yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        draft.replace(path)
