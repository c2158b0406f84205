"""Candles with the entries and exits of trades: one chart, and of each instrument the bars that there is room for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from bokeh.models import ColumnDataSource, DataRange1d, NumeralTickFormatter, Range1d

from ..engine.bars import Integers
from .figures import add_hover, new_figure, new_pointer
from .packing import Packed, packed
from .series import MILLISECONDS
from .sheet import Instrument, Sheet
from .texts import label, price_places
from .windows import window_bars, windows

_HEIGHT = 380
_WIDTH = 0.7
"""Of a candle, as a share of its bar."""

_MOST_BARS = 18_000
_MOST_BARS_IN_WINDOWS = 12_000
_MOST_TRADES = 2_000
_MOST_MARKED = 750
"""Trades of an instrument in windows: of many schedules there may be one in every bar, which would hide the candles."""
_PRICES = ("open", "high", "low", "close")
_LEVELS = ("stop", "take_profit", "trailing_stop", "liquidation")
"""Reasons of exits that a price met inside a bar made."""


@dataclass(frozen=True)
class Shown:
    """What is drawn of an instrument.

    Attributes:
        instrument: Whose bars and trades they are.
        places: Places of the bars, rising.
        trades: Those whose entry and exit are both among the bars.
        unmarked: How many more of these there are.
    """

    instrument: Instrument
    places: Integers
    trades: pl.DataFrame
    unmarked: int = 0


def holds_all(sheet: Sheet) -> bool:
    """Whether a report has room for every bar of every instrument as a candle."""
    return sum(bars.height for bars in sheet.bars) <= _MOST_BARS and sheet.trades.height <= _MOST_TRADES


def shown(sheet: Sheet) -> list[Shown]:
    """Every bar, or else those in windows, of as many instruments as there is room for: the most traded first."""
    ranked = [each for each in _by_traded_value(sheet) if each.bars.height]
    if holds_all(sheet):
        return [Shown(each, np.arange(each.bars.height), each.trades) for each in ranked]
    found = [_in_windows(each) for each in ranked]
    filled = np.cumsum([each.places.size for each in found])
    return [each for each, total in zip(found, filled, strict=True) if total <= _MOST_BARS_IN_WINDOWS]


def _in_windows(instrument: Instrument) -> Shown:
    """The bars in its windows, and the trades among them; of many those that gained and lost most."""
    places = window_bars(instrument)
    times = instrument.bars["timestamp"][places].implode()
    among = instrument.trades.filter(pl.col("entry_time").is_in(times) & pl.col("exit_time").is_in(times))
    marked = among
    if among.height > _MOST_MARKED:
        marked = among.sort(pl.col("profit").abs(), descending=True, maintain_order=True).head(_MOST_MARKED)
    return Shown(instrument, places, marked, among.height - marked.height)


def _by_traded_value(sheet: Sheet) -> list[Instrument]:
    if not sheet.is_portfolio:
        return sheet.instruments
    values = {row["instrument"]: row["traded_value"] for row in sheet.document["attribution"]["instrument"]}
    return sorted(sheet.instruments, key=lambda each: -values.get(each.name, 0.0))


def words(sheet: Sheet) -> str:
    """What the file holds as candles."""
    if holds_all(sheet):
        return "They follow the charts above when those are zoomed to 1,000 bars or fewer."
    found, many = shown(sheet), sum(bars.height > 0 for bars in sheet.bars)
    of = f" of the {len(found)} most traded of {many} instruments" if len(found) < many else ""
    told = (
        f"Of so many bars the file holds those around the stretches to choose from{of}; all are in "
        f"{'bars/' if sheet.is_portfolio else 'bars.parquet'} of the saved result."
    )
    unmarked = sum(each.unmarked for each in found)
    if not unmarked:
        return told
    return (
        f"{told} Of an instrument the {_MOST_MARKED} trades that gained and lost most are marked; {unmarked:,} are not."
    )


def candle_data(each: Shown, first_us: int) -> dict[str, Any]:
    """What the page's script shows of an instrument: its name, how its prices are told, windows, and packed points."""
    bars = each.instrument.bars[each.places]
    rising = pl.col("close") >= pl.col("open")
    return {
        "name": each.instrument.name,
        "price": f"0,0.[{'0' * price_places(bars['close'].tail(300))}]",
        "windows": _window_ranges(each.instrument),
        "points": {
            "rise": _bars_packed(bars.filter(rising), first_us),
            "fall": _bars_packed(bars.filter(~rising), first_us),
            "gain": _trades_packed(each.trades.filter(pl.col("profit") > 0.0), first_us),
            "loss": _trades_packed(each.trades.filter(pl.col("profit") <= 0.0), first_us),
        },
    }


