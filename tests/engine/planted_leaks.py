"""Engines and pipelines that each look ahead in one way, and honest ones that are easily taken for such.

Each leak says which output it moves. The audit has to find every one of them, and none in the honest ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from barstep.engine.bars import Bars
from barstep.engine.strategy import StrategyEngine
from barstep.kernels.columns import (
    CLOSE,
    CONFIDENCE,
    DIAGNOSTICS,
    HIGH,
    LOW,
    OPEN,
    RETURN,
    SECONDARY_CLOSE,
    TARGET,
    VOLATILITY,
)


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Something to audit, and the outputs that must be found to move."""

    name: str
    subject: StrategyEngine | Callable[..., Any]
    moves: set[str]
    at_open: tuple[str, ...] = ()
    needs_secondary: bool = False


# Engines, in plain Python: what they read of `bars` beyond each bar is the leak.


def _engine(name: str, row: int, value: Callable[..., Any], *, needs_secondary: bool = False) -> StrategyEngine:
    """An engine that wishes for nothing, but for one row that `value(bars, carry, start, stop)` fills."""

    def kernel(bars: Any, params: Any, carry: Any, out: Any, start: int, stop: int, at: int) -> None:
        out[:, at : at + stop - start] = 0.0
        out[row, at : at + stop - start] = value(bars, carry, start, stop)
        carry[0] += stop - start

    return StrategyEngine(
        name=name, kernel=kernel, parameters=(), carry_size=4, diagnostics=("told",), history=lambda _: 1,
        needs_secondary=needs_secondary,
    )  # fmt: skip


def _numbers(carry: Any, start: int, stop: int) -> Any:
    return carry[0] + np.arange(stop - start)


def _ahead(row: Any, start: int, stop: int, by: int = 1) -> Any:
    """The values `by` bars later; the last one where the data end."""
    return row[np.minimum(np.arange(start, stop) + by, row.size - 1)]


def _next_close(bars: Any, carry: Any, start: int, stop: int) -> Any:
    return np.sign(_ahead(bars[CLOSE], start, stop) - bars[CLOSE, start:stop])


def _next_open(bars: Any, carry: Any, start: int, stop: int) -> Any:
    return (_ahead(bars[OPEN], start, stop) > bars[CLOSE, start:stop]).astype(float)


def _over_the_last_price(bars: Any, carry: Any, start: int, stop: int) -> Any:
    return np.minimum(bars[CLOSE, start:stop] / bars[CLOSE, -1], 1.0)


def _near_the_end(bars: Any, carry: Any, start: int, stop: int) -> Any:
    return (np.arange(start, stop) > bars.shape[1] - 20).astype(float)


def _next_high(bars: Any, carry: Any, start: int, stop: int) -> Any:
    return _ahead(bars[HIGH], start, stop)


def _surer_when_right(bars: Any, carry: Any, start: int, stop: int) -> Any:
    return 0.5 + 0.5 * (_ahead(bars[RETURN], start, stop) > 0.0)


def _at_rare_bars(bars: Any, carry: Any, start: int, stop: int) -> Any:
    return np.where(_numbers(carry, start, stop) % 997 == 0, _next_close(bars, carry, start, stop), 0.0)


def _at_ends_of_days(bars: Any, carry: Any, start: int, stop: int) -> Any:
    return np.where(_numbers(carry, start, stop) % 24 == 23, _next_close(bars, carry, start, stop), 0.0)


def _carry_of_the_length(bars: Any, carry: Any, start: int, stop: int) -> Any:
    """An exponential mean whose weight is 2 / (all bars + 1)."""
    found = np.empty(stop - start)
    for k, close in enumerate(bars[CLOSE, start:stop]):
        carry[1] += (close - carry[1]) * 2.0 / (bars.shape[1] + 1.0)
        found[k] = carry[1]
    return found


def _score_of_the_call(bars: Any, carry: Any, start: int, stop: int) -> Any:
    part = bars[CLOSE, start:stop]
    return (part - part.mean()) / (part.std() + 1.0)


def _secondary_ahead(bars: Any, carry: Any, start: int, stop: int) -> Any:
    return np.sign(_ahead(bars[SECONDARY_CLOSE], start, stop) - bars[CLOSE, start:stop])


def _volatility_to_come(bars: Any, carry: Any, start: int, stop: int) -> Any:
    to_come = np.append(bars[RETURN, start + 1 : stop + 20], np.zeros(20))
    return np.lib.stride_tricks.sliding_window_view(to_come, 20)[: stop - start].std(axis=1)


