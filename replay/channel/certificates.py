"""What certificates say to the channel: who shows one, until when, and what is wrong with one's own.

A server learns from TLS only the first name of a client's certificate, and nothing of its end. So a client shows its
certificate in a header, too. What it shows there proves nothing: it must name whom TLS has proved, be signed by our
authority as TLS asks, and have one name.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from ...config.durations import instant_at, microseconds
from ...errors import AuthorizationError
from ..issuing import is_authority, is_issued_by, names_of
from .identity import Identity

_MOST_SHOWN = 4
"""Certificates of a header: a client's own, and between authorities."""
_FAULTS = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    binascii.Error,
)


def check_own(identity: Identity, now_us: int) -> None:
    """Raise AuthorizationError where what this end shows cannot be accepted by anybody.

    The other side says of all of it only that the socket was closed.
    """
    chain, authority = _from_pem(identity.certificate, "certificate"), _from_pem(identity.authority, "authority")
    if fault := _fault(chain, authority, now_us):
        raise AuthorizationError(f"the certificate of this side, {identity.name}, {fault}.")
    if (name := str(names_of(chain[0])[0].value)) != identity.name:
        raise AuthorizationError(f"the certificate of this side names {name}, not {identity.name}.")
    try:
        key = load_pem_private_key(identity.key, password=None).public_key()
    except _FAULTS:
        raise AuthorizationError(f"the private key of this side, {identity.name}, is none in PEM.") from None
    if _public(key) != _public(chain[0].public_key()):
        raise AuthorizationError(f"the private key of this side is not that of its certificate, {identity.name}.")


def shown(identity: Identity) -> str:
    """The header in which a client shows its certificate: each of its chain in base64 of DER, with commas between."""
    chain = _from_pem(identity.certificate, "certificate")
    return ",".join(base64.b64encode(one.public_bytes(Encoding.DER)).decode("ascii") for one in chain)


def check_shown(header: str, proved: str, authority: bytes, now_us: int) -> int:
    """The instant at which a client's certificate ends, in microseconds since the epoch.

    Args:
        header: What it shows.
        proved: The name that TLS has proved.
        authority: The certificates that this side trusts, in PEM.
        now_us: The time.

    Raises:
        AuthorizationError: It shows none, one with another number of names, or somebody else's.
    """
    try:
        parts = [base64.b64decode(one, validate=True) for one in header.split(",")[:_MOST_SHOWN]]
        chain = [x509.load_der_x509_certificate(one) for one in parts]
        if fault := _fault(chain, _from_pem(authority, "authority"), now_us):
            raise AuthorizationError(f"the certificate that the client shows {fault}.")
        (name,) = [str(one.value) for one in names_of(chain[0])]
    except _FAULTS:
        raise AuthorizationError("the client shows no certificate in the header `barstep-certificate`.") from None
    if name != proved:
        raise AuthorizationError(f"the client shows the certificate of {name!r}, and its connection is of {proved!r}.")
    return microseconds(chain[0].not_valid_after_utc)


def _fault(chain: Sequence[x509.Certificate], authority: Sequence[x509.Certificate], now_us: int) -> str:
    """What is wrong with the first certificate of a chain; an empty text where nothing is."""
    own, now = chain[0], instant_at(now_us)
    names = [str(one.value) for one in names_of(own)]
    if len(names) != 1:
        return f"has {len(names)} names ({', '.join(names) or 'no SAN'}); one is allowed"
    if now >= own.not_valid_after_utc:
        return f"expired at {own.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
    if now < own.not_valid_before_utc:
        return f"is valid only from {own.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ} on"
    if not _leads(chain, authority):
        trusted = ", ".join(one.subject.rfc4514_string() for one in authority)
        return f"was issued by {own.issuer.rfc4514_string() or 'nobody'}, not by the authority ({trusted})"
    return ""


def _leads(chain: Sequence[x509.Certificate], authority: Sequence[x509.Certificate]) -> bool:
    """Whether an authority has signed the first certificate, or one between that may sign."""
    if any(is_issued_by(chain[0], one) for one in authority):
        return True
    between = chain[1:]
    return (
        bool(between) and is_authority(between[0]) and is_issued_by(chain[0], between[0]) and _leads(between, authority)
    )


def _from_pem(pem: bytes, what: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise AuthorizationError(f"the {what} of this side is none in PEM.") from None


def _public(key: object) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]
