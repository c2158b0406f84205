"""A scheduler in event time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import barstep as bs
import pytest
from barstep.config.commands import Halt, SuspendSchedule
from barstep.config.reading import PACKAGED
from barstep.engine.scheduler.machine import SchedulerMachine
from barstep.engine.scheduler.transitions import Event
from barstep.errors import UsageError
from barstep.replay.clock import SimulatedClock
from barstep.replay.drift import MeasuredDrift
from barstep.replay.event_loop import HELD_INSTANTS, EventLoop
from barstep.replay.session import given
from replays import FILES, drawn_setup, open_session, vectorised
from simulated_disk import SimulatedDisk

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


@pytest.mark.parametrize("block_bars", [0, -5])
def test_no_bars_at_a_time_are_refused(block_bars: int) -> None:
    """It would never come to the end; a session says so before its journal is made."""
    disk = SimulatedDisk()
    with pytest.raises(UsageError, match=f"block_bars is {block_bars}; allowed is 1 or more"):
        open_session(drawn_setup(0), disk, block_bars=block_bars)
    assert not disk.names(FILES.open_segment.parent)


@pytest.mark.parametrize("block_bars", [1, 7, 100])
def test_no_more_bars_are_taken_than_the_machine_has_room_for(block_bars: int) -> None:
    """A session's own blocks are longer than those that the setup was asked to have."""
    span = {"end": "2023-01-08"}
    expected = bs.backtest_scheduler(PACKAGED, "core_multi", **span).digests
    assert bs.replay(PACKAGED, "core_multi", block_bars=block_bars, **span).digests == expected


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


class Written(Heard):
    """Keeps what it is to write, and where it was made durable."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[int] = []

    def commit(self) -> None:
        self.commits.append(len(self.instants))


def test_what_nobody_watches_is_written_in_bursts_that_end_before_the_next_event() -> None:
    """Every instant is written, at most so many wait for a commit, and none waits for one after the next event."""
    setup, written = drawn_setup(3, commands=[]), Written()
    loop = EventLoop(SchedulerMachine(setup), given(setup), writer=written, block_bars=50)
    assert loop.advance()
    first = len(written.instants)
    between = loop.now_us + 17
    loop.give(Halt(at=EPOCH + timedelta(microseconds=between)), "ann")
    assert written.commits == [first]
    while loop.advance():
        pass
    assert written.instants == sorted(set(written.instants)) and between in written.instants
    assert written.commits[-1] == len(written.instants) and written.commits == sorted(set(written.commits))
    sizes = [after - before for before, after in pairwise([0, *written.commits])]
    assert 1 < max(sizes) <= HELD_INSTANTS
    assert written.instants[first] == between and written.events == [(between, "Halt", "ann")]


def test_what_somebody_watches_is_durable_before_they_hear_of_it() -> None:
    """An instant at a time."""

    class Watching(Heard):
        def instant(self, now_us: int, place: int) -> None:
            assert written.commits[-1] == len(written.instants) and written.instants[-1] == now_us
            super().instant(now_us, place)

    setup, written, heard = drawn_setup(3), Written(), Watching()
    loop = EventLoop(SchedulerMachine(setup), given(setup), [heard], writer=written, block_bars=50)
    while loop.advance():
        pass
    assert heard.instants == written.instants and heard.blocks == written.blocks
    assert written.commits == list(range(1, len(written.instants) + 1))


class Still:
    """Measures nothing."""

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


def test_what_is_timed_or_late_is_done_an_instant_at_a_time() -> None:
    """A burst would be measured as one, and be late as one."""
    setup, written = drawn_setup(3), Written()
    loop = EventLoop(SchedulerMachine(setup), given(setup), writer=written, block_bars=50)
    loop.timer = Still()
    for _ in range(5):
        loop.advance()
    loop.timer, loop.drift = None, MeasuredDrift(SimulatedClock(setup.start_us))
    for _ in range(5):
        loop.advance()
    assert written.commits == list(range(1, 11))


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


def test_a_command_given_at_once_has_the_moment_nearest_to_the_wanted_one() -> None:
    """After what is done and before what comes next; at the start the start itself, and nothing else is done then."""
    setup, heard = drawn_setup(3, commands=[]), Heard()
    loop = EventLoop(SchedulerMachine(setup), [], [heard], block_bars=50)
    assert loop.moment_us(loop.now_us + 10**15) == setup.start_us
    loop.give_at_once(Halt(at=EPOCH + timedelta(microseconds=setup.start_us)), "ann")
    assert (heard.instants, loop.machine.state.mode.name) == ([], "halted")
    for _ in range(20):
        loop.step()
    done, following = loop.now_us, loop.next_us()
    assert following is not None
    moments = [loop.moment_us(wanted) for wanted in (0, done + 5, following + 5)]
    assert moments == [done + 1, done + 5, following - 1]
    loop.give_at_once(
        SuspendSchedule(at=EPOCH + timedelta(microseconds=moments[1]), schedule=setup.schedules[0]), "bob"
    )
    assert (loop.now_us, heard.events[-1]) == (done + 5, (done + 5, "SuspendSchedule", "bob"))
    for wrong in (done + 5, following):
        with pytest.raises(UsageError, match="cannot be applied at once"):
            loop.give_at_once(Halt(at=EPOCH + timedelta(microseconds=wrong)), "bob")


def test_a_command_between_two_blocks_takes_no_bars() -> None:
    """It needs none that is still to come."""
    setup = drawn_setup(3, commands=[])
    loop = EventLoop(SchedulerMachine(setup), [], block_bars=5)
    while not (loop.is_between_bars and loop.has_begun):
        loop.step()
    before = loop.next_bar
    loop.give_at_once(Halt(at=EPOCH + timedelta(microseconds=loop.moment_us())), "ann")
    assert (loop.next_bar, loop.is_between_bars, loop.machine.state.mode.name) == (before, True, "halted")


def test_after_the_end_a_command_has_an_instant_and_nothing_else_does() -> None:
    """No run is due then, and a command of the start that lies after the end never applies."""
    setup, heard = drawn_setup(3, commands=[]), Heard()
    loop = EventLoop(SchedulerMachine(setup), [], [heard], block_bars=50)
    while loop.step():
        pass
    decided = loop.machine.tables.counts()
    for _ in range(3):
        loop.give_at_once(Halt(at=EPOCH + timedelta(microseconds=loop.moment_us(2**60))), "ann")
    assert loop.machine.state.mode.name == "halted"
    assert loop.machine.tables.counts()[0] == decided[0]
    assert loop.now_us - heard.instants[-4] == 3
    late = Halt(at=EPOCH + timedelta(microseconds=setup.end_us + 1))
    assert given(drawn_setup(3, commands=[{"command": "halt", "at": late.at}])) == []
