"""Who may read and who may change a scheduler: tokens, compared by their SHA-384, and what each of them allows.

A token shows in no error and no repr; what the journal names is its id. docs/security.md says where tokens come from.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from ..config.durations import instant_at
from ..config.tokens import Scope, Token
from ..errors import AuthorizationError, DataError, UsageError
from .keys import random_bytes
from .private_files import read_private, write_private

VARIABLE = "BARSTEP_TOKEN"
"""The environment variable that presents a token, before any that an entry names."""

READ: Scope = "runtime.schedule.read"
WRITE: Scope = "runtime.schedule.write"
TOKEN_BYTES = 32
Entry = TypeVar("Entry")


class Authorizer:
    """Which token of a scheduler is presented, and whether it allows what is asked.

    Args:
        scheduler: Its name, for errors.
        tokens: Its `rbac_tokens`.
        environ: The environment variables, which hold the secrets of entries with `env`.
        folder: Where secrets of entries with `env` may lie as files, `<id>.token`, for variables that are not set;
            None: nowhere.

    Attributes:
        known: The entries whose secret is known here, each with its SHA-384.

    Raises:
        JournalError: A file of a secret is not private.
    """

    def __init__(
        self, scheduler: str, tokens: Sequence[Token], *, environ: Mapping[str, str], folder: Path | None = None
    ) -> None:
        self._scheduler, self._tokens = scheduler, tuple(tokens)
        self._environ, self._folder = environ, folder
        self.known = [(token, digest) for token in tokens if (digest := self._reference(token)) is not None]

    def __repr__(self) -> str:
        return f"Authorizer({self._scheduler!r}, ids={[token.id for token in self._tokens]})"

    def authorize(self, presented: str, scope: Scope, *, now_us: int) -> str:
        """The id of the token that is presented, which allows `scope` now.

        Args:
            presented: The token.
            scope: What is asked for.
            now_us: The time, in microseconds since the epoch.

        Raises:
            AuthorizationError: The token is unknown, has expired or lacks the scope.
        """
        now, matched = instant_at(now_us), matching(presented, self.known)
        if not matched:
            raise AuthorizationError(self._unknown(scope))
        alive = [token for token in matched if token.expires is None or now < token.expires]
        if not alive:
            token = matched[0]
            raise AuthorizationError(
                f"token {token.id!r} of scheduler {self._scheduler!r} expired at {token.expires:%Y-%m-%dT%H:%M:%SZ}; "
                f"{scope} is needed."
            )
        for token in alive:
            if scope in token.scopes:
                return token.id
        token = alive[0]
        raise AuthorizationError(
            f"token {token.id!r} of scheduler {self._scheduler!r} lacks the scope {scope}; it has "
            f"{', '.join(token.scopes)}."
        )

    def presented(self, scope: Scope, token_file: Path | None = None) -> str:
        """The token of whoever runs a command here: of a file, of `BARSTEP_TOKEN`, or of an entry's own place.

        Raises:
            DataError: There is no such file.
            JournalError: The file is not private.
            AuthorizationError: None is presented.
        """
        if token_file is not None:
            return read_token(token_file)
        secret = self._environ.get(VARIABLE, "").strip()
        own = [(token, found) for token in self._tokens if (found := self._secret(token))]
        secret = secret or next((found for token, found in own if scope in token.scopes), "")
        secret = secret or next((found for _, found in own), "")
        if not secret:
            raise AuthorizationError(self._none_presented(scope))
        return secret

    def _secret(self, token: Token) -> str:
        """The secret of an entry with `env`; an empty text where it is not set, and for other entries."""
        if token.env is None:
            return ""
        path = None if self._folder is None else token_path(self._folder, token.id)
        set_here = self._environ.get(token.env, "").strip()
        return set_here or (read_token(path) if path is not None and path.exists() else "")

    def _reference(self, token: Token) -> bytes | None:
        if token.sha384 is not None:
            return bytes.fromhex(token.sha384)
        secret = self._secret(token)
        return digest_of(secret) if secret else None

    def _unknown(self, scope: Scope) -> str:
        text = f"the token is none of scheduler {self._scheduler!r}; {scope} is needed."
        return f"{text} Its tokens: {', '.join(token.id for token in self._tokens) or 'none'}."

    def _none_presented(self, scope: Scope) -> str:
        if not self._tokens:
            return f"scheduler {self._scheduler!r} has no rbac_tokens; `barstep keys token --id NAME` makes one."
        variables = ", ".join(dict.fromkeys([VARIABLE, *(token.env for token in self._tokens if token.env)]))
        return (
            f"{scope} of scheduler {self._scheduler!r} is needed and no token is presented: set {variables}, "
            "or give --token-file FILE."
        )


def digest_of(token: str) -> bytes:
    """The SHA-384 of a token."""
    return hashlib.sha384(token.encode("utf-8", "surrogateescape")).digest()


def matching(presented: str, known: Iterable[tuple[Entry, bytes]]) -> list[Entry]:
    """The entries of a token; it is compared with the SHA-384 of every one, in constant time.

    Args:
        presented: The token.
        known: Entries with their SHA-384.
    """
    digest = digest_of(presented)
    return [entry for entry, reference in known if hmac.compare_digest(reference, digest)]


def new_token() -> str:
    """A token of 256 bits from the system, as hexadecimal digits."""
    return random_bytes(TOKEN_BYTES).hex()


def token_sha384(token: str) -> str:
    """What the configuration keeps of a token."""
    return digest_of(token).hex()


def read_token(path: Path) -> str:
    """The token in a file.

    Raises:
        DataError: There is no such file, or no token in it.
        JournalError: It is not private.
    """
    try:
        token = read_private(path).decode("utf-8").strip()
    except UnicodeDecodeError:
        token = ""
    if not token or "\n" in token:
        raise DataError(f"{path}: no token stands in it: one line.")
    return token


def write_token(path: Path, token: str) -> None:
    """Put a token into a file of its own.

    Raises:
        UsageError: The file is there already.
    """
    try:
        write_private(path, token.encode("utf-8") + b"\n")
    except FileExistsError:
        raise UsageError(f"{path}: is there already and is kept; remove it to revoke that token.") from None


def token_path(folder: Path, token_id: str) -> Path:
    """Where the token of an id is in a folder of tokens."""
    return folder / f"{token_id}.token"
