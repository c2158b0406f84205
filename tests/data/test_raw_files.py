"""Every recorded vendor's file: its rows, its span and its warts, or why it is refused."""

from __future__ import annotations

import json
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
    findings: list[str]


RAW_FILES = [Raw(**row) for row in json.loads(Path(__file__).with_name("recorded_files.json").read_text("utf-8"))]

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
    assert found == raw.findings
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
