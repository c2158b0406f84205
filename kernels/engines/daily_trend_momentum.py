"""Trend and momentum: breakouts in their direction, left by an ATR trailing stop."""

from .._jit import kernel
from ..columns import (
    ANNUAL_SCALE,
    CLOSE,
    CONFIDENCE,
    DIAGNOSTICS,
    HIGH,
    LOW,
    OWN,
    RETURN,
    TARGET,
    TELEMETRY,
    VOLATILITY,
)
from ..extrema import fill_prior_extreme
from ..indicators import AVERAGE_TRUE_RANGE, MEAN, MOMENTUM_OF_CLOSE, PRIOR_HIGH, PRIOR_LOW
from ..moments import MEAN_CARRY, MOMENTS_CARRY, NUMBER, SPAN, fill_two_means
from ..returns import fill_momentum
from ..rolling import fill_std
from ..true_range import ATR_CARRY, fill_atr
from .fade import fill_certainty

FAST, SLOW, BREAKOUT, MOMENTUM_WINDOW, ATR_WINDOW, ATR_MULTIPLIER, MIN_STRENGTH, MIN_MOMENTUM, ALLOW_SHORT = range(
    OWN, OWN + 9
)
STRENGTH, MOMENTUM, ATR = range(DIAGNOSTICS, DIAGNOSTICS + 3)
ROWS = DIAGNOSTICS + 3

_SIDE, _BEST, _FAST = 1, 2, 3
_SLOW = _FAST + MEAN_CARRY
_ATR = _SLOW + MEAN_CARRY
_RETURN = _ATR + ATR_CARRY
CARRY = _RETURN + MOMENTS_CARRY
LEAST_SCALE = 0.001
_BLOCK = 64
INDICATORS = (
    (MEAN, FAST), (MEAN, SLOW), (MOMENTUM_OF_CLOSE, MOMENTUM_WINDOW), (AVERAGE_TRUE_RANGE, ATR_WINDOW),
    (PRIOR_HIGH, BREAKOUT), (PRIOR_LOW, BREAKOUT, ALLOW_SHORT),
)  # fmt: skip


@kernel
def _fill_entries(price, trend, momentum, atr, low, allow_short, least_trend, least_momentum, entries):
    """The side that a flat bar would take, 1, -1 or 0, in the place of the prior highs; `low` is the prior lows.

    All conditions are computed for all bars, so that the loop vectorises.
    """
    for k in range(entries.shape[0]):
        up = price[k] > entries[k]
        way = 1.0 if up else -1.0
        broken = up | (allow_short & (price[k] < low[k]))
        strong = (trend[k] * way >= least_trend) & (momentum[k] * way >= least_momentum) & (atr[k] > 0.0)
        entries[k] = way if broken & strong else 0.0


@kernel
def _first_entry(entries, k):
    """The first bar from `k` on with an entry, or the number of bars. Counting a block at a time vectorises."""
    n = entries.shape[0]
    while k + _BLOCK <= n:
        block = entries[k : k + _BLOCK]
        found = 0
        for j in range(_BLOCK):
            found += block[j] != 0.0
        if found:
            break
        k += _BLOCK
    while k < n and entries[k] == 0.0:
        k += 1
    return k


@kernel
def _follow(price, trend, atr, multiplier, side, best, target):
    """Turn entries into sides, in place: hold until the trend turns or the stop is hit. Returns (side, best).

    A bar that leaves may enter again. A NaN trend, price or range leaves nothing.
    """
    n = target.shape[0]
    k = 0
    while True:
        while side != 0.0 and k < n:
            best = price[k] if (price[k] - best) * side > 0.0 else best
            if trend[k] * side <= 0.0 or (best - price[k]) * side > multiplier * atr[k]:
                side = 0.0
            else:
                target[k] = side
                k += 1
        k = _first_entry(target, k)
        if k >= n:
            return side, best
        side, best = target[k], price[k]
        k += 1


@kernel
def follow_trend(price, strength, momentum, atr, prior_low, params, carry, target):
    """The side of each of the next bars, in the place of the prior highs; carry: the engine's.

    `prior_low` is read with allow_short only.
    """
    allow_short = params[ALLOW_SHORT] != 0.0
    _fill_entries(
        price, strength, momentum, atr, prior_low, allow_short, params[MIN_STRENGTH], params[MIN_MOMENTUM], target
    )
    carry[_SIDE], carry[_BEST] = _follow(
        price, strength, atr, params[ATR_MULTIPLIER], carry[_SIDE], carry[_BEST], target
    )


@kernel
def fill_strength(quick, steady, strength):
    """Trend strength, fast mean over slow mean - 1; `strength` may be the fast mean."""
    for k in range(strength.shape[0]):
        strength[k] = quick[k] / steady[k] - 1.0


@kernel(shared=True)
def daily_trend_momentum(bars, params, carry, out, start, stop, at):
    """Long on a close over the prior high with |fast/slow - 1| and momentum at or over their minima; short mirrored.

    Left when the fast mean is back at the slow one, or the close is atr_multiplier × ATR off the best close since
    the entry. Confidence: trend strength, 0 at its minimum, 1 at four times that (0.4 % at least). Volatility is over
    the slow window. Diagnostics: trend strength fast/slow - 1, momentum, ATR in price.
    """
    fast, slow, lookback = int(params[FAST]), int(params[SLOW]), int(params[BREAKOUT])
    momentum_window, atr_window = int(params[MOMENTUM_WINDOW]), int(params[ATR_WINDOW])
    min_strength = params[MIN_STRENGTH]
    allow_short, telemetry = params[ALLOW_SHORT] != 0.0, params[TELEMETRY] != 0.0
    high, low, close, returns = bars[HIGH], bars[LOW], bars[CLOSE], bars[RETURN]
    fast_carry, slow_carry = carry[_FAST : _FAST + MEAN_CARRY], carry[_SLOW : _SLOW + MEAN_CARRY]
    atr_carry, return_carry = carry[_ATR : _ATR + ATR_CARRY], carry[_RETURN : _RETURN + MOMENTS_CARRY]
    fast_carry[NUMBER] = slow_carry[NUMBER] = return_carry[NUMBER] = carry[NUMBER]
    full = min_strength + 3.0 * max(min_strength, LEAST_SCALE)
    while start < stop:
        n = min(SPAN, stop - start)
        target, confidence = out[TARGET, at : at + n], out[CONFIDENCE, at : at + n]
        volatility, strength = out[VOLATILITY, at : at + n], out[STRENGTH, at : at + n]
        momentum, atr = out[MOMENTUM, at : at + n], out[ATR, at : at + n]
        if telemetry:
            fill_std(returns, start, n, slow, 1, params[ANNUAL_SCALE], return_carry, volatility, target)
        fill_two_means(close, start, n, fast, fast_carry, slow, slow_carry, strength, confidence)
        fill_strength(strength, confidence, strength)
        fill_momentum(close, start, n, momentum_window, momentum)
        fill_atr(high, low, close, start, n, atr_window, atr_carry, atr)
        prior_low = confidence  # a row that is written only after it is read
        fill_prior_extreme(high, start, n, lookback, 1.0, target)
        if allow_short:
            fill_prior_extreme(low, start, n, lookback, -1.0, prior_low)
        follow_trend(close[start : start + n], strength, momentum, atr, prior_low, params, carry, target)
        if telemetry:
            fill_certainty(strength, min_strength, full, confidence)
        start += n
        at += n
    carry[NUMBER] = fast_carry[NUMBER]
