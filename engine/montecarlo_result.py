"""What a Monte Carlo gives: a row a path, bands of equity, and how each metric is distributed."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..kernels import bootstrap
from .bars import Floats, Integers
from .outcome import Outcome, without_endless
from .provenance import software
from .resampled import Resampled
from .scheduler.digests import digest_of

QUANTILES = {"p5": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}
"""Percentiles by their names in tables."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MonteCarloResult:
    """Resampled paths of a result.

    Attributes:
        origin: The result, or the folder that it was saved to.
        resampled: The returns that the paths are made of.
        method: How they were drawn.
        block_bars: Length of a block, the mean one where lengths are geometric; None of trades.
        seed: What the draws were made from.
        ruin_drawdown_pct: The drawdown whose chance of being exceeded is told.
        path_results: float64[path, PATH_RESULTS], as `kernels.bootstrap` lays it out.
        observed_results: float64[PATH_RESULTS], the same of the returns in their own order.
        marks: int64[mark], numbers of steps after which equity was noted.
        band_growth: float64[quantile, mark], equity over the capital, in the order of `QUANTILES`.
        observed_growth: float64[mark], that of the returns in their own order.
    """

    origin: Outcome | Path
    resampled: Resampled
    method: str
    block_bars: float | None
    seed: int
    ruin_drawdown_pct: float
    path_results: Floats
    observed_results: Floats
    marks: Integers
    band_growth: Floats
    observed_growth: Floats

    @property
    def paths(self) -> int:
        """How many paths there are."""
        return int(self.path_results.shape[0])

    @cached_property
    def path_table(self) -> pl.DataFrame:
        """One row a path: `path`, its number, and its metrics, by the names of a result's.

        `final_equity`, `annual_return_pct`, `annual_volatility_pct`, `sharpe`, `max_drawdown_pct`, and
        `max_drawdown_bars`, or `max_drawdown_trades` where trades were resampled: drawdowns are then those of equity
        after each trade, and what is of a year goes by the trades of a year. Null where a metric has no value.
        """
        columns = self._metrics_of(self.path_results)
        return pl.DataFrame({"path": np.arange(self.paths), **columns}).with_columns(
            pl.all().exclude("path").fill_nan(None)
        )

    @cached_property
    def observed(self) -> dict[str, float]:
        """The same metrics of the returns in their own order; NaN where there is no value."""
        return {name: float(values[0]) for name, values in self._metrics_of(self.observed_results[None]).items()}

    @cached_property
    def metrics(self) -> dict[str, dict[str, float]]:
        """Of each metric: `observed`, and over the paths that have a value `mean` and the quantiles of `QUANTILES`."""
        return {name: {"observed": self.observed[name], **_spread(self.path_table[name])} for name in self.observed}

    @cached_property
    def bands(self) -> pl.DataFrame:
        """One row a mark: `timestamp`, `step`, the quantiles of equity over the paths after so many steps, `observed`.

        `timestamp` is the open time of the result's bar of that number; where trades were resampled, the exit of its
        trade of that number, though the paths' own trades had other times. Equity is in account currency.
        """
        capital = self.resampled.capital
        quantiles = dict(zip(QUANTILES, self.band_growth * capital, strict=True))
        times = pl.Series("timestamp", self.resampled.ts_us[self.marks - 1].astype("datetime64[us]"))
        return pl.DataFrame(
            [
                times.dt.replace_time_zone("UTC"),
                pl.Series("step", self.marks),
                *(pl.Series(name, values) for name, values in quantiles.items()),
                pl.Series("observed", self.observed_growth * capital),
            ]
        )

    @property
    def probability_of_loss_pct(self) -> float:
        """Paths that ended with less than they began with, in percent."""
        return float((self.path_results[:, bootstrap.FINAL_GROWTH] < 1.0).mean() * 100.0)

    @property
    def probability_of_ruin_pct(self) -> float:
        """Paths whose greatest drawdown was more than `ruin_drawdown_pct`, in percent."""
        drawdowns = (1.0 - self.path_results[:, bootstrap.DEEPEST_SHARE]) * 100.0
        return float((drawdowns > self.ruin_drawdown_pct).mean() * 100.0)

    def _metrics_of(self, results: Floats) -> dict[str, Floats]:
        """The metrics of rows as the kernels write them; formulas as in `engine.metrics`."""
        size, year = self.resampled.returns.size, self.resampled.steps_per_year
        growth, mean, squares, deepest, longest = results.T
        with np.errstate(all="ignore"):  # a few good minutes make a year past counting; flat paths have no ratio
            deviation = np.sqrt(squares / (size - 1)) if size > 1 else np.full(growth.size, math.nan)
            ratio = np.where(deviation > 0.0, mean * math.sqrt(year) / deviation, math.nan)
            annual = np.maximum(growth, 0.0) ** (year / size) - 1.0
        return {
            "final_equity": growth * self.resampled.capital,
            "annual_return_pct": annual * 100.0,
            "annual_volatility_pct": deviation * math.sqrt(year) * 100.0,
            "sharpe": ratio,
            "max_drawdown_pct": (1.0 - deepest) * 100.0,
            f"max_drawdown_{self.resampled.unit}s": longest,
        }

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-384 of paths and bands: two runs that agree on them agree bit for bit."""
        return {"paths": digest_of(pl.DataFrame(self.path_results)), "bands": digest_of(self.bands)}

    def to_dict(self) -> dict[str, Any]:
        """All that is not a table, as plain values."""
        return {
            "method": self.method,
            "paths": self.paths,
            "block_bars": self.block_bars,
            "seed": self.seed,
            "resampled": self.resampled.unit,
            "steps": self.resampled.returns.size,
            "steps_per_year": self.resampled.steps_per_year,
            "capital": self.resampled.capital,
            "metrics": self.metrics,
            "probability_of_loss_pct": self.probability_of_loss_pct,
            "ruin_drawdown_pct": self.ruin_drawdown_pct,
            "probability_of_ruin_pct": self.probability_of_ruin_pct,
            "digests": self.digests,
            "provenance": {**software(), "returns_sha384": self.resampled.digest},
        }

    def to_json(self) -> str:
        """`to_dict` as JSON. What is NaN or infinite is null there: JSON has no word for it."""
        return json.dumps(without_endless(self.to_dict()), indent=2, allow_nan=False)

    def report(self, path: str | Path) -> Path:
        """Write the report of the result with the bands and distributions in it, as `.html`; return where.

        Raises:
            UsageError: Another ending, or the extra `barstep[report]` is not installed.
        """
        from ..report.writing import report_montecarlo  # noqa: PLC0415 - a call up, made by the reader

        return report_montecarlo(self, Path(path))

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write `montecarlo.json`, `paths.parquet` and `bands.parquet` to a folder, and return it.

        Raises:
            UsageError: The folder is there already and is not to be replaced.
        """
        from ..report.saving import save_montecarlo  # noqa: PLC0415 - likewise

        return save_montecarlo(self, Path(folder), overwrite=overwrite)


def _spread(values: pl.Series) -> dict[str, float]:
    """Mean and quantiles of what is no null; NaN where nothing is."""
    known = values.drop_nulls().to_numpy()
    if not known.size:
        return dict.fromkeys(("mean", *QUANTILES), math.nan)
    return {"mean": float(known.mean()), **dict(zip(QUANTILES, quantiles_of(known).tolist(), strict=True))}


def quantiles_of(values: Floats) -> Floats:
    """The percentiles of `QUANTILES`, each one of the values and never between two: an infinite one is no trouble.

    It is the least value that so many percent are not above, the inverse of the distribution function.
    """
    count = values.size
    places = [-(-percent * count // 100) - 1 for percent in QUANTILES.values()]
    in_place: Floats = np.partition(values, places)
    return in_place[places]
