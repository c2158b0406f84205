"""Columns that engines are made of, by kind: one that many parameter sets read is computed once.

Each is a function of bars and a window. The same bits as inside an engine, which fills its own.
"""

from ._jit import kernel
from .columns import CLOSE, HIGH, LOW, RETURN
from .extrema import fill_prior_extreme
from .moments import MOMENTS_CARRY, NUMBER, fill_mean
from .returns import fill_momentum
from .rolling import fill_std, fill_zscore
from .true_range import fill_atr

(
    MEAN, ZSCORE_OF_CLOSE, VOLATILITY_OF_RETURNS, MOMENTUM_OF_CLOSE, AVERAGE_TRUE_RANGE, PRIOR_HIGH, PRIOR_LOW,
) = range(7)  # fmt: skip
"""Mean of the close; its z-score; annual volatility of the log returns; close over the close a window ago - 1; Wilder's
average true range; highest high and lowest low of the bars before."""

INDICATOR_CARRY = 1 + MOMENTS_CARRY
"""Slot 0 holds the number of the next bar, as in an engine's carry; the rest is the indicator's own."""


@kernel
def fill_indicator(kind, window, scale, bars, start, carry, dest, scratch):
    """One column's bars from `start` on, written to `dest`.

    bars: float64[column, n]; scale: root of the bars in a year; carry: float64[INDICATOR_CARRY], zeros before bar 0 but
    for the first bar's number; scratch: float64[>= 1]. Cutting a history into any calls gives the same bits.
    """
    count = dest.shape[0]
    own = carry[1:]
    if kind == AVERAGE_TRUE_RANGE:
        fill_atr(bars[HIGH], bars[LOW], bars[CLOSE], start, count, window, own, dest)
        return
    own[NUMBER] = carry[0]
    if kind == MEAN:
        fill_mean(bars[CLOSE], start, count, window, own, dest)
    elif kind == ZSCORE_OF_CLOSE:
        fill_zscore(bars[CLOSE], start, count, window, own, dest, scratch)
    elif kind == VOLATILITY_OF_RETURNS:
        fill_std(bars[RETURN], start, count, window, 1, scale, own, dest, scratch)
    elif kind == MOMENTUM_OF_CLOSE:
        fill_momentum(bars[CLOSE], start, count, window, dest)
    elif kind == PRIOR_HIGH:
        fill_prior_extreme(bars[HIGH], start, count, window, 1.0, dest)
    elif kind == PRIOR_LOW:
        fill_prior_extreme(bars[LOW], start, count, window, -1.0, dest)
