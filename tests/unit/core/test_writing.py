# SPDX-License-Identifier: GPL-3.0-or-later
"""The few writes to Kubernetes: what is sent, and what is made of the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import Denied, Missing, Unexpected
from ansible_collections.dhakacart.runbooks.plugins.module_utils.kubernetes.client import Api
from ansible_collections.dhakacart.runbooks.plugins.module_utils.kubernetes.writing import patch, put_secret


class Recorder(Api):
    """Answers in turn with bytes or an error, and keeps the requests."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, str, dict[str, Any], dict[str, Any], str]] = []

    def exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        content_type: str = "",
    ) -> bytes:
        self.requests.append((method, path, dict(query or {}), json.loads(body or b"{}"), content_type))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


MERGE = "application/merge-patch+json"


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_patch_is_a_merge_under_our_name_and_dry_only_when_asked(dry_run: bool) -> None:
    api = Recorder(b'{"kind": "Secret"}')
    assert patch(api, "/x", {"a": 1}, dry_run=dry_run) == {"kind": "Secret"}
    query = {"fieldManager": "dhakacart-runbooks", **({"dryRun": "All"} if dry_run else {})}
    assert api.requests == [("PATCH", "/x", query, {"a": 1}, MERGE)]


@pytest.mark.parametrize("answer", [b"", b"<html>login</html>", b"[]", b"null", b"\xff"])
def test_an_answer_that_is_not_kubernetes_is_said(answer: bytes) -> None:
    with pytest.raises(Unexpected, match="/x: the answer to a patch is not a JSON object"):
        patch(Recorder(answer), "/x", {}, dry_run=False)


def test_a_secret_that_is_there_is_patched() -> None:
    api = Recorder(b"{}")
    put_secret(api, "shop", "s", {"k": "dg=="}, dry_run=False)
    assert [(method, path) for method, path, *_ in api.requests] == [("PATCH", "/api/v1/namespaces/shop/secrets/s")]


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_secret_that_is_not_there_is_created(dry_run: bool) -> None:
    api = Recorder(Missing("HTTP 404"), b"{}")
    put_secret(api, "shop", "s", {"k": "dg=="}, dry_run=dry_run)
    method, path, query, body, _content_type = api.requests[-1]
    assert (method, path) == ("POST", "/api/v1/namespaces/shop/secrets")
    assert (query.get("dryRun") == "All") is dry_run
    assert (body["metadata"]["name"], body["type"], body["data"]) == ("s", "Opaque", {"k": "dg=="})


def test_a_refusal_is_no_reason_to_create_another() -> None:
    api = Recorder(Denied("HTTP 403"))
    with pytest.raises(Denied):
        put_secret(api, "shop", "s", {}, dry_run=False)
    assert len(api.requests) == 1
