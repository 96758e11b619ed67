# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses, names and files of a lab."""

from __future__ import annotations

import ipaddress
import json
import socket
from pathlib import Path

import pytest
from dhakacart_lab import founding
from dhakacart_lab import lab as lab_module
from dhakacart_lab.layout import Foreign, LabError, Layout, UsageError, lab_folder, load_layout, read_layout, state_root
from dhakacart_lab.locking import exclusive
from dhakacart_lab.postgres.roles import Roles


def layout(subnet: int = 77, folder: Path = Path("/lab")) -> Layout:
    return Layout(name="t", folder=folder, subnet=subnet, lab_id="t-1")


def addresses(found: Layout) -> list[str]:
    fixed = (
        found.edge_admin,
        found.redis,
        found.kubernetes_api,
        found.aws,
        found.load_balancer,
        found.webhook,
        found.metrics_api,
    )
    return [
        *(
            address.host
            for address in (*found.endpoints.values(), *found.nodes.values(), *found.kubelets.values(), *fixed)
        ),
        *(found.dialled(found.pod_ip(number)) for number in range(600)),
    ]


def test_everything_has_an_address_of_its_own_in_the_labs_network() -> None:
    network = ipaddress.ip_network("127.77.0.0/16")
    found = addresses(layout())
    assert len(set(found)) == len(found)
    assert all(ipaddress.ip_address(address) in network for address in found)


def test_two_labs_share_no_address() -> None:
    assert not set(addresses(layout(77))) & set(addresses(layout(78)))


@pytest.mark.parametrize("name", ["a", "default", "lab-2", "a" * 20])
def test_a_name_is_a_folder_below_the_state_root(name: str) -> None:
    assert lab_folder(name) == state_root() / name


@pytest.mark.parametrize("name", ["", "Lab", "2lab", "-x", "a/b", "..", "a_b", "a" * 21, "läb", "lab\n"])
def test_a_name_that_could_leave_the_folder_or_break_a_host_name_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="lab name"):
        lab_folder(name)


def test_what_is_described_is_read_again(tmp_path: Path) -> None:
    original = layout(folder=tmp_path)
    original.lab_file.write_text(json.dumps(original.describe()), encoding="utf-8")
    assert read_layout(tmp_path) == original


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"name": "t", "subnet": "x", "lab_id": "t"}', "null"])
def test_a_file_that_is_no_lab_file_says_how_to_mend_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "lab.json").write_text(text, encoding="utf-8")
    with pytest.raises(LabError, match=r"not a lab file .*; remedy: runbook lab down, then runbook lab up"):
        read_layout(tmp_path)


def test_a_lab_that_is_not_up_says_how_to_start_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DHAKACART_LAB_HOME", str(tmp_path))
    with pytest.raises(LabError, match="remedy: runbook lab up"):
        load_layout("blue")


def test_the_lab_file_names_files_of_secrets_and_holds_none(tmp_path: Path) -> None:
    found = layout(folder=tmp_path)
    found.credentials.mkdir()
    for name in lab_module.CREDENTIALS:
        (found.credentials / name).write_text(f"secret-of-{name}\n", encoding="utf-8")
    assert found.secret("db-app") == "secret-of-db-app"
    assert "secret-of" not in json.dumps(found.describe())
    assert "secret-of" not in repr(found)


def test_a_credential_that_is_missing_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no such credential; remedy: runbook lab up"):
        layout(folder=tmp_path).secret("db-app")


def test_no_check_is_told_where_the_truth_about_faults_is(tmp_path: Path) -> None:
    assert "private" not in json.dumps(layout(folder=tmp_path).describe())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DHAKACART_LAB_HOME", str(tmp_path))
    return tmp_path


def record(home: Path, name: str, subnet: int) -> None:
    (home / name).mkdir()
    (home / name / "lab.json").write_text(json.dumps({"name": name, "subnet": subnet, "lab_id": name}))


def test_a_new_lab_takes_a_network_that_no_other_lab_has(home: Path) -> None:
    first = founding.free_subnet("blue")
    assert 10 <= first < 250
    record(home, "other", first)
    second = founding.free_subnet("blue")
    assert second != first
    assert 10 <= second < 250


def test_a_name_comes_back_to_its_network(home: Path) -> None:
    assert founding.free_subnet("blue") == founding.free_subnet("blue")


def test_a_network_on_which_something_listens_is_not_taken(home: Path) -> None:
    first = founding.free_subnet("blue")
    with socket.socket() as stranger:
        stranger.bind((str(layout(first).redis.host), layout(first).redis.port))
        stranger.listen()
        assert founding.free_subnet("blue") != first
    assert founding.free_subnet("blue") == first


def test_a_broken_neighbour_does_not_keep_a_lab_from_starting(home: Path) -> None:
    record(home, "broken", 10)
    (home / "broken" / "lab.json").write_text("{")
    founding.free_subnet("blue")


def test_where_every_network_is_taken_the_remedy_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(founding, "_can_bind", lambda _address: False)
    with pytest.raises(LabError, match="no free loopback network"):
        founding.free_subnet("blue")


def test_a_lab_keeps_its_identity_when_it_is_started_again(home: Path) -> None:
    folder = home / "blue"
    folder.mkdir()
    first = founding.layout_for("blue", folder)
    assert founding.layout_for("blue", folder) == first
    assert first.lab_id.startswith("blue-")


def test_a_home_is_the_same_wherever_a_component_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DHAKACART_LAB_HOME", "labs")
    assert state_root() == Path.cwd() / "labs"


