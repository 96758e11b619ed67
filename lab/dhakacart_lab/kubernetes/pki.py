# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of one lab: its own authority, and the pairs by which its servers and clients know each other.

Everything is under ``credentials/pki`` (0700, each file 0600). The keys are ECDSA P-256: made in a millisecond.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import ipaddress
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..layout import LabError, Layout

AUTHORITY = "ca"
SERVICE_ACCOUNTS = "service-accounts"
LIFE = datetime.timedelta(days=365)  # a lab is thrown away long before
AUTHORITY_LIFE = 5 * LIFE
RENEWED_BEFORE = datetime.timedelta(days=30)
SKEW = datetime.timedelta(hours=1)  # a clock that was corrected must not make a new certificate one of the future
LOCK_DEADLINE = 10.0  # seconds; it is held for milliseconds


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, PEM files; for service accounts the public key in place of a certificate."""

    certificate: Path
    key: Path


class Authority:
    """The certificate authority of one lab. LabError where its files are spoilt."""

    def __init__(self, folder: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._folder, self._certificate, self._key = folder, certificate, key

    @classmethod
    def open(cls, layout: Layout) -> Authority:
        """The lab's authority, made where there is none yet."""
        folder = layout.credentials / "pki"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(folder):
            files = _pair(folder, AUTHORITY)
            if not files.certificate.exists():
                _make_authority(files, layout)
            return cls(folder, _read_certificate(files.certificate), _read_key(files.key))

    @property
    def certificate(self) -> Path:
        """The PEM file that clients and servers trust."""
        return _pair(self._folder, AUTHORITY).certificate

    @property
    def pem(self) -> str:
        return self.certificate.read_text(encoding="ascii")

    def issue(
        self, name: str, *, common_name: str, organizations: Iterable[str] = (), hosts: Iterable[str] = ()
    ) -> Pair:
        """The pair called ``name``, for a server, a client or both; made anew near its expiry or where it says other.

        :param common_name: whom it names; to Kubernetes the user.
        :param organizations: to Kubernetes the user's groups.
        :param hosts: addresses and names that a server is reached by.
        """
        files = _pair(self._folder, name)
        subject = _subject(common_name, organizations)
        alternatives = [_alternative(host) for host in dict.fromkeys(hosts)]
        with _alone(self._folder):
            if not self._still_good(files, subject, alternatives):
                key = ec.generate_private_key(ec.SECP256R1())
                built = self._build(subject, alternatives, key)
                _write(files.key, _key_pem(key))
                _write(files.certificate, built.public_bytes(serialization.Encoding.PEM))
        return files

    def service_accounts(self) -> Pair:
        """The key that signs service account tokens, and the public key that checks them (``certificate``)."""
        files = Pair(self._folder / f"{SERVICE_ACCOUNTS}.pub", self._folder / f"{SERVICE_ACCOUNTS}.key")
        with _alone(self._folder):
            if not files.certificate.exists():
                key = ec.generate_private_key(ec.SECP256R1())
                _write(files.key, _key_pem(key))
                public = key.public_key()
                _write(
                    files.certificate,
                    public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
                )
        return files

    def _build(
        self, subject: x509.Name, alternatives: list[x509.GeneralName], key: ec.EllipticCurvePrivateKey
    ) -> x509.Certificate:
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = (
            _builder(subject, self._certificate.subject, key.public_key(), LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _still_good(self, files: Pair, subject: x509.Name, alternatives: list[x509.GeneralName]) -> bool:
        try:
            found, key = _read_certificate(files.certificate), _read_key(files.key)
            found.verify_directly_issued_by(self._certificate)
        except Exception:
            return False
        if found.public_key() != key.public_key() or found.subject != subject:
            return False
        try:
            named = list(found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        except x509.ExtensionNotFound:
            named = []
        return named == alternatives and found.not_valid_after_utc - RENEWED_BEFORE > _now()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process or thread at a time: kubelets and servers start side by side, each in need of certificates."""
    path = folder / ".lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    end = time.monotonic() + LOCK_DEADLINE
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > end:
                    raise LabError(
                        f"{path}: held by another process for {LOCK_DEADLINE:.0f} s; remedy: runbook lab up"
                    ) from None
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def _make_authority(files: Pair, layout: Layout) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject(f"{layout.lab_id} authority", ())
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        _builder(name, name, key.public_key(), AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(files.key, _key_pem(key))
    _write(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))  # last: it says that both are there


def _pair(folder: Path, name: str) -> Pair:
    return Pair(folder / f"{name}.crt", folder / f"{name}.key")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _subject(common_name: str, organizations: Iterable[str]) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, found) for found in organizations]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(host: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(host))
    return x509.DNSName(host)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, life: datetime.timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - SKEW)
        .not_valid_after(_now() + life)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    # SEC1 ("EC PRIVATE KEY"): the form that every Kubernetes component reads, for service accounts too.
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _spoilt(path, error) from None


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise _spoilt(path, error) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _spoilt(path, TypeError("not an elliptic curve key"))
    return key


def _spoilt(path: Path, error: Exception) -> LabError:
    reason = " ".join(str(error).split())
    return LabError(f"{path}: cannot be used ({reason}); remedy: runbook lab down, runbook lab up")


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)
