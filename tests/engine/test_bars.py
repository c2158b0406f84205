"""Bars: what is refused, where the text says it is and what mends it; and what a history is made of."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from barstep.cli.data import app
from barstep.data.dataset import DatasetInfo, read_dataset, write_dataset
from barstep.engine.bars import Bars, load
from barstep.errors import DataError
from making import HOUR_US, START_NUMBER, START_US, bars_of, walk_bars
from typer.testing import CliRunner

EMBEDDED = Path(__file__).resolve().parents[2] / "data/backtests/normalized/binance_ETHUSDT_1h.parquet"
COLUMNS = ("open", "high", "low", "close", "volume")
SEE = "See them with `barstep data check FILE`, mend them "


def columns(**changes: tuple[int, float]) -> dict[str, Any]:
    """Five hours in order, with one value of some columns changed."""
    made: dict[str, Any] = {
        "ts_us": START_US + HOUR_US * np.arange(5),
        "open": np.full(5, 10.0),
        "high": np.full(5, 12.0),
        "low": np.full(5, 9.0),
        "close": np.full(5, 11.0),
        "volume": np.ones(5),
    }
    for name, (row, value) in changes.items():
        made[name][row] = START_US + value * HOUR_US if name == "ts_us" else value
    return made


def make(given: dict[str, Any], interval_seconds: int = 3600) -> Bars:
    return Bars.from_arrays(**given, interval_seconds=interval_seconds, symbol="X", venue="v")


DAMAGES = {
    "nan close": ({"close": (2, np.nan)}, "close is not a number (nan)", 2, "drop-nan"),
    "infinite high": ({"high": (1, np.inf)}, "high is not a number (inf)", 1, "drop-nan"),
    "zero low": ({"low": (3, 0.0)}, "low is not positive (0)", 3, "drop-nonpositive"),
    "negative open": ({"open": (0, -1.5)}, "open is not positive (-1.5)", 0, "drop-nonpositive"),
    "open over high": (
        {"open": (4, 12.5)}, "open is outside the bar's high and low (12.5)", 4, "clip-ohlc",
    ),
    "close under low": (
        {"close": (2, 8.5)}, "close is outside the bar's high and low (8.5)", 2, "clip-ohlc",
    ),
    "time back": ({"ts_us": (3, 1.5)}, "time goes back", 3, "sort"),
    "time twice": ({"ts_us": (3, 2.0)}, "time is there twice", 3, "drop-duplicates"),
    "time inside": ({"ts_us": (3, 2.5)}, "time is inside the bar before", 3, "drop-off-grid"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_refusal_says_what_where_and_what_mends_it(name: str) -> None:
    """The text names instrument, defect, value, time, row and the repair."""
    changes, what, row, repair = DAMAGES[name]
    given = columns(**changes)
    time = np.datetime64(int(given["ts_us"][row]), "us")
    with pytest.raises(DataError) as caught:
        make(given)
    assert (
        str(caught.value)
        == f"v X: {what} at {time}Z (row {row}). {SEE}with `barstep data check FILE --repair {repair}`."
    )


def test_a_negative_volume_is_refused_without_a_repair() -> None:
    """No repair guesses a volume, so the text offers none."""
    with pytest.raises(DataError) as caught:
        make(columns(volume=(1, -2.0)))
    expected = f"v X: volume is negative (-2) at 2024-01-01T01:00:00.000000Z (row 1). {SEE}at their source."
    assert str(caught.value) == expected


def test_a_refusal_counts_the_other_defects() -> None:
    """The first defect is located, the others of its kind are counted."""
    given = columns()
    given["close"][1:4] = np.nan
    with pytest.raises(DataError, match=r"\(row 1\) and 2 more\. "):
        make(given)


DAMAGED_FILES = {
    **{name: (changes, repair) for name, (changes, _, _, repair) in DAMAGES.items()},
    # A time that no other bar has: sorting alone mends it.
    "time back": ({"ts_us": (3, -1.0)}, "sort"),
}


@pytest.mark.parametrize("name", DAMAGED_FILES)
def test_the_repair_that_a_refusal_names_mends_the_file(name: str, tmp_path: Path) -> None:
    """The command in the text, run as it stands but for FILE, makes a file that loads."""
    changes, repair = DAMAGED_FILES[name]
    path = tmp_path / "V_X_1h.parquet"
    frame = pl.DataFrame(columns(**changes)).rename({"ts_us": "timestamp"})
    frame.with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC"))).write_parquet(path)
    with pytest.raises(DataError) as caught:
        load(path)
    command = re.search(r"barstep data (check \S+ --repair [a-z-]+)", str(caught.value))
    assert command is not None
    words = command.group(1).replace("FILE", str(path)).split()
    assert words[-1] == repair
    ran = CliRunner().invoke(app, words, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    kept = 5 if repair in ("sort", "clip-ohlc") else 4
    assert len(load(tmp_path / "V_X_1h.repaired.parquet")) == kept


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_unequal_length_are_refused(name: str) -> None:
    """The text names the column and both lengths."""
    given = columns()
    given[name] = given[name][:-1]
    with pytest.raises(DataError, match=f"^X: {name} has 4 values for 5 times; lengths must agree$"):
        make(given)


@pytest.mark.parametrize("seconds", [0, -60])
def test_an_interval_is_positive(seconds: int) -> None:
    """An interval of zero or less is refused with its value."""
    with pytest.raises(DataError, match=f"^X: interval_seconds is {seconds}; it must be positive$"):
        make(columns(), seconds)


def test_a_missing_file_is_refused_with_the_near_name(tmp_path: Path) -> None:
    """A mistyped file name is answered with the one that is there."""
    (tmp_path / "BTCUSDT_1h.parquet").write_bytes(EMBEDDED.read_bytes())
    with pytest.raises(DataError, match=r"BTCUST_1h.parquet: no such file. Did you mean 'BTCUSDT_1h.parquet'\?"):
        load(tmp_path / "BTCUST_1h.parquet")


def test_a_folder_is_refused_with_a_dataset_in_it(tmp_path: Path) -> None:
    """A folder is said to be one, and a file that it holds is named where there is one."""
    with pytest.raises(DataError, match=r": is a folder; name a dataset\.$"):
        load(tmp_path)
    (tmp_path / "BTCUSDT_1h.parquet").write_bytes(EMBEDDED.read_bytes())
    with pytest.raises(DataError, match=r": is a folder; name a dataset, such as .*BTCUSDT_1h.parquet\.$"):
        load(tmp_path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A text file is no dataset; the text says how to import it."""
    path = tmp_path / "bars.csv"
    path.write_text("time,close\n1,2\n")
    with pytest.raises(DataError, match=r"not a readable Parquet file: .* Type: barstep data import"):
        load(path)


