"""The series of a report."""

from __future__ import annotations

from collections.abc import Callable

import barstep as bs
import numpy as np
import pytest
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.report.series import SPANS, least_span_ms, series_of
from barstep.report.sheet import sheet_of


def test_points_are_the_data(hours: bs.Result) -> None:
    """Every point is a bar's time and value, extremes included."""
    sheet = sheet_of(hours)
    drawn = series_of(sheet)
    equity = drawn["equity"]
    places = np.searchsorted(sheet.ts_us, equity.ts_us)
    np.testing.assert_array_equal(equity.columns["y"], hours.equity_values[places])
    assert equity.columns["y"].max() == hours.equity_values.max()
    assert SPANS < equity.ts_us.size <= 4 * SPANS
    assert drawn["drawdown"].columns["y"].min() == pytest.approx(-hours.metrics["max_drawdown_pct"], rel=1e-12)


def test_a_short_history_is_drawn_whole(made: Callable[..., bs.Result]) -> None:
    """Where there are few bars every one is a point, and where none was ambiguous there is no band."""
    sheet = sheet_of(made(300))
    drawn = series_of(sheet)
    assert drawn.keys() == {"equity", "benchmark", "drawdown", "position"}
    assert all(each.ts_us.size == 300 for each in drawn.values())
    assert least_span_ms(sheet) == 30 * 3_600_000


@pytest.mark.parametrize("taken", ["pessimistic", "optimistic"])
def test_the_band_lies_between_both_orders(taken: str) -> None:
    """Its sides are the curves that either order gives, whichever was taken, thinned together."""
    bars = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1m.parquet")
    result = bs.backtest(bars, "mean_reversion", trailing_stop_pct=0.1, ambiguous_fills=taken)
    worse, better = result.equity_values, result.other_order.equity_values
    if taken == "optimistic":
        worse, better = better, worse
    band = series_of(sheet_of(result))["band"]
    assert 0 < band.ts_us.size <= 8 * SPANS < len(bars)
    places = np.searchsorted(bars.ts_us, band.ts_us)
    for name, curve in (("worse", worse), ("better", better)):
        np.testing.assert_array_equal(band.columns[name], curve[places])
        assert (band.columns[name].min(), band.columns[name].max()) == (curve.min(), curve.max())
    assert worse[-1] < better[-1]


def test_the_series_of_a_portfolio(three: bs.PortfolioResult) -> None:
    """Exposures and weights are drawn in percent of equity, each weight as the mean of a span, the largest first."""
    drawn = series_of(sheet_of(three))
    gross = three.columns["gross_exposure"].to_numpy() * 100.0
    assert drawn["gross"].columns["y"].max() == gross.max()
    weights = drawn["weights"]
    assert list(weights.columns) == ["height0", "height1", "height2"]
    assert weights.ts_us.size <= SPANS
    sizes = [float(three.weights[name].abs().mean()) for name in three.weights.columns[1:]]  # type: ignore[arg-type]
    means = [float(np.abs(height).mean()) for height in weights.columns.values()]
    assert max(sizes) * 100.0 >= means[0] > 0.0
    total = sum(height for height in weights.columns.values())
    net = three.columns["net_exposure"].to_numpy() * 100.0
    whole, thinned = np.sum(net) / net.size, np.mean(total)
    assert thinned == pytest.approx(whole, rel=0.01)


def test_the_band_of_a_portfolio() -> None:
    """A portfolio's too: the curves of both orders."""
    bars = bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1m.parquet")
    result = bs.portfolio([bars], [bs.Allocation(strategy="mean_reversion")], trailing_stop_pct=0.1)
    band = series_of(sheet_of(result))["band"]
    places = np.searchsorted(bars.ts_us, band.ts_us)
    np.testing.assert_array_equal(band.columns["worse"], result.equity_values[places])
    np.testing.assert_array_equal(band.columns["better"], result.other_order.equity_values[places])
