"""Trend and momentum: breakouts in their direction, left by an ATR trailing stop."""

from .._jit import kernel
from ..columns import ANNUAL_SCALE, CLOSE, CONFIDENCE, DIAGNOSTICS, HIGH, LOW, OWN, RETURN, TARGET, VOLATILITY
from ..extrema import fill_prior_extreme
from ..moments import MEAN_CARRY, MOMENTS_CARRY, NUMBER, SPAN, fill_mean
from ..returns import fill_momentum
from ..rolling import fill_volatility
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


@kernel
def _leaves(price, side, best, strength, distance):
    """Whether a position ends: the trend has turned, or the price is a stop's distance off the best close."""
    return strength * side <= 0.0 or (best - price) * side > distance


@kernel
def daily_trend_momentum(bars, params, carry, out, start, stop, at):
    """Long on a close over the prior high with |fast/slow - 1| and momentum at or over their minima; short mirrored.

    Left when the fast mean is back at the slow one, or the close is atr_multiplier × ATR off the best close since
    the entry. Confidence: trend strength, 0 at its minimum, 1 at four times that (0.4 % at least). Volatility is over
    the slow window. Diagnostics: trend strength fast/slow - 1, momentum, ATR in price.
    """
    fast, slow, lookback = int(params[FAST]), int(params[SLOW]), int(params[BREAKOUT])
    momentum_window, atr_window = int(params[MOMENTUM_WINDOW]), int(params[ATR_WINDOW])
    multiplier, min_strength, min_momentum = params[ATR_MULTIPLIER], params[MIN_STRENGTH], params[MIN_MOMENTUM]
    allow_short = params[ALLOW_SHORT] != 0.0
    high, low, close, returns = bars[HIGH], bars[LOW], bars[CLOSE], bars[RETURN]
    fast_carry, slow_carry = carry[_FAST : _FAST + MEAN_CARRY], carry[_SLOW : _SLOW + MEAN_CARRY]
    atr_carry, return_carry = carry[_ATR : _ATR + ATR_CARRY], carry[_RETURN : _RETURN + MOMENTS_CARRY]
    fast_carry[NUMBER] = slow_carry[NUMBER] = return_carry[NUMBER] = carry[NUMBER]
    side, best = carry[_SIDE], carry[_BEST]
    full = min_strength + 3.0 * max(min_strength, LEAST_SCALE)
    while start < stop:
        n = min(SPAN, stop - start)
        target, confidence = out[TARGET, at : at + n], out[CONFIDENCE, at : at + n]
        volatility, strength = out[VOLATILITY, at : at + n], out[STRENGTH, at : at + n]
        momentum, atr = out[MOMENTUM, at : at + n], out[ATR, at : at + n]
        fill_volatility(returns, start, n, slow, params[ANNUAL_SCALE], return_carry, volatility, target)
        fill_mean(close, start, n, fast, fast_carry, strength)
        fill_mean(close, start, n, slow, slow_carry, confidence)
        for k in range(n):
            strength[k] = strength[k] / confidence[k] - 1.0
        fill_momentum(close, start, n, momentum_window, momentum)
        fill_atr(high, low, close, start, n, atr_window, atr_carry, atr)
        prior_high, prior_low = target, confidence  # rows that are written only after they are read
        fill_prior_extreme(high, start, n, lookback, 1.0, prior_high)
        if allow_short:
            fill_prior_extreme(low, start, n, lookback, -1.0, prior_low)
        for k in range(n):
            price, trend = close[start + k], strength[k]
            if side != 0.0:
                best = price if (price - best) * side > 0.0 else best
                if _leaves(price, side, best, trend, multiplier * atr[k]):
                    side = 0.0
            if side == 0.0 and (price > prior_high[k] or (allow_short and price < prior_low[k])):
                way = 1.0 if price > prior_high[k] else -1.0
                if trend * way >= min_strength and momentum[k] * way >= min_momentum and atr[k] > 0.0:
                    side, best = way, price
            target[k] = side
        fill_certainty(strength, min_strength, full, confidence)
        start += n
        at += n
    carry[NUMBER] = fast_carry[NUMBER]
    carry[_SIDE], carry[_BEST] = side, best
