# SPDX-License-Identifier: BSD-2-Clause
"""Signs in to an EKS cluster with AWS credentials, without starting the ``aws`` program."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from ..core.errors import ConfigurationError, Unexpected
from ..rds.arguments import Settings as AwsSettings
from ..rds.client import Aws
from .arguments import Settings

# EKS itself accepts a token for 15 minutes; the signature is used at once.
TOKEN_SECONDS = 60


@dataclass(frozen=True)
class Cluster:
    """Where an EKS cluster's API is, its certificate authority (PEM) and a bearer token."""

    server: str
    authority: bytes
    token: str = field(repr=False)


def sign_in(settings: Settings) -> Cluster:
    """The cluster and a fresh token.

    :raises ConfigurationError: no region, or the AWS configuration is broken.
    :raises ReadError: AWS could not describe the cluster.
    """
    if not settings.region:
        raise ConfigurationError("region is missing", where="kubernetes.eks_cluster", remedy="set dhakacart_region")
    aws = Aws(
        AwsSettings(
            region=settings.region,
            instance="",
            endpoint_url=settings.aws_endpoint_url,
            credentials_file=settings.aws_credentials_file,
            profile=settings.aws_profile,
            timeout=settings.timeout,
        )
    )
    answer = aws.call("eks", "describe_cluster", name=settings.eks_cluster)
    cluster = answer.get("cluster") or {}
    server = cluster.get("endpoint")
    authority = (cluster.get("certificateAuthority") or {}).get("data")
    try:
        decoded = base64.b64decode(authority or "", validate=True)
    except ValueError:
        decoded = b""
    if not server or not decoded:
        raise Unexpected("the answer has no endpoint or certificate", where=f"eks {settings.eks_cluster}")
    url = aws.presigned_identity({"x-k8s-aws-id": settings.eks_cluster}, TOKEN_SECONDS)
    token = "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    return Cluster(str(server), decoded, token)
