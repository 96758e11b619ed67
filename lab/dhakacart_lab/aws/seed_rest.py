# SPDX-License-Identifier: GPL-3.0-or-later
"""DhakaCart's other resources in AWS, each service seeded when the first request for it comes.

Most runs never ask for most of them, and all of them together would double the start and the memory of the component.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
from collections.abc import Callable

from .rds_bridge import one_line
from .seed import Seed

log = logging.getLogger(__name__)

# The service of an AWS Signature 4 header: Credential=<key>/<date>/<region>/<service>/aws4_request
SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")


class RestSeeder:
    """Seeds a service once.

    :ivar problems: service (its signing name) -> why it could not be seeded.
    """

    def __init__(self, seed: Seed) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._done: set[str] = set()
        self.problems: dict[str, str] = {}

    def ensure(self, authorization: str) -> None:
        """Seed the service that a request with this Authorization header is for, if that was not done yet."""
        match = SCOPE.search(authorization)
        if match is None or match[1] in self._done or match[1] not in SEEDERS:
            return
        service = match[1]
        with self._lock:
            if service in self._done:
                return
            try:
                SEEDERS[service](self._seed)
            except Exception as error:  # the request itself can still be answered; health shows what is missing
                log.exception("seed of %s", service)
                self.problems[service] = one_line(error)
            self._done.add(service)
            self._seed.aws.forget()


def _arn(seed: Seed, service: str, resource: str, *, region: str | None = None) -> str:
    where = seed.layout.region if region is None else region
    return f"arn:aws:{service}:{where}:{seed.layout.account}:{resource}"


def _role(seed: Seed, suffix: str) -> str:
    return _arn(seed, "iam", f"role/{seed.name(suffix)}", region="")


def _eight_hex(seed: Seed) -> str:
    """Terraform's random_id of the backup buckets, the same for one lab always."""
    return hashlib.sha256(seed.layout.lab_id.encode()).hexdigest()[:8]


def backup_bucket(seed: Seed) -> str:
    return seed.name(f"database-backups-{_eight_hex(seed)}")


def _s3(seed: Seed) -> None:
    for name, dr in ((backup_bucket(seed), False), (seed.name(f"dr-backups-{_eight_hex(seed)}"), True)):
        s3 = seed.client("s3", dr=dr)
        region = seed.layout.dr_region if dr else seed.layout.region
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **where)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3 = seed.client("s3")
    s3.put_bucket_lifecycle_configuration(
        Bucket=backup_bucket(seed),
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "expire",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "Expiration": {"Days": 90},
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                }
            ]
        },
    )


def _sns(seed: Seed) -> None:
    for topic in ("backup-notifications", "redis-notifications"):
        seed.client("sns").create_topic(Name=seed.name(topic))


def _cloudwatch(seed: Seed) -> None:
    watch = seed.client("cloudwatch")
    for name, metric, statistic, threshold in (
        ("redis-cpu-utilization", "CPUUtilization", "Average", 80),
        ("redis-memory-utilization", "DatabaseMemoryUsagePercentage", "Average", 85),
        ("redis-evictions", "Evictions", "Sum", 10),
    ):
        watch.put_metric_alarm(
            AlarmName=seed.name(name),
            Namespace="AWS/ElastiCache",
            MetricName=metric,
            Dimensions=[{"Name": "ReplicationGroupId", "Value": seed.name("redis")}],
            Statistic=statistic,
            Period=300,
            EvaluationPeriods=2,
            Threshold=threshold,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[_arn(seed, "sns", seed.name("redis-notifications"))],
        )


def _elasticache(seed: Seed) -> None:
    cache = seed.client("elasticache")
    cache.create_cache_subnet_group(
        CacheSubnetGroupName=seed.name("redis-subnet-group"),
        CacheSubnetGroupDescription="DhakaCart Redis subnets",
        SubnetIds=seed.subnets("app"),
    )
    cache.create_replication_group(
        ReplicationGroupId=seed.name("redis"),
        ReplicationGroupDescription="DhakaCart Redis",
        Engine="redis",
        EngineVersion="7.0",
        CacheNodeType="cache.t3.micro",
        ReplicasPerNodeGroup=1,  # two nodes; moto makes one of NumCacheClusters=2
        MultiAZEnabled=True,
        AutomaticFailoverEnabled=True,
        Port=seed.layout.redis.port,
        SecurityGroupIds=[seed.ids["sg-redis"]],
        SnapshotRetentionLimit=7,
        SnapshotWindow="05:00-06:00",
        TransitEncryptionEnabled=True,
        AtRestEncryptionEnabled=True,
        AuthToken=seed.layout.secret("redis-token"),
    )
    _point_redis(seed)


def _point_redis(seed: Seed) -> None:
    """moto makes an endpoint name that resolves nowhere; the lab's Redis is known by its address."""
    from moto.elasticache.models import elasticache_backends

    group = elasticache_backends[seed.layout.account][seed.layout.region].replication_groups[seed.name("redis")]
    address = {"address": seed.layout.redis.host, "port": seed.layout.redis.port}
    for node_group in group.node_groups:
        node_group["primary_endpoint"] = node_group["reader_endpoint"] = address
        node_group["primary_endpoint_address"] = node_group["reader_endpoint_address"] = seed.layout.redis.host


