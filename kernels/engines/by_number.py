"""The engines that come with barstep, by number, so that one compiled loop can call any of them.

A compiled function as an argument, or in a closure, would be compiled anew in every process.
"""

from .._jit import kernel
from .cross_exchange_arbitrage import cross_exchange_arbitrage
from .daily_trend_momentum import daily_trend_momentum
from .grid_trading import grid_trading
from .mean_reversion import mean_reversion
from .sma_crossover import sma_crossover
from .volatility_target import volatility_target

NUMBERED = (
    sma_crossover,
    daily_trend_momentum,
    mean_reversion,
    grid_trading,
    volatility_target,
    cross_exchange_arbitrage,
)
"""An engine's number is its place here."""


@kernel(inlined=True)
def advance_numbered(number, bars, params, carry, out, start, stop, at):
    """What the engine of this number does; see `kernels.engines`."""
    if number == 0:
        sma_crossover(bars, params, carry, out, start, stop, at)
    elif number == 1:
        daily_trend_momentum(bars, params, carry, out, start, stop, at)
    elif number == 2:
        mean_reversion(bars, params, carry, out, start, stop, at)
    elif number == 3:
        grid_trading(bars, params, carry, out, start, stop, at)
    elif number == 4:
        volatility_target(bars, params, carry, out, start, stop, at)
    elif number == 5:
        cross_exchange_arbitrage(bars, params, carry, out, start, stop, at)
