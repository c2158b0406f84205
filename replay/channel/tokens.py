"""The tokens that a server of the channel knows, which can be replaced while it runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...config.durations import instant_at, microseconds
from ...errors import AuthorizationError
from ..authorization import Authorizer, digest_of, matching
from .service import Caller


@dataclass(frozen=True, kw_only=True)
class TokenEntry:
    """One token.

    Attributes:
        id: What the journal calls it.
        sha384: The SHA-384 of the token.
        scopes: What it allows.
        expires_us: When it ends; None: never.
    """

    id: str
    sha384: bytes = field(repr=False)
    scopes: frozenset[str]
    expires_us: int | None = None

    @classmethod
    def of_secret(
        cls, token_id: str, secret: str, scopes: Iterable[str], *, expires_us: int | None = None
    ) -> TokenEntry:
        """The entry of a token that is known here; only its SHA-384 is kept."""
        return cls(id=token_id, sha384=digest_of(secret), scopes=frozenset(scopes), expires_us=expires_us)


class TokenTable:
    """Which token is presented, and whether it is good now.

    Args:
        entries: The tokens. Of several with one secret the first that has not expired counts.
    """

    def __init__(self, entries: Iterable[TokenEntry]) -> None:
        self._entries = tuple(entries)

    def __repr__(self) -> str:
        return f"TokenTable(ids={[entry.id for entry in self._entries]})"

    def replace(self, entries: Iterable[TokenEntry]) -> None:
        """Know these from now on; the streams of one that is not among them end."""
        self._entries = tuple(entries)

    def verify(self, presented: str, now_us: int) -> Caller:
        """Whose token it is.

        Args:
            presented: The token.
            now_us: The time, in microseconds since the epoch.

        Raises:
            AuthorizationError: It is unknown or has expired.
        """
        matched = matching(presented, [(entry, entry.sha384) for entry in self._entries])
        if not matched:
            raise AuthorizationError("the token is not known here, or was revoked.")
        for entry in matched:
            if entry.expires_us is None or now_us < entry.expires_us:
                return Caller(token_id=entry.id, scopes=entry.scopes)
        ended = matched[0].expires_us or 0
        raise AuthorizationError(f"token {matched[0].id!r} expired at {instant_at(ended):%Y-%m-%dT%H:%M:%SZ}.")


def entries_of(authorizer: Authorizer) -> list[TokenEntry]:
    """The tokens of a scheduler's configuration; those whose secret is not set anywhere are left out."""
    return [
        TokenEntry(
            id=token.id,
            sha384=digest,
            scopes=frozenset(token.scopes),
            expires_us=None if token.expires is None else microseconds(token.expires),
        )
        for token, digest in authorizer.known
    ]
