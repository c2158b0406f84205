"""The service of a running loop: questions and answers on the stream `control`."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from ...config.tokens import Scope, Token
from ...errors import AuthorizationError, BarstepError, UsageError
from ..authorization import READ
from ..channel.service import Caller, Stream
from .desk import Desk
from .hand import Hand
from .verbs import STREAM, scope_of
from .wire import Answer, encode, read_question, refusal

LOGGER = logging.getLogger("barstep.control")


class ControlService:
    """Lets callers ask a loop, each by what its token allows; the loop's own thread answers.

    Attributes:
        streams: The one stream; opening it needs the scope to read.
        fetches: None.
    """

    streams: Mapping[str, str] = {STREAM: READ}
    fetches: Mapping[str, str] = {}

    def __init__(self, desk: Desk, hand: Hand, tokens: Iterable[Token]) -> None:
        """tokens: those that may come now."""
        self._desk, self._hand = desk, hand
        self._failures = itertools.count(1)
        self.take(tokens)

    def take(self, tokens: Iterable[Token]) -> None:
        """Go by the scopes of these tokens from now on, also on streams that are open."""
        self._scopes = {token.id: frozenset(token.scopes) for token in tokens}

    def serve(self, name: str, caller: Caller, stream: Stream) -> None:  # noqa: ARG002 - there is one stream
        """Answer until the stream ends; the server ends it when the token is no longer good."""
        while True:
            message = stream.receive()
            if message is not None:
                stream.send(encode(self._answer(caller, message)))

    def fetch(
        self,
        name: str,
        caller: Caller,  # noqa: ARG002 - nobody is given anything
        ticket: bytes,  # noqa: ARG002
    ) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Nothing is fetched from a loop."""
        raise UsageError(f"{name!r}: a loop offers the stream {STREAM!r} only.")

    def _answer(self, caller: Caller, message: bytes) -> Answer:
        question_id = 0
        try:
            question = read_question(message)
            question_id = question.id
            self._require(caller, scope_of(question.verb))
            return Answer(id=question_id, ok=True, body=self._ask(question.verb, question.fields, caller.token_id))
        except msgspec.DecodeError as error:
            return refusal(question_id, UsageError(f"this is no question: {error}"))
        except BarstepError as error:
            return refusal(question_id, error)
        except Exception:
            number = next(self._failures)
            LOGGER.exception("control failure %d, asked by %s", number, caller.token_id)
            return refusal(question_id, BarstepError(f"the loop failed to answer; its log says why: failure {number}."))

    def _ask(self, verb: str, fields: Mapping[str, Any], by: str) -> Any:
        return self._hand.call(lambda: self._desk.answer(verb, fields, by))

    def _require(self, caller: Caller, scope: Scope) -> None:
        has = caller.scopes & self._scopes.get(caller.token_id, frozenset())
        if scope not in has:
            scopes = ", ".join(sorted(has)) or "none"
            raise AuthorizationError(f"token {caller.token_id!r} lacks the scope {scope}; it has {scopes}.")
