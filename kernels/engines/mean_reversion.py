"""Mean reversion: fade the rolling z-score of the close."""

from .._jit import kernel
from ..columns import ANNUAL_SCALE, CLOSE, CONFIDENCE, DIAGNOSTICS, OWN, RETURN, TARGET, TELEMETRY, VOLATILITY, VOLUME
from ..indicators import VOLATILITY_OF_RETURNS, ZSCORE_OF_CLOSE
from ..moments import MOMENTS_CARRY, NUMBER, SPAN
from ..rolling import fill_std, fill_zscore
from .fade import advance_fade, fill_certainty, is_quiet

LOOKBACK, ENTRY, EXIT, LONGEST, VOLATILITY_CAP, MIN_VOLUME, ALLOW_SHORT = range(OWN, OWN + 7)
ZSCORE = DIAGNOSTICS
ROWS = DIAGNOSTICS + 1

_SIDE, _HELD, _ARMED, _PRICE = 1, 2, 3, 4
_RETURN = _PRICE + MOMENTS_CARRY
CARRY = _RETURN + MOMENTS_CARRY
INDICATORS = ((ZSCORE_OF_CLOSE, LOOKBACK), (VOLATILITY_OF_RETURNS, LOOKBACK))


@kernel
def follow_zscore(close, volume, z, volatility, params, carry, target):
    """The side of each of the next bars from its z-score and volatility; carry: the engine's."""
    entry, leave, longest = params[ENTRY], params[EXIT], params[LONGEST]
    cap, least, allow_short = params[VOLATILITY_CAP], params[MIN_VOLUME], params[ALLOW_SHORT] != 0.0
    side, held, armed = carry[_SIDE], carry[_HELD], carry[_ARMED]
    for k in range(target.shape[0]):
        held = held + 1.0 if side != 0.0 else 0.0
        if is_quiet(z[k], side, entry, leave) and held < longest:
            armed = 1.0 if side == 0.0 else armed
        else:
            may_enter = volatility[k] <= cap and (close[k] * volume[k] >= least or least <= 0.0)
            before = side
            side, armed = advance_fade(z[k], side, armed, held >= longest, entry, leave, may_enter, allow_short)
            held = held if side == before else 0.0
        target[k] = side
    carry[_SIDE], carry[_HELD], carry[_ARMED] = side, held, armed


@kernel(shared=True)
def mean_reversion(bars, params, carry, out, start, stop, at):
    """Enter against |z| >= entry; leave at |z| <= exit, on the other side, or after `longest` bars.

    An entry also wants annual volatility at or under the cap, and close × volume at or over the least volume.
    Confidence: 0 at |z| = exit, 1 at twice the entry threshold. Diagnostics: z-score.
    """
    lookback = int(params[LOOKBACK])
    close, volume, returns = bars[CLOSE], bars[VOLUME], bars[RETURN]
    price_carry = carry[_PRICE : _PRICE + MOMENTS_CARRY]
    return_carry = carry[_RETURN : _RETURN + MOMENTS_CARRY]
    price_carry[NUMBER] = return_carry[NUMBER] = carry[NUMBER]
    while start < stop:
        n = min(SPAN, stop - start)
        target, confidence = out[TARGET, at : at + n], out[CONFIDENCE, at : at + n]
        volatility, z = out[VOLATILITY, at : at + n], out[ZSCORE, at : at + n]
        fill_zscore(close, start, n, lookback, price_carry, z, target)
        fill_std(returns, start, n, lookback, 1, params[ANNUAL_SCALE], return_carry, volatility, target)
        now = slice(start, start + n)
        follow_zscore(close[now], volume[now], z, volatility, params, carry, target)
        if params[TELEMETRY] != 0.0:
            fill_certainty(z, params[EXIT], 2.0 * params[ENTRY], confidence)
        start += n
        at += n
    carry[NUMBER] = price_carry[NUMBER]
