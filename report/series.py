"""The series of a report, thinned to what a screen shows of them, also when it is zoomed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..engine.bars import Floats, Integers
from .capital import shares
from .downsample import envelopes, means
from .montecarlo import fan
from .profits import profits
from .sheet import Governed, Sheet
from .stack import parts

SPANS = 2_500
"""Spans of time, with four points each: some three screens of pixels, and the file of a million bars stays small."""

SPANS_OF_PROFITS = 800
"""Likewise, of each of the many lines of profits."""

MILLISECONDS = 1_000


@dataclass(frozen=True)
class Series:
    """What is drawn over time.

    Attributes:
        ts_us: int64[n], microseconds since the epoch.
        columns: float64[n] by name: `y` of a line; `worse` and `better` of the band; `p5` to `p95` of a Monte
            Carlo; `height0`, `height1`, … of areas,
            in the order of `stack.parts`.
    """

    ts_us: Integers
    columns: Mapping[str, Floats]


def series_of(sheet: Sheet) -> dict[str, Series]:
    """The series by name: lines, the band where bars were ambiguous, areas of weights and of shares of capital.

    A drawdown is drawn downwards, exposures and weights are in percent of equity.
    """
    columns = {name: sheet.columns[name].to_numpy() for name in sheet.columns.columns[1:]}
    lines = {
        "equity": sheet.equity["equity"].to_numpy(),
        "benchmark": columns["benchmark"],
        "drawdown": -sheet.equity["drawdown_pct"].to_numpy(),
    }
    if sheet.is_portfolio:
        lines |= {name: columns[f"{name}_exposure"] * 100.0 for name in ("gross", "net")}
    else:
        lines["position"] = columns["position"]
    found = {name: Series(*envelopes(sheet.ts_us, {"y": values}, SPANS)) for name, values in lines.items()}
    if sheet.ambiguity:
        band = {sheet.own_order: lines["equity"], sheet.other_order: columns["other_order_equity"]}
        found["band"] = Series(*envelopes(sheet.ts_us, band, SPANS))
    if sheet.montecarlo is not None:
        found["montecarlo"] = Series(*fan(sheet.montecarlo, int(sheet.ts_us[0])))
    if sheet.weights is not None:
        times, heights = means(sheet.ts_us, parts(sheet.weights), SPANS)
        found["weights"] = _areas(times, heights.values())
    return found | (_governed(sheet, sheet.governed) if sheet.governed is not None else {})


def _areas(ts_us: Integers, heights: Iterable[Floats]) -> Series:
    return Series(ts_us, {f"height{place}": each for place, each in enumerate(heights)})


def _governed(sheet: Sheet, governed: Governed) -> dict[str, Series]:
    """The areas of a scheduler's capital, and a line of profit for each name of each grouping."""
    found = {}
    if governed.capital_weights.height:
        drawn = shares(sheet, governed.capital_weights, SPANS)
        found["capital"] = _areas(drawn.ts_us, drawn.heights)
    for by, curves in profits(sheet, governed).items():
        for place, curve in enumerate(curves.values()):
            found[f"profit_{by}{place}"] = Series(*envelopes(sheet.ts_us, {"y": curve}, SPANS_OF_PROFITS))
    return found


def least_span_ms(sheet: Sheet) -> float:
    """The shortest stretch worth zooming into: some thirty bars, or thirty spans."""
    ts_us = sheet.ts_us
    span = int(ts_us[-1] - ts_us[0]) / SPANS if ts_us.size > 4 * SPANS else 0.0
    return 30.0 * max(sheet.interval_seconds * 1e6, span) / MILLISECONDS
