"""That a live run's shadow agrees with it, finds what was planted, and keeps nobody waiting."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np
import pytest
from barstep.config.schedulers import ShadowParity
from barstep.engine.bars import MICROSECONDS
from barstep.engine.scheduler.live_machine import LiveMachine
from barstep.engine.scheduler.machine import SchedulerMachine
from barstep.engine.scheduler.wishes_ahead import WishesAhead
from barstep.errors import FeedError
from barstep.replay.adapter_log import AdapterLog
from barstep.replay.channel.service import Stream
from barstep.replay.clock import SimulatedClock
from barstep.replay.live.backing_off import BackOff
from barstep.replay.live.running import ConnectedSession
from barstep.replay.live.session import LiveSession
from barstep.replay.live.shadow import BY_SHADOW, SLICE_US, Shadow
from barstep.replay.live.shadow import shadow_of as configured_shadow
from journal_making import records
from msgspec.structs import replace
from planting import flip_a_carry
from recorded_world import FILES, dearer, go_on
from world import World

SEEDS = int(os.environ.get("SEEDS", "1"))

DAY_US = 86_400 * MICROSECONDS
EACH_HOUR = ShadowParity(every=3600.0)
HALTING = ShadowParity(every=3600.0, on_difference="halt")


def shadow_of(world: World, session: LiveSession, wanted: ShadowParity = EACH_HOUR) -> Shadow:
    return Shadow(session, wanted, FILES, SimulatedClock(), world.disk)


def looking(world: World, wanted: ShadowParity, every: int = 700) -> tuple[list[Shadow], Callable[[LiveSession], None]]:
    """The shadow of a world's run, once it is open, and what looks after each so many messages."""
    shadows: list[Shadow] = []
    heard = 0

    def between(session: LiveSession) -> None:
        nonlocal heard
        heard += 1
        if not shadows:
            shadows.append(shadow_of(world, session, wanted))
        if heard % every == 0:
            session.commit()
            shadows[0].look()

    return shadows, between


@pytest.mark.parametrize("seed", [4, 9, 10, *range(1, SEEDS)])
def test_a_sound_run_has_no_differences_and_no_gap(seed: int) -> None:
    """Where the venue fills as a backtest does, the shadow's equity is the live one to the bit."""
    world = World(seed)
    shadows, between = looking(world, HALTING)
    go_on(world, between)
    (shadow,) = shadows
    assert shadow.looks > 2
    assert (shadow.differences, shadow.equity_gap, shadow.last) == (0, 0.0, None)
    assert not [record for _, record in records(world.disk, FILES) if record["kind"] == "incident"]


def test_fills_at_other_prices_are_a_gap_and_no_difference() -> None:
    """A venue that fills worse costs equity; nothing is recorded and nobody is halted."""
    world = World(1)
    shadows, between = looking(world, HALTING)
    session = go_on(world, between, told=dearer)
    (shadow,) = shadows
    shadow.look()
    assert shadow.differences == 0
    twin = World(1)
    exact = go_on(twin)
    last = session.machine.taken.stop - 1 - session.machine.bars.start
    assert shadow.equity_gap < 0.0
    assert session.machine.curve[last] < exact.machine.curve[last]


