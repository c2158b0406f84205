"""The instants of some bars: opens, closes and due times, merged."""

from .._jit import kernel
from .loop import CLOSING, OPENING, TIME


@kernel
def fill_timeline(begin, end, opens, first_open, closes, first_close, cadences, timeline):
    """Write the instants from `begin`, which is one, to before `end`; returns how many there are.

    opens, closes: int64[·], rising, whose columns count from `first_open` and `first_close` on; cadences: int64[·], due
    times are multiples of them; timeline: int64[3, ·], with room for all.
    """
    count, now = 0, begin
    a, b = 0, 0
    while a < opens.size and opens[a] < begin:
        a += 1
    while b < closes.size and closes[b] < begin:
        b += 1
    while now < end:
        timeline[TIME, count], timeline[CLOSING, count], timeline[OPENING, count] = now, -1, -1
        if b < closes.size and closes[b] == now:
            timeline[CLOSING, count] = first_close + b
            b += 1
        if a < opens.size and opens[a] == now:
            timeline[OPENING, count] = first_open + a
            a += 1
        count += 1
        following = end
        if a < opens.size:
            following = min(following, opens[a])
        if b < closes.size:
            following = min(following, closes[b])
        for cadence in cadences:
            following = min(following, (now // cadence + 1) * cadence)
        now = following
    return count
