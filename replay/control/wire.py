"""Questions and answers of the stream `control`, as MessagePack. docs/operations.md says the same for operators."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from ...errors import BarstepError, ConfigError
from ..channel.endings import CODES, ending_of


class Question(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked.

    Attributes:
        id: Counts the questions of a stream; the answer has the same.
        verb: One of `verbs.SCOPES`.
        fields: What the verb takes.
    """

    id: int
    verb: str
    fields: dict[str, Any] = {}


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What comes back.

    Attributes:
        id: That of the question; 0 where that was none.
        ok: Whether it was done.
        body: What the verb gives.
        code: Where it was not done: one of `channel.endings`.
        messages: Where it was not done: why, a line for each thing that is wrong.
    """

    id: int
    ok: bool
    body: Any = None
    code: str = ""
    messages: list[str] = []


encode = msgspec.msgpack.Encoder().encode
"""The bytes of a question or an answer."""
read_question = msgspec.msgpack.Decoder(Question).decode
"""A question; msgspec.DecodeError where it is none."""
read_answer = msgspec.msgpack.Decoder(Answer).decode
"""An answer; msgspec.DecodeError where it is none."""


def refusal(question_id: int, error: BarstepError) -> Answer:
    """The answer that says what an error says."""
    lines = [str(one) for one in error.problems] if isinstance(error, ConfigError) else [str(error)]
    return Answer(id=question_id, ok=False, code=ending_of(error).code, messages=lines)


def error_of(answer: Answer) -> BarstepError:
    """The error that an answer tells of."""
    if answer.code == "config":
        return ConfigError(answer.messages)
    text = " ".join(answer.messages)
    return CODES[answer.code](text) if answer.code in CODES else BarstepError(text)