def _window_ranges(instrument: Instrument) -> list[dict[str, Any]]:
    """The windows: `label`, and `start` and `end` in milliseconds."""
    ts_us, half = instrument.ts_us, instrument.interval_seconds * 500.0
    return [
        {
            "label": window.label,
            "start": float(ts_us[window.start]) / MILLISECONDS - 2 * half,
            "end": float(ts_us[window.stop - 1]) / MILLISECONDS + 2 * half,
        }
        for window in windows(instrument)
    ]


def _bars_packed(bars: pl.DataFrame, first_us: int) -> Packed:
    prices = {name: bars[name].to_numpy() for name in _PRICES}
    return packed(first_us, {"x": bars["timestamp"].to_physical().to_numpy()}, prices)


def _trades_packed(trades: pl.DataFrame, first_us: int) -> Packed:
    """A triangle shows the side of the entry; a square an exit by a level, a diamond any other."""
    times = {
        name: trades[f"{side}_time"].to_physical().to_numpy() for name, side in (("x", "entry"), ("x_exit", "exit"))
    }
    values = {name: trades[name].to_numpy() for name in ("entry_price", "exit_price", "profit")}
    told = {
        "marker": ["triangle" if side == "long" else "inverted_triangle" for side in trades["side"]],
        "exit_marker": ["square" if reason in _LEVELS else "diamond" for reason in trades["exit_reason"]],
        "exit_reason": [label(reason) for reason in trades["exit_reason"]],
    }
    if "schedule" in trades.columns:
        told["schedule"] = trades["schedule"].to_list()
    return packed(first_us, times, values, told)


def candle_chart(sheet: Sheet) -> Any:
    """The chart without its points: the page's script fills in those of the instrument and the bars in view."""
    chart = new_figure("candles", Range1d(start=0.0, end=1.0, name="candle_time"), _HEIGHT, new_pointer())
    chart.yaxis.formatter = NumeralTickFormatter()
    chart.y_range = DataRange1d(renderers=_draw_candles(chart, sheet.interval_seconds * MILLISECONDS * _WIDTH))
    _draw_trades(chart, ["schedule"] if sheet.is_portfolio else [])
    return chart


def _draw_candles(chart: Any, width_ms: float) -> list[Any]:
    """Draw bars and return the wicks, which are as high as the chart has to be."""
    wicks = []
    hover = [*((name, f"@{name}{{PRICE}}") for name in _PRICES), ("time", "@x{%F %R}")]
    for name in ("rise", "fall"):
        unseen = {column: [1.0] for column in ("x", *_PRICES)}  # Bokeh complains of a range over nothing
        source = ColumnDataSource(unseen, name=f"{name}_points")
        wicks.append(chart.segment("x", "high", "x", "low", source=source, name=name, line_width=1))
        body = chart.vbar("x", width_ms, "open", "close", source=source, name=name, line_width=1)
        add_hover(chart, body, hover, mode="mouse")
    return wicks


def _draw_trades(chart: Any, owners: list[str]) -> None:
    """A line from each entry to its exit, with a mark at both; `owners` are columns that say whose it is."""
    columns = ["x", "x_exit", "entry_price", "exit_price", "profit", "marker", "exit_marker", "exit_reason", *owners]
    hover = [
        *((name, f"@{name}") for name in owners),
        ("profit", "@profit{+0,0.00}"),
        ("entry", "@entry_price{PRICE}"),
        ("exit", "@exit_price{PRICE}"),
        ("exit by", "@exit_reason"),
    ]
    for name in ("gain", "loss"):
        source = ColumnDataSource({column: [] for column in columns}, name=f"{name}_points")
        chart.segment(
            "x", "entry_price", "x_exit", "exit_price", source=source, name=name, line_width=1.5, line_dash="dashed"
        )
        for x, y, marker in (("x", "entry_price", "marker"), ("x_exit", "exit_price", "exit_marker")):
            points = chart.scatter(x, y, marker=marker, source=source, name=f"{name}_mark", size=12, line_width=1.5)
            add_hover(chart, points, hover, mode="mouse")
