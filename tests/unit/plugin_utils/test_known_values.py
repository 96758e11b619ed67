# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secrets this run can read itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dhakacart.runbooks.plugins.plugin_utils.known_values import CREDENTIALS, known_values

KUBECONFIG = """
clusters: [{name: c, cluster: {server: https://x, certificate-authority-data: cHVibGlj}}]
users:
  - name: a
    user: {token: k8s-t0ken, client-certificate-data: cHVibGlj, client-key-data: cHJpdmF0ZQ==}
  - name: b
    user: {auth-provider: {name: oidc, config: {id-token: 1d-token, client-id: public}}}
"""
FILES = [
    ("dhakacart_db_passfile", "# comment\nh:5432:d:u:s3cret\\:1\n*:*:*:v:s3cret2\n", ["s3cret:1", "s3cret2"]),
    ("dhakacart_redis_token_file", " t0ken \n", ["t0ken"]),
    ("dhakacart_kubeconfig", KUBECONFIG, ["k8s-t0ken", "cHJpdmF0ZQ==", "1d-token"]),
    (
        "dhakacart_aws_credentials_file",
        "[default]\naws_access_key_id = AKIAX\naws_secret_access_key = a%b/c\nregion = us-west-2\n",
        ["a%b/c"],
    ),
]


@pytest.mark.parametrize(("variable", "content", "secrets"), FILES)
def test_the_secrets_of_each_file_and_nothing_public(
    tmp_path: Path, variable: str, content: str, secrets: list[str]
) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    assert sorted(known_values({variable: str(path)}, {})) == sorted(secrets)


@pytest.mark.parametrize("variable", CREDENTIALS)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"users: 7", b"users: [1]", b"[x", b"a: b: c", b"\x00"])
def test_a_file_that_makes_no_sense_gives_nothing_and_no_error(tmp_path: Path, variable: str, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert all(isinstance(value, str) for value in known_values({variable: str(path)}, {}))
    assert known_values({variable: str(tmp_path / "gone")}, {}) == []


def test_variables_of_the_environment_count_by_their_name() -> None:
    assert known_values({}, {"DB_PASSWORD": "hunter2x", "HOME": "/root"}) == ["hunter2x"]
