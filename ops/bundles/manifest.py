"""What a bundle's manifest and its signature say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from .faults import BundleError, Verdict
from .keys import CheckingKey, SigningKey

Kind = Literal["stage4-strategies", "observability"]
Size = Annotated[int, Meta(ge=0)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Sha384 = Annotated[str, Meta(pattern="^[0-9a-f]{96}$")]
KeyId = Annotated[str, Meta(pattern="^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$")]
Version = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An archive or one of its members.

    Attributes:
        path: Its name; of a member, below the folder that the archive is unpacked into.
        bytes: Its size.
        sha256: Of its bytes.
        sha384: Of its bytes.
    """

    path: str
    bytes: Size
    sha256: Sha256
    sha384: Sha384


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is in a bundle; its fields stand in the file in this order.

    Attributes:
        format: Which form of manifest it is.
        bundle: Of which kind the bundle is.
        version: The bundle's.
        key_id: What the key that signs it is called.
        archive: The archive as a whole.
        members: What is in it, by their paths.
        provenance: What made it: versions and digests.
    """

    format: Literal["barstep-bundle/1"] = "barstep-bundle/1"
    bundle: Kind
    version: Version
    key_id: KeyId
    archive: File
    members: list[File]
    provenance: dict[str, str]


class Signature(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signature over all bytes of a manifest's file.

    Attributes:
        format: Which form of signature it is.
        algorithm: What it was made with.
        key_id: What the key is called.
        key: The key's fingerprint.
        signature: Hexadecimal digits.
    """

    format: Literal["barstep-signature/1"] = "barstep-signature/1"
    algorithm: Literal["HMAC-SHA384", "Ed25519"]
    key_id: KeyId
    key: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
    signature: Annotated[str, Meta(pattern="^([0-9a-f]{2})+$")]


def described(path: str, data: bytes) -> File:
    """A file's size and digests."""
    return File(
        path=path, bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), sha384=hashlib.sha384(data).hexdigest()
    )


def written_manifest(
    *, kind: Kind, version: str, key_id: str, archive: File, members: Mapping[str, bytes], provenance: Mapping[str, str]
) -> bytes:
    """The bytes of a manifest's file."""
    manifest = Manifest(
        bundle=kind,
        version=version,
        key_id=key_id,
        archive=archive,
        members=[described(path, data) for path, data in sorted(members.items())],
        provenance=dict(sorted(provenance.items())),
    )
    return _written(manifest)


def signed(manifest: bytes, key: SigningKey, key_id: str) -> bytes:
    """The bytes of the file of its signature."""
    signature = key.sign(manifest).hex()
    return _written(
        Signature(algorithm=key.algorithm, key_id=key_id, key=key.fingerprint, signature=signature)  # type: ignore[arg-type]
    )


def read_signature(data: bytes, where: str) -> Signature:
    """What a file says that should hold a signature.

    Raises:
        BundleError: It holds none.
    """
    try:
        return msgspec.json.decode(data, type=Signature)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError(Verdict.UNSIGNED, where, f"holds no signature: {error}") from None


def checked_manifest(
    data: bytes, signature: Signature, key: CheckingKey, *, key_id: str | None, where: str
) -> Manifest:
    """What a manifest says, once its signature is good.

    Args:
        data: All bytes of its file.
        signature: What is beside it.
        key: The key at hand.
        key_id: What the key has to be called; None: whatever it is.
        where: The manifest's file, for errors.

    Raises:
        BundleError: Another key signed it, or it was edited.
    """
    if key_id is not None and signature.key_id != key_id:
        text = f"is signed by key {signature.key_id!r}; {key_id!r} is asked for."
        raise BundleError(Verdict.WRONG_KEY, where, text)
    if (signature.algorithm, signature.key) != (key.algorithm, key.fingerprint):
        text = (
            f"is signed by {signature.algorithm} key {signature.key} ({signature.key_id}); the key at hand is "
            f"{key.algorithm} key {key.fingerprint}."
        )
        raise BundleError(Verdict.WRONG_KEY, where, text)
    if not key.is_good(data, bytes.fromhex(signature.signature)):
        text = "is not what was signed: it was edited, or its signature was."
        raise BundleError(Verdict.EDITED_MANIFEST, where, text)
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError(Verdict.NO_MANIFEST, where, f"is signed, and no manifest: {error}") from None
    if manifest.key_id != signature.key_id:
        text = f"names key {manifest.key_id!r}, and its signature {signature.key_id!r}."
        raise BundleError(Verdict.WRONG_KEY, where, text)
    return manifest


def check_file(data: bytes, listed: File, verdict: Verdict, where: str) -> None:
    """Raise BundleError where bytes are not those that a manifest lists."""
    if len(data) != listed.bytes:
        raise BundleError(verdict, where, f"has {len(data):,} bytes; the manifest says {listed.bytes:,}.")
    if described(listed.path, data) != listed:
        raise BundleError(verdict, where, "has other bytes than the manifest says; its SHA-256 or SHA-384 differs.")


def _written(struct: Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(struct), indent=2) + b"\n"
