"""What policies are told of a schedule, in the slow reference: runs one by one, and means over the last of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from plain_scheduler_market import Seen

WINDOW_RUNS = 96


@dataclass(frozen=True)
class Run:
    """One run that counts. Measures: value and size, each the mean over the instruments that have it.

    equity: that of the unit account, None where the run did not look (suspended, disabled, halted).
    """

    signals: int
    measures: Mapping[str, tuple[float, float]]
    equity: float | None


SILENT = Run(0, {"confidence": (0.0, 0.0)}, None)
"""A run while suspended, disabled or halted."""


def measured(signals: int, seen: Iterable[Seen | None], equity: float) -> Run:
    said: dict[str, list[float]] = {}
    for each in seen:
        if each is not None:
            for name, value in {"confidence": each.confidence, **each.diagnostics}.items():
                if math.isfinite(value):
                    said.setdefault(name, []).append(value)
    means = {name: (_mean(values), _mean([abs(v) for v in values])) for name, values in said.items()}
    return Run(signals, means, equity)


@dataclass
class Telemetry:
    """The runs of one schedule so far."""

    runs_a_year: float
    target_volatility: float | None
    most_drawdown_pct: float | None
    drift_seconds: float
    runs: list[Run] = field(default_factory=list)

    def metrics(self) -> dict[str, float]:
        """Every metric that is not missing."""
        window = self.runs[-WINDOW_RUNS:]
        if not window:
            return {}
        found: dict[str, float] = {}
        for name in sorted({name for run in window for name in run.measures}):
            known = [run.measures[name] for run in window if name in run.measures]
            found["avg_" + name] = _mean([value for value, _ in known])
            found["avg_abs_" + name] = _mean([size for _, size in known])
            if name in window[-1].measures:
                found["last_" + name] = found[name] = window[-1].measures[name][0]
        for name, value in (("drift_seconds", self.drift_seconds), ("latency_ms", 0.0)):
            found |= dict.fromkeys((name, "avg_" + name, "avg_abs_" + name, "last_" + name), value)
        counts = [float(run.signals) for run in window]
        found |= {"signals": sum(counts), "last_signals": counts[-1]}
        found |= dict.fromkeys(("avg_signals", "avg_abs_signals"), _mean(counts))
        found.pop("realized_vs_target_vol_pct", None)  # bare, it is that of the unit account
        return found | self._volatility(self.runs[-WINDOW_RUNS - 1 :]) | self._drawdowns(window)

    def _volatility(self, window: Sequence[Run]) -> dict[str, float]:
        """Of the returns into each run of the window, so that the run before it is looked at, too."""
        returns = [
            now.equity / before.equity - 1.0
            for before, now in pairwise(window)
            if now.equity is not None and before.equity is not None and before.equity > 0.0
        ]
        if len(returns) < 2:
            return {}
        realized = statistics.stdev(returns) * math.sqrt(self.runs_a_year)
        found = {"realized_volatility": realized, "avg_realized_volatility": realized}
        if self.target_volatility is not None:
            found["realized_vs_target_vol_pct"] = 100.0 * (realized / self.target_volatility - 1.0)
        return found

    def _drawdowns(self, window: Sequence[Run]) -> dict[str, float]:
        marks = [run.equity for run in window if run.equity is not None]
        if not marks:
            return {}
        peak, falls = marks[0], []
        for mark in marks:
            peak = max(peak, mark)
            falls.append(100.0 * (peak - mark) / peak)
        limit = self.most_drawdown_pct
        return {
            "max_drawdown_pct": max(falls),
            "pnl_drawdown_pct": falls[-1],
            "drawdown_pressure": min(1.0, falls[-1] / limit) if limit else 0.0,
        }


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
