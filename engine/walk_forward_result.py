"""What a walk forward came to: one account through all tests, and how much of it may be luck."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..kernels.metrics import bar_returns
from .ambiguity import FillAmbiguity
from .bars import Bars, Floats
from .inputs import Inputs, of_walk_forward, plain
from .metrics import Metrics
from .outcome import Outcome, describe_bars
from .overfitting import Overfitting
from .provenance import provenance
from .result import Result
from .sharpe_ratio import (
    ReturnShape,
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_track_record_bars,
    probabilistic_sharpe_ratio,
)
from .strategy import bars_per_year
from .tables import timestamps
from .walk_setup import WalkSetup
from .walk_stitching import Tested

if TYPE_CHECKING:
    from .execution import Execution


@dataclass(frozen=True, kw_only=True, eq=False)
class WalkForwardResult(Outcome):
    """A finished walk forward. Metrics, equity, trades and fills are those of the account that went through all tests.

    Attributes:
        asked: What it ran on and how.
        stitched: The account through all tests, as a backtest of the wishes of the chosen sets.
        tested: What was chosen for each test and what it came to.
        drawn: How the sets were: axes, sampling and seed, as plain values.
        trials: One row a set: `row`, what was varied, metrics, and `sharpe_per_bar`, over the whole span from the first
            training to the last test.
        overfitting: Cross-validation of choosing among these; None where there was one set, or too few bars.
    """

    asked: WalkSetup
    stitched: Result
    tested: tuple[Tested, ...]
    drawn: Mapping[str, Any]
    trials: pl.DataFrame
    overfitting: Overfitting | None

    @property
    def bars(self) -> Bars:
        """The bars of all tests."""
        return self.stitched.bars

    @property
    def instruments(self) -> tuple[Bars]:
        """The whole history: trainings and tests."""
        return (self.asked.bars,)

    @property
    def execution(self) -> Execution:
        """Costs, sizes, orders and levels, but for what is varied."""
        return self.stitched.execution

    @property
    def metrics(self) -> Metrics:
        """Metrics by name, out of sample."""
        return self.stitched.metrics

    @property
    def equity_values(self) -> Floats:
        """float64[bar]: equity at each test bar's close, in account currency."""
        return self.stitched.equity_values

    @property
    def final_equity(self) -> float:
        """Equity at the last close, in account currency."""
        return self.stitched.final_equity

    @property
    def trades(self) -> pl.DataFrame:
        """One row a trade."""
        return self.stitched.trades

    @property
    def fills(self) -> pl.DataFrame:
        """One row a fill."""
        return self.stitched.fills

    @property
    def costs(self) -> dict[str, float]:
        """What trading and holding took from the account."""
        return self.stitched.costs

    @property
    def fill_ambiguity(self) -> FillAmbiguity:
        """How much the unknown order of prices inside bars matters."""
        return self.stitched.fill_ambiguity

    @cached_property
    def columns(self) -> pl.DataFrame:
        """One row a bar: `window` (from 1 on), `wish`, and what came of it as in `Result.columns`."""
        own = self.stitched.columns
        lengths = [one.choice.window.test_stop - one.choice.window.test_start for one in self.tested]
        numbers = np.repeat(np.arange(1, len(lengths) + 1), lengths)
        wishes = self.stitched.setup.own_wishes
        return own.insert_column(1, pl.Series("window", numbers)).insert_column(2, pl.Series("wish", wishes))

    @cached_property
    def windows(self) -> pl.DataFrame:
        """One row a window: times of its training and test, what was chosen, and what both came to.

        `train_end` and `test_end` are the opens of the last bars. Columns of axes begin with `chosen_`; they and `row`
        are null where no set had a value to be chosen by.
        """
        times = self.asked.bars.times
        columns: dict[str, Any] = {"window": np.arange(1, len(self.tested) + 1)}
        places = [one.choice.window for one in self.tested]
        for name, each in (
            ("train_start", [window.train_start for window in places]),
            ("train_end", [window.train_stop - 1 for window in places]),
            ("test_start", [window.test_start for window in places]),
            ("test_end", [window.test_stop - 1 for window in places]),
        ):
            columns[name] = timestamps(times[each]).rename(name)
        columns["train_bars"] = [window.train_bars for window in places]
        columns["test_bars"] = [window.test_stop - window.test_start for window in places]
        columns["row"] = pl.Series([one.choice.row for one in self.tested], dtype=pl.Int64)
        for name, kind in self.trials.select(self._varied).schema.items():
            columns[f"chosen_{name}"] = pl.Series([one.choice.varied.get(name) for one in self.tested], dtype=kind)
        for name in self.asked.metrics:
            columns[f"train_{name}"] = [one.choice.metrics.get(name, math.nan) for one in self.tested]
            columns[f"test_{name}"] = [one.metrics[name] for one in self.tested]
        columns["equity"] = [one.final_equity for one in self.tested]
        return pl.DataFrame(columns)

    @cached_property
    def splits(self) -> pl.DataFrame:
        """One row a split of the cross-validation; Sharpe ratios are per bar."""
        found = self.overfitting
        none = np.empty(0)
        return pl.DataFrame(
            {
                "row": found.chosen if found else none.astype(np.int64),
                "in_sample_sharpe": found.in_sample if found else none,
                "out_of_sample_sharpe": found.out_of_sample if found else none,
                "relative_rank": found.relative_rank if found else none,
                "logit": found.logits if found else none,
            }
        )

    @cached_property
    def shape(self) -> ReturnShape:
        """Length, Sharpe ratio, skewness and kurtosis of the bar returns out of sample."""
        returns = np.empty(len(self.bars))
        bar_returns(self.equity_values, self.execution.capital, returns)
        return ReturnShape.of(returns)

    @property
    def efficiency(self) -> float:
        """What was earned per bar out of sample, over what the chosen sets had earned per bar in their trainings.

        Pardo 2008, The Evaluation and Optimization of Trading Strategies, chapter 11; not compounded. NaN where nothing
        was earned in the trainings.
        """
        chosen = [one for one in self.tested if one.choice.row is not None]
        trained = sum(one.choice.window.train_bars for one in chosen)
        bars = sum(one.choice.window.test_stop - one.choice.window.test_start for one in chosen)
        inside = sum(one.choice.metrics["total_return_pct"] for one in chosen)
        return sum(one.return_pct for one in chosen) / bars * trained / inside if inside > 0.0 else math.nan

    @cached_property
    def significance(self) -> dict[str, float]:
        """How sure the Sharpe ratio out of sample is; ratios are per bar, probabilities from 0 to 1.

        `deflated_sharpe_ratio` asks for more than the best of all trials would have without an edge, with the variance
        of their Sharpe ratios over the whole span. Trials that are alike count as if each were another: it asks rather
        too much. `minimum_track_record_bars` is at 95 %, against 0.
        """
        shape, trials = self.shape, self.trials["sharpe_per_bar"].to_numpy()
        variance = float(trials.var(ddof=1)) if trials.size > 1 else 0.0
        moments = {"skewness": shape.skewness, "kurtosis": shape.kurtosis}
        return {
            "sharpe_per_bar": shape.sharpe_per_bar,
            **moments,
            "probabilistic_sharpe_ratio": probabilistic_sharpe_ratio(shape.sharpe_per_bar, shape.bars, **moments),
            "trials": trials.size,
            "trial_sharpe_variance": variance,
            "expected_maximum_sharpe": expected_maximum_sharpe(trials.size, variance),
            "deflated_sharpe_ratio": deflated_sharpe_ratio(
                shape.sharpe_per_bar, shape.bars, trials=trials.size, trial_variance=variance, **moments
            ),
            "minimum_track_record_bars": minimum_track_record_bars(shape.sharpe_per_bar, **moments),
            "track_record_bars": shape.bars,
        }

    @property
    def inputs(self) -> Inputs:
        """What it was asked for, so that it can be made again."""
        return of_walk_forward(self.asked, self.drawn, self._fixed)

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables that are saved with it, by the names of their files."""
        return {**super().tables, "windows": self.windows, "trials": self.trials, "splits": self.splits}

    def to_dict(self) -> dict[str, Any]:
        """All that is not a table, as plain values."""
        asked = self.asked
        sources = [each for each in (asked.bars, asked.secondary) if each is not None]
        own = asked.engine.own
        return {
            "strategy": asked.engine.name,
            "parameters": plain({name: value for name, value in self._fixed.items() if name in own}),
            "execution": asdict(self.execution),
            "bars_per_year": bars_per_year(self.bars.interval_seconds, self.execution.year_days),
            "data": [describe_bars(bars) for bars in sources],
            "final_equity": self.final_equity,
            "metrics": dict(self.metrics),
            "walk_forward": {
                **asdict(asked.walk),
                "windows": len(self.tested),
                "unused_bars": len(asked.bars) - asked.windows[-1].test_stop,
                "select": asked.select,
                "lowest": asked.lowest,
                "axes": self._varied,
                "sampling": asked.sampling,
                "sets": self.trials.height,
                "efficiency": self.efficiency,
                "significance": self.significance,
                "overfitting": self.overfitting.to_dict() if self.overfitting else None,
            },
            "costs": self.costs,
            "signals": self.stitched.to_dict()["signals"],
            "fill_ambiguity": asdict(self.fill_ambiguity),
            "digests": self.digests,
            "run": self.inputs.run,
            "provenance": provenance(sources),
        }

    @property
    def _varied(self) -> list[str]:
        """Names of what is varied."""
        return list(self.asked.axes)

    @property
    def _fixed(self) -> dict[str, Any]:
        """Parameters and options that are not varied, each in its own type."""
        own = self.asked.engine.own
        return {
            name: own[name].read(value, self.asked.engine.name) if name in own else getattr(self.execution, name)
            for name, value in self.asked.options.items()
        }
