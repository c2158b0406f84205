"""Who may manage a scheduler: tokens, named by where their secret is, never by the secret itself."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .fields import Instant, Name
from .section import Section

Scope = Literal["runtime.schedule.read", "runtime.schedule.write"]
# What stands by mistake where `secret` is said may be one, so that no error shows it.
Variable = Annotated[
    str,
    Meta(
        pattern="^[A-Z_][A-Z0-9_]*$",
        description="the name of an environment variable, in capitals",
        extra={"secret": True},
    ),
]
Digest = Annotated[
    str, Meta(pattern="^[0-9a-f]{96}$", description="96 hexadecimal digits, in small letters", extra={"secret": True})
]


class Token(Section, kw_only=True):
    """One token.

    Attributes:
        id: What the journal calls it.
        scopes: What it allows.
        env: The environment variable that holds the token; either this or `sha384`.
        sha384: The SHA-384 of the token.
        expires: When it ends; by default never.
    """

    id: Name
    scopes: Annotated[list[Scope], Meta(min_length=1)]
    env: Variable | None = None
    sha384: Digest | None = None
    expires: Instant | None = None


Tokens = Annotated[list[Annotated[Token, Meta(extra={"secret": True})]], Meta(extra={"secret": True})]
