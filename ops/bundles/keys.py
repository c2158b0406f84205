"""Keys that sign bundles: a secret for HMAC-SHA384 (RFC 2104), or an Ed25519 pair (RFC 8032).

Whoever can check an HMAC can forge it; with Ed25519 a public key is all that the other side gets. Which of the two a
file holds is told by its content. A secret is a line of 64 hexadecimal digits, as a journal's root key is; the key of
bundles is derived from it by a label of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from ...errors import DataError, JournalError, UsageError
from ...replay.keys import KEY_BYTES, derive, kid_of, random_bytes
from ...replay.private_files import read_private, write_private

HMAC, ED25519 = "HMAC-SHA384", "Ed25519"
_LABEL = "bundle"
_SECRET = re.compile(rb"([0-9a-f]{64})\n?")


class CheckingKey(Protocol):
    """What tells whether a signature is good."""

    @property
    def algorithm(self) -> str:
        """`HMAC` or `ED25519`."""

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that name the key and tell nothing of a secret."""

    def is_good(self, data: bytes, signature: bytes) -> bool:
        """Whether a signature is this key's over `data`."""


class SigningKey(CheckingKey, Protocol):
    """What signs."""

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`."""


@dataclass(frozen=True, kw_only=True)
class HmacKey:
    """A secret that both sides know."""

    fingerprint: str
    key: bytes = field(repr=False)
    algorithm: str = HMAC

    def sign(self, data: bytes) -> bytes:
        """HMAC-SHA384 over `data`."""
        return hmac.digest(self.key, data, "sha384")

    def is_good(self, data: bytes, signature: bytes) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.sign(data), signature)


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """The half of an Ed25519 pair that anybody may have."""

    public: Ed25519PublicKey = field(repr=False)
    algorithm: str = ED25519

    @property
    def fingerprint(self) -> str:
        """Of the SHA-384 of the public key's 32 bytes."""
        return hashlib.sha384(self.public.public_bytes_raw()).hexdigest()[:16]

    def is_good(self, data: bytes, signature: bytes) -> bool:
        """Whether the other half signed this."""
        try:
            self.public.verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, kw_only=True)
class PairKey(PublicKey):
    """An Ed25519 pair."""

    private: Ed25519PrivateKey = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Ed25519 over `data`."""
        return self.private.sign(data)


def read_signing_key(path: Path) -> SigningKey:
    """The key in a private file, of either kind.

    Raises:
        DataError: There is no such file.
        JournalError: It is not private, or holds neither kind.
    """
    data = read_private(path)
    found = _SECRET.fullmatch(data)
    if found is not None:
        secret = bytes.fromhex(found[1].decode())
        return HmacKey(fingerprint=kid_of(secret), key=derive(secret, _LABEL))
    try:
        private = load_pem_private_key(data, password=None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise JournalError(
            f"{path}: holds no key that signs bundles: a line of {2 * KEY_BYTES} hexadecimal digits, or an Ed25519 "
            "private key in PEM. `barstep bundle key FILE` makes one."
        )
    return PairKey(public=private.public_key(), private=private)


def read_public_key(path: Path) -> CheckingKey:
    """The Ed25519 public key in a file, which need not be private.

    Raises:
        DataError: There is no such file.
        JournalError: It holds no such key.
    """
    try:
        public = load_pem_public_key(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path}: no such file.") from None
    except ValueError:
        public = None
    if not isinstance(public, Ed25519PublicKey):
        raise JournalError(f"{path}: holds no Ed25519 public key in PEM. A secret is given as --signing-key.")
    return PublicKey(public=public)


def make_signing_key(path: Path, *, ed25519: bool = False) -> list[Path]:
    """Make a key in a private file; of a pair the public half goes beside it, ending in `.pub`.

    Returns:
        The files that were made.

    Raises:
        UsageError: One is there already.
        JournalError: Its folder is not private.
    """
    pair = Ed25519PrivateKey.generate() if ed25519 else None
    if pair is None:
        files = {path: random_bytes(KEY_BYTES).hex().encode() + b"\n"}
    else:
        public = pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        private = pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files = {path: private, path.with_name(f"{path.name}.pub"): public}
    for each in files:
        if each.exists() or each.is_symlink():
            raise UsageError(f"{each}: is there already and is kept; move it away to make another.")
    for each, data in files.items():
        write_private(each, data)
    return list(files)
