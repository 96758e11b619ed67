# SPDX-License-Identifier: GPL-3.0-or-later
"""The RDS checks against moto's server, and against endpoints that are dead, silent or absurd."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import ConfigurationError
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding
from ansible_collections.dhakacart.runbooks.plugins.module_utils.kubernetes import eks
from ansible_collections.dhakacart.runbooks.plugins.module_utils.kubernetes.arguments import Settings as KubeSettings
from ansible_collections.dhakacart.runbooks.plugins.module_utils.rds import system
from moto.server import ThreadedMotoServer

from . import http_stub

REGION = "us-west-2"
PASSWORD = "hunter2hunter2"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("aws") / "credentials"
    file.write_text("[default]\naws_access_key_id = test\naws_secret_access_key = test\n")
    return file


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """The URL of an AWS with DhakaCart's database in it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"

    def client(service: str) -> Any:
        return boto3.client(
            service, region_name=REGION, endpoint_url=url, aws_access_key_id="test", aws_secret_access_key="test"
        )

    ec2, rds = client("ec2"), client("rds")
    group = ec2.create_security_group(GroupName="rds", Description="rds")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=5432, ToPort=5432, CidrIp="10.0.10.0/24"
    )
    for name, ingress in (
        ("primary", group),
        ("closed", ec2.create_security_group(GroupName="x", Description="x")["GroupId"]),
    ):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            Engine="postgres",
            DBInstanceClass="db.t3.micro",
            AllocatedStorage=20,
            MasterUsername="dhakacart_admin",
            MasterUserPassword=PASSWORD,
            MultiAZ=True,
            BackupRetentionPeriod=30,
            DeletionProtection=True,
            VpcSecurityGroupIds=[ingress],
        )
    rds.create_db_instance_read_replica(DBInstanceIdentifier="replica", SourceDBInstanceIdentifier="primary")
    rds.create_db_snapshot(DBInstanceIdentifier="primary", DBSnapshotIdentifier="snapshot")
    secret = {"host": "db.example", "port": 5432, "username": "dhakacart", "password": PASSWORD}
    client("secretsmanager").create_secret(Name="db", SecretString=json.dumps(secret))
    client("secretsmanager").create_secret(Name="broken", SecretString=PASSWORD)
    client("eks").create_cluster(name="shop", roleArn="arn:aws:iam::123456789012:role/x", resourcesVpcConfig={})
    client("cloudwatch").put_metric_data(
        Namespace="AWS/RDS",
        MetricData=[
            {
                "MetricName": metric,
                "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "primary"}],
                "Value": value,
                "Timestamp": datetime.now(UTC),
            }
            for metric, value in (("FreeStorageSpace", 15 * 1024**3), ("DatabaseConnections", 12))
        ],
    )
    yield url
    server.stop()


@pytest.fixture
def params(aws: str, credentials: Path) -> dict[str, Any]:
    return {
        "region": REGION,
        "instance": "primary",
        "replica": "replica",
        "secret": "db",
        "endpoint_url": aws,
        "credentials_file": str(credentials),
        "salt": "pepper",
        "timeout": 3.0,
    }


def judged(options: dict[str, Any]) -> dict[str, Finding]:
    facts = system.read(options)
    assert json.loads(json.dumps(facts)) == facts
    assert PASSWORD not in json.dumps(facts)
    return {finding.id: finding for finding in system.judge(facts, options)}


def test_a_healthy_database_is_ok(params: dict[str, Any]) -> None:
    findings = judged(params)
    assert {str(finding.status) for finding in findings.values()} == {"ok"}
    assert len(findings) == 11


def test_an_instance_that_does_not_exist_is_critical_and_nothing_is_said_about_it(params: dict[str, Any]) -> None:
    findings = judged({**params, "instance": "nowhere"})
    assert findings["rds.instance"].evidence["kind"] == "missing"
    assert str(findings["rds.storage"].status) == "unknown"


