"""What is done whole or not at all."""

from __future__ import annotations

import pytest
from barstep.errors import JournalError, UsageError
from barstep.replay.undivided import Undivided


@pytest.mark.parametrize(
    ("error", "again", "text"),
    [
        (JournalError("the disk is gone"), JournalError, "^the disk is gone$"),
        (ValueError("a\nb"), UsageError, "the loop was stopped in the middle by ValueError: a b"),
        (KeyboardInterrupt(), UsageError, r"by KeyboardInterrupt\(\)"),
    ],
)
def test_an_error_that_left_it_stops_it_for_good(error: BaseException, again: type[Exception], text: str) -> None:
    """It is the caller's the first time; who comes again is told of it."""
    undivided = Undivided("the loop")
    with undivided, undivided:
        pass
    with pytest.raises(type(error)), undivided:
        raise error
    for _ in range(2):
        with pytest.raises(again, match=text), undivided:
            raise AssertionError("it was entered")
    assert undivided.stopped_by is error
