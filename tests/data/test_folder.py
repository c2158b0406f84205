"""The datasets of a folder: which one is taken, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from barstep.data.dataset import DatasetInfo, Side, read_info, write_dataset
from barstep.data.folder import open_folder
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.errors import DataError

MakeBars = Callable[..., pl.DataFrame]
Put = Callable[..., Path]
DAMAGED = b"PAR1 and nothing more"


@pytest.fixture
def put(tmp_path: Path, make_bars: MakeBars) -> Put:
    """Write a dataset under a name that says nothing, and return its path."""

    def write(
        name: str, venue: str = "v", symbol: str = "X", interval_seconds: int = 3600, side: Side = "trade"
    ) -> Path:
        info = DatasetInfo(symbol=symbol, venue=venue, interval_seconds=interval_seconds, side=side)
        bars = make_bars([1.0, 2.0, 3.0], step_us=interval_seconds * 1_000_000)
        write_dataset(bars, info, tmp_path / name)
        return tmp_path / name

    return write


def test_what_a_file_says_goes_before_its_name(put: Put, tmp_path: Path) -> None:
    """The file is found by venue, symbol and interval of its metadata, though its name says otherwise."""
    mine, other = put("kraken_Y_1m.parquet"), put("v_X_1h.parquet", venue="kraken", symbol="Y", interval_seconds=60)
    folder = open_folder(tmp_path)
    assert folder.find("v", "X", 3600) == mine
    assert folder.find("kraken", "Y", 60) == other


def test_the_longest_that_divides_is_taken(put: Put, tmp_path: Path) -> None:
    """The interval itself where it is there, else the longest one that the wanted bars can be joined from."""
    for seconds in (60, 900, 2400, 86_400):
        put(f"{seconds}.parquet", interval_seconds=seconds)
    folder = open_folder(tmp_path)
    assert folder.find("v", "X", 3600).name == "900.parquet"
    assert folder.find("v", "X", 7200).name == "2400.parquet"
    assert folder.find("v", "X", 60).name == "60.parquet"


def test_trades_go_before_marks(put: Put, tmp_path: Path) -> None:
    """A venue's mark price is not traded at where trades are there, be they shorter; alone it is taken."""
    put("mark.parquet", side="mark")
    assert open_folder(tmp_path).find("v", "X", 3600).name == "mark.parquet"
    put("trades.parquet", interval_seconds=60)
    assert open_folder(tmp_path).find("v", "X", 3600).name == "trades.parquet"


def test_two_of_the_same_are_refused(put: Put, tmp_path: Path) -> None:
    """Nothing tells which of two is meant."""
    put("january.parquet")
    put("february.parquet")
    with pytest.raises(DataError, match=r"february.parquet and january.parquet both hold v X in 1h; leave one"):
        open_folder(tmp_path).find("v", "X", 3600)


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        (("binance", "BTCUSD", 3600), " Did you mean 'binance BTCUSDT 1h'?"),
        (("binnance", "ETHUSDT", 3600), " Did you mean 'binance ETHUSDT 1h'?"),
        (("kraken", "BTCUSDT", 60), " Did you mean 'kraken BTCUSDT 1h'?"),
        (("oanda", "EURCHF", 5), ""),
    ],
)
def test_what_is_not_there(wanted: tuple[str, str, int], near: str) -> None:
    """What was looked for, the near one, and all that are there."""
    with pytest.raises(DataError) as refused:
        open_folder(EMBEDDED_FOLDER).find(*wanted)
    text = str(refused.value)
    assert text.startswith(f"{EMBEDDED_FOLDER}: no bars of {wanted[0]} {wanted[1]} in ")
    assert f"nor shorter ones that divide it.{near} There is binance BTCUSDT 1h, binance BTCUSDT 1m, " in text
    assert text.endswith("kraken ETHUSDT 1h, kraken SOLUSDT 1h.")


def test_files_of_others_are_named(put: Put, tmp_path: Path, make_bars: MakeBars) -> None:
    """A bare Parquet file and a damaged one are passed over, and told of where bars are missing."""
    mine = put("mine.parquet")
    make_bars([1.0]).write_parquet(tmp_path / "v_Z_1h.parquet")
    (tmp_path / "half.parquet").write_bytes(DAMAGED)
    folder = open_folder(tmp_path)
    assert folder.find("v", "X", 3600) == mine
    with pytest.raises(DataError, match=r"Not made by barstep: half.parquet, v_Z_1h.parquet; `barstep data import`"):
        folder.find("v", "Z", 3600)


def test_an_empty_folder_and_none(tmp_path: Path) -> None:
    """A folder without datasets says so; one that is not there has the near name."""
    (tmp_path / "user").mkdir()
    with pytest.raises(DataError, match="There are no datasets"):
        open_folder(tmp_path / "user").find("v", "X", 3600)
    with pytest.raises(DataError, match=r"usr: no such folder of recorded bars. Did you mean 'user'\?"):
        open_folder(tmp_path / "usr")


def test_metadata_without_bars(put: Put, tmp_path: Path, make_bars: MakeBars) -> None:
    """The metadata alone is what the writer was told; a bare file has none, and a damaged one is refused."""
    info = read_info(put("a.parquet", venue="kraken", interval_seconds=60))
    assert info is not None
    assert (info.venue, info.symbol, info.interval_seconds, info.side) == ("kraken", "X", 60, "trade")
    make_bars([1.0]).write_parquet(tmp_path / "bare.parquet")
    assert read_info(tmp_path / "bare.parquet") is None
    (tmp_path / "half.parquet").write_bytes(DAMAGED)
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read_info(tmp_path / "half.parquet")
