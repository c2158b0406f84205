"""Recorded markets: every engine runs over them, with its money accounted for and no bit that depends on chunks."""

from __future__ import annotations

import re
from pathlib import Path

import barstep as bs
import numpy as np
import pytest
from barstep.data.dataset import Dataset
from barstep.data.importing import import_file
from barstep.data.repair import repair_bars
from barstep.engine import simulation
from barstep.engine.bars import Bars
from barstep.engine.result import Result
from barstep.errors import DataError
from making import ENGINE_NAMES, bits

pytestmark = pytest.mark.shared_data

ARBITRAGE = "cross_exchange_arbitrage"
ALONE = [name for name in ENGINE_NAMES if name != ARBITRAGE]

MARKETS = (
    "BINANCE_BTCUSDT_5m",  # ten months, whole
    "BITFINEX_LTCUSD_1m",  # minutes without a trade are absent; a move of 269 times
    "CME_6EH4_1m",  # a future with sessions
    "FXCM_EURUSD-BID_1m",  # quotes: no volume; weekends
)
TWO_VENUES = (
    ("KRAKEN_BTCUSD_1m", "COINBASE_BTCUSD_1m"),
    ("COINBASE_BTCUSDT_1m", "BINANCEUS_BTCUSDT_1m"),
    ("OANDA_EURUSD-BID_1m", "FXCM_EURUSD-BID_1m"),
)
RAW = {
    "freqtrade_XMR_BTC-5m_gaps.feather": [],
    "freqtrade_hyperliquid_BTC-1m.feather": [],
    "ninjatrader_SPY_minute_2011-01.csv": [],
    "intraday_SP500_NOV2019.csv": [],
    "cdd_gemini_BTCUSD_1hr_tail.csv": ["drop-nonpositive"],
    "yahoo_CL=F_negative_and_null.csv": ["drop-nan", "drop-nonpositive", "clip-ohlc"],
    "yahoo_SPY_2008-2018.csv": ["clip-ohlc"],
}
"""Vendors' files, and the repairs that their refusals name, one after another."""


def holds_together(result: Result) -> None:
    """Equity is a number at every bar and comes to the capital and the profit of all trades."""
    assert np.isfinite(result.equity_values).all()
    profit = result.trades["profit"].sum()
    assert result.final_equity == pytest.approx(result.execution.capital + profit, rel=1e-9, abs=1e-3)
    assert result.equity_values[-1] == result.final_equity
    assert result.fills["price"].is_finite().all()


def test_every_engine_runs_over_recorded_markets(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four markets, five engines: the money adds up, every engine trades somewhere, and chunks change no bit."""
    fills = dict.fromkeys(ALONE, 0)
    for market in MARKETS:
        bars = bs.load(shared_data / f"{market}.parquet")
        for name in ALONE:
            monkeypatch.undo()
            result = bs.backtest(bars, name)
            holds_together(result)
            monkeypatch.setattr(simulation, "_CHUNK", 997)
            assert bits(bs.backtest(bars, name)) == bits(result), (market, name)
            fills[name] += result.fill_table.shape[1]
    assert min(fills.values()) > 100


@pytest.mark.parametrize(("first", "second"), TWO_VENUES)
def test_arbitrage_runs_over_two_recorded_venues(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    """Venues that lack other minutes, or keep other hours, are paired; both legs always fill at the same bar."""
    one, two = (bs.load(shared_data / f"{name}.parquet") for name in (first, second))
    options = {"spread_entry": 1e-4, "spread_exit": 2e-5, "fee_bps": 1}
    result = bs.backtest(one, ARBITRAGE, secondary=two, **options)
    holds_together(result)
    table = result.fill_table
    assert table.shape[1] > 20
    np.testing.assert_array_equal(table[[0, 2]][:, ::2], table[[0, 2]][:, 1::2] * [[1.0], [-1.0]])
    monkeypatch.setattr(simulation, "_CHUNK", 997)
    assert bits(bs.backtest(one, ARBITRAGE, secondary=two, **options)) == bits(result)


def mended(dataset: Dataset) -> tuple[Bars, list[str]]:
    """Bars of a dataset after the repairs that each refusal names, and these."""
    repairs: list[str] = []
    frame, seconds = dataset.frame, dataset.info.interval_seconds
    while True:
        try:
            return Bars.from_dataset(Dataset(frame, dataset.info)), repairs
        except DataError as refusal:
            named = re.search(r"--repair ([a-z-]+)", str(refusal))
            assert named is not None
            assert named.group(1) not in repairs, f"{named.group(1)} did not mend it: {refusal}"
            repairs.append(named.group(1))
            frame = repair_bars(frame, seconds, repairs[-1:]).frame


@pytest.mark.parametrize("name", RAW)
def test_a_vendors_file_is_imported_mended_and_traded(shared_data: Path, name: str) -> None:
    """What a refusal names mends the file, and every engine that has enough bars runs over it."""
    bars, repairs = mended(import_file(shared_data / "raw" / name).dataset)
    assert repairs == RAW[name]
    for engine in ALONE:
        holds_together(bs.backtest(bars, engine))