def test_numbers_are_open_times_over_the_interval() -> None:
    """A bar's number does not depend on what the history begins with."""
    bars = bars_of([1.0, 2.0, 3.0], hours=[5, 6, 9])
    assert bars.numbers.tolist() == [START_NUMBER + 5, START_NUMBER + 6, START_NUMBER + 9]


def test_a_gap_begins_a_segment() -> None:
    """Segments begin at 0 and after each missing bar; times off the full hour make no gap."""
    assert bars_of(np.ones(6), hours=[0, 1, 3, 4, 5, 9]).segment_starts.tolist() == [0, 2, 5]
    assert bars_of(np.ones(3), hours=[0.5, 1.5, 2.5]).segment_starts.tolist() == [0]


def test_returns_are_logarithms_of_close_over_close() -> None:
    """The RETURN row is NaN at the first bar, then log(close / close before)."""
    returns = bars_of([100.0, 110.0, 99.0]).values[5]
    assert np.isnan(returns[0])
    np.testing.assert_allclose(returns[1:], [np.log(1.1), np.log(0.9)], rtol=1e-15)


def read_only(values: np.ndarray) -> np.ndarray:
    frozen = values.copy()
    frozen.flags.writeable = False
    return frozen


SHAPES = {
    "read-only": read_only,
    "every second of a longer array": lambda values: np.repeat(values, 2)[::2],
    "Arrow memory": lambda values: pl.Series(values).to_numpy(),
    "polars series": pl.Series,
    "list": lambda values: values.tolist(),
}


