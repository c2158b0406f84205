"""What goes wrong on request, as it is written: `drop:0.01`, `delay:250ms:0.2`, `disconnect:30s`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...errors import UsageError, unknown_name
from .durations import duration_us

_CHANCES = ("drop", "duplicate", "reorder", "ack_lost")
_OCCASIONS = ("disconnect", "stall", "half_close")


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """When something happens once to a stream: with a chance at each message, or after so much event time."""

    chance: float = 0.0
    every_us: int | None = None


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What goes wrong. Chances are of frames, of both directions, but for `ack_lost`.

    Attributes:
        drop: Chance that a frame never comes.
        duplicate: Chance that it comes twice.
        reorder: Chance that it comes after the next one.
        delay_us: How late a frame comes, on the clock.
        delay: Chance of that.
        ack_lost: Chance, of messages with orders, that the stream ends: before they are heard, after that, or before
            the first report of what came of them.
        disconnect: When the stream ends.
        stall: When the venue falls silent, though the stream stays and it still hears.
        half_close: When it hears no more, though it still speaks.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay_us: int = 0
    delay: float = 0.0
    ack_lost: float = 0.0
    disconnect: Occasion | None = None
    stall: Occasion | None = None
    half_close: Occasion | None = None


def parse_faults(texts: Iterable[str]) -> Faults:
    """Faults from their written forms; each may be named once.

    Raises:
        UsageError: A name is unknown or there twice, or a value is not allowed.
    """
    given: dict[str, object] = {}
    for text in texts:
        name, _, value = text.strip().partition(":")
        if name in given:
            raise UsageError(f"--fault {text}: {name} is given twice; give it once.")
        given |= _parsed(name, value, text)
    return Faults(**given)  # type: ignore[arg-type]


def _parsed(name: str, value: str, text: str) -> dict[str, object]:
    if name in _CHANCES:
        return {name: _chance(value, text)}
    if name in _OCCASIONS:
        bare = value.replace(".", "", 1).isdigit()
        return {name: Occasion(chance=_chance(value, text)) if bare else Occasion(every_us=_duration(value, text))}
    if name == "delay":
        length, _, share = value.partition(":")
        return {"delay_us": _duration(length, text), "delay": _chance(share, text) if share else 1.0}
    raise UsageError(f"--fault {text}: {unknown_name('fault', name, (*_CHANCES, *_OCCASIONS, 'delay'))}")


def _chance(value: str, text: str) -> float:
    try:
        chance = float(value)
    except ValueError:
        chance = -1.0
    if not 0.0 <= chance <= 1.0:
        raise UsageError(f"--fault {text}: {value!r} is no chance; allowed is a number from 0 to 1, such as 0.01.")
    return chance


def _duration(value: str, text: str) -> int:
    try:
        length_us = duration_us(value)
    except UsageError as error:
        raise UsageError(f"--fault {text}: {error}") from None
    if length_us == 0:
        raise UsageError(f"--fault {text}: {value!r} is no time at all; allowed is more than 0.")
    return length_us
