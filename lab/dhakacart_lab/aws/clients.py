# SPDX-License-Identifier: GPL-3.0-or-later
"""boto3 clients of one lab's AWS, and the credentials file they use."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..layout import Layout

if TYPE_CHECKING:
    import boto3

# Not of the shape AKIA…, so that no secret scanner and no reader takes them for real ones.
KEY_ID = "lab"
KEY_SECRET = "lab"  # noqa: S105 - moto verifies no signature


def write_credentials(layout: Layout) -> None:
    """Write the AWS credentials file of the lab (profile ``default``, mode 0600)."""
    path = layout.aws_credentials
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {KEY_SECRET}\n")
    temporary.replace(path)


def client(layout: Layout, service: str, region: str | None = None, *, timeout: float = 5.0) -> Any:
    """A boto3 client of the lab's AWS.

    :param service: boto3's name of it, e.g. ``rds``.
    :param region: the lab's own region unless given.
    :param timeout: seconds that connecting, and then each read, may take. A failed call is not tried again: whoever
        asks about a lab wants its answer now.
    """
    return _client(str(layout.aws), service, region or layout.region, timeout)


@lru_cache(maxsize=32)
def _client(address: str, service: str, region: str, timeout: float) -> Any:
    return make(_session(), service, region, f"http://{address}", timeout)


@lru_cache(maxsize=1)
def _session() -> boto3.Session:
    import boto3  # 0.4 s: only for those who ask AWS

    return boto3.Session(aws_access_key_id=KEY_ID, aws_secret_access_key=KEY_SECRET)


def make(session: boto3.Session, service: str, region: str, endpoint: str, timeout: float) -> Any:
    """A client that follows neither the caller's AWS environment nor its proxies."""
    from botocore.config import Config

    options = Config(
        connect_timeout=min(timeout, 2.0),
        read_timeout=timeout,
        retries={"total_max_attempts": 1},
        proxies={},
        s3={"addressing_style": "path"},
    )
    factory: Any = session.client  # its overloads want a literal service name
    return factory(service, region_name=region, endpoint_url=endpoint, config=options)
