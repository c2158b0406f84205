"""Certificates: what stands in them, and whom they let in, by OpenSSL's own judgement where it can be asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from barstep.config.durations import microseconds
from barstep.errors import UsageError
from barstep.replay.issuing import (
    AUTHORITY_DAYS,
    Issued,
    bridged,
    client_name,
    is_authority,
    is_for,
    is_issued_by,
    is_key_of,
    issued,
    names_of,
    new_authority,
    pem_of,
    read_certificate,
    read_key,
    server_name,
)
from bundle_making import DAY_US, NOW_US
from cryptography import x509
from programs import the_program


@pytest.fixture(scope="module")
def authority() -> Issued:
    """An authority."""
    return new_authority("core-oem", NOW_US)


def test_a_leaf_has_one_name_one_purpose_and_its_days(authority: Issued) -> None:
    """The server's is for a server alone, the client's for a client alone; neither may sign."""
    server = issued("server", server_name("gateway.example"), authority, NOW_US)
    client = issued("client", client_name("loop"), authority, NOW_US, days=3)
    assert [name.value for name in names_of(server.certificate)] == ["gateway.example"]
    assert [name.value for name in names_of(client.certificate)] == ["barstep://client/loop"]
    assert is_for(server.certificate, "server") and not is_for(server.certificate, "client")
    assert is_for(client.certificate, "client") and not is_for(client.certificate, "server")
    assert not is_authority(server.certificate) and not is_authority(client.certificate)
    assert microseconds(server.certificate.not_valid_after_utc) == NOW_US + 90 * DAY_US
    assert microseconds(client.certificate.not_valid_after_utc) == NOW_US + 3 * DAY_US
    assert microseconds(client.certificate.not_valid_before_utc) == NOW_US - 5 * 60 * 1_000_000
    assert server.certificate.serial_number != client.certificate.serial_number


def test_no_leaf_outlives_its_authority(authority: Issued) -> None:
    """It ends with it."""
    late = issued("server", server_name("localhost"), authority, NOW_US + (AUTHORITY_DAYS - 10) * DAY_US)
    assert late.certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc


def test_an_authority_signs_and_another_of_the_same_bundle_is_another(authority: Issued) -> None:
    """They differ by name and by key; what the one has signed is not the other's."""
    other = new_authority("core-oem", NOW_US)
    leaf = issued("client", client_name("loop"), authority, NOW_US)
    assert is_authority(authority.certificate) and authority.certificate.subject != other.certificate.subject
    assert is_issued_by(leaf.certificate, authority.certificate)
    assert not is_issued_by(leaf.certificate, other.certificate)
    assert is_key_of(leaf.key, leaf.certificate) and not is_key_of(other.key, leaf.certificate)
    forged = Issued(certificate=authority.certificate, key=other.key)
    impostor = issued("client", client_name("loop"), forged, NOW_US)
    assert not is_issued_by(impostor.certificate, authority.certificate)


@pytest.mark.parametrize(
    ("host", "kind"),
    [("localhost", x509.DNSName), ("10.0.0.1", x509.IPAddress), ("::1", x509.IPAddress), ("a-1.example", x509.DNSName)],
)
def test_a_server_is_a_host_or_an_address(host: str, kind: type[x509.GeneralName]) -> None:
    """Either is one SAN."""
    name = server_name(host)
    assert isinstance(name, kind) and str(name.value) == host


@pytest.mark.parametrize(
    "host", ["", "localhost:8815", "grpc://x", "*.example", "a b", "-a", "a..b", "x" * 64, "ż.example"]
)
def test_what_is_no_host_is_refused(host: str) -> None:
    """With what is allowed."""
    with pytest.raises(UsageError, match="allowed is one IP address or one host name, without a port"):
        server_name(host)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "-a", "x" * 65])
def test_what_is_no_client_is_refused(name: str) -> None:
    """It is a part of an URI."""
    with pytest.raises(UsageError, match="allowed are up to 64 letters"):
        client_name(name)


def test_keys_and_certificates_are_read_back(authority: Issued) -> None:
    """One certificate, one key; two certificates, rubbish and other kinds of keys are none."""
    certificate = read_certificate(authority.certificate_pem)
    key = read_key(authority.key_pem)
    assert certificate == authority.certificate and key is not None and is_key_of(key, authority.certificate)
    assert read_certificate(authority.certificate_pem * 2) is None
    assert read_certificate(b"x") is None and read_certificate(authority.key_pem) is None
    assert read_key(b"x") is None and read_key(authority.certificate_pem) is None


def test_no_key_shows() -> None:
    """Neither in a repr nor in what an error could print."""
    authority = new_authority("b", NOW_US)
    body = authority.key_pem.decode().splitlines()[1]
    assert "key=" not in repr(authority) and body not in repr(authority)


def test_openssl_agrees(authority: Issued, tmp_path: Path) -> None:
    """OpenSSL lets each leaf in for its own purpose only, and a new authority's leaf by the bridge from the old one."""
    openssl = the_program("openssl")
    new = new_authority("core-oem", NOW_US)
    (tmp_path / "old.pem").write_bytes(authority.certificate_pem)
    (tmp_path / "bridge.pem").write_bytes(pem_of(bridged(new, authority, NOW_US)))
    (tmp_path / "server.pem").write_bytes(issued("server", server_name("localhost"), authority, NOW_US).certificate_pem)
    (tmp_path / "client.pem").write_bytes(issued("client", client_name("loop"), new, NOW_US).certificate_pem)

    def verified(leaf: str, purpose: str, *more: str) -> bool:
        at = ("-attime", str(NOW_US // 1_000_000), "-x509_strict", "-CAfile", "old.pem")
        words = [openssl, "verify", *at, "-purpose", purpose, *more, leaf]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, check=False).returncode == 0

    assert verified("server.pem", "sslserver")
    assert not verified("server.pem", "sslclient")
    assert not verified("client.pem", "sslclient")
    assert verified("client.pem", "sslclient", "-untrusted", "bridge.pem")
    assert not verified("client.pem", "sslserver", "-untrusted", "bridge.pem")
