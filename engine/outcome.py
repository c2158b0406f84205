"""What the results of a single backtest and of a portfolio have in common."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from .bars import Bars, Floats
from .scheduler.digests import digest_of
from .tables import equity_table, monthly_table

if TYPE_CHECKING:
    from .execution import Execution
    from .inputs import Inputs
    from .panel import Panel


class Outcome(ABC):
    """A finished backtest: an equity curve, what made it, and how it becomes files."""

    if TYPE_CHECKING:  # a field in one, a property in the other: an abstract one would be taken for the field's default

        @property
        def execution(self) -> Execution:
            """Costs, sizes, orders and levels."""

    @property
    @abstractmethod
    def bars(self) -> Bars | Panel:
        """What its bars are counted by."""

    @property
    @abstractmethod
    def instruments(self) -> Sequence[Bars]:
        """The histories that are saved with it."""

    @property
    @abstractmethod
    def equity_values(self) -> Floats:
        """float64[bar]: equity at each bar's close, in account currency."""

    @property
    @abstractmethod
    def columns(self) -> pl.DataFrame:
        """One row a bar."""

    @property
    @abstractmethod
    def trades(self) -> pl.DataFrame:
        """One row a trade."""

    @property
    @abstractmethod
    def fills(self) -> pl.DataFrame:
        """One row a fill."""

    @property
    @abstractmethod
    def inputs(self) -> Inputs:
        """What it was asked for, so that it can be made again."""

    @cached_property
    def _known_metrics(self) -> dict[str, float]:
        """Those that were computed.

        `Metrics` itself is not kept: it holds its result, and a ring of the two would let results pile up in a loop.
        """
        return {}

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-384 of its tables: two runs that agree on them agree bit for bit."""
        return {
            "equity": digest_of(self.equity.select("timestamp", "equity")),
            "trades": digest_of(self.trades),
            "fills": digest_of(self.fills),
        }

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """All that is not a table, as plain values."""

    @cached_property
    def equity(self) -> pl.DataFrame:
        """`timestamp` (the bar's open), `equity` at its close, `drawdown_pct` from the peak so far."""
        return equity_table(self.bars.times, self.equity_values, self.execution.capital)

    @cached_property
    def monthly_returns(self) -> pl.DataFrame:
        """One row a month (UTC) with bars: `year`, `month`, `return_pct`, and `year_to_date_pct` at the month's end."""
        return monthly_table(self.equity, self.execution.capital)

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables that are saved with it, by the names of their files."""
        return {
            "equity": self.equity,
            "columns": self.columns,
            "trades": self.trades,
            "fills": self.fills,
            "monthly_returns": self.monthly_returns,
        }

    def to_json(self) -> str:
        """`to_dict` as JSON. What is NaN or infinite is null there: JSON has no word for it."""
        return json.dumps(without_endless(self.to_dict()), indent=2, allow_nan=False)

    def report(self, path: str | Path, *, montecarlo: int | None = None) -> Path:
        """Write the result for people to read, and return where: `.html` to explore, `.pdf` or `.png` to print.

        Args:
            path: The file.
            montecarlo: Show so many resampled paths besides, with the defaults of `bs.montecarlo`; the report of its
                own result shows any other. For `.html`.

        Raises:
            UsageError: Another ending, or the extra `barstep[report]` is not installed.
        """
        from ..report.writing import report_outcome  # noqa: PLC0415 - a call up, made by the reader

        return report_outcome(self, Path(path), montecarlo=montecarlo)

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write `result.json`, the tables and the bars to a folder that `barstep report` reads, and return it.

        Raises:
            UsageError: The folder is there already and is not to be replaced.
        """
        from ..report.saving import save_outcome  # noqa: PLC0415 - likewise

        return save_outcome(self, Path(folder), overwrite=overwrite)


def describe_bars(bars: Bars) -> dict[str, Any]:
    """Names, span and digest of bars, as plain values."""
    edges = [f"{time}Z" for time in bars.times[[0, -1]]] if len(bars) else [None, None]
    return {
        "venue": bars.venue,
        "symbol": bars.symbol,
        "interval_seconds": bars.interval_seconds,
        "bars": len(bars),
        "first": edges[0],
        "last": edges[1],
        "sha384": bars.content_digest,
    }


def without_endless(value: Any) -> Any:
    """The same value with None for every number that JSON cannot hold."""
    if isinstance(value, dict):
        return {key: without_endless(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_endless(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
