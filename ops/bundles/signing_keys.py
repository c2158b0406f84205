"""The keys that bundles are signed with where no other is named; a demonstration's are made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...errors import DataError, UsageError
from ...replay.replaying import SECRETS
from .keys import CheckingKey, SigningKey, make_signing_key, read_signing_key
from .making import BundleFiles
from .manifest import Kind
from .verifying import signature_of

KEY_IDS: dict[Kind, str] = {"stage4-strategies": "stage4-strategies", "observability": "stage4-observability"}
"""What they are called."""


def default_key_path(key_id: str) -> Path:
    """Where the key of this name is, such as `secrets/stage4_observability_signing.key`."""
    return SECRETS / f"{key_id.replace('-', '_')}_signing.key"


def required_signing_key(path: Path | None, kind: Kind, is_demo: Callable[[], bool]) -> tuple[SigningKey, list[Path]]:
    """The key that a bundle is signed with, and the files that were made for it.

    Args:
        path: Its file; None: the default one. Only the default one is made, and only for a demonstration.
        kind: Of which bundle.
        is_demo: Whether it is a demonstration's bundle; asked where the key is not there.

    Raises:
        DataError: It is not there.
        JournalError: It is not private, or no key.
    """
    own = default_key_path(KEY_IDS[kind])
    path = own if path is None else path
    made: list[Path] = []
    if not path.exists() and not path.is_symlink():
        if path != own or not is_demo():
            raise DataError(f"{path}: no such key. `barstep bundle key {path}` makes it.")
        made = make_signing_key(path)
    return read_signing_key(path), made


def key_named_by(files: BundleFiles) -> CheckingKey:
    """The key that a bundle's signature names, where it lies by default. What is named is yet to be proved.

    Raises:
        BundleError: There is no signature.
        UsageError: It is of a key that lies nowhere by default.
        DataError: The key is not there.
    """
    key_id = signature_of(files).key_id
    if key_id not in KEY_IDS.values():
        raise UsageError(f"{files.signature}: is of key {key_id!r}; name its file: --signing-key or --public-key.")
    path = default_key_path(key_id)
    if not path.exists():
        raise DataError(f"{path}: no such key. Name where it is: --signing-key or --public-key.")
    return read_signing_key(path)
