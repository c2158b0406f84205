"""Grid trading: an inventory laddered around a moving anchor."""

import numpy as np

from .._jit import kernel
from ..columns import ANNUAL_SCALE, CLOSE, CONFIDENCE, DIAGNOSTICS, OWN, RETURN, TARGET, TELEMETRY, VOLATILITY
from ..indicators import MEAN
from ..moments import MEAN_CARRY, MOMENTS_CARRY, NUMBER, SPAN, fill_mean
from ..rolling import fill_std

GRID_SIZE, GRID_SPACING, THRESHOLD, MAX_INVENTORY, WINDOW, ALLOW_SHORT = range(OWN, OWN + 6)
ANCHOR, LEVEL, LEVEL_FILLS = range(DIAGNOSTICS, DIAGNOSTICS + 3)
ROWS = DIAGNOSTICS + 3

_ANCHOR, _LEVEL, _BUY_AT, _SELL_AT, _MEAN = 1, 2, 3, 4, 5
_RETURN = _MEAN + MEAN_CARRY
CARRY = _RETURN + MOMENTS_CARRY
INDICATORS = ((MEAN, WINDOW),)


@kernel
def climb(price, params, carry, anchors, levels, fills):
    """Anchor, level and levels crossed of each of the next bars; anchors stand in the place of the rolling means."""
    size, spacing, threshold = params[GRID_SIZE], params[GRID_SPACING], params[THRESHOLD]
    lowest = -size if params[ALLOW_SHORT] != 0.0 else 0.0
    anchor, level, buy_at, sell_at = carry[_ANCHOR], carry[_LEVEL], carry[_BUY_AT], carry[_SELL_AT]
    if anchor == 0.0:  # no mean yet: nothing is bought or sold
        buy_at, sell_at = -np.inf, np.inf
    for k in range(anchors.shape[0]):
        mean, close, fills[k] = anchors[k], price[k], 0.0
        if abs(mean - anchor) > threshold * anchor or close <= buy_at or close >= sell_at:
            if abs(mean - anchor) > threshold * anchor:  # true at the first mean too, when the anchor is 0
                anchor = mean
            before = level
            depth = (anchor - close) / (anchor * spacing)
            if depth >= level + 1.0:
                level = min(np.floor(depth), size)
            elif depth <= level - 1.0:
                level = max(np.ceil(depth), lowest)
            buy_at, sell_at = anchor * (1.0 - (level + 1.0) * spacing), anchor * (1.0 - (level - 1.0) * spacing)
            fills[k] = abs(level - before)
        anchors[k] = anchor
        levels[k] = level
    carry[_ANCHOR], carry[_LEVEL], carry[_BUY_AT], carry[_SELL_AT] = anchor, level, buy_at, sell_at


@kernel
def fill_inventory(levels, params, target):
    """Exposure of each level."""
    step = params[MAX_INVENTORY] / params[GRID_SIZE]
    for k in range(target.shape[0]):
        target[k] = levels[k] * step


@kernel(shared=True)
def grid_trading(bars, params, carry, out, start, stop, at):
    """Buy a step at each level under the anchor, sell one at each level over it.

    Levels stand grid_spacing (a share of the anchor) apart. The inventory steps down the ladder where the close
    has crossed a whole level, so that noise inside a cell trades nothing. The anchor is the rolling mean of the close
    at the time it was last moved; it moves when the mean is off by more than the threshold. Exposure is
    max_inventory × |level| / grid_size. Confidence: |level| / grid_size. Diagnostics: anchor (0 before
    the first mean), level (positive is long), levels crossed by this bar.
    """
    window = int(params[WINDOW])
    close, returns = bars[CLOSE], bars[RETURN]
    mean_carry = carry[_MEAN : _MEAN + MEAN_CARRY]
    return_carry = carry[_RETURN : _RETURN + MOMENTS_CARRY]
    mean_carry[NUMBER] = return_carry[NUMBER] = carry[NUMBER]
    share = 1.0 / params[GRID_SIZE]
    while start < stop:
        n = min(SPAN, stop - start)
        target, confidence = out[TARGET, at : at + n], out[CONFIDENCE, at : at + n]
        anchors, levels, fills = out[ANCHOR, at : at + n], out[LEVEL, at : at + n], out[LEVEL_FILLS, at : at + n]
        volatility = out[VOLATILITY, at : at + n]
        fill_mean(close, start, n, window, mean_carry, anchors)
        climb(close[start : start + n], params, carry, anchors, levels, fills)
        if params[TELEMETRY] != 0.0:
            fill_std(returns, start, n, window, 1, params[ANNUAL_SCALE], return_carry, volatility, target)
            for k in range(n):
                confidence[k] = abs(levels[k]) * share
        fill_inventory(levels, params, target)
        start += n
        at += n
    carry[NUMBER] = mean_carry[NUMBER]