ENGINES = [
    Planted(name="next close", subject=_engine("next_close", TARGET, _next_close), moves={"target"}),
    Planted(name="next open", subject=_engine("next_open", TARGET, _next_open), moves={"target"}),
    Planted(name="over the last price", subject=_engine("last_price", TARGET, _over_the_last_price), moves={"target"}),
    Planted(name="number of bars", subject=_engine("length", TARGET, _near_the_end), moves={"target"}),
    Planted(name="in a diagnostic only", subject=_engine("diagnosed", DIAGNOSTICS, _next_high), moves={"told"}),
    Planted(name="in confidence only", subject=_engine("surer", CONFIDENCE, _surer_when_right), moves={"confidence"}),
    Planted(name="at rare bars only", subject=_engine("rare", TARGET, _at_rare_bars), moves={"target"}),
    Planted(name="at ends of days only", subject=_engine("sessions", TARGET, _at_ends_of_days), moves={"target"}),
    Planted(name="carry of the length", subject=_engine("carried", TARGET, _carry_of_the_length), moves={"target"}),
    Planted(name="score of the call", subject=_engine("scored", TARGET, _score_of_the_call), moves={"target"}),
    Planted(
        name="second leg ahead",
        subject=_engine("pair", TARGET, _secondary_ahead, needs_secondary=True),
        moves={"target"},
        needs_secondary=True,
    ),
    Planted(name="volatility to come", subject=_engine("risky", VOLATILITY, _volatility_to_come), moves={"volatility"}),
]


# Pipelines: what people write around an engine, over tables.


def _shifted_back(bars: Bars) -> pl.DataFrame:
    return bars.to_frame().select(signal=pl.col("close").shift(-1) > pl.col("close"))


def _score_of_all(bars: Bars) -> pl.DataFrame:
    close = pl.col("close")
    return bars.to_frame().select(score=(close - close.mean()) / close.std())


def _centred(bars: Bars) -> pl.DataFrame:
    return bars.to_frame().select(mean=pl.col("close").rolling_mean(9, center=True))


def _with_holes(bars: Bars) -> pl.DataFrame:
    """The closes of a source that lacks every bar whose number is 3 or 4 over a multiple of 7."""
    missing = np.isin(bars.numbers % 7, (3, 4))
    return bars.to_frame().select("timestamp", close=pl.when(~pl.Series(missing)).then(pl.col("close")))


def _filled_backward(bars: Bars) -> pl.DataFrame:
    return _with_holes(bars).select(pl.col("close").fill_null(strategy="backward"))


def _interpolated(bars: Bars) -> pl.DataFrame:
    return _with_holes(bars).select(pl.col("close").interpolate())


def _signals(bars: Bars) -> Any:
    return (bars.close > bars.open).astype(float)


def _filled_at_its_own_open(bars: Bars) -> dict[str, Any]:
    """Decides at the close of a bar and has the position from that bar's open on."""
    position = _signals(bars)
    return {"position": position, "equity": np.cumsum(position * (bars.close - bars.open))}


def _stopped_at_the_open(bars: Bars) -> dict[str, Any]:
    """Knows at the open whether the bar's low will reach the stop, and stays out then."""
    return {"position": (bars.values[LOW] > bars.open * 0.995).astype(float)}


def _four_hours(bars: Bars, label: str) -> pl.DataFrame:
    """Closes of four hours, their time being the first hour's (left) or the end of the last one (right)."""
    grouped = bars.to_frame().group_by_dynamic("timestamp", every="4h", label=label)  # type: ignore[arg-type]
    return grouped.agg(pl.col("close").last().alias("four_hours"))


def _labelled_left(bars: Bars) -> pl.DataFrame:
    joined = bars.to_frame().join_asof(_four_hours(bars, "left"), on="timestamp")
    return joined.select("four_hours")


def _joined_forward(bars: Bars) -> pl.DataFrame:
    news = bars.to_frame().filter(pl.Series(bars.numbers % 5 == 2)).select("timestamp", told=pl.col("close"))
    return bars.to_frame().join_asof(news, on="timestamp", strategy="forward").select("told")


def _long_bars_that_close_early(bars: Bars) -> Bars:
    """Closes of four hours as bars of one hour: each is said to be known three hours before its last price."""
    grouped = bars.to_frame().group_by_dynamic("timestamp", every="4h")
    made = grouped.agg(pl.first("open"), pl.max("high"), pl.min("low"), pl.last("close"), pl.sum("volume"))
    times = made["timestamp"].to_physical().to_numpy()
    columns = (made[name].to_numpy() for name in ("open", "high", "low", "close", "volume"))
    return Bars.from_arrays(times, *columns, interval_seconds=bars.interval_seconds)


def _under_the_highest(bars: Bars) -> dict[str, Any]:
    return {"drawdown": bars.close / bars.close.max() - 1.0}


def _summed_from_the_end(bars: Bars) -> dict[str, Any]:
    return {"to_come": np.cumsum(bars.values[RETURN][::-1])[::-1]}


