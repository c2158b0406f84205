"""That a live session decides as the other drivers do, and what is said where it does not."""

from __future__ import annotations

import pytest
from barstep.replay.live.parity import AGAIN, LIVE, verify_live
from barstep.replay.parity import REPLAYED, VECTORISED
from recorded_world import as_journal, dearer, go_on
from world import World


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_all_drivers_agree_where_the_venue_fills_exactly(seed: int) -> None:
    """Vectorised, replayed, live, and live done again: the same digests of decisions, weights and equity."""
    world = World(seed)
    go_on(world)
    parity = verify_live(as_journal(world))
    assert parity.holds, parity.divergence
    assert parity.exact
    assert list(parity.digests) == [VECTORISED, REPLAYED, LIVE, AGAIN]
    assert len({tuple(one.values()) for one in parity.digests.values()}) == 1


def test_a_venue_that_fills_otherwise_is_held_against_itself() -> None:
    """Equity is another one; the session done again is the session, and the drivers agree with each other."""
    world = World(1)
    go_on(world, told=dearer)
    parity = verify_live(as_journal(world))
    assert parity.holds and not parity.exact
    assert parity.digests[VECTORISED] == parity.digests[REPLAYED] != parity.digests[LIVE]
    assert parity.digests[LIVE] == parity.digests[AGAIN]
