"""Vendors' files become datasets; what is assumed is said, and what is no bars is refused by name."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from barstep.data.importing import Imported, ImportOptions, import_file, import_files
from barstep.errors import DataError, UsageError

Save = Callable[[str, str | bytes], Path]

PLAIN = "date,open,high,low,close,volume\n2024-01-01 00:00:00,1,2,0.5,1.5,10\n2024-01-01 01:00:00,1.5,2,1,1.2,11\n"


def codes(imported: Imported) -> set[str]:
    return {finding.code for finding in imported.findings}


def opens(imported: Imported) -> list[str]:
    return imported.dataset.frame["timestamp"].dt.strftime("%Y-%m-%d %H:%M").to_list()


def zipped(member: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, text)
    return buffer.getvalue()


BINANCE = "1704067200000,1,2,0.5,1.5,10,1704070799999,5,3,1,1,0\n1704070800000,1.5,2,1,1.2,11,1704074399999,5,3,1,1,0\n"
BINANCE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_base,taker_buy_quote,ignore\n"
)
BINANCE_MICROSECONDS = re.sub(r"\b17\d{11}\b", r"\g<0>000", BINANCE)
FORMATS = {
    "binance without header": ("BTCUSDT-1h-2024-01.csv", BINANCE, "Binance public klines"),
    "binance with header": ("BTCUSDT-1h-2024-01.csv", BINANCE_HEADER + BINANCE, "Binance public klines"),
    "binance in microseconds": ("x.csv", BINANCE_MICROSECONDS, "Binance public klines"),
    "dukascopy gmt": (
        "EURUSD_Candlestick_1_h_BID.csv",
        "Gmt time,Open,High,Low,Close,Volume\n01.01.2024 00:00:00.000,1,2,0.5,1.5,10\n"
        "01.01.2024 01:00:00.000,1.5,2,1,1.2,11\n",
        "Dukascopy",
    ),
    "dukascopy local": (
        "EURUSD.csv",
        "Local time,Open,High,Low,Close,Volume\n01.01.2024 02:00:00.000 GMT+0200,1,2,0.5,1.5,10\n"
        "01.01.2024 03:00:00.000 GMT+0200,1.5,2,1,1.2,11\n",
        "Dukascopy",
    ),
    "metatrader 5 as exported": (
        "EURUSD_H1.csv",
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
        "2024.01.01\t00:00:00\t1\t2\t0.5\t1.5\t10\t0\t1\n2024.01.01\t01:00:00\t1.5\t2\t1\t1.2\t11\t0\t1\n",
        "MetaTrader 5 export",
    ),
    "metatrader 4": (
        "EURUSD60.csv", "2024.01.01,00:00,1,2,0.5,1.5,10\n2024.01.01,01:00,1.5,2,1,1.2,11\n", "MetaTrader 4 export",
    ),
    "ninjatrader": (
        "SPY.txt", "20240101 010000;1;2;0.5;1.5;10\n20240101 020000;1.5;2;1;1.2;11\n",
        "NinjaTrader export"),
    "ccxt arrays": (
        "BTC_USDT-1h.json", "[[1704067200000,1,2,0.5,1.5,10],[1704070800000,1.5,2,1,1.2,11]]", "ccxt arrays",
    ),
    "bitfinex arrays": (
        "x.json", "[[1704067200000,1,1.5,2,0.5,10],[1704070800000,1.5,1.2,2,1,11]]", "Bitfinex candles",
    ),
    "coinbase exchange arrays": (
        "x.json", "[[1704070800,1,2,1.5,1.2,11],[1704067200,0.5,2,1,1.5,10]]", "Coinbase Exchange candles",
    ),
    "kraken ohlcvt": ("XBTUSD_60.csv", "1704067200,1,2,0.5,1.5,10,7\n1704070800,1.5,2,1,1.2,11,8\n", "Kraken OHLCVT"),
    "cryptodatadownload": (
        "Gemini_BTCUSD_1h.csv",
        "https://www.CryptoDataDownload.com\nunix,date,symbol,open,high,low,close,Volume BTC,Volume USD\n"
        "1704070800,2024-01-01 01-AM,BTC/USD,1.5,2,1,1.2,11,1\n1704067200,2024-01-01 12-AM,BTC/USD,1,2,0.5,1.5,10,1\n",
        "CryptoDataDownload",
    ),
    "quoted csv": ("x.csv", PLAIN.replace("2024-01-01 00:00:00,1,", '"2024-01-01 00:00:00","1",'), "generic csv"),
    "objects": (
        "x.json",
        json.dumps([
            {"time": "2024-01-01T00:00:00Z", "o": 1, "h": 2, "l": 0.5, "c": 1.5, "v": 10},
            {"time": "2024-01-01T01:00:00Z", "o": 1.5, "h": 2, "l": 1, "c": 1.2, "v": 11},
        ]),
        "generic json",
    ),
    "bom and crlf": ("x.csv", "\ufeff" + PLAIN.replace("\n", "\r\n"), "generic csv"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_told_from_its_content(save: Save, name: str) -> None:
    """The same two bars come out of every vendor's way to write them, stamped with their open."""
    file_name, text, format_name = FORMATS[name]
    imported = import_file(save(file_name, text))
    assert imported.format_name == format_name
    assert opens(imported) == ["2024-01-01 00:00", "2024-01-01 01:00"]
    assert imported.dataset.frame.select("open", "high", "low", "close", "volume").rows() == [
        (1.0, 2.0, 0.5, 1.5, 10.0),
        (1.5, 2.0, 1.0, 1.2, 11.0),
    ]
    assert imported.dataset.info.interval_seconds == 3600


