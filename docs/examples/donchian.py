"""A strategy engine of one's own: long over the highest high of the bars before, flat under their lowest low."""

import barstep as bs
from barstep.kernels.columns import CLOSE, CONFIDENCE, DIAGNOSTICS, HIGH, LOW, OWN, TARGET, VOLATILITY
from barstep.kernels.extrema import fill_prior_extreme

WINDOW = OWN  # this engine's first parameter
UPPER, LOWER = DIAGNOSTICS, DIAGNOSTICS + 1  # rows of its own
SIDE = 1  # slot 0 of the carry is the number of the next bar


@bs.kernel
def donchian(bars, params, carry, out, start, stop, at):
    """Follow the price channel of the last `window` bars."""
    n, window, close = stop - start, int(params[WINDOW]), bars[CLOSE]
    upper, lower = out[UPPER, at : at + n], out[LOWER, at : at + n]
    fill_prior_extreme(bars[HIGH], start, n, window, 1.0, upper)
    fill_prior_extreme(bars[LOW], start, n, window, -1.0, lower)
    side = carry[SIDE]
    for k in range(n):
        side = 1.0 if close[start + k] > upper[k] else (0.0 if close[start + k] < lower[k] else side)
        out[TARGET, at + k] = side
        out[CONFIDENCE, at + k] = side
        out[VOLATILITY, at + k] = 0.0
    carry[0] += n
    carry[SIDE] = side


ENGINE = bs.StrategyEngine(
    name="donchian",
    kernel=donchian,
    parameters=(bs.Parameter(name="window", default=55, kind="int", minimum=2, maximum=10_000, text="bars before"),),
    carry_size=2,
    diagnostics=("upper", "lower"),
    history=lambda parameters: parameters["window"] + 1,
)