def _eks(seed: Seed) -> None:
    eks, cluster = seed.client("eks"), seed.name("cluster")
    logs = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
    eks.create_cluster(
        name=cluster,
        version="1.28",
        roleArn=_role(seed, "eks-cluster-role"),
        resourcesVpcConfig={
            "subnetIds": seed.subnets("app") + seed.subnets("public"),
            "securityGroupIds": [seed.ids["sg-eks-cluster"]],
            "endpointPublicAccess": True,
            "endpointPrivateAccess": True,
            "publicAccessCidrs": ["0.0.0.0/0"],
        },
        logging={"clusterLogging": [{"types": logs, "enabled": True}]},
    )
    eks.create_nodegroup(
        clusterName=cluster,
        nodegroupName=seed.name("node-group"),
        version="1.28",
        scalingConfig={"minSize": 1, "maxSize": 10, "desiredSize": 3},
        diskSize=50,
        subnets=seed.subnets("app"),
        instanceTypes=["t3.medium", "t3.large"],
        amiType="AL2_x86_64",
        capacityType="ON_DEMAND",
        nodeRole=_role(seed, "eks-node-role"),
        labels={"NodeGroup": "main"},
        taints=[{"key": "dedicated", "value": "main", "effect": "NO_SCHEDULE"}],
    )


def _load_balancer(seed: Seed) -> None:
    elb = seed.client("elbv2")
    balancer = elb.create_load_balancer(
        Name="dhakacart-alb",
        Subnets=seed.subnets("public"),
        SecurityGroups=[seed.ids["sg-alb"]],
        Scheme="internet-facing",
        Type="application",
    )["LoadBalancers"][0]
    group = elb.create_target_group(
        Name="dhakacart-backend",
        Protocol="HTTP",
        Port=5000,
        VpcId=seed.ids["vpc"],
        TargetType="ip",
        HealthCheckPath="/health",
    )["TargetGroups"][0]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
    )


def _route53(seed: Seed) -> None:
    # The platform has no A, alias or failover records: its zone holds the validation records of certificates only.
    seed.client("route53").create_hosted_zone(Name="dhakacart.com", CallerReference=seed.layout.lab_id)


def _acm(seed: Seed) -> None:
    acm = seed.client("acm")
    names = [f"{host}.dhakacart.com" for host in ("www", "api", "admin")]
    acm.request_certificate(DomainName="dhakacart.com", SubjectAlternativeNames=names, ValidationMethod="DNS")
    acm.request_certificate(DomainName="*.dhakacart.com", ValidationMethod="DNS")


def _ecr(seed: Seed) -> None:
    for name in ("frontend", "backend"):
        seed.client("ecr").create_repository(
            repositoryName=seed.name(name),
            imageTagMutability="MUTABLE",
            imageScanningConfiguration={"scanOnPush": True},
        )


ROLES = {
    "app-role": "pods.eks.amazonaws.com",
    "external-secrets-role": "pods.eks.amazonaws.com",
    "alb-controller-role": "pods.eks.amazonaws.com",
    "developer-role": "ec2.amazonaws.com",
    "operator-role": "ec2.amazonaws.com",
    "cicd-role": "codebuild.amazonaws.com",
    "github-actions-role": "codebuild.amazonaws.com",
    "eks-deployment-role": "codebuild.amazonaws.com",
    "backup-lambda-role": "lambda.amazonaws.com",
    "s3-replication-role": "s3.amazonaws.com",
    "eks-cluster-role": "eks.amazonaws.com",
    "eks-node-role": "ec2.amazonaws.com",
    "rds-monitoring-role": "monitoring.rds.amazonaws.com",
}


def _iam(seed: Seed) -> None:
    for name, service in ROLES.items():
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        seed.client("iam").create_role(
            RoleName=seed.name(name),
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )


def _logs(seed: Seed) -> None:
    prefix = seed.layout.prefix
    retention = {
        f"/aws/eks/{prefix}-cluster/cluster": 7,
        f"/aws/rds/instance/{prefix}-postgresql/postgresql": 30,
        f"/aws/rds/instance/{prefix}-postgresql/upgrade": 30,
        f"/aws/elasticache/redis/{prefix}/slow-log": 14,
        f"/aws/lambda/{prefix}-backup-manager": 30,
        f"/aws/lambda/{prefix}-backup-verifier": 30,
    }
    for name, days in retention.items():
        seed.client("logs").create_log_group(logGroupName=name)
        seed.client("logs").put_retention_policy(logGroupName=name, retentionInDays=days)


def _kms(seed: Seed) -> None:
    kms = seed.client("kms")
    for alias in ("eks", "rds", "elasticache", "backup"):
        key = kms.create_key(Description=f"DhakaCart {alias}")["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/{seed.name(alias)}", TargetKeyId=key)


def _events(seed: Seed) -> None:
    for name, schedule in (("daily-backup", "cron(0 2 * * ? *)"), ("weekly-verification", "cron(0 4 ? * SUN *)")):
        seed.client("events").put_rule(Name=seed.name(name), ScheduleExpression=schedule, State="ENABLED")


def _waf(seed: Seed) -> None:
    visible = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "waf"}
    rate = {"RateBasedStatement": {"Limit": 2000, "AggregateKeyType": "IP"}}
    seed.client("wafv2").create_web_acl(
        Name=seed.name("waf"),
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        VisibilityConfig=visible,
        Rules=[
            {"Name": "rate", "Priority": 1, "Statement": rate, "Action": {"Block": {}}, "VisibilityConfig": visible}
        ],
    )


SEEDERS: dict[str, Callable[[Seed], None]] = {
    "acm": _acm,
    "ecr": _ecr,
    "eks": _eks,
    "elasticache": _elasticache,
    "elasticloadbalancing": _load_balancer,
    "events": _events,
    "iam": _iam,
    "kms": _kms,
    "logs": _logs,
    "monitoring": _cloudwatch,
    "route53": _route53,
    "s3": _s3,
    "sns": _sns,
    "wafv2": _waf,
}
