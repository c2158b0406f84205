"""What a venue says that cannot be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from barstep.errors import FeedError
from barstep.replay.channel.messages import Bar, FromVenue, Unfinished
from barstep.replay.live.adapter import VenueAdapter
from barstep.replay.live.greeting import legs_of
from world import World

SEED = 4


def bar(world: World, leg: int) -> Bar:
    return Bar(leg=leg, ts_us=world.start_us, open=10.0, high=12.0, low=9.0, close=11.0, volume=5.0)


def first_price(world: World, leg: int) -> Unfinished:
    told = {name: 10.0 for name in Unfinished.__struct_fields__ if name not in {"leg", "ts_us"}}
    return Unfinished(leg=leg, ts_us=world.start_us, **told)


@pytest.mark.parametrize("message", [bar, first_price])
@pytest.mark.parametrize("has_fallbacks", [False, True])
def test_a_leg_that_is_none_of_the_run_is_refused(
    message: Callable[[World, int], FromVenue], has_fallbacks: bool
) -> None:
    """Before it is anybody's place in an array: one below the first, and one after the last."""
    world = World(SEED, has_fallbacks)
    adapter, count = VenueAdapter(world.open()), len(legs_of(world.plan))
    for leg in (-1, count):
        with pytest.raises(FeedError, match=f"tells of leg {leg}; this run has {count}, from 0 on"):
            adapter.take(message(world, leg))
    assert adapter.take(message(world, count - 1)) is None
