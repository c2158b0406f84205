"""The switch between a feed and its fallback, an interval at a time: the same as over the whole history."""

from __future__ import annotations

import json

import numpy as np
import pytest
from barstep.engine.bars import Bars
from barstep.engine.fallback import FeedChange, FeedUse, merge
from barstep.engine.feed_switch import FeedSwitch
from barstep.errors import UsageError
from hypothesis import given
from hypothesis import strategies as st
from making import HOUR_US, START_US, bars_of

N = 30
PICTURES = st.text("x.", min_size=N, max_size=N)
GAPS = st.lists(st.tuples(st.sampled_from("x."), st.integers(1, 5)), min_size=N).map(
    lambda runs: "".join(mark * count for mark, count in runs)[:N]
)
FEEDS = st.one_of(PICTURES, GAPS)
WORDS = st.lists(
    st.builds(
        FeedUse,
        at_us=st.integers(-2 * 4, (N + 2) * 4).map(lambda quarter: START_US + quarter * HOUR_US // 4),
        feed=st.sampled_from(["primary", "fallback"]),
    ),
    max_size=6,
).map(lambda uses: sorted(uses, key=lambda use: use.at_us))


def feed(picture: str, venue: str, level: float) -> Bars:
    hours = [hour for hour, mark in enumerate(picture) if mark == "x"]
    return bars_of([level + hour for hour in hours], hours=hours, venue=venue)


def close_us(hour: int) -> int:
    return START_US + (hour + 1) * HOUR_US


def heard(switch: FeedSwitch, primary: str, fallback: str, hours: range) -> tuple[str, list[FeedChange]]:
    """Which feed each interval's bar is from, and the changes."""
    marks, changes = "", []
    for hour in hours:
        told = switch.hear(close_us(hour), has_primary=primary[hour] == "x", has_fallback=fallback[hour] == "x")
        marks += told.taken[0] if told.taken else "."
        changes += [told.change] if told.change else []
    return marks, changes


def merged(primary: str, fallback: str, uses: list[FeedUse]) -> tuple[str, list[FeedChange]]:
    """The same from the vectorised rule."""
    whole = merge(feed(primary, "p", 100.0), feed(fallback, "f", 200.0), uses)
    marks = ["."] * N
    for ts_us, is_other in zip(whole.bars.ts_us.tolist(), whole.from_fallback.tolist(), strict=True):
        marks[(ts_us - START_US) // HOUR_US] = "f" if is_other else "p"
    return "".join(marks), list(whole.changes)


@given(FEEDS.filter(lambda text: "x" in text), FEEDS, WORDS)
def test_it_is_the_vectorised_rule(primary: str, fallback: str, uses: list[FeedUse]) -> None:
    """On random gaps, also without any bar of the fallback, and random words that are all said before."""
    switch = FeedSwitch("X", "p", "f")
    for use in uses:
        switch.use(use)
    assert heard(switch, primary, fallback, range(N)) == merged(primary, fallback, uses)


@given(FEEDS.filter(lambda text: "x" in text), FEEDS, WORDS, st.integers(0, N))
def test_words_may_come_as_late_as_they_hold_and_a_checkpoint_between(
    primary: str, fallback: str, uses: list[FeedUse], cut: int
) -> None:
    """Each said right before the first interval that it holds for, and the switch restored from JSON in between."""
    switch, marks, changes = FeedSwitch("X", "p", "f"), "", []
    for hour in range(N):
        for use in uses:
            if close_us(hour - 1) < use.at_us <= close_us(hour) or (hour == 0 and use.at_us <= close_us(-1)):
                switch.use(use)
        if hour == cut:
            state = json.loads(json.dumps(switch.state()))
            switch = FeedSwitch("X", "p", "f")
            switch.restore(state)
            assert switch.state() == state
        mark, more = heard(switch, primary, fallback, range(hour, hour + 1))
        marks, changes = marks + mark, changes + more
    assert (marks, changes) == merged(primary, fallback, uses)


@given(FEEDS.filter(lambda text: "x" in text), FEEDS, WORDS)
def test_intervals_without_a_bar_may_be_left_out(primary: str, fallback: str, uses: list[FeedUse]) -> None:
    """They say nothing, and words that fall into them wait."""
    whole, sparse = FeedSwitch("X", "p", "f"), FeedSwitch("X", "p", "f")
    for use in uses:
        whole.use(use)
        sparse.use(use)
    marks, changes = heard(whole, primary, fallback, range(N))
    hours = [hour for hour in range(N) if "x" in primary[hour] + fallback[hour]]
    told = [heard(sparse, primary, fallback, range(hour, hour + 1)) for hour in hours]
    assert "".join(one[0] for one in told) == "".join(marks[hour] for hour in hours)
    assert [change for one in told for change in one[1]] == changes
    assert whole.state() == sparse.state()


def test_by_hand() -> None:
    """A stall, a recovery and an operator's word, with what is told of each."""
    switch = FeedSwitch("X", "p", "f")
    switch.use(FeedUse(at_us=close_us(8), feed="fallback"))
    marks, changes = heard(switch, "xx...xxxxx", "xxxxxxxxxx", range(10))
    assert marks == "pp.fffppff"
    named = {"instrument": "X"}
    assert changes == [
        FeedChange(at_us=close_us(3), change="fallback", feed="f", before="p", reason="stalled", **named),
        FeedChange(at_us=close_us(6), change="primary", feed="p", before="f", reason="recovered", **named),
        FeedChange(at_us=close_us(8), change="fallback", feed="f", before="p", reason="commanded", **named),
    ]
    assert switch.feed == "fallback"


def test_a_word_that_comes_too_late_is_refused() -> None:
    """Bars that were taken stay as they were."""
    switch = FeedSwitch("X", "p", "f")
    switch.hear(close_us(0), has_primary=True, has_fallback=True)
    with pytest.raises(UsageError, match=r"feed of X cannot be changed at 2024-01-01T01:00:00\+00:00: bars up to"):
        switch.use(FeedUse(at_us=close_us(0), feed="fallback"))
    switch.use(FeedUse(at_us=close_us(0) + 1, feed="fallback"))
    assert switch.feed == "primary"
    assert switch.hear(close_us(1), has_primary=True, has_fallback=False).taken is None
    assert switch.feed == "fallback"


def test_what_a_word_says_without_any_bar_of_the_fallback_does_not_hang_on_later_ones() -> None:
    """The whole history and a shorter one agree where the fallback begins after the cut."""
    uses = [FeedUse(at_us=close_us(1), feed="fallback")]
    own, other = feed("xxxxxxxx", "p", 100.0), feed("......xx", "f", 200.0)
    whole = merge(own, other, uses)
    shorter = merge(own.part(0, 5), other.part(0, 0), uses)
    assert whole.bars.ts_us[:1].tolist() == shorter.bars.ts_us.tolist()
    assert np.array_equal(whole.changes, shorter.changes)