@pytest.mark.parametrize("plants", [False, True])
@pytest.mark.usefixtures("no_rings")
def test_a_look_leaves_nothing_behind(plants: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machines are gone when it is over, also where it found a difference: there is a look each few minutes."""
    made: list[Any] = []
    heard = 0

    def between(session: LiveSession) -> None:
        nonlocal heard
        heard += 1
        if plants and heard == 600:
            assert flip_a_carry(session, 0)

    def watched(machine: type[SchedulerMachine]) -> Callable[..., SchedulerMachine]:
        def make(*words: Any, **named: Any) -> SchedulerMachine:
            one = machine(*words, **named)
            made.append(ref(one))
            return one

        return make

    world = World(3)
    shadow = shadow_of(world, go_on(world, between))
    monkeypatch.setattr("barstep.replay.live.again.LiveMachine", watched(LiveMachine))
    monkeypatch.setattr("barstep.replay.live.shadow_day.SchedulerMachine", watched(SchedulerMachine))
    shadow.look()
    assert (shadow.looks, shadow.differences) == (1, int(plants))
    assert len(made) == (2 if plants else 4)
    assert {machine() for machine in made} == {None}


def test_the_day_begins_at_the_last_checkpoint_before_midnight(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done again is what the journal holds since then, through later segments; not what was before."""
    monkeypatch.setattr("barstep.replay.journal.writer.SEGMENT_RECORDS", 100)
    world = World(1)
    session = go_on(world)
    day_us = session.loop.now_us // DAY_US * DAY_US
    shadow = shadow_of(world, session)
    days: list[Any] = []
    monkeypatch.setattr(shadow, "_take", days.append)
    shadow.look()
    (day,) = days
    assert day.difference is None
    written = records(world.disk, FILES)
    checkpoints = [n for n, (_, record) in enumerate(written) if record["kind"] == "checkpoint"]
    before = [n for n in checkpoints if day._tail.checkpoint["at"] == written[n][1]["at"]]
    assert day._tail.now_us < day_us
    assert written[checkpoints[-1]][1]["at"] >= day._tail.checkpoint["at"]
    kinds = [record["kind"] for _, record in written[before[-1] + 1 :]]
    assert len(list(day._tail.records)) == len([kind for kind in kinds if kind != "checkpoint"])


@pytest.mark.parametrize(("seed", "on_difference"), [(1, "halt"), (2, "halt"), (3, "halt"), (3, "record")])
def test_a_planted_defect_is_found_named_and_halts_that_strategy(seed: int, on_difference: Any) -> None:
    """A bit of a carry is flipped in the live machine: the incident names its schedule, and its strategy goes off."""
    world = World(seed)
    wanted = ShadowParity(every=3600.0, on_difference=on_difference)
    shadows, look = looking(world, wanted)
    heard, planted = 0, False

    def between(session: LiveSession) -> None:
        nonlocal heard, planted
        heard += 1
        if heard == 600:
            planted = flip_a_carry(session, 0)
        look(session)

    session = go_on(world, between)
    assert planted
    (shadow,) = shadows
    resolved = session.machine.setup.resolved[0]
    assert shadow.differences == 1
    assert shadow.last is not None and shadow.last.schedule == resolved.name
    written = [record for _, record in records(world.disk, FILES)]
    (incident,) = [record for record in written if record["kind"] == "incident"]
    assert incident["by"] == BY_SHADOW and incident["category"] == "incident"
    assert incident["strategies"] == [resolved.strategy.name]
    assert incident["live"] != incident["shadow"]
    assert resolved.name in incident["message"]
    told = [record for record in written if record["kind"] == "command" and record["by"] == BY_SHADOW]
    assert [record["command"]["strategy"] for record in told] == (
        [resolved.strategy.name] if on_difference == "halt" else []
    )
    assert {one.strategy for one in session.machine.state.disabled} == {
        record["command"]["strategy"] for record in told
    }


def test_the_live_wishes_are_made_anew_in_whole_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shadow's engines see many bars in one call, and none bar by bar."""
    blocks: list[tuple[int, int]] = []
    make = WishesAhead._make_block

    def counted(self: WishesAhead) -> None:
        make(self)
        blocks.append((self._first, self._stop))

    monkeypatch.setattr(WishesAhead, "_make_block", counted)
    world = World(1)
    session = go_on(world)
    shadow_of(world, session).look()
    assert blocks
    assert max(stop - first for first, stop in blocks) > 100


class TickingClock(SimulatedClock):
    """A clock that goes on by a tenth of a millisecond whenever it is asked."""

    def monotonic_us(self) -> int:
        self.elapsed_us += 100
        return self.elapsed_us


def test_a_slice_ends_after_its_time_and_goes_on_in_the_next() -> None:
    """A look takes many slices, each of as many pieces as fit; what it finds is the same."""
    world = World(1)
    session = go_on(world)
    clock = TickingClock()
    shadow = Shadow(session, EACH_HOUR, FILES, clock, world.disk)
    shadow._next_us = session.loop.now_us
    slices = 0
    while shadow.looks == 0:
        before = clock.elapsed_us
        shadow.slice()
        worked = clock.elapsed_us - before
        slices += worked > 100
        assert worked <= SLICE_US + 200
    assert slices > 20
    assert (shadow.differences, shadow.equity_gap) == (0, 0.0)


def test_it_looks_when_its_time_has_come_and_not_before() -> None:
    """Multiples of `every` since the epoch, by event time."""
    world = World(1)
    session = go_on(world, messages=200)
    shadow = shadow_of(world, session, ShadowParity(every=86_400.0))
    shadow.slice()
    assert shadow._look is None
    shadow._next_us = session.loop.now_us
    while shadow.looks == 0:
        shadow.slice()
    assert shadow._next_us == (session.loop.now_us // DAY_US + 1) * DAY_US


def unreadable() -> None:
    raise OSError("no such disk")


def test_what_is_wrong_with_the_shadow_does_not_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal says so, once; the next look is made all the same."""
    world = World(1)
    session = go_on(world, messages=400)
    shadow = shadow_of(world, session)
    with monkeypatch.context() as patched:
        patched.setattr(world.kept, "read", unreadable)
        shadow.look()
        shadow.look()
    incidents = [record for _, record in records(world.disk, FILES) if record["kind"] == "incident"]
    assert [one["message"] for one in incidents] == ["the shadow could not look at the day: OSError: no such disk"]
    shadow.look()
    assert (shadow.looks, shadow.differences) == (1, 0)


def no_venue() -> Stream:
    raise FeedError("nobody is there.")


def test_a_run_gives_its_shadow_slices_also_while_it_is_cut_off() -> None:
    """Between looks at what comes; the look is finished although no venue can be reached."""
    world = World(1)
    session = go_on(world, messages=900)
    clock = SimulatedClock()
    run = ConnectedSession(session, no_venue, clock, BackOff(np.random.default_rng(1)), AdapterLog(None, clock))
    run.shadow = shadow = Shadow(session, EACH_HOUR, FILES, clock, world.disk)
    shadow._next_us = session.loop.now_us
    run.run(lambda: shadow.looks > 0)
    assert (shadow.looks, shadow.differences) == (1, 0)


def test_a_shadow_is_there_where_it_is_configured() -> None:
    """Off by default; by the scheduler's own words where it has them."""
    world = World(1)
    session = go_on(world, messages=50)
    assert configured_shadow(session, FILES, SimulatedClock(), world.disk) is None
    setup = session.machine.setup
    object.__setattr__(setup, "scheduler", replace(setup.scheduler, shadow_parity=HALTING))
    shadow = configured_shadow(session, FILES, SimulatedClock(), world.disk)
    assert shadow is not None
    shadow.look()
    assert shadow.looks == 1
