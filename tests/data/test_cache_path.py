"""Which paths lead into a SQLite cache."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.data.cache_path import CachePath, cache_path


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("a/cache.sqlite", CachePath(Path("a/cache.sqlite"), "")),
        ("a/cache.sqlite/v_X_1h", CachePath(Path("a/cache.sqlite"), "v_X_1h")),
        ("cache.sqlite/v_BTC/USD_1h", CachePath(Path("cache.sqlite"), "v_BTC/USD_1h")),
        ("a/v_X_1h.parquet", None),
        ("a/sqlite/v_X_1h", None),
    ],
)
def test_the_file_and_the_name(path: str, meant: CachePath | None) -> None:
    """What follows a `.sqlite` file is a dataset's name, also one with a slash; other paths are files."""
    assert cache_path(Path(path)) == meant


def test_a_folder_is_no_cache(tmp_path: Path) -> None:
    """Whatever it is called."""
    folder = tmp_path / "mine.sqlite"
    folder.mkdir()
    assert cache_path(folder) is None
    assert cache_path(folder / "v_X_1h.parquet") is None
