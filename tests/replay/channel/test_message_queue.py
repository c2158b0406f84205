"""Messages between two threads."""

from __future__ import annotations

from threading import Thread

import pytest
from barstep.errors import AuthorizationError, FeedError
from barstep.replay.channel.endings import Ending
from barstep.replay.channel.message_queue import MOST_MESSAGES, MessageQueue

LEFT = Ending(code="feed", message="it left.")


def test_messages_come_in_order() -> None:
    """What is put first is taken first."""
    queue = MessageQueue(100)
    for message in (b"a", b"", b"c"):
        assert queue.put(message)
    assert [queue.get(), queue.get(), queue.get(), queue.get(0)] == [b"a", b"", b"c", None]


def test_bytes_that_wait_are_bounded() -> None:
    """What does not fit waits for room, and is told when there is none in time; alone any size fits."""
    queue = MessageQueue(10)
    assert queue.put(bytes(11), 0)
    assert not queue.put(b"", 1_000)
    assert queue.get() == bytes(11)
    assert queue.put(bytes(6), 0)
    assert queue.put(bytes(4), 0)
    assert not queue.put(bytes(1), 1_000)


def test_messages_that_wait_are_bounded() -> None:
    """However small they are."""
    queue = MessageQueue(10**9)
    assert all(queue.put(b"", 0) for _ in range(MOST_MESSAGES))
    assert not queue.put(b"", 0)


def test_who_waits_for_room_gets_it() -> None:
    """A message that is taken lets the next one in."""
    queue, done = MessageQueue(1), []
    queue.put(b"a")
    waiting = Thread(target=lambda: done.append(queue.put(b"b")))
    waiting.start()
    assert queue.get() == b"a"
    waiting.join(10)
    assert done == [True]
    assert queue.get() == b"b"


def test_an_end_is_told_after_what_waits_or_at_once() -> None:
    """Nothing can be put any more; what waits is taken first, unless it is dropped. The first reason stays."""
    for drop in (False, True):
        queue = MessageQueue(100)
        queue.put(b"a")
        queue.end(LEFT, drop=drop)
        queue.end(Ending(code="authorization", message="later"))
        with pytest.raises(FeedError, match="it left"):
            queue.put(b"b")
        if not drop:
            assert queue.get() == b"a"
        with pytest.raises(FeedError, match="it left"):
            queue.get()


def test_who_waits_is_told_of_the_end() -> None:
    """Neither the one who takes nor the one who puts waits any longer."""
    empty, full, told = MessageQueue(1), MessageQueue(1), []
    full.put(b"a")

    def waits(work: object) -> None:
        with pytest.raises(AuthorizationError):
            work()  # type: ignore[operator]
        told.append(work)

    threads = [Thread(target=waits, args=(work,)) for work in (empty.get, lambda: full.put(b"b"))]
    for thread in threads:
        thread.start()
    for queue in (empty, full):
        queue.end(Ending(code="authorization", message="gone"))
    for thread in threads:
        thread.join(10)
    assert len(told) == 2
