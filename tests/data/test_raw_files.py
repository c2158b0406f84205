"""Every recorded vendor's file: its rows, its span and its warts, or why it is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from barstep.data.checking import check_file
from barstep.data.dataset import read_dataset
from barstep.data.importing import ImportOptions, import_file
from barstep.errors import DataError

pytestmark = pytest.mark.shared_data


@dataclass(frozen=True)
class Raw:
    """What a file is known to hold; `findings` are codes with their counts."""

    name: str
    format_name: str
    symbol: str
    venue: str
    interval_seconds: int
    rows: int
    first: str
    last: str
    findings: str


RAW_FILES = (
    Raw(
        "backtesting_EURUSD.csv",
        "generic csv",
        "EURUSD",
        "unknown",
        3600,
        5_000,
        "2017-04-19 09:00",
        "2018-02-07 15:00",
        "time-zone-assumed bar-label-assumed venue-unknown gaps:42",
    ),
    Raw(
        "backtesting_GOOG.csv",
        "generic csv",
        "GOOG",
        "unknown",
        86400,
        2_148,
        "2004-08-19 00:00",
        "2013-03-01 00:00",
        "dates-only bar-label-start venue-unknown gaps:463",
    ),
    Raw(
        "backtrader_2006-min-005.txt",
        "backtrader two-column times",
        "BACKTRADER_2006-MIN-005",
        "unknown",
        300,
        2_142,
        "2006-01-02 09:00",
        "2006-01-30 17:25",
        "time-zone-assumed bar-label-end:2142 symbol-assumed venue-unknown zero-volume:2142 gaps:20",
    ),
    Raw(
        "binance_BTCUSDT-1h-2024-12.csv",
        "Binance public klines",
        "BTCUSDT",
        "binance",
        3600,
        744,
        "2024-12-01 00:00",
        "2024-12-31 23:00",
        "time-zone bar-label-start",
    ),
    Raw(
        "binance_BTCUSDT-1h-2025-01.csv",
        "Binance public klines",
        "BTCUSDT",
        "binance",
        3600,
        744,
        "2025-01-01 00:00",
        "2025-01-31 23:00",
        "time-zone bar-label-start",
    ),
    Raw(
        "bitfinex_api_BTCUSD_2018-08-01T00.json",
        "Bitfinex candles",
        "BTCUSD",
        "bitfinex",
        60,
        120,
        "2018-08-01 00:00",
        "2018-08-01 01:59",
        "column-order time-zone bar-label-start",
    ),
    Raw(
        "bitfinex_merged_LTCUSD_2013.csv",
        "Bitfinex candles",
        "LTCUSD",
        "bitfinex",
        60,
        6_000,
        "2013-05-19 15:23",
        "2013-11-28 07:16",
        "column-order time-zone bar-label-start gaps:4284 outlier:7",
    ),
    Raw(
        "cdd_Bitstamp_BTCUSD_1h_excel-damaged.csv",
        "CryptoDataDownload",
        "BTCUSD",
        "bitstamp",
        3600,
        13_637,
        "2017-07-01 11:00",
        "2019-03-12 00:00",
        "encoding spreadsheet-dates:68 time-zone newest-first bar-label-start null-volume:68 gaps:1",
    ),
    Raw(
        "cdd_Coinbase_BTCUSD_1h.csv",
        "CryptoDataDownload",
        "BTCUSD",
        "coinbase",
        3600,
        15_853,
        "2017-07-01 11:00",
        "2019-04-22 23:00",
        "time-zone newest-first bar-label-start zero-volume:27",
    ),
    Raw(
        "cdd_gemini_BTCUSD_1hr_banner_head.csv",
        "CryptoDataDownload",
        "BTCUSD",
        "gemini",
        3600,
        3_998,
        "2018-12-02 11:00",
        "2019-05-18 00:00",
        "time-zone newest-first bar-label-start unfinished-bar:1 zero-volume:15",
    ),
    Raw(
        "cdd_gemini_BTCUSD_1hr_tail.csv",
        "CryptoDataDownload without header",
        "BTCUSD",
        "gemini",
        3600,
        600,
        "2015-10-08 13:00",
        "2015-11-02 12:00",
        "time-zone newest-first bar-label-start nonpositive-price:1 zero-volume:168",
    ),
    Raw(
        "cme_6EH4_1min.csv.gz",
        "generic csv",
        "6EH4",
        "cme",
        60,
        29_996,
        "2024-01-01 23:00",
        "2024-01-31 23:58",
        "time-zone bar-label-end:29996 gaps:375",
    ),
    Raw(
        "coinbase_api_candles.json",
        "Coinbase candles",
        "COINBASE_API_CANDLES",
        "coinbase",
        3600,
        2,
        "2024-04-04 00:00",
        "2024-04-04 01:00",
        "time-zone newest-first bar-label-start symbol-assumed",
    ),
    Raw(
        "coinbase_btcusdt_api.parquet",
        "Coinbase candles",
        "BTCUSDT",
        "coinbase",
        60,
        24_478,
        "2023-03-01 00:00",
        "2023-03-21 23:58",
        "time-zone bar-label-start gaps:3917",
    ),
    Raw(
        "freqtrade_ETH_BTC-5m.feather",
        "freqtrade",
        "ETHBTC",
        "unknown",
        300,
        5_760,
        "2018-01-10 04:55",
        "2018-01-30 04:50",
        "time-zone bar-label-start venue-unknown",
    ),
    Raw(
        "freqtrade_XMR_BTC-5m_gaps.feather",
        "freqtrade",
        "XMRBTC",
        "unknown",
        300,
        5_758,
        "2018-01-10 04:55",
        "2018-01-30 04:50",
        "time-zone bar-label-start venue-unknown gaps:2",
    ),
    Raw(
        "freqtrade_bybit_ETH-1h-mark.feather",
        "freqtrade",
        "ETH",
        "bybit",
        3600,
        7_217,
        "2025-09-24 00:00",
        "2026-07-21 16:00",
        "volume-absent time-zone bar-label-start mark-prices",
    ),
    Raw(
        "freqtrade_ccxt-arrays_UNITTEST_BTC-1m.json",
        "ccxt arrays",
        "UNITTEST",
        "unknown",
        60,
        13_681,
        "2017-11-04 23:02",
        "2017-11-14 22:59",
        "time-zone bar-label-start venue-unknown gaps:538",
    ),
    Raw(
        "freqtrade_hyperliquid_BTC-1m.feather",
        "freqtrade",
        "BTC",
        "hyperliquid",
        60,
        6_808,
        "2025-07-21 11:28",
        "2025-07-26 04:55",
        "time-zone bar-label-start",
    ),
    Raw(
        "intraday_SP500_NOV2019.csv",
        "intraday month/day/year",
        "SP500",
        "unknown",
        60,
        1_563,
        "2019-11-05 14:30",
        "2019-11-08 20:59",
        "time-zone-assumed bar-label-assumed venue-unknown zero-volume:1563 gaps:3",
    ),
    Raw(
        "kaggle_drys.us.txt",
        "Kaggle stocks (Date … OpenInt)",
        "KAGGLE_DRYS",
        "unknown",
        86400,
        3_200,
        "2005-02-25 00:00",
        "2017-11-10 00:00",
        "adjusted-prices dates-only bar-label-start symbol-assumed venue-unknown zero-volume:1599 gaps:692 outlier:2",
    ),
    Raw(
        "kaggle_fb.us.txt",
        "Kaggle stocks (Date … OpenInt)",
        "KAGGLE_FB",
        "unknown",
        86400,
        1_381,
        "2012-05-18 00:00",
        "2017-11-10 00:00",
        "adjusted-prices dates-only bar-label-start symbol-assumed venue-unknown gaps:300",
    ),
    Raw(
        "kraken_api_ohlc.json",
        "Kraken REST OHLC",
        "XBTUSDT",
        "kraken",
        60,
        721,
        "2025-11-10 12:17",
        "2025-11-11 00:17",
        "time-zone bar-label-start unfinished-bar:1 zero-volume:216",
    ),
    Raw(
        "kraken_ohlcvt_XBTUSD_60_head.csv",
        "Kraken OHLCVT",
        "XBTUSD",
        "kraken",
        3600,
        8_000,
        "2013-10-06 21:00",
        "2015-11-05 10:00",
        "time-zone bar-label-start gaps:2909",
    ),
    Raw(
        "lean_coinbase_btcusd_20170903_trade.zip",
        "Lean minute trades",
        "BTCUSD",
        "coinbase",
        60,
        1_440,
        "2017-09-03 00:00",
        "2017-09-03 23:59",
        "time-zone bar-label-start",
    ),
    Raw(
        "mt4_EURUSD1440.csv",
        "MetaTrader 4 export",
        "EURUSD",
        "unknown",
        86400,
        11_033,
        "1971-01-04 00:00",
        "2015-03-05 00:00",
        "tick-volume broker-time time-zone-assumed bar-label-start venue-unknown gaps:2284",
    ),
    Raw(
        "mt5_EURUSD_D1.csv",
        "MetaTrader 5 export",
        "EURUSD",
        "unknown",
        86400,
        2_280,
        "2015-01-02 00:00",
        "2023-10-12 00:00",
        "tick-volume broker-time dates-only bar-label-start venue-unknown gaps:462",
    ),
    Raw(
        "mt5_EURUSD_H4_head.csv",
        "MetaTrader 5 export",
        "EURUSD",
        "unknown",
        14400,
        2_999,
        "2015-01-02 00:00",
        "2016-12-06 00:00",
        "tick-volume broker-time time-zone-assumed bar-label-start venue-unknown gaps:102",
    ),
    Raw(
        "ninjatrader_SPY_minute_2011-01.csv",
        "NinjaTrader export",
        "SPY",
        "unknown",
        60,
        3_000,
        "2011-01-03 09:00",
        "2011-01-07 14:59",
        "time-zone-assumed bar-label-end:3000 venue-unknown gaps:328",
    ),
    Raw(
        "okx_api_candlesticks.json",
        "OKX candles",
        "OKX_API_CANDLESTICKS",
        "okx",
        60,
        2,
        "2021-07-01 00:00",
        "2021-07-01 00:01",
        "unfinished-bar:2 time-zone bar-label-start symbol-assumed",
    ),
    Raw(
        "yahoo_CL=F_negative_and_null.csv",
        "Yahoo Finance",
        "CL=F",
        "unknown",
        86400,
        5_726,
        "2000-08-23 00:00",
        "2023-02-10 00:00",
        "adjusted-close-left-out dates-only bar-label-start venue-unknown null-price:82 impossible-ohlc:7 "
        "nonpositive-price:2 null-volume:82 zero-volume:6 gaps:1208 outlier:1",
    ),
    Raw(
        "yahoo_SPY_2008-2018.csv",
        "Yahoo Finance",
        "SPY",
        "unknown",
        86400,
        2_519,
        "2007-12-31 00:00",
        "2017-12-29 00:00",
        "adjusted-close-left-out dates-only bar-label-start venue-unknown impossible-ohlc:2 gaps:543",
    ),
    Raw(
        "yfinance_000660_daily_comment-header.csv",
        "yfinance with comment lines",
        "000660",
        "unknown",
        86400,
        243,
        "2025-06-02 00:00",
        "2026-06-02 00:00",
        "dates-only bar-label-start unfinished-bar:1 venue-unknown gaps:56",
    ),
    Raw(
        "yfinance_SPY_h1_comment-header.csv",
        "yfinance with comment lines",
        "SPY",
        "unknown",
        3600,
        140,
        "2026-05-04 13:30",
        "2026-06-01 19:30",
        "time-zone bar-label-start venue-unknown gaps:19 grid-offset",
    ),
)

REFUSED = {
    "backtrader_bidask.csv": "holds quote ticks",
    "bitfinex_api_BTCUSD_empty_16-08-02T20-00-00.json": "empty reply: no bars",
    "freqtrade_bybit_ETH-1h-funding_rate.feather": "holds funding rates in the shape of bars",
    "lean_coinbase_btcusd_20170903_quote.zip": "holds quotes .*choose --side bid or --side ask",
    "lean_fxcm_eurusd_20140505_quote.zip": "holds quotes .*choose --side bid or --side ask",
    "lean_factor_file_aapl.csv": "is a Lean factor file",
    "lean_factor_file_spy.csv": "is a Lean factor file",
}

# A recorded file, the normalised file that was made from the same source elsewhere, and by how many seconds the
# times of the import lie before those of the twin (which kept labels at the end of bars).
TWINS = (
    ("bitfinex_merged_LTCUSD_2013.csv", "BITFINEX_LTCUSD_1m", None, 0),
    ("cdd_Bitstamp_BTCUSD_1h_excel-damaged.csv", "BITSTAMP_BTCUSD_1h", None, 0),
    ("cdd_Coinbase_BTCUSD_1h.csv", "COINBASE_BTCUSD_1h", None, 0),
    ("cdd_gemini_BTCUSD_1hr_banner_head.csv", "GEMINI_BTCUSD_1h", None, 0),
    ("cdd_gemini_BTCUSD_1hr_tail.csv", "GEMINI_BTCUSD_1h", None, 0),
    ("cme_6EH4_1min.csv.gz", "CME_6EH4_1m", None, 60),
    ("coinbase_btcusdt_api.parquet", "COINBASE_BTCUSDT_1m", None, 0),
    ("freqtrade_ETH_BTC-5m.feather", "BITTREX_ETHBTC_5m", None, 0),
    ("freqtrade_XMR_BTC-5m_gaps.feather", "BITTREX_XMRBTC_5m", None, 0),
    ("kaggle_drys.us.txt", "US_DRYS_1d", None, 0),
    ("kaggle_fb.us.txt", "US_FB_1d", None, 0),
    ("kraken_ohlcvt_XBTUSD_60_head.csv", "KRAKEN_XBTUSD_1h", None, 0),
    ("lean_coinbase_btcusd_20170903_trade.zip", "COINBASE_BTCUSD-2017_1m", None, 0),
    ("lean_fxcm_eurusd_20140505_quote.zip", "FXCM_EURUSD-BID_1m", "bid", 0),
    ("lean_fxcm_eurusd_20140505_quote.zip", "FXCM_EURUSD-ASK_1m", "ask", 0),
    ("mt4_EURUSD1440.csv", "MT4_EURUSD_1d", None, 0),
    ("ninjatrader_SPY_minute_2011-01.csv", "NT_SPY_1m", None, 60),
    ("yahoo_CL=F_negative_and_null.csv", "YAHOO_CL-F_1d", None, 0),
)


def test_every_recorded_file_is_in_a_table(shared_data: Path) -> None:
    """No recorded file is forgotten."""
    listed = {raw.name for raw in RAW_FILES} | set(REFUSED)
    assert listed == {path.name for path in (shared_data / "raw").iterdir()}


@pytest.mark.parametrize("raw", RAW_FILES, ids=lambda raw: raw.name)
def test_a_recorded_file_imports(shared_data: Path, raw: Raw) -> None:
    """Format, names, rows, span and findings are those that are known of the file."""
    imported = import_file(shared_data / "raw" / raw.name)
    frame, info = imported.dataset.frame, imported.dataset.info
    ends = [f"{frame['timestamp'][at]:%Y-%m-%d %H:%M}" for at in (0, -1)]
    found = [f"{finding.code}:{finding.count}" if finding.count else finding.code for finding in imported.findings]
    assert imported.format_name == raw.format_name
    assert (info.symbol, info.venue, info.interval_seconds) == (raw.symbol, raw.venue, raw.interval_seconds)
    assert (frame.height, *ends) == (raw.rows, raw.first, raw.last)
    assert " ".join(found) == raw.findings
    assert info.side == ("mark" if "mark-prices" in raw.findings else "trade")


@pytest.mark.parametrize(
    "raw", [raw for raw in RAW_FILES if raw.name.endswith((".csv", ".txt"))], ids=lambda raw: raw.name
)
def test_no_line_is_lost(shared_data: Path, raw: Raw) -> None:
    """As many bars come out of a text as it has lines that begin with a digit."""
    lines = (shared_data / "raw" / raw.name).read_bytes().splitlines()
    assert raw.rows == sum(1 for line in lines if line[:1].isdigit())


@pytest.mark.parametrize(("name", "message"), REFUSED.items())
def test_what_is_no_bars_is_refused_by_name(shared_data: Path, name: str, message: str) -> None:
    """A recorded file without bars is refused, saying what it is."""
    with pytest.raises(DataError, match=message):
        import_file(shared_data / "raw" / name)


@pytest.mark.parametrize(("name", "twin", "side", "shift_seconds"), TWINS)
def test_a_recorded_file_equals_its_twin(
    shared_data: Path, name: str, twin: str, side: str | None, shift_seconds: int
) -> None:
    """Bars are the same as those that others made of the same source, but for end labels, which are moved here."""
    options = ImportOptions(side=side)  # type: ignore[arg-type]
    imported = import_file(shared_data / "raw" / name, options).dataset.frame
    labelled = imported.with_columns(pl.col("timestamp") + pl.duration(seconds=shift_seconds))
    expected = read_dataset(shared_data / f"{twin}.parquet").frame
    span = pl.col("timestamp").is_between(labelled["timestamp"][0], labelled["timestamp"][-1])
    assert labelled.equals(expected.filter(span))


def test_the_counts_are_those_of_the_catalogue(shared_data: Path) -> None:
    """Rows, gaps, missing bars, zero and null volumes of every normalised file are those its catalogue lists."""
    table = re.findall(r"^\| (\S+\.parquet) \|(.*)\|$", (shared_data / "README.md").read_text(), re.MULTILINE)
    normalised = [(name, cells) for name, cells in table if (shared_data / name).is_file()]
    assert len(normalised) == len(list(shared_data.glob("*.parquet")))
    for name, cells in normalised:
        columns = [cell.strip().replace(",", "") for cell in cells.split("|")]
        rows, gaps, missing, null_prices, zero, null_volumes = (int(columns[at]) for at in (1, 4, 5, 8, 9, 10))
        checked = check_file(shared_data / name)
        counts = {finding.code: finding.count for finding in checked.findings}
        gap_text = next((finding.text for finding in checked.findings if finding.code == "gaps"), "0 gaps, 0 bars")
        found_missing = int(re.findall(r", ([\d,]+) bar", gap_text)[0].replace(",", ""))
        assert checked.frame.height == rows, name
        assert (counts.get("gaps", 0), found_missing) == (gaps, missing), name
        assert counts.get("null-price", 0) == null_prices, name
        assert counts.get("zero-volume", 0) == zero, name
        absent = rows if "volume-absent" in counts else counts.get("null-volume", 0)
        assert absent == null_volumes, name