@pytest.mark.parametrize("text", [None, "", "{"])
def test_a_lab_that_was_only_begun_or_is_spoilt_can_be_taken_down(home: Path, text: str | None) -> None:
    folder = home / "blue"
    (folder / "postgres" / "a").mkdir(parents=True)
    if text is not None:
        (folder / "lab.json").write_text(text)
    assert lab_module.Lab.remove("blue") == folder
    assert not folder.exists()


def test_a_lab_that_is_at_work_is_not_taken_down(home: Path) -> None:
    folder = home / "blue"
    folder.mkdir()
    lab = lab_module.Lab(founding.layout_for("blue", folder))
    with exclusive(folder), pytest.raises(LabError, match="is at work on this lab; remedy: wait"):
        lab.down()
    lab.down()
    assert not folder.exists()


def test_a_credential_that_was_lost_is_not_replaced_by_one_that_no_server_knows(home: Path) -> None:
    folder = home / "blue"
    (folder / "postgres").mkdir(parents=True)
    lab = lab_module.Lab(founding.layout_for("blue", folder))
    lab._create_credentials()
    (folder / "postgres" / "roles.json").write_text('{"a": "primary"}')
    lab._create_credentials()
    (lab.layout.credentials / "db-admin").unlink()
    with pytest.raises(LabError, match=r"db-admin: lost, .*remedy: runbook lab down, runbook lab up"):
        lab._create_credentials()


@pytest.mark.parametrize(
    ("before", "after", "anew"),
    [
        ({}, {"a": "primary", "b": "standby"}, False),
        ({"a": "primary", "b": "standby"}, {"a": "primary", "b": "standby"}, False),
        ({"a": "fenced", "b": "primary"}, {"a": "standby", "b": "primary"}, False),
        ({"a": "standby", "b": "primary"}, {"a": "primary", "b": "standby"}, True),
        ({"a": "primary", "b": "standby", "c": "recovery"}, {"a": "primary", "b": "standby"}, True),
    ],
)
def test_servers_whose_data_was_gone_are_told_from_those_that_were_repaired(
    before: Roles, after: Roles, anew: bool
) -> None:
    assert lab_module._made_anew(before, after) is anew


def test_a_lab_plays_what_it_was_told_first(home: Path) -> None:
    folder = home / "blue"
    folder.mkdir()
    assert founding.layout_for("blue", folder, founding.Wanted("staging")).prefix == "dhakacart-staging"
    assert founding.layout_for("blue", folder).environment == "staging"
    with pytest.raises(UsageError, match="lab 'blue' plays staging; remedy: runbook lab down"):
        founding.layout_for("blue", folder, founding.Wanted("lab"))


def test_a_lab_keeps_the_kubernetes_it_was_founded_with(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "blue"
    folder.mkdir()
    monkeypatch.setenv(founding.PROVIDER_VARIABLE, "control-plane")
    assert founding.layout_for("blue", folder).provider == "control-plane"
    monkeypatch.delenv(founding.PROVIDER_VARIABLE)
    assert founding.layout_for("blue", folder).provider == "control-plane"
    with pytest.raises(UsageError, match="lab 'blue' has the control-plane Kubernetes; remedy: runbook lab down"):
        founding.layout_for("blue", folder, founding.Wanted(provider="simulated"))


@pytest.mark.parametrize("asked", ["minikube", "Simulated"])
def test_a_provider_that_there_is_not_is_refused(home: Path, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=f"--kubernetes: there is no provider '{asked}'; remedy: one of simulated"):
        lab_module.Lab.up("blue", provider=asked)
    monkeypatch.setenv(founding.PROVIDER_VARIABLE, asked)
    with pytest.raises(UsageError, match=f"{founding.PROVIDER_VARIABLE}: there is no provider '{asked}'"):
        lab_module.Lab.up("blue")


def test_a_cluster_of_somebodys_is_asked_for_whole(home: Path) -> None:
    with pytest.raises(UsageError, match="of which cluster"):
        lab_module.Lab.up("blue", provider="kubeconfig")
    with pytest.raises(UsageError, match="the simulated Kubernetes takes none"):
        lab_module.Lab.up("blue", provider="simulated", foreign=Foreign("/nowhere"))
    with pytest.raises(LabError, match=r"/nowhere: no kubeconfig"):
        lab_module.Lab.up("blue", foreign=Foreign("/nowhere"))
    assert not (home / "blue").exists()


def test_the_cluster_of_a_lab_is_remembered(home: Path) -> None:
    folder = home / "blue"
    folder.mkdir()
    mine = Foreign("/mine", "kind-lab")
    first = founding.layout_for("blue", folder, founding.Wanted.of(None, None, mine))
    assert (first.provider, first.foreign) == ("kubeconfig", mine)
    assert founding.layout_for("blue", folder).foreign == mine
    assert list(first.kubelets) == [f"{first.lab_id}-node-1", f"{first.lab_id}-node-2"]
    with pytest.raises(UsageError, match=r"has the cluster /mine \(kind-lab\); remedy: runbook lab down"):
        founding.layout_for("blue", folder, founding.Wanted.of(None, None, Foreign("/other")))


def test_the_pod_network_is_not_a_loopback_network_to_kubernetes_and_is_one_to_the_machine() -> None:
    found = layout()
    assert found.pod_ip(0) == "10.77.1.1"
    assert found.dialled("10.77.1.1") == "127.77.1.1"
    assert found.dialled("10.7.1.1") == "10.7.1.1"
    first, second = (set(found.pod_ips(node)) for node in found.kubelets)
    assert not first & second
    assert len(first) == len(second) == 1125


def test_a_lab_cannot_play_production(home: Path) -> None:
    with pytest.raises(UsageError, match="cannot play 'production'; remedy: one of lab, staging"):
        lab_module.Lab.up("blue", plays="production")
    assert not (home / "blue").exists()
