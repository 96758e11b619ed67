# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose client certificates a kubelet knows, by where its cluster comes from."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml
from dhakacart_lab.kubernetes.kubelet.serving import clients_authority
from dhakacart_lab.kubernetes.pki import Authority
from dhakacart_lab.layout import LabError, Layout


def layout_of(folder: Path, provider: str) -> Layout:
    folder.mkdir()
    layout = Layout(name="t", folder=folder, subnet=150, lab_id="t", provider=provider)
    layout.credentials.mkdir(mode=0o700)
    return layout


def write(layout: Layout, cluster: dict[str, Any]) -> None:
    config = {
        "clusters": [{"name": "kind", "cluster": cluster}],
        "contexts": [{"name": "x", "context": {"cluster": "kind", "user": "x"}}],
        "current-context": "x",
    }
    layout.kubeconfig.write_text(yaml.safe_dump(config), encoding="utf-8")


@pytest.mark.parametrize("provider", ["simulated", "control-plane"])
def test_a_cluster_of_the_lab_is_known_by_the_lab_s_authority(tmp_path: Path, provider: str) -> None:
    layout = layout_of(tmp_path / "lab", provider)
    assert clients_authority(layout) == Authority.open(layout).pem


def test_a_foreign_cluster_is_known_by_its_own_too(tmp_path: Path) -> None:
    layout, theirs = (
        layout_of(tmp_path / "lab", "kubeconfig"),
        Authority.open(layout_of(tmp_path / "other", "simulated")),
    )
    write(layout, {"server": "https://x", "certificate-authority-data": base64.b64encode(theirs.pem.encode()).decode()})
    found = clients_authority(layout)
    assert found.count("BEGIN CERTIFICATE") == 2
    assert theirs.pem in found
    assert Authority.open(layout).pem in found
    write(layout, {"server": "https://x", "certificate-authority": str(theirs.certificate)})
    assert clients_authority(layout) == found


def test_a_cluster_without_an_authority_is_refused_in_one_line(tmp_path: Path) -> None:
    layout = layout_of(tmp_path / "lab", "kubeconfig")
    write(layout, {"server": "https://x"})
    with pytest.raises(LabError, match=r"names no certificate authority .*; remedy: ") as refused:
        clients_authority(layout)
    assert "\n" not in str(refused.value)