@pytest.mark.parametrize("name", SHAPES)
def test_columns_of_any_memory_become_one_contiguous_table(name: str) -> None:
    """Read-only, strided and Arrow columns give the same writeable, contiguous float64 table."""
    bars = make({key: SHAPES[name](values) for key, values in columns().items()})
    assert bars.values.flags.c_contiguous
    assert bars.values.flags.writeable
    assert bars.values.dtype == np.float64
    assert bars.values[:5].tolist() == [columns()[key].tolist() for key in COLUMNS]
    assert bars.ts_us.tolist() == columns()["ts_us"].tolist()


def test_bars_do_not_change_with_the_arrays_they_came_from() -> None:
    """What happens to the input later leaves the bars alone."""
    given = columns()
    bars = make(given)
    for values in given.values():
        values[:] = 7
    assert bars.close.tolist() == [11.0] * 5
    assert bars.ts_us[0] == START_US


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_datetime64_times_say_their_unit(unit: str) -> None:
    """Open times as datetime64 of any unit are the same times."""
    given = columns()
    given["ts_us"] = given["ts_us"].astype("datetime64[us]").astype(f"datetime64[{unit}]")
    assert make(given).ts_us.tolist() == columns()["ts_us"].tolist()


def test_no_volume_is_nan() -> None:
    """A source without volumes gives NaN in the volume row."""
    given = columns()
    given["volume"] = None
    assert np.isnan(make(given).values[4]).all()


def test_no_bars_are_bars() -> None:
    """Zero bars have no number, one empty segment, an empty frame and a name."""
    bars = bars_of([])
    assert (len(bars), bars.numbers.size, bars.to_frame().height) == (0, 0, 0)
    assert repr(bars) == "Bars(v X 1h, empty)"


def test_repr_says_what_they_are() -> None:
    """The text for people names venue, instrument, interval, count and span."""
    text = repr(bars_of(np.ones(1500)))
    assert text == "Bars(v X 1h, 1,500 bars, 2024-01-01T00:00Z to 2024-03-03T11:00Z)"


def test_the_digest_of_the_content_is_that_of_the_dataset() -> None:
    """Bars that were built from arrays alone have the digest that the dataset's file carries."""
    dataset = read_dataset(EMBEDDED)
    loaded = load(EMBEDDED)
    rebuilt = Bars.from_arrays(loaded.ts_us, *loaded.values[:5], interval_seconds=3600)
    assert rebuilt.digest == ""
    assert rebuilt.content_digest == dataset.info.digest == loaded.content_digest == loaded.digest
    changed = loaded.values[:5].copy()
    changed[4, -1] += 1.0
    other = Bars.from_arrays(loaded.ts_us, *changed, interval_seconds=3600)
    assert other.content_digest != loaded.digest


def test_bars_written_and_loaded_are_the_same(tmp_path: Path) -> None:
    """to_frame is the normalised form: written as a dataset and loaded again, every bit is there."""
    bars = walk_bars(200, gaps=0.1)
    info = DatasetInfo(symbol="X", venue="v", interval_seconds=3600)
    write_dataset(bars.to_frame(), info, tmp_path / "x.parquet")
    again = load(tmp_path / "x.parquet")
    assert again.values.tobytes() == bars.values.tobytes()
    assert again.ts_us.tobytes() == bars.ts_us.tobytes()
    assert (again.symbol, again.venue, again.interval_seconds) == ("X", "v", 3600)
    assert again.digest == bars.content_digest
