"""The engines that come with barstep on indicators that are there already: what a sweep runs.

An engine fills its own indicators and then decides; here only its decisions are made, so that parameter sets which
read one window share its column. The same bits as the engine's.
"""

from .._jit import kernel
from ..columns import CLOSE, DIAGNOSTICS, TARGET, VOLUME
from ..moments import NUMBER
from . import daily_trend_momentum, grid_trading, mean_reversion, sma_crossover, volatility_target
from .cross_exchange_arbitrage import cross_exchange_arbitrage

INDICATORS = (
    sma_crossover.INDICATORS,
    daily_trend_momentum.INDICATORS,
    mean_reversion.INDICATORS,
    grid_trading.INDICATORS,
    volatility_target.INDICATORS,
    (),
)
"""By an engine's number what it reads: kind, and the slot of its parameters that holds the window. A third entry is a
slot too: the indicator is read only where that is not 0."""
MOST_INDICATORS = max(map(len, INDICATORS))

_FIRST, _SECOND, _THIRD = range(DIAGNOSTICS, DIAGNOSTICS + 3)


@kernel
def _copy(source, dest):
    for k in range(dest.shape[0]):
        dest[k] = source[k]


@kernel(inlined=True)
def decide_numbered(number, bars, numbers, start, stop, columns, places, at, params, carry, out):
    """Wishes at bars start..stop, no gap among them, written to out[TARGET, at:]; the engine's other rows are scratch.

    number: the engine's in `by_number`; columns: float64[indicator, ·], whose values from `at` on are those of bars
    from `start` on; places: int64[MOST_INDICATORS], the columns that this parameter set reads.
    """
    end = at + stop - start
    target, close = out[TARGET, at:end], bars[CLOSE, start:stop]
    one, two = columns[places[0], at:end], columns[places[1], at:end]
    if number == 0:
        sma_crossover.fill_sides(one, two, params, target)
    elif number == 1:
        first = out[_FIRST, at:end]
        daily_trend_momentum.fill_strength(one, two, first)
        momentum, atr = columns[places[2], at:end], columns[places[3], at:end]
        _copy(columns[places[4], at:end], target)
        prior_low = columns[places[5], at:end]
        daily_trend_momentum.follow_trend(close, first, momentum, atr, prior_low, params, carry, target)
    elif number == 2:
        mean_reversion.follow_zscore(close, bars[VOLUME, start:stop], one, two, params, carry, target)
    elif number == 3:
        first, second, third = out[_FIRST, at:end], out[_SECOND, at:end], out[_THIRD, at:end]
        _copy(one, first)
        grid_trading.climb(close, params, carry, first, second, third)
        grid_trading.fill_inventory(second, params, target)
    elif number == 4:
        first = out[_FIRST, at:end]
        volatility_target.fill_wanted(one, params, first)
        volatility_target.hold(bars[CLOSE], start, one, params, carry, first, target)
    elif number == 5:
        carry[NUMBER] = numbers[start]
        cross_exchange_arbitrage(bars, params, carry, out, start, stop, at)
