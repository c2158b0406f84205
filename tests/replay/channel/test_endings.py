"""Why something ended, from one side to the other."""

from __future__ import annotations

import barstep.errors
import pytest
from barstep.errors import BarstepError, ConfigError, FeedError
from barstep.replay.channel.endings import CODES, LONGEST_TEXT, Ending, ending_of, read_ending


def test_every_error_of_ours_has_a_code() -> None:
    """No class of the tree is told as something else than what it is."""
    tree = {one for one in vars(barstep.errors).values() if isinstance(one, type) and issubclass(one, BarstepError)}
    assert tree - {BarstepError} == set(CODES.values())


@pytest.mark.parametrize(("code", "kind"), CODES.items())
def test_an_error_arrives_as_what_it_was(code: str, kind: type[BarstepError]) -> None:
    """Its class and its text are the same at the other side."""
    error = ConfigError(["a: 1", "b: 2"]) if kind is ConfigError else kind("schedule 'x' is none.")
    told = read_ending(ending_of(error).as_json)
    assert told is not None
    assert told.code == code
    assert (type(told.error), str(told.error)) == (kind, str(error))


def test_a_text_is_cut_to_what_a_header_carries() -> None:
    """A long one loses its tail."""
    assert ending_of(FeedError("x" * 9_000)).message == "x" * LONGEST_TEXT


@pytest.mark.parametrize("told", [b"", b"{}", b"[1]", b"\xff", b'{"code": 1, "message": "x"}'])
def test_what_is_no_ending_is_none(told: bytes) -> None:
    """Something else that is told is not taken for one."""
    assert read_ending(told) is None


def test_a_code_that_is_not_ours_is_an_error_of_the_feed() -> None:
    """A later version's code still ends the stream."""
    assert isinstance(Ending(code="later", message="m").error, FeedError)
