"""Putting datasets into a SQLite cache: what joins what is there, what is refused, and that nothing is half-written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from barstep.data import cache_writing
from barstep.data.cache import list_cache
from barstep.data.cache_writing import store_datasets
from barstep.data.dataset import Dataset, DatasetInfo, frame_digest, read_dataset
from barstep.errors import DataError

MakeBars = Callable[..., pl.DataFrame]
START_US = 1_704_067_200_000_000
HOUR_US = 3_600_000_000


def info(symbol: str = "X", note: str = "one") -> DatasetInfo:
    return DatasetInfo(symbol=symbol, venue="v", interval_seconds=3600, source=note, notes=(note,))


@pytest.fixture
def bars(make_bars: MakeBars) -> pl.DataFrame:
    """Ten hours."""
    return make_bars([float(hour + 1) for hour in range(10)])


def part(bars: pl.DataFrame, start: int, stop: int, **words: str) -> Dataset:
    return Dataset(bars[start:stop], info(**words))


def test_newer_bars_are_appended(tmp_path: Path, bars: pl.DataFrame) -> None:
    """Those that are there already are not counted, the digest is that of all, notes are kept and joined."""
    file = tmp_path / "c.sqlite"
    (first,) = store_datasets(file, [part(bars, 0, 6)])
    (second,) = store_datasets(file, [part(bars, 4, 10, note="two")])
    assert (first.added, second.added, second.replaced, second.dataset.rows) == (6, 4, 0, 10)
    dataset = read_dataset(file)
    assert dataset.frame.equals(bars)
    assert dataset.digest == frame_digest(bars)
    assert (dataset.info.source, dataset.info.notes) == ("two", ("one", "two"))


def test_the_order_of_parts_does_not_matter(tmp_path: Path, bars: pl.DataFrame) -> None:
    """Older bars, and those of a gap, join as newer ones do; in one call too."""
    for name, spans in (("a", [(5, 10), (0, 2), (2, 6)]), ("b", [(0, 10)])):
        store_datasets(tmp_path / f"{name}.sqlite", [part(bars, *span) for span in spans])
    assert read_dataset(tmp_path / "a.sqlite").frame.equals(bars)
    assert read_dataset(tmp_path / "a.sqlite").digest == read_dataset(tmp_path / "b.sqlite").digest


def test_the_same_again_changes_nothing(tmp_path: Path, bars: pl.DataFrame) -> None:
    """Not a byte: a repeated download costs nothing, whatever its notes say."""
    file = tmp_path / "c.sqlite"
    store_datasets(file, [part(bars, 0, 10)])
    before = file.read_bytes()
    (again,) = store_datasets(file, [part(bars, 3, 7, note="again")])
    assert (again.added, again.replaced, again.dataset.rows) == (0, 0, 10)
    assert file.read_bytes() == before


def test_other_values_are_refused(tmp_path: Path, bars: pl.DataFrame) -> None:
    """They are counted and located, and nothing of the call is written; a null differs from a number."""
    file = tmp_path / "c.sqlite"
    store_datasets(file, [part(bars, 0, 8)])
    before = file.read_bytes()
    changed = bars.with_columns(volume=pl.Series([1.0, 1.0, None, 1.0, 2.0, *[1.0] * 5]))
    with pytest.raises(DataError, match=r"c.sqlite: 2 bars of v X differ .* the first at 2024-01-01T02:00:00Z\. Add"):
        store_datasets(file, [part(bars, 8, 10), part(bars, 0, 2, symbol="Y"), part(changed, 0, 10)])
    assert file.read_bytes() == before
    (one,) = store_datasets(file, [part(changed, 0, 10)], overwrite=True)
    assert (one.added, one.replaced) == (2, 2)
    assert read_dataset(file).frame.equals(changed)


def test_a_new_file_appears_whole_or_not_at_all(
    tmp_path: Path, bars: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a temporary one stay, whether a dataset is refused or the disk is full."""
    file = tmp_path / "new" / "c.sqlite"
    with pytest.raises(DataError, match="timestamps must rise"):
        store_datasets(file, [part(bars, 0, 10), Dataset(bars.reverse(), info("Y"))])
    assert list(file.parent.iterdir()) == []

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_writing, "_describe", full)
    with pytest.raises(OSError, match="No space left"):
        store_datasets(file, [part(bars, 0, 10)])
    assert list(file.parent.iterdir()) == []


def test_of_two_that_make_a_cache_one_is_told(
    tmp_path: Path, bars: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that is done later loses nothing of the other's, and joins it when typed again."""
    file, describe = tmp_path / "c.sqlite", cache_writing._describe

    def meanwhile(*words: object) -> None:
        monkeypatch.setattr(cache_writing, "_describe", describe)
        store_datasets(file, [part(bars, 0, 4)])
        describe(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(cache_writing, "_describe", meanwhile)
    with pytest.raises(DataError, match=r"c.sqlite: another process made it meanwhile\. Type the command again\."):
        store_datasets(file, [part(bars, 4, 10)])
    assert [path.name for path in tmp_path.iterdir()] == ["c.sqlite"]
    assert read_dataset(file).frame.equals(bars[:4])
    store_datasets(file, [part(bars, 4, 10)])
    assert read_dataset(file).frame.equals(bars)


def test_a_file_system_without_links(tmp_path: Path, bars: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file is renamed there."""

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    store_datasets(tmp_path / "c.sqlite", [part(bars, 0, 10)])
    assert [path.name for path in tmp_path.iterdir()] == ["c.sqlite"]
    assert read_dataset(tmp_path / "c.sqlite").frame.equals(bars)


def test_an_existing_file_stays_what_it_was(
    tmp_path: Path, bars: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where anything goes wrong after rows were put in."""
    file = tmp_path / "c.sqlite"
    store_datasets(file, [part(bars, 0, 5)])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr(cache_writing, "_describe", full)
        store_datasets(file, [part(bars, 5, 10)])
    assert read_dataset(file).frame.equals(bars[:5])
    assert [path.name for path in tmp_path.iterdir()] == ["c.sqlite"]


def test_many_datasets_lie_side_by_side(tmp_path: Path, bars: pl.DataFrame) -> None:
    """Symbol, venue, interval and side tell them apart."""
    file = tmp_path / "c.sqlite"
    store_datasets(file, [part(bars, 0, 3, symbol=symbol) for symbol in ("B", "A")])
    stored = store_datasets(file, [part(bars, 3, 5, symbol="A")])
    assert [one.dataset.name for one in stored] == ["v_A_1h"]
    assert {name: one.rows for name, one in list_cache(file).items()} == {"v_A_1h": 5, "v_B_1h": 3}
    assert (stored[0].dataset.first_us, stored[0].dataset.last_us) == (START_US, START_US + 4 * HOUR_US)
    assert read_dataset(file / "v_B_1h").frame.height == 3


def test_nan_is_kept_as_null(tmp_path: Path, bars: pl.DataFrame) -> None:
    """SQLite has no NaN; the digest takes the two for the same."""
    holed = bars.with_columns(close=pl.Series([*bars["close"][:9], float("nan")]))
    store_datasets(tmp_path / "c.sqlite", [part(holed, 0, 10)])
    back = read_dataset(tmp_path / "c.sqlite")
    assert back.frame["close"].null_count() == 1
    assert back.digest == frame_digest(holed)
