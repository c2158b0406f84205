"""Certificates as tests need them, the wrong ones too; made without the product's own hand."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta

from barstep.config.durations import instant_at
from barstep.replay.channel.identity import Identity
from barstep.replay.clock import SystemClock
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DESK = "barstep://client/desk"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Made:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def made(
    *names: str,
    issuer: Made | None = None,
    authority: bool = False,
    days: tuple[int, int] = (-2, 2),
    subject: str = "x",
) -> Made:
    """A certificate with these SANs, valid from and to so many days from now, signed by its issuer or by itself."""
    key, now = generate_private_key(SECP256R1()), instant_at(SystemClock().now_us())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(issuer.certificate.subject if issuer else own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(one) for one in names]), critical=False)
    return Made(builder.sign(issuer.key if issuer else key, SHA256()), key)


def identity(one: Made, authority: Made, *, name: str = DESK, chain: bytes = b"") -> Identity:
    """What an end with this certificate shows and trusts."""
    return Identity(authority=authority.pem, certificate=one.pem + chain, key=one.key_pem, name=name)


def _name(name: str) -> x509.GeneralName:
    if "://" in name:
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


AUTHORITY = made(authority=True, subject="the authority")
STRANGER = made(authority=True, subject="a stranger")
SERVER = identity(made(HOST, issuer=AUTHORITY), AUTHORITY, name=HOST)
CLIENT = identity(made(DESK, issuer=AUTHORITY), AUTHORITY)
