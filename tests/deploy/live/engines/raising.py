"""An engine that takes history, and raises at every bar that comes alone, as live bars do."""

import barstep as bs
from barstep.kernels.columns import CONFIDENCE, TARGET, VOLATILITY


def raising(bars, params, carry, out, start, stop, at):
    if stop - start == 1:
        raise ValueError("no bar is to my taste")
    for row in (TARGET, CONFIDENCE, VOLATILITY):
        out[row, at : at + stop - start] = 0.0
    carry[0] += stop - start


ENGINE = bs.StrategyEngine(
    name="raising", kernel=raising, parameters=(), carry_size=1, diagnostics=(), history=lambda _: 1
)
