"""The account's key and secret at the exchange: from the environment or a private file, and shown nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ...errors import AuthorizationError
from ..private_files import read_private

KEY_VARIABLE, SECRET_VARIABLE = "BARSTEP_EXCHANGE_KEY", "BARSTEP_EXCHANGE_SECRET"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What signs requests.

    Attributes:
        key: Says whose account it is.
        secret: Signs; it never leaves this machine.
    """

    key: str = field(repr=False)
    secret: str = field(repr=False)

    def without(self, text: str) -> str:
        """A text of somebody else's from which key and secret are struck out."""
        return text.replace(self.secret, "[secret]").replace(self.key, "[key]")


def read_credentials(environ: Mapping[str, str], path: Path | None) -> Credentials | None:
    """The credentials of a private file, else of the environment; None where there are none.

    Args:
        environ: The environment variables.
        path: A file of mode 0600 in a folder of mode 0700: one JSON object with `key` and `secret`.

    Raises:
        DataError: There is no such file.
        JournalError: It is not private.
        AuthorizationError: Half of them is missing, or the file has another form.
    """
    if path is not None:
        try:
            found = msgspec.json.decode(read_private(path), type=dict[str, str])
        except msgspec.DecodeError:  # its text may show what stands there
            found = {}
        key, secret, place = (
            found.get("key", ""),
            found.get("secret", ""),
            f"{path}: key and secret are wanted, as JSON",
        )
    else:
        key, secret = environ.get(KEY_VARIABLE, ""), environ.get(SECRET_VARIABLE, "")
        place = f"{KEY_VARIABLE} and {SECRET_VARIABLE} are wanted, both"
    key, secret = key.strip(), secret.strip()
    if not key and not secret and path is None:
        return None
    if not key or not secret:
        raise AuthorizationError(f"{place}; {'key' if not key else 'secret'} is missing.")
    return Credentials(key=key, secret=secret)
