"""History comes in pages, closed bars alone, each once."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pytest
from barstep.replay.channel.messages import HistoryRequest, Leg
from barstep.replay.gateway.history import SCHEMA, pages
from exchange_stub import Row
from gateway_making import MINUTE_US, START_US, World

LEG = Leg(name="BTCUSDT", venue="binance", symbol="BTCUSDT")


def fetch(world: World, from_us: int, to_us: int) -> pl.DataFrame:
    request = HistoryRequest(leg=LEG, interval_seconds=60, from_us=from_us, to_us=to_us)
    batches = list(pages(world.exchange, request, world.clock, lambda: False))
    assert all(batch.num_rows <= 1_000 for batch in batches)
    found = pl.from_arrow(pa.Table.from_batches(batches, SCHEMA))
    assert isinstance(found, pl.DataFrame)
    return found


@pytest.fixture
def long_world(world: World) -> World:
    """2,500 minutes before the start, one of them missing, and the unfinished one."""
    world.stub.rows["BTCUSDT", "1m"] = [
        Row(START_US // 1_000 + number * 60_000, (f"{number}", "1", "-9999", "0.5", "3"))
        for number in range(-2_500, 1)
        if number != -1_234
    ]
    return world


def test_pages_follow_each_other(long_world: World) -> None:
    """2,499 bars come in three answers; the gap stays a gap, and the unfinished bar is left out."""
    asked = len(long_world.stub.requests)
    found = fetch(long_world, START_US - 2_500 * MINUTE_US, START_US + 10 * MINUTE_US)
    assert len(long_world.stub.requests) - asked == 3
    assert found["open"].to_list() == [float(n) for n in range(-2_500, 0) if n != -1_234]
    assert found.schema["timestamp"] == pl.Datetime("us", "UTC")
    assert found["timestamp"].is_sorted()
    assert found["timestamp"].is_unique().all()


def test_bounds_are_those_of_the_request(long_world: World) -> None:
    """Bars that open at `from_us` or later, and that are closed at `to_us`."""
    found = fetch(long_world, START_US - 9 * MINUTE_US - 1, START_US - 5 * MINUTE_US + 1)
    assert found["open"].to_list() == [-9.0, -8.0, -7.0, -6.0]
    assert fetch(long_world, START_US, START_US + MINUTE_US).is_empty()


def test_limits_are_waited_out(long_world: World) -> None:
    """429 in the middle: the wait that the exchange asks for, then the same bars."""
    long_world.stub.fail("klines", 429)
    before_us = long_world.clock.elapsed_us
    assert len(fetch(long_world, START_US - 20 * MINUTE_US, START_US)) == 20
    assert long_world.clock.elapsed_us - before_us == 7_000_000
