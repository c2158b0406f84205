"""Calls from other threads, made by the loop's own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from barstep.errors import HeldError, UsageError
from barstep.replay.control.hand import Hand


def waiting(hand: Hand, calls: int) -> None:
    """Wait until so many calls wait."""
    while hand._waiting.qsize() < calls:
        threading.Event().wait(0.001)


def test_a_call_is_made_by_the_thread_that_works() -> None:
    """And what comes of it goes to the one that asked."""
    hand = Hand()
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(hand.call, threading.get_ident)
        waiting(hand, 1)
        hand.work()
        assert asked.result() == threading.get_ident()


def test_what_a_call_raises_is_the_asking_ones() -> None:
    """The loop goes on."""
    hand = Hand()

    def refused() -> None:
        raise UsageError("no")

    with ThreadPoolExecutor() as pool:
        asked = pool.submit(hand.call, refused)
        waiting(hand, 1)
        hand.work()
        with pytest.raises(UsageError, match="no"):
            asked.result()


def test_a_call_that_is_not_begun_in_time_is_never_made() -> None:
    """A caller that was told so can ask again without its being done twice."""
    hand, done = Hand(longest_wait_seconds=0.01), list[int]()
    with pytest.raises(HeldError, match=r"within 0\.01 seconds; it was not done"):
        hand.call(lambda: done.append(1))
    hand.work()
    assert done == []


def test_only_so_many_wait() -> None:
    """One more is refused at once."""
    hand = Hand(most_waiting=1, longest_wait_seconds=5.0)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(hand.call, lambda: 1)
        waiting(hand, 1)
        with pytest.raises(HeldError, match="1 calls wait"):
            hand.call(lambda: 2)
        hand.work()
        assert first.result() == 1


def test_who_waits_when_the_loop_ends_is_told() -> None:
    """And nobody can ask any more."""
    hand = Hand()
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(hand.call, lambda: 1)
        waiting(hand, 1)
        hand.close()
        with pytest.raises(HeldError, match="is ending; it was not done"):
            asked.result()
    with pytest.raises(HeldError, match="nothing more is done"):
        hand.call(lambda: 1)
