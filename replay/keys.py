"""Signing keys: one root, and what is derived from it by labels.

A key evolves with each sealed segment, and the old one is overwritten: who takes a machine cannot sign its past. The
scheme stands in docs/journal.md.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

KEY_BYTES = 32
"""Of a root key: 256 bits from the system."""


def random_bytes(count: int) -> bytes:
    """Bytes from the system that nobody can guess; keys, tokens and ids of journals begin here and nowhere else."""
    return secrets.token_bytes(count)


def derive(root: bytes, label: str) -> bytes:
    """The key of one purpose: HMAC-SHA384 over a label, so that no purpose's key tells another's."""
    return hmac.digest(root, f"barstep/{label}/v1".encode("ascii"), "sha384")


def kid_of(root: bytes) -> str:
    """The name of a root key, which tells nothing of it: 16 hexadecimal digits."""
    return hashlib.sha384(derive(root, "kid")).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class EpochKey:
    """The key of one segment.

    Attributes:
        kid: Which root it comes from.
        epoch: How often it has evolved.
        key: The key; it shows nowhere.
    """

    kid: str
    epoch: int
    key: bytes = field(repr=False)

    @classmethod
    def first(cls, root: bytes) -> EpochKey:
        """The key of epoch 0."""
        return cls(kid=kid_of(root), epoch=0, key=derive(root, "journal"))

    def evolved(self) -> EpochKey:
        """The key of the next segment, from which this one cannot be told."""
        return EpochKey(kid=self.kid, epoch=self.epoch + 1, key=hmac.digest(self.key, b"evolve", "sha384"))
