"""What a report is made from, whether the result is in memory or was saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ..engine.bars import Floats, Integers
from ..engine.result import Result


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """The parts of a result that a report shows.

    Attributes:
        document: What `result.json` holds: a number that JSON has no word for is None.
        bars: `timestamp`, `open`, `high`, `low`, `close`, `volume` of the first instrument.
        equity: `timestamp`, `equity`, `drawdown_pct`.
        monthly: `Result.monthly_returns`.
        trades: `Result.trades`.
        position: float64[bar], quantity of the first leg held at each close.
    """

    document: Mapping[str, Any]
    bars: pl.DataFrame
    equity: pl.DataFrame
    monthly: pl.DataFrame
    trades: pl.DataFrame
    position: Floats

    @property
    def data(self) -> Mapping[str, Any]:
        """What the document says of the first instrument's bars."""
        first: Mapping[str, Any] = self.document["data"][0]
        return first

    @property
    def interval_seconds(self) -> int:
        """Length of a bar."""
        return int(self.data["interval_seconds"])

    @property
    def ts_us(self) -> Integers:
        """int64[bar], open times in microseconds since the epoch."""
        return self.bars["timestamp"].to_physical().to_numpy()

    @property
    def buy_and_hold(self) -> Floats:
        """float64[bar], the closes on the scale of the starting capital."""
        close = self.bars["close"].to_numpy()
        return close * (float(self.document["execution"]["capital"]) / close[0]) if close.size else close

    @property
    def metrics(self) -> Mapping[str, float | None]:
        """Metrics by name; None where there is no value."""
        found: Mapping[str, float | None] = self.document["metrics"]
        return found


def sheet_of(result: Result) -> Sheet:
    """The sheet of a result in memory; the same as the one that is read from its folder."""
    return Sheet(
        document=json.loads(result.to_json()),
        bars=result.bars.to_frame(),
        equity=result.equity,
        monthly=result.monthly_returns,
        trades=result.trades,
        position=np.asarray(result.columns["position"].to_numpy()),
    )
