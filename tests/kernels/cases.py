"""The one table of kernels that the contract's tests run over.

To add a kernel, add a `Case` to the list (its attributes are explained in `contract.Case`):

    Case(
        name="rolling_mean 7",
        run=lambda c, carry, out, start, stop: rolling.rolling_mean(c.close, 7, carry, out[0], start, stop),
        reference=lambda c: references.over_windows(c.close, 7, lambda held: math.fsum(held) / 7),
        reach=7,
        carry=MEAN_CARRY,
        tolerance=1e-14,
    )

An engine's `run` builds its `bars` from the columns and passes `out` whole, with at = start; its `reference` gives one
array per row; `rows` counts them and `begin` sets the number of the first bar. Nothing else has to be touched.
"""

from __future__ import annotations

from itertools import chain

import numpy as np
import references
from barstep.kernels import breakout, extrema, recurrences, returns, true_range
from contract import Case
from inputs import Columns, Floats, log_of_ratio

LONGER_THAN_THE_DATA = 400
WINDOWS = (1, 2, 3, 7, 16, 33, LONGER_THAN_THE_DATA)


def largest_finite(values: Floats) -> float:
    """The size of the largest finite value: what an average of values of both signs is computed from."""
    return float(np.max(np.abs(values[np.isfinite(values)]), initial=0.0))


def _extrema(window: int) -> list[Case]:
    return [
        Case(
            name=f"rolling_max {window}",
            run=lambda c, _, out, start, stop: extrema.rolling_max(c.close, window, out[0], start, stop),
            reference=lambda c: references.over_windows(c.close, window, max),
            reach=window - 1,
        ),
        Case(
            name=f"rolling_min {window}",
            run=lambda c, _, out, start, stop: extrema.rolling_min(c.close, window, out[0], start, stop),
            reference=lambda c: references.over_windows(c.close, window, min),
            reach=window - 1,
        ),
        Case(
            name=f"prior_high {window}",
            run=lambda c, _, out, start, stop: extrema.fill_prior_extreme(
                c.high, start, stop - start, window, 1.0, out[0, start:stop]
            ),
            reference=lambda c: references.over_windows(c.high, window, max, lag=1),
            reach=window,
        ),
        Case(
            name=f"breakout {window}",
            run=lambda c, _, out, start, stop: breakout.breakout(c.high, c.low, c.close, window, out[0], start, stop),
            reference=lambda c: references.side_of_channel(c.high, c.low, c.close, window),
            reach=window,
        ),
        Case(
            name=f"momentum {window}",
            run=lambda c, _, out, start, stop: returns.momentum(c.close, window, out[0], start, stop),
            reference=lambda c: references.change(c.close, window),
            reach=window,
            tolerance=3e-16,
            scale=lambda c: 1.0 + np.abs(references.change(c.close, window)),  # the ratio rounds before 1 is taken off
        ),
    ]


def _averages(window: int) -> list[Case]:
    return [
        Case(
            name=f"wilder {window}",
            run=lambda c, carry, out, start, stop: recurrences.wilder(c.close, window, carry, out[0], start, stop),
            reference=lambda c: references.smoothed(c.close, 1.0 / window, window),
            reach=0,
            carry=recurrences.SMOOTHED_CARRY,
            tolerance=1e-14,
            scale=lambda c: largest_finite(c.close),
        ),
        Case(
            name=f"atr {window}",
            run=lambda c, carry, out, start, stop: true_range.atr(
                c.high, c.low, c.close, window, carry, out[0], start, stop
            ),
            reference=lambda c: references.smoothed(references.widest(c.high, c.low, c.close), 1.0 / window, window),
            reach=1,
            carry=true_range.ATR_CARRY,
            tolerance=1e-14,
        ),
    ]


def _ema(share: float) -> Case:
    return Case(
        name=f"ema {share:.3g}",
        run=lambda c, carry, out, start, stop: recurrences.ema(c.close, share, carry, out[0], start, stop),
        reference=lambda c: references.smoothed(c.close, share, 1),
        reach=0,
        carry=recurrences.SMOOTHED_CARRY,
        tolerance=1e-14,
        scale=lambda c: largest_finite(c.close),
    )


def _log_returns(columns: Columns) -> Floats:
    return log_of_ratio(columns.close)


CASES: list[Case] = [
    *chain.from_iterable(map(_extrema, WINDOWS)),
    *chain.from_iterable(map(_averages, (1, 2, 14, LONGER_THAN_THE_DATA))),
    *map(_ema, (1.0, 0.5, 2.0 / 21.0, 1e-3)),
    Case(
        name="true_range",
        run=lambda c, _, out, start, stop: true_range.true_range(c.high, c.low, c.close, out[0], start, stop),
        reference=lambda c: references.widest(c.high, c.low, c.close),
        reach=1,
        tolerance=2e-16,
    ),
    Case(
        name="log_returns",
        run=lambda c, _, out, start, stop: returns.log_returns(c.close, out[0], start, stop),
        reference=_log_returns,
        reach=1,
        tolerance=1e-15,
    ),
    Case(
        name="simple_returns",
        run=lambda c, _, out, start, stop: returns.simple_returns(c.close, out[0], start, stop),
        reference=lambda c: references.change(c.close, 1),
        reach=1,
        tolerance=3e-16,
        scale=lambda c: 1.0 + np.abs(references.change(c.close, 1)),
    ),
]
