"""Small tools to write vendors' files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

HOUR_US = 3_600_000_000


@pytest.fixture
def save(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file into a fresh folder and return its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def make_bars() -> Callable[..., pl.DataFrame]:
    """Hourly bars that are in order: closes as given, each bar opening at the close before."""

    def make(closes: list[float | None], start_us: int = 1_704_067_200_000_000, step_us: int = HOUR_US) -> pl.DataFrame:
        opens = [closes[0], *closes[:-1]]
        pairs = list(zip(opens, closes, strict=True))
        return pl.DataFrame(
            {
                "timestamp": pl.Series([start_us + step_us * row for row in range(len(closes))]).cast(
                    pl.Datetime("us", "UTC")
                ),
                "open": pl.Series(opens, dtype=pl.Float64),
                "high": pl.Series([None if None in pair else max(pair) for pair in pairs], dtype=pl.Float64),
                "low": pl.Series([None if None in pair else min(pair) for pair in pairs], dtype=pl.Float64),
                "close": pl.Series(closes, dtype=pl.Float64),
                "volume": pl.Series([1.0] * len(closes), dtype=pl.Float64),
            }
        )

    return make
