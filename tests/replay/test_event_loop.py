"""A scheduler in event time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from barstep.config.commands import Halt, SuspendSchedule
from barstep.engine.scheduler_machine import SchedulerMachine
from barstep.engine.scheduler_transitions import Event
from barstep.replay.event_loop import EventLoop
from barstep.replay.session import given
from replays import drawn_setup, vectorised

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Heard:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.instants: list[int] = []
        self.events: list[tuple[int, str, str]] = []
        self.blocks: list[int] = []

    def event(self, now_us: int, event: Event, by: str) -> None:
        self.events.append((now_us, type(event).__name__, by))

    def instant(self, now_us: int, _place: int) -> None:
        self.instants.append(now_us)

    def block(self, next_bar: int) -> None:
        self.blocks.append(next_bar)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("block_bars", [1, 64])
def test_every_way_of_turning_it_gives_the_same_bits(seed: int, block_bars: int) -> None:
    """Instant by instant, in bursts of single steps, and in bursts to the next event: as the backtest."""
    setup = drawn_setup(seed)
    expected = vectorised(setup).digests
    for turn in ("step", "single", "burst"):
        machine = SchedulerMachine(setup)
        loop = EventLoop(machine, given(setup), block_bars=block_bars)
        while loop.step() if turn == "step" else loop.burst(single_steps=turn == "single"):
            pass
        assert machine.result().digests == expected, turn


def test_a_listener_hears_every_instant_once_and_in_order() -> None:
    """The instants rise, the last one is the setup's end at the latest, and blocks end where bars do."""
    setup, heard = drawn_setup(3), Heard()
    machine = SchedulerMachine(setup)
    loop = EventLoop(machine, given(setup), [heard], block_bars=50)
    while loop.step():
        pass
    assert heard.instants == sorted(set(heard.instants))
    assert (heard.instants[0], loop.now_us) == (setup.start_us, heard.instants[-1])
    assert heard.blocks == [*range(machine.bars.start + 50, machine.bars.stop, 50), machine.bars.stop]


def test_a_command_that_is_given_has_an_instant_of_its_own() -> None:
    """Also between two bars, and it is told who gave it; what is past applies at the next instant."""
    setup, heard = drawn_setup(3, commands=[]), Heard()
    loop = EventLoop(SchedulerMachine(setup), [], [heard], block_bars=50)
    for _ in range(20):
        loop.step()
    between = loop.now_us + 17
    name = setup.schedules[0]
    loop.give(SuspendSchedule(at=EPOCH + timedelta(microseconds=between), schedule=name), "ann")
    loop.step()
    assert (loop.now_us, heard.events) == (between, [(between, "SuspendSchedule", "ann")])
    loop.give(Halt(at=EPOCH), "bob")
    following = loop.next_us()
    loop.step()
    assert heard.events[1] == (following, "Halt", "bob")
    assert loop.machine.state.mode.name == "halted"


def test_what_ends_by_itself_ends_at_its_instant() -> None:
    """Without waiting for a bar or a run, and nobody is said to have ended it."""
    setup, heard = drawn_setup(3, commands=[]), Heard()
    loop = EventLoop(SchedulerMachine(setup), [], [heard], block_bars=50)
    begin = setup.start_us + 5
    command = SuspendSchedule(
        at=EPOCH + timedelta(microseconds=begin), schedule=setup.schedules[0], duration_seconds=0.5
    )
    loop.give(command, "ann")
    while loop.now_us < begin + 500_000:
        loop.step()
    assert heard.events[1] == (begin + 500_000, "Expired", "")
    assert loop.machine.state.suspensions == ()


def test_at_the_end_there_is_nothing_left() -> None:
    """No step, no burst, no next instant."""
    setup = drawn_setup(1)
    loop = EventLoop(SchedulerMachine(setup), given(setup))
    while loop.burst():
        pass
    assert (loop.next_us(), loop.step(), loop.burst(), loop.is_between_bars) == (None, False, False, True)
