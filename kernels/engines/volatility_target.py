"""Volatility targeting: hold as much as brings the realised volatility to its target."""

import numpy as np

from .._jit import kernel
from ..columns import ANNUAL_SCALE, CLOSE, CONFIDENCE, DIAGNOSTICS, OWN, RETURN, TARGET, VOLATILITY
from ..moments import MOMENTS_CARRY, NUMBER, SPAN
from ..rolling import fill_std

TARGET_VOLATILITY, LOOKBACK, THRESHOLD, LEAST, MOST, FLOOR, ALLOW_SHORT = range(OWN, OWN + 7)
ALLOCATION_ERROR_PCT, REALIZED_VS_TARGET_PCT = range(DIAGNOSTICS, DIAGNOSTICS + 2)
ROWS = DIAGNOSTICS + 2

_HELD, _RETURN = 1, 2
CARRY = _RETURN + MOMENTS_CARRY


@kernel
def volatility_target(bars, params, carry, out, start, stop, at):
    """Exposure = target / max(realised, floor), cut to [least, most], moved once it is off by the threshold.

    Moreira and Muir (2017), Journal of Finance 72(4). Long; with allow_short the side is that of the return over the
    lookback. Confidence: where the wanted exposure lies between least and most. Diagnostics: allocation error in
    percent of the wanted exposure (NaN where volatility is unknown); realised over target volatility - 1 in percent.
    """
    goal, threshold, least, most = params[TARGET_VOLATILITY], params[THRESHOLD], params[LEAST], params[MOST]
    floor, allow_short = params[FLOOR], params[ALLOW_SHORT] != 0.0
    lookback = int(params[LOOKBACK])
    close, returns = bars[CLOSE], bars[RETURN]
    return_carry = carry[_RETURN : _RETURN + MOMENTS_CARRY]
    return_carry[NUMBER] = carry[NUMBER]
    held = carry[_HELD]
    reach = 1.0 / (most - least)
    while start < stop:
        n = min(SPAN, stop - start)
        target, confidence = out[TARGET, at : at + n], out[CONFIDENCE, at : at + n]
        volatility = out[VOLATILITY, at : at + n]
        error, off_goal = out[ALLOCATION_ERROR_PCT, at : at + n], out[REALIZED_VS_TARGET_PCT, at : at + n]
        fill_std(returns, start, n, lookback, 1, params[ANNUAL_SCALE], return_carry, volatility, target)
        for k in range(n):
            realized = volatility[k]
            wanted = goal / (realized if realized > floor else floor)
            wanted = wanted if wanted > least else least
            wanted = wanted if wanted < most else most
            target[k] = wanted
            confidence[k] = (wanted - least) * reach if realized == realized else 0.0
            off_goal[k] = (realized / goal - 1.0) * 100.0
        for k in range(n):
            wanted = target[k]
            if volatility[k] == volatility[k]:
                if allow_short and close[start + k] < close[start + k - lookback]:
                    wanted = -wanted
                if abs(wanted - held) > threshold or held * wanted < 0.0:
                    held = wanted
            else:
                wanted = np.nan
            target[k] = held
            error[k] = abs(held - wanted) / abs(wanted) * 100.0
        start += n
        at += n
    carry[NUMBER] = return_carry[NUMBER]
    carry[_HELD] = held
