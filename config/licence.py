"""Signed licence files: which capabilities a holder may use.

A file is JSON: `licence` (holder, capabilities), the `issuer`'s name and an Ed25519 `signature` (RFC 8032) over the
licence written canonically. Whoever can check it cannot forge it: an issuer's public key is all that is shipped.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from ..errors import AuthorizationError, UsageError, unknown_name

LICENCE_VARIABLE = "BARSTEP_LICENCE"
"""Path of the licence in force; without it the one that comes with barstep."""

ISSUERS_VARIABLE = "BARSTEP_LICENCE_ISSUERS"
"""Folder of public keys, NAME.pem, of issuers besides those that come with barstep."""

_ROOM = Path(__file__).resolve().parent
SHIPPED_LICENCE = _ROOM / "licence.json"
SHIPPED_ISSUERS = _ROOM / "issuers"


class Licence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a holder may use.

    Attributes:
        holder: Whom it was given to.
        capabilities: What engines and strategies name as their `capability`.
    """

    holder: Annotated[str, msgspec.Meta(min_length=1)]
    capabilities: list[str]

    def canonical(self) -> bytes:
        """The bytes that are signed: JSON with sorted names and capabilities, nothing between, UTF-8."""
        written = {"holder": self.holder, "capabilities": sorted(set(self.capabilities))}
        return json.dumps(written, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class SignedLicence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A licence file."""

    licence: Licence
    issuer: str
    signature: str


def active_licence() -> Licence:
    """The licence in force, its signature checked.

    Raises:
        AuthorizationError: The file is missing, not a licence, or not signed by an issuer that is known.
    """
    return read_licence(Path(os.environ.get(LICENCE_VARIABLE) or SHIPPED_LICENCE))


def read_licence(path: Path) -> Licence:
    """The licence of a file, its signature checked.

    Raises:
        AuthorizationError: The file is missing, not a licence, or not signed by an issuer that is known.
    """
    try:
        signed = msgspec.json.decode(path.read_bytes(), type=SignedLicence)
        signature = base64.b64decode(signed.signature, validate=True)
    except OSError as error:
        raise AuthorizationError(f"{path}: cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error) as error:
        raise AuthorizationError(f"{path}: is no licence file: {error}") from error
    issuers = _issuers()
    if signed.issuer not in issuers:
        raise AuthorizationError(f"{path}: {unknown_name('licence issuer', signed.issuer, issuers)}")
    try:
        _public_key(issuers[signed.issuer]).verify(signature, signed.licence.canonical())
    except InvalidSignature as error:
        raise AuthorizationError(
            f"{path}: {signed.issuer!r} did not sign this licence; it was edited, or signed with another key"
        ) from error
    return signed.licence


def sign_licence(licence: Licence, issuer: str, private_key: Path) -> bytes:
    """The licence file that an issuer gives out; private_key: an Ed25519 key, PEM without a password.

    Raises:
        UsageError: The file is no such key.
    """
    try:
        key = load_pem_private_key(private_key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{private_key}: is no private key: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{private_key}: is a {type(key).__name__}; it must be an Ed25519 key")
    signature = base64.b64encode(key.sign(licence.canonical())).decode()
    signed = SignedLicence(licence=licence, issuer=issuer, signature=signature)
    return msgspec.json.format(msgspec.json.encode(signed), indent=2) + b"\n"


def _issuers() -> dict[str, Path]:
    """Public keys by their issuer's name. A name that comes with barstep cannot be taken by another key."""
    others = os.environ.get(ISSUERS_VARIABLE)
    folders = [Path(others), SHIPPED_ISSUERS] if others else [SHIPPED_ISSUERS]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.pem"))}


def _public_key(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise AuthorizationError(f"{path}: is no public key: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise AuthorizationError(f"{path}: is a {type(key).__name__}; it must be an Ed25519 key")
    return key
