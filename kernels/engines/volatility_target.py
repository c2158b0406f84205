"""Volatility targeting: hold as much as brings the realised volatility to its target."""

import numpy as np

from .._jit import kernel
from ..columns import ANNUAL_SCALE, CLOSE, CONFIDENCE, DIAGNOSTICS, OWN, RETURN, TARGET, TELEMETRY, VOLATILITY
from ..indicators import VOLATILITY_OF_RETURNS
from ..moments import MOMENTS_CARRY, NUMBER, SPAN
from ..rolling import fill_std

TARGET_VOLATILITY, LOOKBACK, THRESHOLD, LEAST, MOST, FLOOR, ALLOW_SHORT = range(OWN, OWN + 7)
ALLOCATION_ERROR_PCT, REALIZED_VS_TARGET_PCT = range(DIAGNOSTICS, DIAGNOSTICS + 2)
ROWS = DIAGNOSTICS + 2

_HELD, _RETURN = 1, 2
CARRY = _RETURN + MOMENTS_CARRY
INDICATORS = ((VOLATILITY_OF_RETURNS, LOOKBACK),)


@kernel
def fill_wanted(volatility, params, wanted):
    """The exposure that would bring each bar's volatility to its target; the least where that is unknown."""
    goal, least, most, floor = params[TARGET_VOLATILITY], params[LEAST], params[MOST], params[FLOOR]
    for k in range(wanted.shape[0]):
        realized = volatility[k]
        exposure = goal / (realized if realized > floor else floor)
        exposure = exposure if exposure > least else least
        wanted[k] = exposure if exposure < most else most


@kernel
def hold(close, start, volatility, params, carry, wanted, target):
    """The exposure held at bars from `start` on; `wanted` gets its side, and NaN where volatility is unknown."""
    lookback, threshold, allow_short = int(params[LOOKBACK]), params[THRESHOLD], params[ALLOW_SHORT] != 0.0
    held = carry[_HELD]
    for k in range(target.shape[0]):
        if volatility[k] == volatility[k]:
            if allow_short and close[start + k] < close[start + k - lookback]:
                wanted[k] = -wanted[k]
            if abs(wanted[k] - held) > threshold or held * wanted[k] < 0.0:
                held = wanted[k]
        else:
            wanted[k] = np.nan
        target[k] = held
    carry[_HELD] = held


@kernel(shared=True)
def volatility_target(bars, params, carry, out, start, stop, at):
    """Exposure = target / max(realised, floor), cut to [least, most], moved once it is off by the threshold.

    Moreira and Muir (2017), Journal of Finance 72(4). Long; with allow_short the side is that of the return over the
    lookback. Confidence: where the wanted exposure lies between least and most. Diagnostics: allocation error in
    percent of the wanted exposure (NaN where volatility is unknown); realised over target volatility - 1 in percent.
    """
    goal, least, most = params[TARGET_VOLATILITY], params[LEAST], params[MOST]
    lookback, telemetry = int(params[LOOKBACK]), params[TELEMETRY] != 0.0
    close, returns = bars[CLOSE], bars[RETURN]
    return_carry = carry[_RETURN : _RETURN + MOMENTS_CARRY]
    return_carry[NUMBER] = carry[NUMBER]
    reach = 1.0 / (most - least)
    while start < stop:
        n = min(SPAN, stop - start)
        target, confidence = out[TARGET, at : at + n], out[CONFIDENCE, at : at + n]
        volatility = out[VOLATILITY, at : at + n]
        error, off_goal = out[ALLOCATION_ERROR_PCT, at : at + n], out[REALIZED_VS_TARGET_PCT, at : at + n]
        fill_std(returns, start, n, lookback, 1, params[ANNUAL_SCALE], return_carry, volatility, target)
        wanted = error  # which is made of it
        fill_wanted(volatility, params, wanted)
        if telemetry:
            for k in range(n):
                confidence[k] = (wanted[k] - least) * reach if volatility[k] == volatility[k] else 0.0
                off_goal[k] = (volatility[k] / goal - 1.0) * 100.0
        hold(close, start, volatility, params, carry, wanted, target)
        if telemetry:
            for k in range(n):
                error[k] = abs(target[k] - wanted[k]) / abs(wanted[k]) * 100.0
        start += n
        at += n
    carry[NUMBER] = return_carry[NUMBER]