def test_containers_are_opened(save: Save) -> None:
    """gzip and zip are opened, one inside the other too, and the member's name gives hints."""
    expected = import_file(save("plain.csv", PLAIN)).dataset.frame
    inner = zipped("BTCUSDT-1h-2024-01.csv", PLAIN)
    for name, content in (("a.gz", gzip.compress(PLAIN.encode())), ("b.bin", inner), ("c.gz", gzip.compress(inner))):
        imported = import_file(save(name, content))
        assert imported.dataset.frame.equals(expected)
    assert imported.dataset.info.symbol == "BTCUSDT"


@pytest.mark.parametrize("write", ["write_parquet", "write_ipc"])
def test_columns_are_mapped(tmp_path: Path, write: str) -> None:
    """A mapping names columns that nobody could guess; the others are found."""
    frame = pl.DataFrame(
        {"when": ["2024-01-01", "2024-01-02"], "open": [1.0, 2.0], "high": [2.0, 2.0], "low": [1.0, 1.0],
         "Last Px": [1.5, 1.5], "volume": [1, 2]}
    )  # fmt: skip
    getattr(frame, write)(tmp_path / "x.bin")
    options = ImportOptions(columns={"timestamp": "when", "close": "last px"})
    imported = import_file(tmp_path / "x.bin", options)
    assert imported.dataset.frame["close"].to_list() == [1.5, 1.5]
    with pytest.raises(UsageError, match="Did you mean 'Last Px'"):
        import_file(tmp_path / "x.bin", ImportOptions(columns={"close": "Last P"}))
    with pytest.raises(UsageError, match=r"unknown field 'closing'"):
        import_file(tmp_path / "x.bin", ImportOptions(columns={"closing": "Last Px"}))
    with pytest.raises(DataError, match=r"no column for close, timestamp.*--column close=NAME"):
        import_file(tmp_path / "x.bin")


def test_headless_rows_are_mapped(save: Save) -> None:
    """Rows of no known vendor are refused with the way to name their columns, and that way works."""
    path = save(
        "x.csv", "2024-01-01 00:00;9;1;2;0.5;1.5\n2024-01-01 01:00;9;1.5;2;1;1.2\n2024-01-01 02:00;9;1.5;2;1;1.2\n"
    )
    with pytest.raises(DataError, match="--column timestamp=column_1"):
        import_file(path)
    mapping = dict(
        zip(("timestamp", "open", "high", "low", "close"), (f"column_{at}" for at in (1, 3, 4, 5, 6)), strict=True)
    )
    imported = import_file(path, ImportOptions(columns=mapping))
    assert imported.dataset.frame["close"].to_list() == [1.5, 1.2, 1.2]
    assert "volume-absent" in codes(imported)


def test_what_is_said_overrides_what_is_guessed(save: Save) -> None:
    """Symbol, venue, interval, zone, label and side are taken from the options."""
    options = ImportOptions(
        symbol="ABC", venue="nyse", interval="30m", timezone="America/New_York", label="end", side="bid"
    )
    imported = import_file(save("BINANCE_X_1h.csv", PLAIN), options)
    info = imported.dataset.info
    assert (info.symbol, info.venue, info.interval_seconds, info.side) == ("ABC", "nyse", 1800, "bid")
    assert opens(imported) == ["2024-01-01 04:30", "2024-01-01 05:30"]
    assert {"interval-differs", "bar-label-end", "bid-prices", "time-zone"} <= codes(imported)


