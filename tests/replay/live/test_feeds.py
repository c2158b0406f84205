"""Fallbacks of a live run: what is read is what the rule of recorded bars says, and a restart knows where it stood."""

from __future__ import annotations

import os
from functools import cache

import msgspec
import numpy as np
import pytest
from barstep.config.commands import UseFeed
from barstep.config.durations import instant_at
from barstep.engine.fallback import FeedUse, merge
from barstep.replay.catching_up import CatchUp
from barstep.replay.journal.record import at_us, fields_of
from barstep.replay.live.again import COMPARED, Again, set_up_again
from barstep.replay.live.session import LiveSession
from barstep.replay.live.tail import whole_tail
from journal_making import LOG
from sim_world import ROUGH, SimWorld
from twins import FILES, records

SEEDS = int(os.environ.get("SEEDS", "1"))


@cache
def live_with_fallbacks(seed: int) -> tuple[SimWorld, LiveSession, list[tuple[int, UseFeed]]]:
    """A rough run in which an operator holds the first instrument on its fallback for a day, in the middle.

    It is made once for all tests that look at it.
    """
    world = SimWorld(seed, ROUGH, has_fallbacks=True)
    at = [world.start_us + hours * 3_600_000_000 + 900_000_000 for hours in (60, 84)]
    name = next(iter(world.plan.primary))
    words = [
        (moment, UseFeed(at=instant_at(moment), feed=feed, instrument=name))
        for moment, feed in zip(at, ("fallback", "primary"), strict=True)
    ]
    return world, world.live(words), words


@pytest.mark.parametrize("seed", [9, 1] if SEEDS > 1 else [9])
def test_bars_are_those_of_the_rule(seed: int) -> None:
    """Whatever the wire did, each instrument's bars are what `merge` makes of both feeds and the operator's words."""
    world, session, _ = live_with_fallbacks(seed)
    told = [fields_of(one) for one in records(world.disk) if b'"use_feed"' in one]
    uses = [FeedUse(at_us=at_us(one["at"]), feed=one["command"]["feed"]) for one in told]
    assert [use.feed for use in uses] == ["fallback", "primary"]
    legs, history = world.kept.read(), session.machine.setup.history.so_far()
    own = len(world.plan.names)
    for i, (name, bars) in enumerate(zip(world.plan.primary, history.instruments, strict=False)):
        wanted = merge(legs[i], legs[own + i], uses if i == 0 else ())
        assert np.array_equal(bars.ts_us, wanted.bars.ts_us), name
        assert np.array_equal(bars.values[:5], wanted.bars.values[:5], equal_nan=True), name
    changes = [fields_of(one) for one in records(world.disk) if one.startswith(b'"kind":"feed"')]
    assert any(one["reason"] == "commanded" for one in changes)
    assert {one["feed"] for one in changes if one["change"] == "fallback"} == {"f"}


def test_all_of_it_is_made_again() -> None:
    """From its first record on, with the bars that are kept, every record comes out the same."""
    world, session, _ = live_with_fallbacks(9)
    session.commit()
    tail, bars = whole_tail(FILES, world.disk), world.kept.read()
    setup, feeds = set_up_again(world.plan, bars, world.start_us, tail, 1, world.options)
    ledger = CatchUp(tail.records, None, COMPARED)
    Again(setup, feeds, bars, tail, LOG, ledger).do()
    assert ledger.compared == sum(1 for one in tail.records if fields_of(one)["kind"] in COMPARED) > 100


def test_a_fallback_is_told_to_the_venue() -> None:
    """It is a leg of its own, after the instruments and the second legs."""
    world = SimWorld(1, has_fallbacks=True)
    names = [leg.name for leg in world.hello().legs]
    assert names[len(world.plan.names) :] == [f"fallback:{name}" for name in world.plan.primary]
    assert msgspec.msgpack.encode(world.hello())