def test_a_security_group_without_a_rule_is_critical(params: dict[str, Any]) -> None:
    assert str(judged({**params, "instance": "closed"})["rds.security_group"].status) == "critical"


def test_a_secret_that_is_no_json_is_unknown_and_not_quoted(params: dict[str, Any]) -> None:
    assert str(judged({**params, "secret": "broken"})["rds.secret"].status) == "unknown"


def test_fingerprints_depend_on_the_salt_and_need_one(params: dict[str, Any]) -> None:
    prints = [system.read({**params, "salt": salt})["secret"]["password_fingerprint"] for salt in ("a", "b", "")]
    assert prints[0] != prints[1]
    assert prints[2] is None


def test_an_unreachable_aws_is_one_unknown(params: dict[str, Any]) -> None:
    port = http_stub.closed_port()
    findings = judged({**params, "endpoint_url": f"http://127.0.0.1:{port}"})
    assert [(f.id, f.evidence["kind"]) for f in findings.values()] == [("rds.api", "refused")]


def test_a_hanging_aws_ends_at_the_deadline(params: dict[str, Any]) -> None:
    with http_stub.silent() as port:
        started = time.monotonic()
        findings = judged({**params, "endpoint_url": f"http://127.0.0.1:{port}", "timeout": 0.5})
    assert time.monotonic() - started < 1.5
    assert [(f.id, f.evidence["kind"]) for f in findings.values()] == [("rds.api", "no_answer")]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"", "unexpected"),
        (200, b"<html>hello</html>", "unexpected"),
        (200, b"\x00\xff", "unexpected"),
        (500, b"", "no_answer"),
        (
            403,
            b"<ErrorResponse><Error><Code>ExpiredToken</Code><Message>x</Message></Error><RequestId>1</RequestId></ErrorResponse>",
            "denied",
        ),
        (
            400,
            b"<ErrorResponse><Error><Code>Throttling</Code><Message>x</Message></Error><RequestId>1</RequestId></ErrorResponse>",
            "overloaded",
        ),
        (
            503,
            b"<ErrorResponse><Error><Code>Unavailable</Code><Message>x</Message></Error><RequestId>1</RequestId></ErrorResponse>",
            "no_answer",
        ),
    ],
)
def test_an_absurd_or_refusing_aws_is_one_unknown(params: dict[str, Any], status: int, body: bytes, kind: str) -> None:
    with http_stub.serve(lambda *_: http_stub.Answer(status, body)) as url:
        findings = judged({**params, "endpoint_url": url})
    assert [(f.id, str(f.status), f.evidence["kind"]) for f in findings.values()] == [("rds.api", "unknown", kind)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"credentials_file": "/nowhere"}, "credentials file does not exist"),
        ({"profile": "nobody"}, "nobody"),
        ({"endpoint_url": "nonsense"}, "nonsense"),
    ],
)
def test_a_broken_configuration_is_one_line_with_a_remedy(
    params: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        system.read({**params, **change})
    assert "remedy" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["not an ini file", "[default]\n", "[default]\naws_access_key_id = x\n", ""])
def test_malformed_credentials_are_named(params: dict[str, Any], tmp_path: Path, content: str) -> None:
    file = tmp_path / "credentials"
    file.write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        system.read({**params, "credentials_file": str(file)})
    assert str(file) in str(caught.value)


def test_an_eks_token_is_a_signed_identity_request_for_that_cluster(aws: str, credentials: Path) -> None:
    import base64

    settings = KubeSettings(
        eks_cluster="shop", region=REGION, aws_endpoint_url=aws, aws_credentials_file=str(credentials)
    )
    cluster = eks.sign_in(settings)
    prefix, payload = cluster.token.split(".")
    url = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
    assert prefix == "k8s-aws-v1"
    assert url.startswith(f"https://sts.{REGION}.amazonaws.com/?Action=GetCallerIdentity")
    assert "x-k8s-aws-id" in url
    assert cluster.token not in repr(cluster)
