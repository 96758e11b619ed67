# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's certificates: who they name, who may read them, when they are made anew."""

from __future__ import annotations

import datetime
import fcntl
import ssl
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from dhakacart_lab.kubernetes import pki
from dhakacart_lab.kubernetes.pki import Authority, Pair
from dhakacart_lab.layout import LabError, Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(name="t", folder=tmp_path, subnet=77, lab_id="t-1")


def certificate(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes())


def handshake(server: Pair, client: Pair, trusted: Path, host: str) -> None:
    """A TLS handshake in memory, each side asking for the other's certificate."""
    serving, asking = (
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(trusted)),
        ssl.create_default_context(cafile=str(trusted)),
    )
    serving.verify_mode = ssl.CERT_REQUIRED
    serving.load_cert_chain(server.certificate, server.key)
    asking.load_cert_chain(client.certificate, client.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = asking.wrap_bio(to_client, to_server, server_hostname=host)
    other = serving.wrap_bio(to_server, to_client, server_side=True)
    for side in (one, other, one, other):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


def test_a_server_and_a_client_of_the_lab_trust_each_other(layout: Layout) -> None:
    authority = Authority.open(layout)
    server = authority.issue("server", common_name="server", hosts=("127.77.0.50", "localhost"))
    client = authority.issue("client", common_name="someone", organizations=("system:masters",))
    handshake(server, client, authority.certificate, "127.77.0.50")
    handshake(server, client, authority.certificate, "localhost")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, client, authority.certificate, "127.77.0.51")


def test_another_lab_is_not_trusted(layout: Layout, tmp_path: Path) -> None:
    other = Authority.open(Layout(name="o", folder=tmp_path / "other", subnet=78, lab_id="o-1"))
    mine = Authority.open(layout)
    server = mine.issue("server", common_name="server", hosts=("localhost",))
    with pytest.raises(ssl.SSLError):
        handshake(server, other.issue("client", common_name="x"), other.certificate, "localhost")


def test_a_certificate_names_its_user_and_groups(layout: Layout) -> None:
    pair = Authority.open(layout).issue("node", common_name="system:node:n", organizations=("system:nodes",))
    assert certificate(pair).subject.rfc4514_string() == "CN=system:node:n,O=system:nodes"


def test_nobody_else_may_read_any_of_it(layout: Layout) -> None:
    authority = Authority.open(layout)
    authority.issue("server", common_name="server")
    authority.service_accounts()
    folder = layout.credentials / "pki"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert len(list(folder.glob("*.*"))) == 7  # authority, server, service accounts: two each, and the lock


def test_a_good_pair_is_kept_also_by_the_next_process(layout: Layout) -> None:
    first = Authority.open(layout).issue("server", common_name="server", hosts=("127.0.0.1", "name"))
    before = first.certificate.read_bytes()
    again = Authority.open(layout).issue("server", common_name="server", hosts=("127.0.0.1", "name"))
    assert again.certificate.read_bytes() == before
    assert Authority.open(layout).service_accounts().key.read_bytes() == (
        Authority.open(layout).service_accounts().key.read_bytes()
    )


@pytest.mark.parametrize(
    "change",
    [
        {"common_name": "server", "hosts": ("127.0.0.2",)},
        {"common_name": "other", "hosts": ("127.0.0.1",)},
        {"common_name": "server", "hosts": ("127.0.0.1",), "organizations": ("g",)},
        {"common_name": "server"},
    ],
)
def test_a_pair_that_says_other_is_made_anew(layout: Layout, change: dict[str, str]) -> None:
    authority = Authority.open(layout)
    before = certificate(authority.issue("server", common_name="server", hosts=("127.0.0.1",)))
    assert certificate(authority.issue("server", **change)).serial_number != before.serial_number


def test_a_pair_near_its_expiry_is_made_anew(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority.open(layout)
    monkeypatch.setattr(pki, "LIFE", datetime.timedelta(days=29))
    old = certificate(authority.issue("server", common_name="server"))
    monkeypatch.undo()
    new = certificate(authority.issue("server", common_name="server"))
    assert new.serial_number != old.serial_number
    assert new.not_valid_after_utc > old.not_valid_after_utc


@pytest.mark.parametrize("part", ["certificate", "key"])
def test_a_spoilt_pair_is_made_anew(layout: Layout, part: str) -> None:
    authority = Authority.open(layout)
    pair = authority.issue("server", common_name="server")
    getattr(pair, part).write_text("spoilt")
    again = authority.issue("server", common_name="server", hosts=())
    ssl.create_default_context().load_cert_chain(again.certificate, again.key)


def test_a_spoilt_authority_is_said_in_one_line(layout: Layout) -> None:
    path = Authority.open(layout).certificate
    path.write_text("spoilt")
    with pytest.raises(LabError, match=r"ca\.crt: cannot be used .*; remedy: runbook lab down, runbook lab up"):
        Authority.open(layout)


def issued(layout: Layout) -> tuple[str, str]:
    authority = Authority.open(layout)
    return authority.pem, authority.issue("one", common_name="one").certificate.read_text()


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_many_at_once_make_one_authority_and_one_pair(
    layout: Layout, pool: type[ThreadPoolExecutor] | type[ProcessPoolExecutor]
) -> None:
    with pool(max_workers=4) as workers:
        found = list(workers.map(issued, [layout] * 8))
    assert len(set(found)) == 1


def test_a_lock_that_is_not_given_back_is_said_in_one_line(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Authority.open(layout).certificate.parent
    monkeypatch.setattr(pki, "LOCK_DEADLINE", 0.1)
    with (folder / ".lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LabError, match=r"held by another process .*; remedy: runbook lab up"):
            Authority.open(layout)
