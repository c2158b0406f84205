"""What went wrong with a request, from the exchange's own answer where there is one.

ccxt's classes depend on the address that was asked and its texts hold it, signature included. So status, code and words
of the answer decide; only where there was none, the class of what ccxt raised.
"""

# ruff: noqa: PLC0415 - ccxt is an extra

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from ...errors import BarstepError
from .exchange import DeclinedError, NotAuthorizedError, ThrottledError, UnansweredError
from .venues import Venue

_DUPLICATE = "Duplicate order"
"""Said of an id that is there already: the order is to be asked for, not given up."""
_TOO_MANY, _BANNED = 429, 418
_OFF_TIME_US = 500_000
"""Within which the time is measured anew."""


class OffTimeError(ThrottledError):
    """The exchange calls the request's time stamp wrong and has not carried it out."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        status: Of HTTP.
        headers: Names in any case.
        body: As text.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)


def trouble_of(error: Exception, answer: Answer | None, venue: Venue, hidden: Callable[[str], str]) -> BarstepError:
    """The gateway's error. Only what the exchange has surely not carried out is anything but `UnansweredError`.

    Args:
        error: What ccxt raised.
        answer: What the exchange answered; None where nothing came.
        venue: Whose codes they are.
        hidden: Strikes secrets out of a text.
    """
    if answer is None:
        return _without_answer(error, venue)
    code, text = _code_and_text(answer.body)
    text = hidden(text)
    message = f"{venue.name}: {' '.join(f'HTTP {answer.status} {code} {text}'.split())}."
    if answer.status in (_TOO_MANY, _BANNED):
        return ThrottledError(message, wait_us=0)
    if not 400 <= answer.status < 500 or not code or code in venue.unsure or _DUPLICATE in text:
        return UnansweredError(message)
    if code in venue.off_time:
        return OffTimeError(message, wait_us=_OFF_TIME_US)
    if code in venue.not_authorized:
        return NotAuthorizedError(message)
    return DeclinedError(message, code=code, text=text)


def _without_answer(error: Exception, venue: Venue) -> BarstepError:
    import ccxt

    if isinstance(error, ccxt.RequestTimeout):
        return UnansweredError(f"{venue.name}: no answer in time.")
    if isinstance(error, ccxt.AuthenticationError):  # ccxt refuses to sign without a key; nothing was sent
        return NotAuthorizedError(f"{venue.name}: a key and a secret are needed.")
    return UnansweredError(f"{venue.name}: no answer ({type(error).__name__}).")


def _code_and_text(body: str) -> tuple[str, str]:
    """The exchange's code and words; empty where the body is not its own, such as a proxy's page."""
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return "", ""
    if not isinstance(found, dict) or not isinstance(found.get("code"), int | str):
        return "", ""
    return str(found["code"]), str(found.get("msg", ""))
