"""Windows to train in and to test in, by hand and by what must hold for all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from barstep.engine.walk_windows import Walk, Window
from barstep.errors import UsageError
from hypothesis import given
from hypothesis import strategies as st
from making import walk_bars


def places(window: Window) -> set[int]:
    """The bars that are trained on."""
    left_out = {place for start, stop in window.embargoes for place in range(start, stop)}
    return set(range(window.train_start, window.train_stop)) - left_out


def told(walk: Walk, bars: int) -> list[tuple[int, int, int, int]]:
    return [(w.train_start, w.train_stop, w.test_start, w.test_stop) for w in walk.windows(bars)]


def test_windows_roll_or_are_anchored() -> None:
    """Of 22 bars, 10 to train and 4 to test: three steps, from the same first bar or from one that moves on."""
    rolling = Walk(train_bars=10, test_bars=4)
    assert told(rolling, 22) == [(0, 10, 10, 14), (4, 14, 14, 18), (8, 18, 18, 22)]
    anchored = Walk(train_bars=10, test_bars=4, anchored=True)
    assert told(anchored, 22) == [(0, 10, 10, 14), (0, 14, 14, 18), (0, 18, 18, 22)]
    assert told(rolling, 25) == told(rolling, 22)


def test_steps_longer_than_a_test_leave_bars_between() -> None:
    """Each test begins a step after the one before."""
    assert told(Walk(train_bars=6, test_bars=4, step_bars=7), 25) == [(0, 6, 6, 10), (7, 13, 13, 17), (14, 20, 20, 24)]


def test_purged_bars_are_in_no_training_and_no_test() -> None:
    """Three bars before each test are left out of its training, which keeps its length."""
    walk = Walk(train_bars=10, test_bars=4, purge_bars=3)
    assert told(walk, 21) == [(0, 10, 13, 17), (4, 14, 17, 21)]


def test_an_embargo_follows_each_test() -> None:
    """Two bars after each earlier test are left out of what is trained on later."""
    first, second, third = Walk(train_bars=10, test_bars=4, embargo_bars=2).windows(22)
    assert (first.embargoes, second.embargoes, third.embargoes) == ((), (), ((14, 16),))
    assert (second.train_bars, third.train_bars) == (10, 8)
    *_, last = Walk(train_bars=10, test_bars=4, anchored=True, embargo_bars=2).windows(26)
    assert last.embargoes == ((14, 16), (18, 20))


def test_the_bars_of_a_training() -> None:
    """They are those of the history, with a gap where some are under embargo, and no return reads those."""
    bars = walk_bars(22)
    first, _, third = Walk(train_bars=10, test_bars=4, embargo_bars=2).windows(22)
    assert first.training(bars).ts_us.tolist() == bars.ts_us[:10].tolist()
    got = third.training(bars)
    assert got.ts_us.tolist() == bars.ts_us[[8, 9, 10, 11, 12, 13, 16, 17]].tolist()
    assert got.values[:5].tolist() == bars.values[:5, [8, 9, 10, 11, 12, 13, 16, 17]].tolist()
    assert got.values[5, 6] == pytest.approx(np.log(bars.close[16] / bars.close[13]))
    assert not got.is_gapless


@given(
    train=st.integers(2, 30), test=st.integers(4, 12), more=st.integers(0, 5), purge=st.integers(0, 6),
    embargo=st.integers(0, 4), anchored=st.booleans(), extra=st.integers(0, 60),
)  # fmt: skip
def test_what_holds_for_all_windows(
    train: int, test: int, more: int, purge: int, embargo: int, anchored: bool, extra: int
) -> None:
    """Nothing is trained on that is tested, purged, to come, or just behind an earlier test; no bar is tested twice."""
    walk = Walk(
        train_bars=train + 30, test_bars=test, step_bars=test + more, anchored=anchored, purge_bars=purge,
        embargo_bars=embargo,
    )  # fmt: skip
    bars = train + 30 + purge + test + extra
    windows = walk.windows(bars)
    tested: set[int] = set()
    for window in windows:
        assert max(places(window)) < window.test_start - purge
        assert len(places(window)) == window.train_bars
        for before in windows:
            if before.test_stop <= window.train_stop and before is not window:
                assert not places(window) & set(range(before.test_stop, before.test_stop + embargo))
        own = set(range(window.test_start, window.test_stop))
        assert len(own) == test
        assert not own & tested
        tested |= own
    assert max(tested) < bars
    assert max(tested) + test + more >= bars


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"train_bars": 1}, "train_bars is 1; allowed is a whole number from 2 on"),
        ({"test_bars": 3}, "test_bars is 3; allowed is a whole number from 4 on"),
        ({"train_bars": 2.5}, "train_bars is 2.5; allowed is a whole number"),
        ({"purge_bars": -1}, "purge_bars is -1; allowed is a whole number from 0 on"),
        ({"embargo_bars": True}, "embargo_bars is True; allowed is a whole number"),
        ({"step_bars": 4}, "step_bars is 4 and test_bars 5; tests that overlap cannot be stitched"),
        ({"train_bars": 96}, "train_bars 96, purge_bars 0 and test_bars 5 need 101 bars; the data has 100"),
        ({"embargo_bars": 20}, "embargo_bars is 20; it leaves 0 bars to train on before the test at bar 25"),
    ],
)
def test_refusals(given: dict[str, Any], text: str) -> None:
    """What cannot be is refused in one line."""
    with pytest.raises(UsageError, match=text):
        Walk(**{"train_bars": 10, "test_bars": 5, **given}).windows(100)
