# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a machine, before it matters."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from importlib import metadata
from pathlib import Path

import pytest
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.collection import Collection
from dhakacart_runbooks.doctor import machine
from dhakacart_runbooks.doctor.check import Check, State, failed, verdict
from dhakacart_runbooks.errors import ExitCode, UsageError
from packaging.requirements import Requirement


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([State.OK, State.OK], ExitCode.HEALTHY),
        ([State.OK, State.UNKNOWN], ExitCode.INFRASTRUCTURE),
        ([State.UNKNOWN, State.BAD, State.OK], ExitCode.UNHEALTHY),
        ([], ExitCode.INFRASTRUCTURE),
    ],
)
def test_one_bad_check_is_unfit_and_one_unknown_is_not_fit_either(states: list[State], code: ExitCode) -> None:
    assert verdict(Check("machine", "x", state, "") for state in states) is code


def test_an_errors_remedy_goes_where_remedies_stand() -> None:
    check = failed("inventory", "variables", UsageError("is not set", where="x", remedy="set it"))
    assert (check.state, check.detail, check.remedy) == (State.BAD, "x: is not set", "set it")


def test_this_machine_runs_these_tests_and_so_is_fit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DHAKACART_STATE_HOME", str(tmp_path))
    found = list(machine.checks(Catalogue.load()))
    assert [check for check in found if check.state is not State.OK] == []
    assert len({check.name for check in found}) == len(found)


def test_an_old_python_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    version = namedtuple("version", "major minor micro releaselevel serial")(3, 10, 1, "final", 0)
    monkeypatch.setattr(machine.sys, "version_info", version)
    assert machine.python().state is State.BAD
    assert "3.11" in machine.python().remedy


def test_a_locale_that_ansible_refuses_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.locale, "getpreferredencoding", lambda _do: "ANSI_X3.4-1968")
    assert machine.encoding().state is State.BAD


@pytest.mark.parametrize(
    ("installed", "state", "detail"),
    [("2.19.3", State.OK, "2.19.3"), ("2.18.0", State.BAD, "2.18.0, wanted"), (None, State.BAD, "is missing")],
)
def test_a_package_must_be_there_and_in_range(
    monkeypatch: pytest.MonkeyPatch, installed: str | None, state: State, detail: str
) -> None:
    def version(_name: str) -> str:
        if installed is None:
            raise metadata.PackageNotFoundError
        return installed

    monkeypatch.setattr(machine, "version", version)
    found, said = machine._installed(Requirement("ansible-core>=2.19,<2.20"))
    assert found is state
    assert said.startswith(detail)


def test_needs_that_are_not_known_are_unknown_and_not_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(_name: str) -> list[str]:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(machine, "requires", requires)
    assert [check.state for check in machine.packages()] == [State.UNKNOWN]


def collection(folder: Path, version: str, **dependencies: str) -> Catalogue:
    folder.mkdir(parents=True, exist_ok=True)
    info = {"namespace": "dhakacart", "name": "runbooks", "version": version, "dependencies": dependencies}
    (folder / "MANIFEST.json").write_text(json.dumps({"collection_info": info}), encoding="utf-8")
    return Catalogue(Collection(folder, version, checkout=False))


def test_the_collection_and_this_package_are_of_one_version(tmp_path: Path) -> None:
    root = tmp_path / "ansible_collections/dhakacart/runbooks"
    assert machine.collection(collection(root, metadata.version("dhakacart-runbooks"))).state is State.OK
    other = machine.collection(collection(root, "0.0.1"))
    assert other.state is State.BAD
    assert "0.0.1" in other.detail


def test_a_missing_stock_collection_is_named_with_the_command_that_brings_it(tmp_path: Path) -> None:
    root = tmp_path / "ansible_collections/dhakacart/runbooks"
    check = machine.stock_collections(collection(root, "1.0.0", **{"no.such": ">=1"}))
    assert (check.state, check.detail) == (State.BAD, "no.such missing")
    assert check.remedy == "ansible-galaxy collection install no.such"
    (tmp_path / "ansible_collections/no/such").mkdir(parents=True)
    assert machine.stock_collections(collection(root, "1.0.0", **{"no.such": ">=1"})).state is State.OK


def test_a_collection_that_does_not_say_what_it_needs_is_unknown(tmp_path: Path) -> None:
    check = machine.stock_collections(Catalogue(Collection(tmp_path, "1.0.0", checkout=False)))
    assert check.state is State.UNKNOWN


def test_a_folder_that_would_be_made_is_well_and_a_file_in_its_place_is_not(tmp_path: Path) -> None:
    assert machine.folder("x", tmp_path / "a/b", "").state is State.OK
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert machine.folder("x", tmp_path / "file/b", "").state is State.BAD


def test_a_folder_that_takes_no_file_is_bad_also_for_root() -> None:
    check = machine.folder("state folder", Path("/proc/nothing"), "choose another")
    assert (check.state, check.remedy) == (State.BAD, "choose another")


def test_a_full_disk_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(100, 99, 5 * 2**20))
    assert machine.room(tmp_path).state is State.BAD


def test_a_history_that_cannot_be_opened_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("DHAKACART_STATE_HOME", str(tmp_path / "file/below"))
    monkeypatch.delenv("DHAKACART_HISTORY_URL", raising=False)
    check = machine.history()
    assert check.state is State.BAD
    assert check.remedy
