"""When a feed stalls over to its fallback: by hand, against a plain walk, and whatever comes later."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.engine.bars import Bars
from barstep.engine.fallback import FeedChange, FeedUse, merge
from barstep.errors import DataError
from hypothesis import given
from hypothesis import strategies as st
from making import HOUR_US, START_US, bars_of, part_of
from plain_feeds import PlainFeed

N = 24


def feed(hours: list[int], venue: str, level: float) -> Bars:
    """A bar at each of these hours, its close telling the hour and the feed."""
    return bars_of([level + hour for hour in hours], hours=hours, venue=venue)


def both(primary: str, fallback: str) -> tuple[Bars, Bars]:
    """Two feeds as pictures: `x` where there is a bar."""
    hours = ([hour for hour, mark in enumerate(text) if mark == "x"] for text in (primary, fallback))
    return feed(next(hours), "p", 100.0), feed(next(hours), "f", 200.0)


def picture(primary: str, fallback: str, *uses: FeedUse) -> str:
    """Which feed each hour's bar is from: `p`, `f`, or `.` where there is none."""
    own, other = both(primary, fallback)
    merged = merge(own, other, uses)
    marks = ["."] * max(len(primary), len(fallback))
    for ts_us, close, is_other in zip(merged.bars.ts_us, merged.bars.close, merged.from_fallback, strict=True):
        hour = int(ts_us - START_US) // HOUR_US
        assert close == (200.0 if is_other else 100.0) + hour
        marks[hour] = "f" if is_other else "p"
    return "".join(marks)


def use(hour: int, name: str) -> FeedUse:
    """The operator's word at the open of an hour, which is the close of the hour before."""
    return FeedUse(at_us=START_US + hour * HOUR_US, feed="fallback" if name == "f" else "primary")


@pytest.mark.parametrize(
    ("primary", "fallback", "given_by"),
    [
        ("xxxxxxxx", "xxxxxxxx", "pppppppp"),
        ("xxx.xxxx", "xxxxxxxx", "ppp.pppp"),  # one bar is missing: no stall
        ("xxx...xxxx", "xxxxxxxxxx", "ppp.fffppp"),  # the second missing one is the fallback's first
        ("xx...x.x.xx", "xxxxxxxxxxx", "pp.fffffffp"),  # one bar alone is no recovery
        ("xx......xx", "xx......xx", "pp......pp"),  # both are silent: a night is no stall
        ("xx......xx", "xx..x..xxx", "pp.....ffp"),  # of what the fallback has, hours 4 and 7 are the missing ones
        ("xx....xx", "xx.x.xxx", "pp...ffp"),  # hours in which neither has a bar say nothing
        ("xx....x.xx", "xxxxxx....", "pp.fff..pp"),  # a silent fallback gives way as soon as two are there again
        ("..xxxx", "xxxxxx", "..pppp"),  # the history begins with the primary
        ("xxxx", "xxxxxxxx", "pppp.fff"),  # and need not end with it
        ("x.x.x.x.", "xxxxxxxx", "p.p.p.p."),  # every second bar is missing: never two in a row
    ],
)
def test_by_hand(primary: str, fallback: str, given_by: str) -> None:
    """Two of its bars in a row are missing: the fallback is read; two are there again: the primary is."""
    assert picture(primary, fallback) == given_by


def test_an_operator_s_word_holds() -> None:
    """From the bars that close then on; the fallback until told otherwise, the primary until it stalls afresh."""
    assert picture("xxxxxxxx", "xxxxxxxx", use(3, "f")) == "ppffffff"
    assert picture("xxxxxxxx", "xxxxxxxx", use(3, "f"), use(6, "p")) == "ppfffppp"
    assert picture("xx......", "xxxxxxxx", use(5, "p")) == "pp.f.fff"
    assert picture("xxxxxxxx", "xx...xxx", use(2, "f")) == "pf...fff"
    assert picture("xxxxxxxx", "xxxxxxxx", use(99, "f")) == "pppppppp"


