# SPDX-License-Identifier: GPL-3.0-or-later
"""Pinning an autoscaler, and letting it go with the bounds it had."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import Missing, ReadError, Unexpected
from ansible_collections.dhakacart.runbooks.plugins.module_utils.kubernetes import client, hold
from ansible_collections.dhakacart.runbooks.plugins.module_utils.kubernetes.hold import (
    ANNOTATION,
    bounds_when_held,
    bounds_when_released,
    set_hold,
)


def autoscaler(lowest: int | None = 3, highest: Any = 50, size: Any = 7, held: str | None = None) -> dict[str, Any]:
    spec = {"maxReplicas": highest, **({} if lowest is None else {"minReplicas": lowest})}
    annotations = {"other": "kept", **({} if held is None else {ANNOTATION: held})}
    return {
        "metadata": {"name": "hpa", "annotations": annotations, "resourceVersion": "41"},
        "spec": spec,
        "status": {"currentReplicas": size},
    }


@pytest.mark.parametrize(
    ("found", "pinned"),
    [
        (autoscaler(), 7),
        (autoscaler(size=2), 3),  # starved below its own minimum: never pinned there
        (autoscaler(size=0, lowest=None), 1),
        (autoscaler(size=50), 50),
    ],
)
def test_it_is_pinned_to_the_size_of_now_but_not_below_its_minimum(found: dict[str, Any], pinned: int) -> None:
    wanted = bounds_when_held(found)
    assert wanted is not None
    assert wanted["spec"] == {"minReplicas": pinned, "maxReplicas": pinned}
    kept = json.loads(wanted["metadata"]["annotations"][ANNOTATION])
    assert kept == {"minReplicas": found["spec"].get("minReplicas", 1), "maxReplicas": 50}


def test_one_that_is_held_already_is_left_alone_so_that_its_own_bounds_survive() -> None:
    assert bounds_when_held(autoscaler(7, 7, 7, held='{"minReplicas": 3, "maxReplicas": 50}')) is None


@pytest.mark.parametrize(
    "found",
    [{}, autoscaler(size=None), autoscaler(highest="many"), {"spec": None, "status": None}, {"metadata": None}],
)
def test_one_that_does_not_say_its_size_is_not_pinned(found: dict[str, Any]) -> None:
    with pytest.raises(Unexpected, match="size and bounds"):
        bounds_when_held(found)


def test_released_it_has_the_bounds_it_had_and_no_annotation() -> None:
    held = autoscaler(7, 7, 7, held='{"minReplicas": 3, "maxReplicas": 50}')
    assert bounds_when_released(held) == {
        "metadata": {"annotations": {ANNOTATION: None}},
        "spec": {"minReplicas": 3, "maxReplicas": 50},
    }


@pytest.mark.parametrize("found", [{}, {"metadata": None}, autoscaler()])
def test_one_that_is_not_held_needs_no_release(found: dict[str, Any]) -> None:
    assert bounds_when_released(found) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", "{}", '{"minReplicas": 3}', '{"minReplicas": "x", "maxReplicas": 5}']
)
def test_an_annotation_that_a_hold_did_not_write_is_named_with_the_remedy(text: str) -> None:
    with pytest.raises(Unexpected, match=r"held-bounds is not readable; remedy: .* by hand"):
        bounds_when_released(autoscaler(held=text))


class Server:
    """One autoscaler behind the interface of Api; a merge patch of another version than its own is refused."""

    def __init__(self, found: dict[str, Any] | None) -> None:
        self.found = found
        self.writes: list[tuple[str, Mapping[str, Any]]] = []
        self.meanwhile = False

    def __call__(self, _settings: object) -> Server:
        return self

    def get(self, path: str) -> dict[str, Any]:
        assert path == "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/hpa"
        if self.found is None:
            raise Missing("HTTP 404", where=path)
        read: dict[str, Any] = json.loads(json.dumps(self.found))
        if self.meanwhile:  # someone else changes it between our reading and our writing
            self.found["metadata"]["resourceVersion"] = "42"
        return read

    def exchange(self, method: str, path: str, query: Mapping[str, Any], body: bytes, content_type: str) -> bytes:
        assert (method, content_type) == ("PATCH", "application/merge-patch+json")
        assert self.found is not None
        patch = json.loads(body)
        if patch["metadata"]["resourceVersion"] != self.found["metadata"]["resourceVersion"]:
            raise client._refusal(409, b'{"message": "the object has been modified"}', path)
        self.writes.append((path, query))
        if query.get("dryRun") != "All":
            self.found["spec"].update(patch["spec"])
            annotations = self.found["metadata"]["annotations"]
            for key, value in patch["metadata"]["annotations"].items():
                if value is None:
                    annotations.pop(key, None)
                else:
                    annotations[key] = value
        return json.dumps(self.found).encode()


def serve(monkeypatch: pytest.MonkeyPatch, found: dict[str, Any] | None) -> Server:
    server = Server(found)
    monkeypatch.setattr(hold, "Api", server)
    return server


CONNECTION = {"namespace": "shop"}


def test_held_and_released_it_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(monkeypatch, autoscaler())
    held = set_hold(CONNECTION, "hpa", held=True, dry_run=False)
    assert held["changed"] is True
    assert held["before"] == {"minReplicas": 3, "maxReplicas": 50}
    assert held["after"] == {"minReplicas": 7, "maxReplicas": 7}
    released = set_hold(CONNECTION, "hpa", held=False, dry_run=False)
    assert released["after"] == held["before"]
    assert server.found == autoscaler()


def test_the_second_hold_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(monkeypatch, autoscaler())
    set_hold(CONNECTION, "hpa", held=True, dry_run=False)
    again = set_hold(CONNECTION, "hpa", held=True, dry_run=False)
    assert (again["changed"], again["undo"]) == (False, "")
    assert len(server.writes) == 1


def test_undo_is_a_command_that_restores_the_bounds_and_takes_the_annotation_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve(monkeypatch, autoscaler())
    words = shlex.split(set_hold(CONNECTION, "hpa", held=True, dry_run=False)["undo"])
    assert words[:-1] == ["kubectl", "-n", "shop", "patch", "hpa", "hpa", "--type", "merge", "-p"]
    assert json.loads(words[-1]) == {
        "spec": {"minReplicas": 3, "maxReplicas": 50},
        "metadata": {"annotations": {ANNOTATION: None}},
    }


def test_undo_of_a_release_holds_it_again_so_that_it_can_be_released_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(monkeypatch, autoscaler())
    set_hold(CONNECTION, "hpa", held=True, dry_run=False)
    held = json.loads(json.dumps(server.found))
    undo = json.loads(shlex.split(set_hold(CONNECTION, "hpa", held=False, dry_run=False)["undo"])[-1])
    assert undo["spec"] == held["spec"]
    assert undo["metadata"]["annotations"] == {ANNOTATION: held["metadata"]["annotations"][ANNOTATION]}


def test_a_dry_run_asks_the_server_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(monkeypatch, autoscaler())
    result = set_hold(CONNECTION, "hpa", held=True, dry_run=True)
    assert result["changed"] is True
    assert result["after"] == {"minReplicas": 7, "maxReplicas": 7}
    assert [query["dryRun"] for _, query in server.writes] == ["All"]
    assert server.found == autoscaler()


def test_of_two_responders_one_is_told_that_it_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(monkeypatch, autoscaler())
    server.meanwhile = True
    with pytest.raises(ReadError, match="409: the object has been modified"):
        set_hold(CONNECTION, "hpa", held=True, dry_run=False)
    assert server.writes == []


def test_an_autoscaler_that_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, None)
    with pytest.raises(Missing):
        set_hold(CONNECTION, "hpa", held=True, dry_run=False)
