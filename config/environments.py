"""Environments: where a scheduler runs, on which bars, with how much capital."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import field

from ..errors import UsageError, unknown_name
from .fields import Name, Positive, Text
from .section import Section
from .tokens import Variable


class Environment(Section, kw_only=True):
    """One place to run in.

    Attributes:
        type: `demo` and `paper` trade with no money, `live` does.
        aliases: Other names of it.
        offline: Whether bars are recorded ones, and nothing is connected to.
        venue: Where orders go.
        feed: The folder or the SQLite cache of recorded bars, or `embedded` for the datasets that come with barstep.
        adapter_address: Where the venue's gateway listens, such as `grpc+tls://gateway.example:8815`.
        mtls_bundle: Name of the bundle of certificates for that address.
        adapter_token_env: The environment variable that holds the token for that address.
        risk_profile: For schedules whose own and whose strategy's are not given.
        instrument_universe: For schedules that name none.
        scheduler: The one that runs where none is asked for.
        capital: Starting equity, in account currency.
    """

    type: Literal["demo", "paper", "live"]
    venue: Name
    risk_profile: Name
    instrument_universe: Name
    scheduler: Name
    capital: Positive
    aliases: list[Name] = field(default_factory=list)
    offline: bool = False
    feed: Text | None = None
    adapter_address: Text | None = None
    mtls_bundle: Name | None = None
    adapter_token_env: Variable | None = None


def choose_environment(environments: Mapping[str, Environment], wanted: str) -> tuple[str, str]:
    """The name of the environment that a name, an alias or a type means, and which of these it was.

    Where several are of that type, `demo` prefers one that is offline, `paper` and `live` one that is not.

    Raises:
        UsageError: There is none, or there are several.
    """
    if wanted in environments:
        return wanted, "name"
    aliased = [name for name, environment in environments.items() if wanted in environment.aliases]
    if aliased:
        return aliased[0], "alias"
    typed = [name for name, environment in environments.items() if environment.type == wanted]
    preferred = [name for name in typed if environments[name].offline == (wanted == "demo")] or typed
    if len(preferred) == 1:
        return preferred[0], "type"
    if preferred:
        raise UsageError(f"{wanted!r} may be any of the environments {', '.join(preferred)}; name one.")
    if not environments:
        raise UsageError(f"unknown environment {wanted!r}. None is defined.")
    aliases = (alias for environment in environments.values() for alias in environment.aliases)
    types = (environment.type for environment in environments.values())
    raise UsageError(unknown_name("environment", wanted, {*environments, *aliases, *types}))
