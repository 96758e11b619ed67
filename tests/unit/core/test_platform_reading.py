# SPDX-License-Identifier: GPL-3.0-or-later
"""All systems at once: one that fails costs only its own findings, and a bug is never hidden."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.dhakacart.runbooks.plugins.module_utils import platform_reading
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.errors import (
    ConfigurationError,
    Denied,
    Refused,
)
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.finding import Finding, Status
from ansible_collections.dhakacart.runbooks.plugins.module_utils.platform_reading import (
    SYSTEMS,
    chosen,
    read_platform,
)


@pytest.mark.parametrize(
    ("subset", "systems"),
    [
        (["all"], list(SYSTEMS)),
        ([], list(SYSTEMS)),
        (["rds"], ["rds"]),
        (["redis", "http"], ["http", "redis"]),
        (["!redis"], ["http", "kubernetes", "postgresql", "rds"]),
        (["all", "!redis", "!rds"], ["http", "kubernetes", "postgresql"]),
        (["http", "!http"], []),
        (["rds", "rds"], ["rds"]),
    ],
)
def test_a_subset_is_read_as_setup_reads_it(subset: list[str], systems: list[str]) -> None:
    assert chosen(subset) == systems


@pytest.mark.parametrize("subset", [["postgres"], ["all", "!redsi"], ["!"], [""]])
def test_an_unknown_subset_is_refused_with_the_names(subset: list[str]) -> None:
    with pytest.raises(ConfigurationError, match=r"gather_subset: unknown subset .* one of all, http, "):
        chosen(subset)


class System:
    """A system that answers with what ``answer`` returns, judged by the one finding it holds."""

    def __init__(self, name: str, answer: Callable[[], Any]) -> None:
        self.name = name
        self.answer = answer
        self.options: dict[str, Any] = {}

    def read(self, options: Mapping[str, Any]) -> Any:
        self.options = dict(options)
        return self.answer()

    def judge(self, observed: Mapping[str, Any], _options: Mapping[str, Any]) -> list[Finding]:
        status = Status.parse(observed["status"])
        return [Finding(f"{self.name}.x", self.name, status, f"{self.name} is {status}")]


Put = Callable[..., dict[str, System]]


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> Put:
    """``put(http=answer, ...)`` puts systems in the place of the real ones."""

    def apply(**answers: Callable[[], Any]) -> dict[str, System]:
        systems = {name: System(name, answer) for name, answer in answers.items()}
        monkeypatch.setattr(platform_reading, "_load", systems.__getitem__)
        return systems

    return apply


@pytest.fixture
def never() -> Iterator[Callable[[], Any]]:
    """A call that hangs until the test is over."""
    over = threading.Event()
    yield lambda: over.wait(30)
    over.set()


def fails(error: Exception) -> Callable[[], Any]:
    def answer() -> Any:
        raise error

    return answer


def well() -> dict[str, str]:
    return {"status": "ok"}


def read(*names: str, **options: Any) -> dict[str, Any]:
    return read_platform(dict.fromkeys(names, options), list(names))


def test_systems_that_are_well_are_healthy(put: Put) -> None:
    put(http=well, redis=well)
    result = read("http", "redis")
    assert (result["status"], result["healthy"]) == ("ok", True)
    assert result["facts"] == {"http": {"status": "ok"}, "redis": {"status": "ok"}}
    assert set(result["seconds"]) == {"http", "redis"}
    json.dumps(result)


def test_the_worst_finding_comes_first_and_is_the_status(put: Put) -> None:
    put(http=well, redis=lambda: {"status": "warning"}, rds=lambda: {"status": "critical"})
    result = read("http", "redis", "rds")
    assert [finding["id"] for finding in result["findings"]] == ["rds.x", "redis.x", "http.x"]
    assert (result["status"], result["healthy"]) == ("critical", False)


def test_a_system_that_cannot_be_read_is_an_unknown_finding_and_the_others_are_read(put: Put) -> None:
    put(http=well, rds=fails(Refused("nothing listens", where="aws:443")))
    result = read("http", "rds")
    unread = result["findings"][0]
    assert (unread["id"], unread["status"], unread["evidence"]["kind"]) == ("rds.api", "unknown", "refused")
    assert unread["summary"] == "not readable: aws:443: nothing listens"
    assert result["findings"][1]["id"] == "http.x"
    assert result["facts"]["rds"] == {}
    assert (result["status"], result["healthy"]) == ("unknown", False)


def test_missing_credentials_of_one_system_keep_no_other_from_being_read(put: Put) -> None:
    put(http=well, kubernetes=fails(ConfigurationError("kubeconfig does not exist", remedy="set dhakacart_kubeconfig")))
    result = read("http", "kubernetes")
    assert [finding["status"] for finding in result["findings"]] == ["unknown", "ok"]
    assert "remedy: set dhakacart_kubeconfig" in result["findings"][0]["summary"]


def test_a_system_that_hangs_is_unknown_after_its_deadline(
    put: Put, never: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform_reading, "SLACK", 0.1)
    put(http=well, redis=never)
    begin = time.monotonic()
    result = read("http", "redis", timeout=0.05)
    assert 0.19 <= time.monotonic() - begin < 2
    hung = result["findings"][0]
    assert (hung["id"], hung["status"], hung["evidence"]["kind"]) == ("redis.api", "unknown", "no_answer")
    assert "no answer within 0.2 s" in hung["summary"]


def test_a_bug_is_not_dressed_up_as_an_unknown_system(put: Put) -> None:
    put(http=well, rds=fails(ZeroDivisionError("a bug")))
    with pytest.raises(ZeroDivisionError):
        read("http", "rds")


def test_all_systems_of_one_reading_share_a_salt_and_the_next_has_another(put: Put) -> None:
    systems = put(kubernetes=fails(Denied("no")), rds=fails(Denied("no")))
    read("kubernetes", "rds")
    salts = {system.options["salt"] for system in systems.values()}
    assert len(salts) == 1
    read("kubernetes", "rds")
    assert systems["rds"].options["salt"] not in salts


def test_drift_is_judged_only_when_both_places_were_read(put: Put) -> None:
    put(kubernetes=well, rds=well)
    assert {"drift.credentials", "drift.host"} <= {finding["id"] for finding in read("kubernetes", "rds")["findings"]}
    assert [finding["id"] for finding in read("rds")["findings"]] == ["rds.x"]


def test_a_reading_ends_in_its_time_whatever_hangs(put: Put, never: Callable[[], Any]) -> None:
    put(http=well, redis=never)
    result = read_platform({"http": {}, "redis": {}}, ["http", "redis"], within=0.2)
    assert result["seconds"]["redis"] < 2
    assert [(finding["id"], finding["status"]) for finding in result["findings"]] == [
        ("redis.api", "unknown"),
        ("http.x", "ok"),
    ]


@pytest.mark.parametrize("within", [0, -1, float("nan"), float("inf")])
def test_no_time_to_read_in_is_one_line(put: Put, within: float) -> None:
    put(http=well)
    with pytest.raises(ConfigurationError, match=r"^within: "):
        read_platform({"http": {}}, ["http"], within=within)


def test_reading_nothing_is_unknown(put: Put) -> None:
    put(http=well)
    result = read_platform({}, ["http", "!http"])
    assert (result["status"], result["healthy"], result["findings"]) == ("unknown", False, [])


@pytest.mark.parametrize(
    ("systems", "place"),
    [
        ({}, "systems.http: options are missing"),
        ({"http": None}, "systems.http: options are missing"),
        ({"http": "url"}, "systems.http: expected dict"),
        ({"http": {"timeout": "soon"}}, "systems.http.timeout: "),
        ({"http": {"timeout": -1}}, "systems.http.timeout: "),
        ({"http": {"timeout": float("nan")}}, "systems.http.timeout: "),
    ],
)
def test_options_that_make_no_sense_are_one_line_and_nothing_is_read(
    put: Put, systems: dict[str, Any], place: str
) -> None:
    read_at_all = []

    def answer() -> dict[str, str]:
        read_at_all.append(True)
        return well()

    put(http=answer)
    with pytest.raises(ConfigurationError, match=f"^{place}"):
        read_platform(systems, ["http"])
    assert read_at_all == []


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_can_be_loaded_and_has_the_interface(name: str) -> None:
    system = platform_reading._load(name)
    assert name == system.NAME
    assert callable(system.read)
    assert callable(system.judge)
