"""An engine that breaks the contract: what it wishes at a bar depends on how many bars it is given at once."""

import barstep as bs
from barstep.kernels.columns import CONFIDENCE, TARGET, VOLATILITY


def unlike(bars, params, carry, out, start, stop, at):
    n = stop - start
    for k in range(n):
        is_odd = (start + k) % 2
        out[TARGET, at + k] = 0.5 * is_odd if n == 1 else 0.2 + 0.1 * is_odd
    out[CONFIDENCE, at : at + n] = 1.0
    out[VOLATILITY, at : at + n] = 0.0
    carry[0] += n


ENGINE = bs.StrategyEngine(
    name="unlike", kernel=unlike, parameters=(), carry_size=1, diagnostics=(), history=lambda _: 1
)
