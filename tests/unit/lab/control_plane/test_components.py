# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands: one lab's addresses, TLS everywhere, secrets only in files that nobody else can read."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml
from dhakacart_lab.kubernetes.access import read_kubeconfig
from dhakacart_lab.kubernetes.control_plane import components, credentials
from dhakacart_lab.kubernetes.control_plane.components import PROGRAMS
from dhakacart_lab.kubernetes.control_plane.credentials import Credentials
from dhakacart_lab.kubernetes.kubelet.node import RENEW
from dhakacart_lab.layout import Layout

SECRETS = {"kube-admin-token": "admin-secret", "kube-readonly-token": "reader-secret"}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    found = Layout(name="t", folder=tmp_path, subnet=77, lab_id="t-1", provider="control-plane")
    found.credentials.mkdir(mode=0o700)
    for name, value in SECRETS.items():
        (found.credentials / name).write_text(value)
    return found


@pytest.fixture
def files(layout: Layout) -> Credentials:
    return credentials.prepare(layout)


def flags(layout: Layout, component: str, files: Credentials) -> dict[str, str]:
    program, *arguments = components.argv(layout, component, Path("/bin") / PROGRAMS[component], files)
    assert program == f"/bin/{PROGRAMS[component]}"
    assert all(argument.startswith("--") and "=" in argument for argument in arguments)
    return dict(argument.removeprefix("--").split("=", 1) for argument in arguments)


@pytest.mark.parametrize("component", list(PROGRAMS))
def test_no_secret_is_an_argument(layout: Layout, files: Credentials, component: str) -> None:
    said = " ".join(components.argv(layout, component, Path("x"), files))
    assert not any(secret in said for secret in SECRETS.values())


def test_every_file_of_theirs_is_for_its_owner_only(layout: Layout, files: Credentials) -> None:
    found = [path for path in layout.credentials.rglob("*") if path.is_file() and path.name not in SECRETS]
    assert len(found) > 20
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}


def test_every_file_that_is_named_is_there(layout: Layout, files: Credentials) -> None:
    for component in PROGRAMS:
        named = [value for flag, value in flags(layout, component, files).items() if "/credentials/" in value]
        assert named
        assert all(Path(value).is_file() for value in named)


def test_they_listen_on_the_labs_own_addresses(layout: Layout, files: Credentials) -> None:
    etcd, api = flags(layout, "etcd", files), flags(layout, "kubernetes", files)
    assert etcd["listen-client-urls"] == api["etcd-servers"] == "https://127.77.0.51:2379"
    assert etcd["client-cert-auth"] == etcd["peer-client-cert-auth"] == "true"
    assert (api["bind-address"], api["secure-port"]) == ("127.77.0.50", "6443")
    assert api["service-cluster-ip-range"] == "10.77.128.0/17"
    for component in ("kube-controller-manager", "kube-scheduler"):
        assert flags(layout, component, files)["secure-port"] == "0"


def test_who_may_what_is_asked_of_nodes_and_roles(layout: Layout, files: Credentials) -> None:
    api = flags(layout, "kubernetes", files)
    assert api["authorization-mode"] == "Node,RBAC"
    assert api["enable-admission-plugins"] == "NodeRestriction"
    assert files.tokens.read_text().splitlines() == [
        'admin-secret,lab-admin,lab-admin,"system:masters"',
        'reader-secret,lab-readonly,lab-readonly,""',
    ]


def test_a_node_is_given_up_only_after_missed_heartbeats(layout: Layout, files: Credentials) -> None:
    grace = float(flags(layout, "kube-controller-manager", files)["node-monitor-grace-period"].removesuffix("s"))
    assert grace > 2 * RENEW


def test_what_is_kept_is_inside_the_lab(layout: Layout, files: Credentials) -> None:
    assert Path(flags(layout, "etcd", files)["data-dir"]).is_relative_to(layout.folder)
    manager = flags(layout, "kube-controller-manager", files)
    assert Path(manager["flex-volume-plugin-dir"]).is_relative_to(layout.folder)


def test_each_node_has_a_kubeconfig_of_its_own(layout: Layout, files: Credentials) -> None:
    keys = set()
    for node in layout.kubelets:
        access = read_kubeconfig(layout.kubelet_kubeconfig(node))
        assert access.server == "https://127.77.0.50:6443"
        assert access.tls is not None
        assert access.token == ""
        user = yaml.safe_load(layout.kubelet_kubeconfig(node).read_text())["users"][0]["user"]
        keys.add(user["client-key-data"])
    assert len(keys) == len(layout.kubelets)


def test_the_next_start_finds_the_same_credentials(layout: Layout, files: Credentials) -> None:
    before = {path: path.read_bytes() for path in layout.credentials.rglob("*") if path.is_file()}
    credentials.prepare(layout)
    assert {path: path.read_bytes() for path in before} == before
