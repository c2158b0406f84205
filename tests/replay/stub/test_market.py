"""What a stub venue finds recorded, and what it says where there is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.errors import DataError
from barstep.replay.stub.market import Market
from venue_making import bars_of


def test_the_embedded_ones() -> None:
    """By venue, symbol and interval; the longest that divide the interval are joined."""
    market = Market(datasets=["embedded"])
    assert [one.key for one in market.recordings][:2] == [("binance", "BTCUSDT", 60), ("binance", "BTCUSDT", 3600)]
    assert market.bars("kraken", "ETHUSDT", 3600).symbol == "ETHUSDT"
    hours = market.bars("binance", "BTCUSDT", 4 * 3600)
    assert (hours.interval_seconds, len(hours)) == (4 * 3600, 17_544 // 4)
    assert market.bars("binance", "BTCUSDT", 4 * 3600) is hours
    assert market.bars("binance", "BTCUSDT", 120).interval_seconds == 120


def test_a_file_is_a_market_of_its_own(tmp_path: Path) -> None:
    """What is not there is told of, with what is near."""
    market = Market(datasets=[str(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet")])
    assert [one.key for one in market.recordings] == [("binance", "BTCUSDT", 3600)]
    with pytest.raises(DataError, match=r"no recorded bars of binance BTCUSD 1h.*Did you mean 'binance BTCUSDT 1h'"):
        market.bars("binance", "BTCUSD", 3600)
    with pytest.raises(DataError, match="no such folder of recorded bars"):
        Market(datasets=[str(tmp_path / "nowhere")])
    with pytest.raises(DataError, match="no recorded bars that a venue could trade"):
        Market(datasets=[str(tmp_path)])


def test_bars_that_are_there_twice() -> None:
    """Nobody could tell which are meant."""
    with pytest.raises(DataError, match="two recordings have v BTC 1m"):
        Market([bars_of(), bars_of(count=30)]).bars("v", "BTC", 60)
