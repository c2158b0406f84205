"""Who comes in: the verb, the token and the certificate of every call, before anything else of it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pyarrow.flight as fl

from ...errors import AuthorizationError
from ..clock import Clock
from .answers import Answers
from .certificates import check_shown
from .identity import Identity
from .service import Caller
from .tokens import TokenTable

ALLOWED_VERBS = frozenset({fl.FlightMethod.DO_EXCHANGE, fl.FlightMethod.DO_GET})
"""All that a server answers. A verb that a later Flight brings is refused until it stands here."""
TOKEN_HEADER, CERTIFICATE_HEADER = "authorization", "barstep-certificate"
BEARER = "Bearer "
MIDDLEWARE = "gate"


class Admission(fl.ServerMiddleware):  # type: ignore[misc]  # pyarrow carries no types
    """What a call has shown."""

    def __init__(self, token: str, certificate: str) -> None:
        super().__init__()
        self.token, self.certificate = token, certificate


class Gate(fl.ServerMiddlewareFactory):  # type: ignore[misc]  # pyarrow carries no types
    """Lets calls of two verbs in that show a token which is good now. It sees headers, never a body."""

    def __init__(self, tokens: TokenTable, clock: Clock, answers: Answers) -> None:
        super().__init__()
        self._tokens, self._clock, self._answers = tokens, clock, answers

    def start_call(self, info: fl.CallInfo, headers: Mapping[str, list[str]]) -> Admission:
        """Admit a call, or raise Flight's error, which the client is told."""
        with self._answers.told_at_the_door():
            token = _presented(headers)
            self._tokens.verify(token, self._clock.now_us())
            if info.method not in ALLOWED_VERBS:
                raise AuthorizationError("no verb of Flight but DoExchange and DoGet is answered here.")
            return Admission(token, "".join(headers.get(CERTIFICATE_HEADER, [])))


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Whether one call may go on.

    Attributes:
        caller: Who calls.
        scope: What it needs.
        token: What was presented.
        certificate_ends_us: When the caller's certificate ends; None without mTLS.
    """

    caller: Caller
    scope: str
    certificate_ends_us: int | None
    tokens: TokenTable
    token: str = field(repr=False)

    def check(self, now_us: int) -> None:
        """Raise AuthorizationError where its token or its certificate has come to its end."""
        _require(self.tokens.verify(self.token, now_us), self.scope)
        if self.certificate_ends_us is not None and now_us >= self.certificate_ends_us:
            raise AuthorizationError(f"the certificate of {self.caller.certificate} has expired.")


class Guards:
    """Makes the guard of a call that has been let in.

    Args:
        tokens: The tokens.
        identity: What this side shows and trusts; None without mTLS.
        clock: The time.
    """

    def __init__(self, tokens: TokenTable, identity: Identity | None, clock: Clock) -> None:
        self._tokens, self._identity, self._clock = tokens, identity, clock

    def guard(self, context: fl.ServerCallContext, scope: str) -> Guard:
        """The guard of a call.

        Raises:
            AuthorizationError: The caller's token or certificate does not allow it.
        """
        admission = context.get_middleware(MIDDLEWARE)
        now_us, proved, ends_us = self._clock.now_us(), "", None
        if self._identity is not None:
            proved = context.peer_identity().decode("utf-8", "replace")
            ends_us = check_shown(admission.certificate, proved, self._identity.authority, now_us)
        caller = replace(self._tokens.verify(admission.token, now_us), certificate=proved)
        _require(caller, scope)
        return Guard(
            caller=caller, scope=scope, token=admission.token, certificate_ends_us=ends_us, tokens=self._tokens
        )


def _presented(headers: Mapping[str, list[str]]) -> str:
    shown = headers.get(TOKEN_HEADER, [])
    if len(shown) != 1 or not shown[0].startswith(BEARER):
        raise AuthorizationError("no token is presented: one header `authorization: Bearer TOKEN` is needed.")
    return shown[0].removeprefix(BEARER)


def _require(caller: Caller, scope: str) -> None:
    if scope not in caller.scopes:
        has = ", ".join(sorted(caller.scopes)) or "none"
        raise AuthorizationError(f"token {caller.token_id!r} lacks the scope {scope}; it has {has}.")