def test_what_is_assumed_is_said(save: Save) -> None:
    """A file that names neither zone nor label nor symbol nor venue is read, and each assumption is a finding."""
    imported = import_file(save("prices.csv", PLAIN))
    assert {"time-zone-assumed", "bar-label-assumed", "symbol-assumed", "venue-unknown"} <= codes(imported)
    assert any(note.startswith("time-zone-assumed:") for note in imported.dataset.info.notes)


def test_nothing_is_dropped_silently(save: Save) -> None:
    """Exact repeats and conflicting rows are dropped, told apart, and located by line and time; null rows stay."""
    text = (
        PLAIN + "2024-01-01 01:00:00,1.5,2,1,1.2,11\n2024-01-01 00:00:00,7,8,6,7,1\n"
        "2024-01-01 02:00:00,null,null,null,null,null\n"
    )
    imported = import_file(save("x.csv", text))
    by_code = {finding.code: finding for finding in imported.findings}
    assert by_code["duplicate-rows"].locations == ("line 3, 2024-01-01T01:00:00Z",)
    assert by_code["conflicting-rows"].locations == ("line 2, 2024-01-01T00:00:00Z",)
    assert by_code["conflicting-rows"].severity == "error"
    assert by_code["out-of-order"].locations == ("line 5",)
    assert by_code["null-price"].locations == ("2024-01-01T02:00:00Z",)
    assert imported.dataset.frame["open"].to_list() == [7.0, 1.5, None]


def test_a_skipped_hour_drops_a_row_and_says_so(save: Save) -> None:
    """A time that does not exist in the zone cannot be kept; its row is counted and located."""
    text = "date,open,high,low,close,volume\n" + "".join(
        f"2024-03-10 0{hour}:00:00,1,2,0.5,1.5,10\n" for hour in (0, 1, 2, 3)
    )
    imported = import_file(save("x.csv", text), ImportOptions(timezone="America/New_York"))
    assert imported.dataset.frame.height == 3
    assert next(found for found in imported.notes if found.code == "nonexistent-time").count == 1


def test_spreadsheet_damage_is_named(save: Save) -> None:
    """Volumes that a spreadsheet turned into dates are null, with their lines; any other text is an error."""
    damaged = PLAIN.replace(",11\n", ",16.Сер\n")
    imported = import_file(save("x.csv", damaged.encode("cp1251")))
    assert imported.dataset.frame["volume"].to_list() == [10.0, None]
    assert next(found for found in imported.notes if found.code == "spreadsheet-dates").locations == ("line 3",)
    with pytest.raises(DataError, match=r"line 3, column 'volume': 'lots' is not a number"):
        import_file(save("y.csv", PLAIN.replace(",11\n", ",lots\n")))


def test_mixed_epoch_units_are_named(save: Save) -> None:
    """Seconds that turn into milliseconds half way are each read by their size."""
    imported = import_file(
        save("x.csv", "time,open,high,low,close\n1704067200,1,2,0.5,1.5\n1704070800000,1.5,2,1,1.2\n")
    )
    assert opens(imported) == ["2024-01-01 00:00", "2024-01-01 01:00"]
    assert next(found for found in imported.notes if found.code == "mixed-epoch-units").locations == ("line 3",)


