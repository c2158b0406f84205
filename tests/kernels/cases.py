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

Nothing else has to be touched. The rows of engines stand in `engine_cases`.
"""

from __future__ import annotations

from itertools import chain

import numpy as np
import references
from barstep.kernels import breakout, extrema, recurrences, returns, rolling, true_range, wide
from barstep.kernels.moments import MEAN_CARRY, MOMENTS_CARRY, NUMBER
from contract import Case, Run, assert_same_bits
from engine_cases import ENGINES
from inputs import FIRST_NUMBER, SQUARES_UNDERFLOW, Columns, Floats, log_of_ratio

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


def _begin(carry: Floats) -> None:
    carry[NUMBER] = FIRST_NUMBER


def _rolling(size: int) -> list[Case]:
    window = np.int64(size)  # with the JIT off a Python integer would raise where compiled code divides by zero
    return [
        Case(
            name=f"rolling_mean {window}",
            run=lambda c, carry, out, start, stop: rolling.rolling_mean(c.close, window, carry, out[0], start, stop),
            reference=lambda c: references.two_pass(c.close, window).mean,
            reach=window,
            carry=MEAN_CARRY,
            begin=_begin,
            tolerance=1e-15,
            scale=lambda c: references.recent_size(c.close, window),
        ),
        *(
            Case(
                name=f"rolling_variance {window}, ddof {ddof}",
                run=lambda c, carry, out, start, stop, ddof=ddof: rolling.rolling_variance(
                    c.close, window, ddof, carry, out[0], start, stop
                ),
                reference=lambda c, ddof=ddof: references.variance(c.close, window, ddof),
                reach=window,
                carry=MOMENTS_CARRY,
                begin=_begin,
                tolerance=1e-12,
                skip=SQUARES_UNDERFLOW,
            )
            for ddof in (0, 1)
        ),
        Case(
            name=f"rolling_std {window}",
            run=lambda c, carry, out, start, stop: rolling.rolling_std(c.close, window, 0, carry, out[0], start, stop),
            reference=lambda c: np.sqrt(references.variance(c.close, window, 0)),
            reach=window,
            carry=MOMENTS_CARRY,
            begin=_begin,
            tolerance=1e-12,
            skip=SQUARES_UNDERFLOW,
        ),
        Case(
            name=f"zscore {window}",
            run=lambda c, carry, out, start, stop: rolling.zscore(c.close, window, carry, out[0], start, stop),
            reference=lambda c: references.zscore(c.close, window),
            reach=window,
            carry=MOMENTS_CARRY,
            begin=_begin,
            tolerance=1e-12,
            scale=lambda _: 1.0,  # a deviation near 0 is the difference of larger numbers
            skip=SQUARES_UNDERFLOW,
        ),
        Case(
            name=f"realized_volatility {window}",
            run=lambda c, carry, out, start, stop: rolling.realized_volatility(
                c.returns, window, 93.6, carry, out[0], start, stop
            ),
            reference=lambda c: np.sqrt(references.variance(c.returns, window, 1)) * 93.6,
            reach=window,
            carry=MOMENTS_CARRY,
            begin=_begin,
            tolerance=1e-12,
        ),
    ]


WIDE = ("close", "high", "low", "volume", "returns", "other", "open", "close", "volume")
"""Columns side by side: more than a vector register holds, so that there is a rest."""


def _run_wide(window: int) -> Run:
    def run(columns: Columns, carry: Floats, out: Floats, start: int, stop: int) -> None:
        values = np.column_stack([getattr(columns, name) for name in WIDE])
        table, before = np.ascontiguousarray(out.T), values.copy()
        carry_rows = carry[: wide.WIDE_CARRY * len(WIDE)].reshape(wide.WIDE_CARRY, len(WIDE))
        wide.zscore_wide(values, window, carry_rows, table, start, stop)
        assert_same_bits(values, before, "the table was written to")
        out[:] = table.T

    return run


def _wide(window: int) -> Case:
    return Case(
        name=f"zscore_wide {window}",
        run=_run_wide(window),
        reference=lambda c: [references.zscore(getattr(c, name), window) for name in WIDE],
        reach=window,
        carry=wide.WIDE_CARRY * len(WIDE),
        begin=_begin,
        rows=len(WIDE),
        tolerance=1e-12,
        scale=lambda _: 1.0,
        skip=SQUARES_UNDERFLOW,
    )


def _log_returns(columns: Columns) -> Floats:
    return log_of_ratio(columns.close)


CASES: list[Case] = [
    *chain.from_iterable(map(_extrema, WINDOWS)),
    *chain.from_iterable(map(_averages, (1, 2, 14, LONGER_THAN_THE_DATA))),
    *chain.from_iterable(map(_rolling, WINDOWS)),
    *map(_wide, (1, 2, 7, 16, 33, LONGER_THAN_THE_DATA)),
    *ENGINES,
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
