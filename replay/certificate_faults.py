"""What is wrong with a certificate that was read: one sentence for each thing, with the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from ..config.durations import instant_at
from .issuing import Role, is_authority, is_for, is_issued_by, is_key_of, names_of


@dataclass(frozen=True, kw_only=True)
class Found:
    """A certificate where it lies.

    Attributes:
        path: Its file.
        certificate: What stands in it.
        bundle: The bundle that it belongs to.
    """

    path: Path
    certificate: x509.Certificate
    bundle: str


def leaf_faults(
    found: Found,
    role: Role,
    key_path: Path,
    key: EllipticCurvePrivateKey,
    trusted: Sequence[x509.Certificate],
    now_us: int,
) -> Iterator[str]:
    """What keeps one end of the channel from showing a certificate.

    Args:
        found: The certificate.
        role: The end that is to show it.
        key_path: The file of its key.
        key: What stands there.
        trusted: The authorities of the bundle.
        now_us: The time.
    """
    certificate, anew = found.certificate, rotate_command(found.bundle)
    yield from _span_faults(found, now_us, anew)
    if not is_key_of(key, certificate):
        yield f"{key_path}: is not the key of {found.path}. `{anew}` makes both anew."
    if not any(is_issued_by(certificate, authority) for authority in trusted):
        yield (
            f"{found.path}: was issued by {certificate.issuer.rfc4514_string()!r}, which is not the authority of "
            f"bundle {found.bundle!r}. `{anew}` makes one of it."
        )
    names = names_of(certificate)
    if len(names) != 1:
        yield f"{found.path}: has {len(names)} names (SAN), where exactly one is allowed. `{anew}` makes one that does."
    if not is_for(certificate, role):
        yield f"{found.path}: is not made for a {role}. `{anew}` makes one that is."


def authority_faults(found: Found, now_us: int) -> Iterator[str]:
    """What keeps an authority from being trusted."""
    anew = f"{rotate_command(found.bundle)} --authority"
    yield from _span_faults(found, now_us, anew)
    if not is_authority(found.certificate):
        yield f"{found.path}: is no authority's certificate. Put the one there that signs for this bundle."


def rotate_command(bundle: str) -> str:
    """What makes the certificates of a bundle anew."""
    return f"barstep keys rotate --mtls-bundle {bundle}"


def _span_faults(found: Found, now_us: int, anew: str) -> Iterator[str]:
    now, certificate = instant_at(now_us), found.certificate
    if now >= certificate.not_valid_after_utc:
        yield f"{found.path}: expired at {_text(certificate.not_valid_after_utc)}. `{anew}` makes a new one."
    elif now < certificate.not_valid_before_utc:
        yield (
            f"{found.path}: is not valid before {_text(certificate.not_valid_before_utc)}, and by this machine's clock "
            f"it is {_text(now)}. Set the clock; if it is right, `{anew}` makes a new one."
        )


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
