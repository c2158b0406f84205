"""File names give hints."""

from __future__ import annotations

import pytest
from barstep.data.naming import guess_names


@pytest.mark.parametrize(
    ("name", "symbol", "venue", "seconds", "side"),
    [
        ("BINANCE_BTCUSDT_1m.parquet", "BTCUSDT", "binance", 60, None),
        ("BINANCE_BTCUSD-COINM-PERP_1m.parquet", "BTCUSD-COINM-PERP", "binance", 60, None),
        ("FXCM_EURUSD-BID_1h.parquet", "EURUSD-BID", "fxcm", 3600, "bid"),
        ("BTC_USDT_USDT-5m-futures.feather", "BTCUSDT", None, 300, None),
        ("BTCUSDT-1h-2024-12.zip", "BTCUSDT", None, 3600, None),
        ("EURUSD1440.csv", "EURUSD", None, 86400, None),
        ("EURUSD_H4.csv", "EURUSD", None, 14400, None),
        ("20170903_btcusd_minute_trade.csv", "BTCUSD", None, 60, None),
        ("Gemini_BTCUSD_1hr.csv", "BTCUSD", "gemini", 3600, None),
        ("prices.csv", None, None, None, None),
        ("X_0m.csv", None, None, None, None),
    ],
)
def test_a_name_is_read_for_hints(
    name: str, symbol: str | None, venue: str | None, seconds: int | None, side: str | None
) -> None:
    """Vendors' habits of naming give symbol, venue, interval and side, and nothing is made up."""
    names = guess_names(name)
    assert (names.symbol, names.venue, names.interval_seconds, names.side) == (symbol, venue, seconds, side)