def test_changes_tell_when_and_why() -> None:
    """The close of the first interval from there; both venues and the reason."""
    merged = merge(*both("xx...xxxxx", "xxxxxxxxxx"), [use(9, "f")])
    named = {"instrument": "X"}
    assert merged.changes == (
        FeedChange(at_us=START_US + 4 * HOUR_US, change="fallback", feed="f", before="p", reason="stalled", **named),
        FeedChange(at_us=START_US + 7 * HOUR_US, change="primary", feed="p", before="f", reason="recovered", **named),
        FeedChange(at_us=START_US + 9 * HOUR_US, change="fallback", feed="f", before="p", reason="commanded", **named),
    )


def test_nothing_is_made_anew_where_nothing_was_missing() -> None:
    """The primary's bars are the same object, with their digest, with and without a fallback, and with single gaps."""
    own, other = both("xxxxxx", "xxxxxx")
    holed, _ = both("xx.xxx", "x")
    assert merge(own, other).bars is own
    assert merge(own, None).bars is own
    assert merge(holed, other).bars is holed
    assert merge(holed, None).changes == ()
    assert merge(own, part_of(other, 0, 0)).bars is own


def test_returns_are_those_of_the_merged_closes() -> None:
    """A bar's return is from the close before it, whichever feed that was."""
    bars = merge(*both("xx...xx", "xxxxxxx")).bars
    expected = np.diff(np.log(bars.close))
    np.testing.assert_allclose(bars.values[5, 1:], expected, rtol=1e-12)
    assert (bars.symbol, bars.venue, bars.digest) == ("X", "p", "")


def test_feeds_that_open_at_other_times_are_refused() -> None:
    """Where bars of one interval close at different instants, neither can tell that the other one is missing."""
    own, _ = both("x...xxxx", "x")
    other = bars_of(np.ones(8), hours=[hour + 0.5 for hour in range(8)], venue="f")
    with pytest.raises(DataError, match=r"p X and its fallback f open at different times: 2024-01-01T00:00:00.000000Z"):
        merge(own, other)


def plain(primary: str, fallback: str, uses: list[tuple[int, str]]) -> str:
    state, marks, begun = PlainFeed(), "", False
    for hour in range(N):
        for at, name in uses:
            if at == hour + 1:
                state.told(name)
        begun = begun or primary[hour] == "x"
        marks += state.hear(primary[hour] == "x", fallback[hour] == "x") if begun else "."
    return marks


PICTURES = st.text("x.", min_size=N, max_size=N)
USES = st.lists(st.tuples(st.integers(1, N + 2), st.sampled_from("pf")), max_size=3, unique_by=lambda one: one[0])


@given(PICTURES.filter(lambda text: "x" in text), PICTURES, USES.map(sorted))
def test_a_plain_walk_gives_the_same(primary: str, fallback: str, uses: list[tuple[int, str]]) -> None:
    """On random gaps and words of an operator, who may speak before the history begins and after it ends."""
    assert picture(primary, fallback, *(use(*one) for one in uses)) == plain(primary, fallback, uses)


@given(PICTURES.filter(lambda text: "x" in text), PICTURES, USES.map(sorted), st.data())
def test_what_comes_later_changes_nothing_before(
    primary: str, fallback: str, uses: list[tuple[int, str]], data: st.DataObject
) -> None:
    """Cut both feeds anywhere: the bars and the changes until then are the same."""
    own, other = both(primary, fallback)
    whole = merge(own, other, [use(*one) for one in uses])
    cut_us = START_US + data.draw(st.integers(primary.index("x") + 1, N)) * HOUR_US
    shorter = [part_of(one, 0, int(np.searchsorted(one.closes_us, cut_us, "right"))) for one in (own, other)]
    seen = merge(*shorter, [use(*one) for one in uses])
    count = int(np.searchsorted(whole.bars.closes_us, cut_us, "right"))
    assert seen.bars.values.tobytes() == part_of(whole.bars, 0, count).values.tobytes()
    assert seen.bars.ts_us.tolist() == whole.bars.ts_us[:count].tolist()
    assert seen.changes == tuple(change for change in whole.changes if change.at_us <= cut_us)
