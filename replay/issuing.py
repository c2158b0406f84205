"""Certificates of an authority of one's own, made and taken apart. Here alone is X.509.

Keys are of P-256, which every TLS knows. An authority signs with it for two years, a server and a client show a
certificate for ninety days; each of these has exactly one name, its SAN, and serves one end of the channel only.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..config.durations import instant_at
from ..errors import UsageError
from .keys import random_bytes

Role = Literal["server", "client"]
ROLES: tuple[Role, Role] = ("server", "client")
AUTHORITY_DAYS, LEAF_DAYS = 730, 90
CLIENT_NAMES = "barstep://client/"

_BACKDATED = timedelta(minutes=5)
"""The clock of the machine that reads a certificate may be behind that of the one that made it."""
_SERIAL_BYTES = 16
_HOST = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_CLIENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_PURPOSES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey = field(repr=False)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate in PEM."""
        return pem_of(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """The key in PEM, PKCS 8, without a password."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def new_authority(bundle: str, now_us: int) -> Issued:
    """An authority that signs itself; its name tells it from the bundle's earlier ones."""
    key, now = generate_private_key(SECP256R1()), instant_at(now_us)
    name = _named(f"{bundle} authority {random_bytes(4).hex()}")
    builder = _begun(name, name, key, now, now + timedelta(days=AUTHORITY_DAYS))
    # One authority may stand between it and a leaf: the next one, while both are trusted.
    return Issued(certificate=_of_authority(builder, key, path_length=1).sign(key, SHA256()), key=key)


def bridged(new: Issued, old: Issued, now_us: int) -> x509.Certificate:
    """A new authority's certificate as the old one signs it: who trusts only the old one then trusts the new one."""
    issuer = old.certificate
    builder = _begun(new.certificate.subject, issuer.subject, new.key, instant_at(now_us), issuer.not_valid_after_utc)
    builder = builder.add_extension(_key_of(old), critical=False)
    return _of_authority(builder, new.key, path_length=0).sign(old.key, SHA256())


def issued(role: Role, name: x509.GeneralName, authority: Issued, now_us: int, days: int = LEAF_DAYS) -> Issued:
    """A certificate for one end of the channel, for some days, though not past its authority's own.

    Args:
        role: Which end.
        name: Its one SAN, of `server_name` or `client_name`.
        authority: Who signs.
        now_us: The time.
        days: How long it is valid.
    """
    key, now = generate_private_key(SECP256R1()), instant_at(now_us)
    issuer = authority.certificate
    ends = min(now + timedelta(days=days), issuer.not_valid_after_utc)
    builder = _begun(_named(f"barstep {role}"), issuer.subject, key, now, ends)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([_PURPOSES[role]]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
    builder = builder.add_extension(_key_of(authority), critical=False)
    return Issued(certificate=builder.sign(authority.key, SHA256()), key=key)


def server_name(host: str) -> x509.GeneralName:
    """The SAN of a server: its IP address or its host name, which is what a client connects to.

    Raises:
        UsageError: It is neither.
    """
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    if _HOST.fullmatch(host) is None:
        raise UsageError(f"--host {host!r}: allowed is one IP address or one host name, without a port.")
    return x509.DNSName(host)


def client_name(name: str) -> x509.GeneralName:
    """The SAN of a client: `barstep://client/` and its name.

    Raises:
        UsageError: The name has other signs than letters, digits, _ and -.
    """
    if _CLIENT.fullmatch(name) is None:
        raise UsageError(f"--client {name!r}: allowed are up to 64 letters, digits, _ and -.")
    return x509.UniformResourceIdentifier(CLIENT_NAMES + name)


def names_of(certificate: x509.Certificate) -> list[x509.GeneralName]:
    """The SANs of a certificate."""
    try:
        return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def is_for(certificate: x509.Certificate, role: Role) -> bool:
    """Whether a certificate is one for this end of the channel."""
    try:
        return _PURPOSES[role] in certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether a certificate may sign others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether an authority has signed a certificate, by its name and by its key."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def is_key_of(key: EllipticCurvePrivateKey, certificate: x509.Certificate) -> bool:
    """Whether a private key is the one of a certificate."""
    return key.public_key() == certificate.public_key()


def pem_of(certificate: x509.Certificate) -> bytes:
    """A certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM)


def read_certificate(pem: bytes) -> x509.Certificate | None:
    """The one certificate in PEM; None where there is none, or more."""
    try:
        (certificate,) = x509.load_pem_x509_certificates(pem)
        certificate.extensions  # noqa: B018 - reads them, which is where what is malformed shows
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None
    return certificate


def read_key(pem: bytes) -> EllipticCurvePrivateKey | None:
    """The key in PEM; None where there is none of an elliptic curve without a password."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, EllipticCurvePrivateKey) else None


def _begun(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, now: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(random_bytes(_SERIAL_BYTES), "big") + 1)
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(ends)
    )


def _of_authority(
    builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey, *, path_length: int
) -> x509.CertificateBuilder:
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    return builder.add_extension(_usage(signs_certificates=True), critical=True).add_extension(own, critical=False)


def _key_of(issuer: Issued) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
