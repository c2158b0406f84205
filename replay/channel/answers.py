"""What the other side is told of an error: a BarstepError's text, of anything else only a number.

Flight sends whatever a handler raises to the client, with its traceback and the paths of this machine.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow.flight as fl

from ...errors import AuthorizationError, BarstepError
from .endings import INTERNAL, Ending, ending_of

LOGGER = logging.getLogger("barstep.channel")


class Answers:
    """Tells errors to the other side; what it may not know goes to the log `barstep.channel`, with its number."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def ending(self, error: Exception) -> Ending:
        """How an error is told."""
        if isinstance(error, BarstepError):
            return ending_of(error)
        number = next(self._numbers)
        LOGGER.error("internal error, reference %d", number, exc_info=error)
        return Ending(code=INTERNAL, message=f"internal error, reference {number}")

    @contextmanager
    def told(self) -> Iterator[None]:
        """What is raised inside reaches the other side as Flight's error with the ending beside it."""
        try:
            yield
        except fl.FlightError:
            raise
        except AuthorizationError as error:
            raise _of(fl.FlightUnauthorizedError, ending_of(error)) from None
        except Exception as error:  # whatever it is, its traceback stays here
            raise flight_error(self.ending(error)) from None

    @contextmanager
    def told_at_the_door(self) -> Iterator[None]:
        """The same where nobody knows yet who calls."""
        with self.told():
            try:
                yield
            except AuthorizationError as error:
                raise _of(fl.FlightUnauthenticatedError, ending_of(error)) from None


def flight_error(ending: Ending) -> fl.FlightError:
    """An ending as Flight's error."""
    is_refusal = ending.code == "authorization"
    return _of(fl.FlightUnauthorizedError if is_refusal else fl.FlightServerError, ending)


def _of(kind: type[fl.FlightError], ending: Ending) -> fl.FlightError:
    return kind(ending.message, ending.as_json)
