"""A snapshot is a value: it is compared by what it says, and nobody changes it."""

from __future__ import annotations

import msgspec
import pytest
from barstep.replay.market_snapshot import MarketSnapshot

BAR = MarketSnapshot(
    instrument="BTCUSDT", venue="binance", feed="primary", interval_seconds=3600, number=473_352,
    ts_us=1_704_067_200_000_000, close_us=1_704_070_800_000_000,
    open=1.0, high=3.0, low=0.5, close=2.0, volume=float("nan"),
)  # fmt: skip


def test_nobody_changes_it() -> None:
    """Neither a field nor a new one can be set."""
    with pytest.raises(AttributeError):
        BAR.close = 3.0  # type: ignore[misc]
    with pytest.raises(AttributeError):
        BAR.note = "x"  # type: ignore[attr-defined]


def test_it_is_compared_by_what_it_says() -> None:
    """The same bar is equal, another venue's is not; NaN volumes are unlike each other, as numbers are."""
    known = msgspec.structs.replace(BAR, volume=1.0)
    assert known == msgspec.structs.replace(BAR, volume=1.0)
    assert known != msgspec.structs.replace(known, venue="kraken")
    assert hash(known) == hash(msgspec.structs.replace(BAR, volume=1.0))


def test_it_closes_one_interval_after_it_opens() -> None:
    """And its number counts intervals since the epoch."""
    assert BAR.close_us - BAR.ts_us == BAR.interval_seconds * 1_000_000
    assert BAR.number == BAR.ts_us // (BAR.interval_seconds * 1_000_000)