def test_day_and_month_are_told_by_the_smaller_jumps(save: Save) -> None:
    """Dates that fit both orders are read in the order that jumps least."""
    rows = "".join(f"0{day}/02/2024 00:00,1,2,0.5,1.5,1\n" for day in range(1, 8))
    imported = import_file(save("x.csv", "date,open,high,low,close,volume\n" + rows))
    assert opens(imported)[-1] == "2024-02-07 00:00"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "the file is empty"),
        ("blank.csv", b"\n\n  \n", "the file is empty"),
        ("header.csv", b"date,open,high,low,close,volume\n", "a header and nothing below it"),
        ("comments.csv", b"# nothing\n# here\n", "no rows below 2 comment lines"),
        ("junk.bin", bytes(range(256)) * 20, "not data of a known kind"),
        ("cut.zip", zipped("a.csv", PLAIN * 50)[:-30], "zip archive is damaged or cut short"),
        ("cut.gz", gzip.compress(PLAIN.encode() * 50)[:-20], "gzip file is damaged or cut short"),
        ("cut.parquet", b"PAR1" + bytes(50), "parquet file is damaged"),
        ("cut.feather", b"ARROW1" + bytes(50), "feather file is damaged"),
        ("old.feather", b"FEA1" + bytes(50), "feather version 1"),
        ("ragged.csv", PLAIN.encode() + b"2024-01-01 02:00:00,1,2\n", "line 4 has 3 columns and the first row has 6"),
        ("text.csv", PLAIN.replace("0.5", "cheap").encode(), r"line 2, column 'low': 'cheap' is not a number"),
        ("time.csv", PLAIN.replace("2024-01-01 01:00:00", "noon").encode(), r"line 3: 'noon' is not a time"),
        ("times.csv", PLAIN.replace("2024-01-01 0", "day 0").encode(), r"'day 00:00:00' is no known time"),
        ("history.csv", b"time,open,high,low,close\n9223372036854775000,1,1,1,1\n", "outside the years 1800 to 2200"),
        ("before.json", b'[[-99999999999999,1,2,0.5,1.5,10]]', "6 columns without names"),
        ("cut.json", b"[[1704067200000, 1, 2", "not readable JSON"),
        ("error.json", b'{"code": "50011", "msg": "Too Many Requests", "data": []}', "error: Too Many Requests"),
        ("error2.json", b'{"error": ["EQuery:Unknown asset pair"]}', "error: .'EQuery:Unknown asset pair'"),
        ("odd.json", b'{"a": 1}', "JSON of an unknown form"),
        ("ragged.json", b"[[1704067200000,1,2,0.5,1.5,10],[1704070800000]]", "row 2 has 1 values and row 1 has 6"),
        ("empty.json", b"[]", "empty reply: no bars"),
        ("empty2.json", b'{"candles": []}', "empty reply: no bars"),
        ("ticks.csv", b"timestamp,bid,ask\n2024-01-01,1,2\n", "holds quote ticks"),
        ("trades.csv", b"timestamp,price,amount\n2024-01-01,1,2\n", "holds trades"),
        ("trades2.csv", b"1,42000.1,0.5,21000,1704067200000,True,True\n", "holds Binance trades"),
        ("trades3.csv", b"1704067200,42000.1,0.5\n", "holds trades"),
        ("factors.csv", b"20240101,0.99,1,100\n20501231,1,1,0\n", "Lean factor file"),
        ("one.csv", PLAIN.encode().rsplit(b"\n", 2)[0], "one bar, so its interval cannot be told; add --interval"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(save: Save, tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """A damaged, empty or foreign file is one clear data error, and nothing appears beside it."""
    path = save(name, content)
    with pytest.raises(DataError, match=message):
        import_file(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("unit", "time"), [("ms", 10**17), ("us", -(10**18)), ("ns", -(10**19) // 2)])
def test_times_of_a_damaged_file_are_refused(tmp_path: Path, unit: str, time: int) -> None:
    """Times that no market has seen are refused before any conversion overflows on them."""
    frame = pl.DataFrame({"timestamp": pl.Series([0, time]).cast(pl.Datetime(unit, "UTC"))})  # type: ignore[arg-type]
    frame.with_columns(pl.lit(1.0).alias(name) for name in ("open", "high", "low", "close")).write_ipc(tmp_path / "x")
    if unit == "ns":
        assert import_file(tmp_path / "x").dataset.frame.height == 2
        return
    with pytest.raises(DataError, match=r"row 2: the time .* lies outside the years 1800 to 2200"):
        import_file(tmp_path / "x")


def test_one_bar_takes_its_interval_from_the_name(save: Save) -> None:
    """One bar has no step; the name's interval is used and said, and a name that contradicts the steps is too."""
    one = "".join(PLAIN.splitlines(keepends=True)[:2])
    imported = import_file(save("BINANCE_X_4h.csv", one))
    assert imported.dataset.info.interval_seconds == 14_400
    assert "interval-from-name" in codes(imported)
    contradicted = import_file(save("BINANCE_X_4h.csv", PLAIN))
    assert contradicted.dataset.info.interval_seconds == 3600
    assert "interval-differs" in codes(contradicted)


def test_typed_dates_are_days(tmp_path: Path) -> None:
    """A column of dates names days, whatever zone is asked for."""
    frame = pl.DataFrame({"date": ["2024-01-01", "2024-01-02"]}).with_columns(pl.col("date").str.to_date())
    frame.with_columns(pl.lit(1.0).alias(name) for name in ("open", "high", "low", "close")).write_parquet(
        tmp_path / "x.parquet"
    )
    imported = import_file(tmp_path / "x.parquet", ImportOptions(timezone="Asia/Tokyo"))
    assert opens(imported) == ["2024-01-01 00:00", "2024-01-02 00:00"]


def test_trades_take_no_side(save: Save) -> None:
    """A side is wrong use for a file that says it holds trades."""
    path = save(
        "binance_20240102_trade.zip", zipped("20240102_x_minute_trade.csv", "0,1,2,0.5,1.5,7\n60000,1,2,1,1,1\n")
    )
    assert opens(import_file(path)) == ["2024-01-02 00:00", "2024-01-02 00:01"]
    with pytest.raises(UsageError, match="holds trades"):
        import_file(path, ImportOptions(side="bid"))
    with pytest.raises(DataError, match="no name tells the day"):
        import_file(save("minutes.csv", "0,1,2,0.5,1.5,7\n60000,1,2,1,1,1\n"))


def test_an_archive_of_many_is_refused(save: Save) -> None:
    """An archive with several files does not say which one is meant."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", PLAIN)
        archive.writestr("b.csv", PLAIN)
    with pytest.raises(DataError, match=r"holds 2 files \(a.csv, b.csv\)"):
        import_file(save("x.zip", buffer.getvalue()))


def test_quotes_need_a_side(save: Save) -> None:
    """Lean quotes hold two sets of bars; without a side they are refused, with one they are that side's bars."""
    row = "0,1,2,0.5,1.5,7,11,12,10.5,11.5,7\n60000,1,2,0.5,1.5,7,11,12,10.5,11.5,7\n"
    path = save("fxcm_20240102_quote.zip", zipped("20240102_eurusd_minute_quote.csv", row))
    with pytest.raises(DataError, match=r"holds quotes .*choose --side bid or --side ask"):
        import_file(path)
    ask = import_file(path, ImportOptions(side="ask"))
    assert ask.dataset.frame["close"].to_list() == [11.5, 11.5]
    assert opens(ask)[0] == "2024-01-02 05:00"
    assert (ask.dataset.info.side, ask.dataset.info.symbol) == ("ask", "EURUSD")
    assert import_file(path, ImportOptions(side="bid")).dataset.frame["close"].to_list() == [1.5, 1.5]


def test_monthly_dumps_are_joined(save: Save) -> None:
    """Several files become one dataset; rows that two of them hold are told apart into repeats and conflicts."""
    january = save("BTCUSDT-1h-2024-01.csv", BINANCE)
    overlap = (
        "1704070800000,1.5,3,1,1.2,11,1704074399999,5,3,1,1,0\n1704074400000,1.5,2,1,1.2,11,1704077999999,5,3,1,1,0\n"
    )
    february = save("BTCUSDT-1h-2024-02.csv", overlap)
    seen: list[Path] = []
    imported = import_files([january, february], progress=seen.append)
    assert seen == [january, february]
    assert imported.dataset.frame["high"].to_list() == [2.0, 3.0, 2.0]
    conflict = next(found for found in imported.findings if found.code == "conflicting-rows")
    assert conflict.locations == ("file 1, 2024-01-01T01:00:00Z",)
    assert [found.code for found in imported.notes].count("bar-label-start") == 1


def test_files_of_two_instruments_are_refused(save: Save) -> None:
    """One dataset holds one instrument."""
    paths = [save("BTCUSDT-1h-2024-01.csv", BINANCE), save("ETHUSDT-1h-2024-02.csv", BINANCE)]
    with pytest.raises(DataError, match=r"symbol is 'ETHUSDT' and in .* 'BTCUSDT'"):
        import_files(paths)


@pytest.mark.parametrize("options", [{"label": "middle"}, {"side": "offer"}, {"timezone": "Nowhere/Land"}])
def test_wrong_options_are_refused(options: dict[str, str]) -> None:
    """An option outside its list is wrong use before any file is read."""
    with pytest.raises(UsageError, match="Allowed"):
        ImportOptions(**options)  # type: ignore[arg-type]
