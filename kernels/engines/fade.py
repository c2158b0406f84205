"""The one state machine of engines that fade an excursion: enter beyond a threshold, leave inside another."""

from .._jit import kernel


@kernel
def advance_fade(excursion, side, armed, timed_out, entry, leave, may_enter, allow_short):
    """One bar. Returns (side, armed).

    Long (+1) below -entry and short (-1) above +entry, until the excursion is back inside `leave` or beyond it on the
    other side, or the time is up. After a time-out the excursion must first come back inside `entry` (armed): or
    the position would be taken again on the very next bar. A NaN excursion changes nothing but the clock.
    """
    size = abs(excursion)
    if side != 0.0:
        if excursion * side >= -leave:
            side, armed = 0.0, 1.0
        elif timed_out:
            side, armed = 0.0, 0.0
    if size < entry:
        armed = 1.0
    if side == 0.0 and armed != 0.0 and may_enter and size >= entry:
        side = 1.0 if excursion < 0.0 else -1.0
        if side < 0.0 and not allow_short:
            side = 0.0
    return side, armed


@kernel
def is_quiet(excursion, side, entry, leave):
    """True where a bar changes no side: flat inside the entry threshold, or held beyond the leaving one.

    Most bars are, so an engine asks this first and spares the rest of the state machine.
    """
    if side == 0.0:
        return abs(excursion) < entry
    return excursion * side < -leave


@kernel
def fill_certainty(strength, none, full, confidence):
    """|strength| on a straight line from 0 at `none` to 1 at `full`, cut to [0, 1]; 0 where it is NaN."""
    scale = 1.0 / (full - none)
    for k in range(confidence.shape[0]):
        c = (abs(strength[k]) - none) * scale
        c = c if c > 0.0 else 0.0
        confidence[k] = c if c < 1.0 else 1.0
