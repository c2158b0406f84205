"""Closed bars of the past, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from ..channel.messages import HistoryRequest
from ..clock import Clock
from .exchange import Candle, Exchange, ThrottledError

SCHEMA = pa.schema(
    [("timestamp", pa.timestamp("us", tz="UTC"))]
    + [(name, pa.float64()) for name in ("open", "high", "low", "close", "volume")]
)
"""Columns of a normalised dataset."""
_LONGEST_WAIT_US = 120_000_000
"""That a page waits for the exchange's limits; after that the caller is told."""


def pages(
    exchange: Exchange, request: HistoryRequest, clock: Clock, should_stop: Callable[[], bool]
) -> Iterator[pa.RecordBatch]:
    """The closed bars of a request, in order, each once; a batch for each answer of the exchange.

    Args:
        exchange: Whose bars.
        request: Which; its market and interval are the exchange's.
        clock: Waits where the exchange's limits ask for it.
        should_stop: Whether to end early.

    Raises:
        FeedError: The exchange does not answer.
    """
    interval_us = request.interval_seconds * 1_000_000
    from_us = -(-request.from_us // interval_us) * interval_us
    to_us = min(request.to_us, exchange.earliest_us())
    while from_us + interval_us <= to_us and not should_stop():
        found = _page(exchange, request, from_us, clock)
        closed = [c for c in found if from_us <= c.ts_us <= to_us - interval_us and c.ts_us % interval_us == 0]
        if closed:
            yield _batch(closed)
        if not found or found[-1].ts_us < from_us or len(found) < exchange.most_candles:
            return
        from_us = found[-1].ts_us + interval_us


def _page(exchange: Exchange, request: HistoryRequest, from_us: int, clock: Clock) -> list[Candle]:
    waited_us = 0
    while True:
        try:
            return exchange.candles(
                request.leg.symbol,
                interval_seconds=request.interval_seconds,
                from_us=from_us,
                limit=exchange.most_candles,
            )
        except ThrottledError as pause:
            waited_us += pause.wait_us
            if waited_us > _LONGEST_WAIT_US:
                raise
            clock.sleep_us(pause.wait_us)


def _batch(candles: Sequence[Candle]) -> pa.RecordBatch:
    columns = [pa.array([c.ts_us for c in candles], SCHEMA.field("timestamp").type)]
    for name in SCHEMA.names[1:]:
        columns.append(pa.array([getattr(c, name) for c in candles], pa.float64()))
    return pa.record_batch(columns, schema=SCHEMA)
