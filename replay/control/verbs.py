"""What may be asked of a loop, and the scope that each of it needs. What is not listed here is refused."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ...config.tokens import Scope
from ...errors import UsageError, unknown_name
from ..authorization import READ, WRITE

STREAM = "control"
"""Name of the stream that these are asked on."""

READING = (
    "schedules",
    "suspensions",
    "signal_limits",
    "capital_state",
    "capital_diagnostics",
    "mode",
    "status",
)
COMMANDS = (
    "suspend_schedule",
    "suspend_tag",
    "resume_schedule",
    "resume_tag",
    "set_signal_limit",
    "clear_signal_limit",
    "disable_strategy",
    "enable_strategy",
    "rebalance_capital",
    "set_capital_policy",
    "replace_capital_policy",
    "set_allocation_rebalance_seconds",
    "halt",
    "reduce",
    "resume",
)
"""Commands of `config.commands`, by their names there."""
OTHERS = ("check", "note", "reload")
"""`check` says whether commands would be refused, `note` writes into the journal, `reload` reads the configuration."""

SCOPES: Mapping[str, Scope] = MappingProxyType(
    dict.fromkeys(READING, READ) | dict.fromkeys((*COMMANDS, *OTHERS), WRITE)
)
"""By verb the scope that it needs."""


def scope_of(verb: str) -> Scope:
    """The scope that a verb needs.

    Raises:
        UsageError: There is no such verb.
    """
    if verb not in SCOPES:
        raise UsageError(unknown_name("verb", verb, SCOPES))
    return SCOPES[verb]
