# SPDX-License-Identifier: GPL-3.0-or-later
"""Every environment says every name of the platform, or says where to find it."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

INVENTORIES = Path(__file__).resolve().parents[3] / "inventories"
ENVIRONMENTS = ("lab", "staging", "production")

# The names that the runbooks of DhakaCart use, group by group, as the platform's fact sheet lists them.
PLATFORM = """
env project prefix region dr_region
namespace monitoring_namespace logging_namespace
eks_cluster dr_eks_cluster nodegroup node_min node_max node_desired
backend_deployment frontend_deployment backend_selector frontend_selector backend_container frontend_container
backend_service frontend_service bluegreen_service backend_port frontend_port
health_path ready_path live_path metrics_path gate_path
rollout_timeout health_retries health_interval
backend_hpa frontend_hpa backend_min backend_max frontend_min frontend_max
emergency_backend emergency_frontend
db_pool_max db_max_connections
ingress alb_name domain api_host
route53_zone_id acm_arn target_group_arn
db_instance db_dr_replica db_read_replica db_recovery_instance
db_subnet_group db_param_group db_name db_user db_port
db_k8s_secret db_k8s_secret_host_key secret_db secret_redis secret_app external_secret_db use_external_secrets
redis_group redis_port redis_tls
backup_bucket dr_backup_bucket backup_lambda verifier_lambda backup_topic
snapshot_max_age_hours backup_retention_days s3_retention_days
restore_class restore_timeout snapshot_timeout
rto_db rto_app rto_service rto_infra rpo_db rpo_appdata
max_replica_lag dr_trigger_region dr_trigger_db
error_rate_pct p95_seconds db_conn_warn cache_hit_min_pct mem_pct cpu_pct
payment_failure_pct abandonment_pct order_drop_ratio
metric_prefix metric_status_label metric_job alert_map
prometheus_url alertmanager_url silence_minutes
es_url log_index kibana_url
slow_query_seconds idle_conn_minutes
slack_channels escalation_minutes
registry image_tag diag_image
"""
NAMES = PLATFORM.split()
# Asked for on the command line, never set in an inventory: an inventory must not confirm anything.
NEVER_SET = ("confirm", "dry_run", "approve")
# No default makes sense: AWS made these up. An environment must set them itself.
MADE_UP_BY_AWS = (
    "db_host",
    "db_replica_host",
    "redis_host",
    "route53_zone_id",
    "acm_arn",
    "target_group_arn",
    "backup_bucket",
    "dr_backup_bucket",
)


def files(environment: str) -> list[Path]:
    return sorted((INVENTORIES / environment / "group_vars/all").glob("*.yml"))


@functools.cache
def values(environment: str) -> dict[str, Any]:
    """The variables of group ``all``, later files over earlier ones, as Ansible reads them."""
    found: dict[str, Any] = {}
    for path in files(environment):
        found.update(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    return found


def documented(environment: str) -> set[str]:
    """The names that required.yml describes without a value."""
    path = INVENTORIES / environment / "group_vars/all/required.yml"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return set(re.findall(r"^# (dhakacart_\w+): \S", text, re.MULTILINE))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_name_of_the_platform_is_set_or_documented_as_required(environment: str) -> None:
    known = set(values(environment)) | documented(environment)
    assert sorted({f"dhakacart_{name}" for name in NAMES} - known) == []


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_what_aws_made_up_has_no_default_and_is_documented(environment: str) -> None:
    wanted = {f"dhakacart_{name}" for name in MADE_UP_BY_AWS}
    assert wanted <= documented(environment)
    assert wanted & set(values(environment)) == set()


def test_the_lab_sets_everything_itself() -> None:
    assert {f"dhakacart_{name}" for name in MADE_UP_BY_AWS} <= set(values("lab"))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_inventory_confirms_anything(environment: str) -> None:
    found = values(environment)
    assert [name for name in NEVER_SET if name in found or f"dhakacart_{name}" in found] == []


@pytest.mark.parametrize(
    ("environment", "env", "drillable", "approval"),
    [("lab", "lab", True, False), ("staging", "staging", True, True), ("production", "prod", False, True)],
)
def test_only_the_lab_acts_without_approval_and_production_is_never_drilled(
    environment: str, env: str, drillable: bool, approval: bool
) -> None:
    found = values(environment)
    assert found["dhakacart_env"] == env
    assert found["dhakacart_drillable"] is drillable
    assert found["dhakacart_approval_required"] is approval


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_links_the_common_names_and_reads_them_first(environment: str) -> None:
    first = files(environment)[0]
    assert first.name == "common.yml"
    assert first.resolve() == INVENTORIES / "common/platform.yml"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_hosts_run_on_the_controller_with_its_own_python(environment: str) -> None:
    found = values(environment)
    if environment == "lab":
        assert found["ansible_connection"] == "local"
        assert found["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"
    else:
        assert found["ansible_connection"] == "{{ 'ssh' if dhakacart_bastion else 'local' }}"
        assert found["ansible_python_interpreter"].endswith("if dhakacart_bastion else ansible_playbook_python }}")
        assert found["dhakacart_bastion"] == ""
    hosts = yaml.safe_load((INVENTORIES / environment / "hosts.yml").read_text(encoding="utf-8"))
    assert hosts["all"]["children"]["primary"]["hosts"]


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_dr_region_never_judges_by_the_servers_of_the_primary(environment: str) -> None:
    found = yaml.safe_load((INVENTORIES / environment / "group_vars/dr/environment.yml").read_text(encoding="utf-8"))
    for name in ("db_host", "db_replica_host", "redis_host"):
        assert found[f"dhakacart_{name}"] == "{{ dhakacart_dr_" + name + " }}"
        assert f"dhakacart_dr_{name}" in documented(environment)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_inventory_holds_a_secret(environment: str) -> None:
    words = re.compile(r"password|token|secret_key|api_key")
    held = [name for name, value in values(environment).items() if words.search(name) and value]
    allowed = {"dhakacart_redis_token_file", "dhakacart_db_k8s_secret_password_key"}
    assert set(held) <= allowed


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_variable_that_a_value_is_made_of_exists(environment: str) -> None:
    known = set(values(environment)) | documented(environment)
    templates = " ".join(re.findall(r"{{.*?}}", json.dumps(values(environment))))
    used = set(re.findall(r"\bdhakacart_\w+", templates))
    assert sorted(used - known) == []
