"""Who one end of the channel is: its certificate, its key, and the authority that it trusts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What one end shows and what it trusts, each in PEM.

    Attributes:
        authority: Certificates of the authority; during a rotation the old one's and the new one's.
        certificate: Its own, with one SAN.
        key: That one's private key.
        name: The SAN.
    """

    authority: bytes
    certificate: bytes
    key: bytes = field(repr=False)
    name: str
