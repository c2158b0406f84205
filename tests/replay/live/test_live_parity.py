"""That a live session decides as the other drivers do, and what is said where it does not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from barstep.replay.live.parity import AGAIN, LIVE, verify_live
from barstep.replay.live.session import LiveSession
from barstep.replay.parity import REPLAYED, VECTORISED
from planting import flip_a_carry
from recorded_world import as_journal, dearer, go_on
from world import World

HOUR_US = 3_600_000_000


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


class Late:
    """Some due times are an hour late, the others on time."""

    def drift_us(self, now_us: int) -> float:
        return 3.6e9 if now_us // HOUR_US % 3 == 0 else 0.0

    def excused(self, _now_us: int) -> Sequence[int]:
        return ()


LATE = Late()


def test_runs_that_were_skipped_for_drift_are_skipped_by_the_twins() -> None:
    """How late each run was stands in the journal; all drivers agree with it in force."""

    def late(session: LiveSession) -> None:
        session.loop.drift = LATE

    world = World(1)
    go_on(world, late)
    session = as_journal(world)
    skipped = [one for one in session.tail.records if b'"kind":"run"' in one and b'"reason":"drift"' in one]
    assert len(skipped) > 20
    parity = verify_live(session)
    assert parity.holds and parity.exact


def test_a_planted_defect_is_named_with_both_sides() -> None:
    """A bit of what an engine remembers is flipped: the first instant, with what the twin and the session decided."""
    heard = 0

    def plant(session: LiveSession) -> None:
        nonlocal heard
        heard += 1
        if heard == 600:
            flip_a_carry(session, 0)

    world = World(2)
    go_on(world, plant)
    parity = verify_live(as_journal(world))
    assert not parity.holds
    assert parity.divergence is not None and parity.diverged is not None
    assert set(parity.divergence.sides) == {VECTORISED, LIVE}
    one, other = parity.divergence.sides.values()
    assert one.bars == other.bars
    assert one.value != other.value
    assert parity.divergence.at <= str(parity.diverged)[str(parity.diverged).index("from ") + 5 :][:27]