def _ranked(bars: Bars) -> pl.DataFrame:
    return bars.to_frame().select(rank=pl.col("close").rank() / pl.len())


def _fitted(bars: Bars) -> dict[str, Any]:
    slope, level = np.polyfit(np.arange(float(len(bars))), bars.close, 1)
    return {"over_trend": bars.close - slope * np.arange(len(bars)) - level}


def _close_of_the_day(bars: Bars) -> pl.DataFrame:
    day = pl.col("timestamp").dt.date()
    return bars.to_frame().select(over=pl.col("close") < pl.col("close").last().over(day))


def _labelled_by_what_comes(bars: Bars) -> dict[str, Any]:
    """The label of a training set, used as what is known: whether one of the next ten closes is 2 % higher."""
    ahead = [bars.close[bar + 1 : bar + 11] for bar in range(len(bars))]
    return {"label": [p.size > 0 and p.max() > 1.02 * close for p, close in zip(ahead, bars.close, strict=True)]}


def _scaled_by_all(bars: Bars) -> dict[str, Any]:
    low, high = np.nanmin(bars.values[RETURN]), np.nanmax(bars.values[RETURN])
    return {"scaled": (bars.values[RETURN] - low) / (high - low)}


PIPELINES = [
    Planted(name="shift(-1)", subject=_shifted_back, moves={"signal"}),
    Planted(name="z-score of the whole sample", subject=_score_of_all, moves={"score"}),
    Planted(name="centred window", subject=_centred, moves={"mean"}),
    Planted(name="backward fill", subject=_filled_backward, moves={"close"}),
    Planted(name="interpolation across gaps", subject=_interpolated, moves={"close"}),
    Planted(name="same-bar fill", subject=_filled_at_its_own_open, moves={"position"}, at_open=("position",)),
    Planted(name="stop known at the open", subject=_stopped_at_the_open, moves={"position"}, at_open=("position",)),
    Planted(name="resample labelled left", subject=_labelled_left, moves={"four_hours"}),
    Planted(name="asof on the wrong side", subject=_joined_forward, moves={"told"}),
    Planted(name="long bars that close early", subject=_long_bars_that_close_early, moves={"close", "high", "low"}),
    Planted(name="maximum of the whole sample", subject=_under_the_highest, moves={"drawdown"}),
    Planted(name="reverse cumulative sum", subject=_summed_from_the_end, moves={"to_come"}),
    Planted(name="rank in the whole sample", subject=_ranked, moves={"rank"}),
    Planted(name="trend fitted to all", subject=_fitted, moves={"over_trend"}),
    Planted(name="close of the day", subject=_close_of_the_day, moves={"over"}),
    Planted(name="label as a feature", subject=_labelled_by_what_comes, moves={"label"}),
    Planted(name="scaled by the extremes of all", subject=_scaled_by_all, moves={"scaled"}),
]


# What looks like one of these, and is honest.


def _shifted(bars: Bars) -> pl.DataFrame:
    return bars.to_frame().select(signal=pl.col("close").shift(1) < pl.col("close"))


def _trailing(bars: Bars) -> pl.DataFrame:
    close = pl.col("close")
    return bars.to_frame().select(score=(close - close.rolling_mean(24)) / close.rolling_std(24))


def _filled_forward(bars: Bars) -> pl.DataFrame:
    return _with_holes(bars).select(pl.col("close").fill_null(strategy="forward"))


def _filled_at_the_next_open(bars: Bars) -> dict[str, Any]:
    position = np.concatenate(([0.0], _signals(bars)[:-1]))
    return {"position": position, "fill_price": bars.open, "equity": np.cumsum(position * (bars.close - bars.open))}


def _labelled_right(bars: Bars) -> pl.DataFrame:
    known = bars.to_frame().with_columns(timestamp=pl.Series(bars.closes_us).cast(pl.Datetime("us", "UTC")))
    return known.join_asof(_four_hours(bars, "right"), on="timestamp").select("four_hours")


def _under_the_highest_so_far(bars: Bars) -> dict[str, Any]:
    return {"drawdown": bars.close / np.maximum.accumulate(bars.close) - 1.0}


HONEST = [
    Planted(name="shift(1)", subject=_shifted, moves=set()),
    Planted(name="trailing z-score", subject=_trailing, moves=set()),
    Planted(name="forward fill", subject=_filled_forward, moves=set()),
    Planted(
        name="fill at the next open",
        subject=_filled_at_the_next_open,
        moves=set(),
        at_open=("position", "fill_price"),
    ),
    Planted(name="resample labelled right", subject=_labelled_right, moves=set()),
    Planted(name="maximum so far", subject=_under_the_highest_so_far, moves=set()),
]
