"""Asks a running loop, at the other end of a stream."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import msgspec

from ...errors import FeedError, HeldError
from ..channel.service import Stream
from .wire import Question, encode, error_of, read_answer

ANSWER_US = 30_000_000
"""How long an answer is waited for: longer than the loop lets a call wait."""


class ControlClient:
    """One stream to a loop; questions are asked one after the other."""

    def __init__(self, stream: Stream, close: Callable[[], None] = lambda: None, *, answer_us: int = ANSWER_US) -> None:
        """close: what else is let go of with the stream."""
        self._stream, self._close, self._answer_us = stream, close, answer_us
        self._ids = itertools.count(1)

    def ask(self, verb: str, **fields: Any) -> Any:
        """What a verb gives; see `verbs`.

        Raises:
            BarstepError: The loop refuses it: of the class that it has there.
            HeldError: The loop is gone, or does not answer.
        """
        question = Question(id=next(self._ids), verb=verb, fields=fields)
        try:
            self._stream.send(encode(question))
            while True:
                message = self._stream.receive(self._answer_us)
                if message is None:
                    raise HeldError(f"the loop has not answered {verb!r} within {self._answer_us / 1e6:g} seconds.")
                answer = read_answer(message)
                if answer.id == question.id:  # one that was given up may come yet
                    break
        except FeedError as error:
            raise HeldError(f"the loop is gone: {error}") from error
        except msgspec.DecodeError as error:
            raise HeldError(f"what came from the loop is no answer: {error}") from error
        if not answer.ok:
            raise error_of(answer)
        return answer.body

    def close(self) -> None:
        """End it."""
        self._stream.close()
        self._close()
