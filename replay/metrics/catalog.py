"""Every metric that barstep shows: its name, kind, unit, labels and meaning. docs/metrics.md is held to this table."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

PREFIX = "barstep_"
"""What every name begins with where it is shown."""

Kind = Literal["gauge", "counter", "histogram", "info"]

RUN = ("environment", "scheduler")
"""Labels of all that is said of a run."""
SCHEDULE = (*RUN, "schedule", "strategy", "risk_profile")
"""Labels of all that is said of a schedule."""

STEP_BUCKETS = (0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
"""Upper bounds of `step_seconds`, in seconds."""

NO_SIGNAL_SECONDS = 900.0
"""How long a schedule may be without a signal before an alert asks why."""
_LONG_BAR_SECONDS = 300.0
_BARS = 3.0


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric.

    Attributes:
        name: Without the prefix; a counter's ends in `_total`.
        kind: What Prometheus takes it for.
        unit: What its values are in.
        labels: By what its series are told apart.
        help: What it says, in one line.
    """

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    help: str

    @property
    def shown(self) -> str:
        """The name that a scrape has."""
        return PREFIX + self.name


def _gauge(name: str, unit: str, labels: tuple[str, ...], text: str) -> Metric:
    return Metric(name=name, kind="gauge", unit=unit, labels=labels, help=text)


def _counter(name: str, unit: str, labels: tuple[str, ...], text: str) -> Metric:
    return Metric(name=name, kind="counter", unit=unit, labels=labels, help=text)


_OF_SCHEDULES = (
    _gauge("signals", "signals", SCHEDULE, "Signals accepted in the last run."),
    _counter(
        "decisions_total",
        "signals",
        (*SCHEDULE, "status", "reason"),
        "Signals by what became of them, accepted or dropped, and why.",
    ),
    _counter(
        "runs_total",
        "runs",
        (*SCHEDULE, "status", "reason"),
        "Due times that were executed or skipped; the reason is why all of the run's signals were refused.",
    ),
    _gauge(
        "latency_ms",
        "milliseconds",
        SCHEDULE,
        "Wall time of the instant of the last run, from its bars to its durable decisions.",
    ),
    _gauge(
        "avg_confidence", "share", SCHEDULE, "Mean confidence over the instruments in the last run; 0 while held back."
    ),
    _gauge("avg_abs_zscore", "standard deviations", SCHEDULE, "Mean absolute z-score over the instruments."),
    _gauge(
        "avg_realized_volatility",
        "share a year",
        SCHEDULE,
        "Volatility of its unit account over its window.",
    ),
    _gauge(
        "allocation_error_pct",
        "percent",
        SCHEDULE,
        "Absolute difference of held and wanted exposure, of the latter.",
    ),
    _gauge("realized_vs_target_vol_pct", "percent", SCHEDULE, "Realised volatility above the target, of the target."),
    _gauge("secondary_delay_ms", "milliseconds", SCHEDULE, "How much older the second venue's bar is, in event time."),
    _gauge("spread_capture_bps", "basis points", SCHEDULE, "Spread that a pair has captured since it was opened."),
    _gauge("allocator_raw_weight", "share", SCHEDULE, "Share of capital before smoothing."),
    _gauge("allocator_smoothed_weight", "share", SCHEDULE, "Share of capital after smoothing."),
    _gauge("allocator_profile_weight", "share", SCHEDULE, "Share of capital of its risk profile."),
    _gauge("pnl_drawdown_pct", "percent", SCHEDULE, "Deepest fall of the schedule's unit account in its window."),
    _gauge("suspended", "0 or 1", SCHEDULE, "1 while it, or one of its tags, is suspended."),
    _gauge(
        "suspension_remaining_seconds",
        "seconds",
        SCHEDULE,
        "Until nothing holds it back; absent while no end is stated.",
    ),
    _gauge("suspension_tag_indicator", "0 or 1", SCHEDULE, "1 while one of its tags is suspended."),
    _gauge("disabled", "0 or 1", SCHEDULE, "1 while its strategy is disabled."),
    _gauge("drift_seconds", "seconds", SCHEDULE, "How late the last run started."),
    _counter("engine_failures_total", "failures", SCHEDULE, "How often its engine raised and it was isolated."),
    _gauge(
        "seconds_since_signal",
        "seconds of event time",
        SCHEDULE,
        "Since a signal was last accepted; since the process began where none was.",
    ),
    _gauge(
        "seconds_since_run",
        "seconds of event time",
        SCHEDULE,
        "Since it was last due; since the process began where it was not.",
    ),
    _gauge(
        "no_signal_alert_seconds",
        "seconds of event time",
        SCHEDULE,
        "From when on seconds_since_signal is worth an alert: 900, or three of its longer bars or cadences.",
    ),
)

_OF_RUNS = (
    _gauge("equity", "account currency", RUN, "Cash and positions at the last close."),
    _gauge("drawdown_pct", "percent", RUN, "Fall of the equity from its highest."),
    _gauge("gross_exposure", "share of equity", RUN, "Absolute positions of all schedules at the last close."),
    _gauge("mode", "0 or 1", (*RUN, "mode"), "1 for what the loop is: running, reducing or halted."),
    _gauge("connected", "0 or 1", RUN, "1 while the venue answers; absent over recorded bars."),
    _gauge("lag_seconds", "seconds", RUN, "How far what is done is behind its moment."),
    _counter("bars_total", "instants", RUN, "Instants at which bars closed."),
    _gauge(
        "feed_age_seconds",
        "seconds of event time",
        (*RUN, "instrument"),
        "Since the instrument's last bar closed.",
    ),
    _gauge(
        "feed_stalled",
        "0 or 1",
        (*RUN, "instrument"),
        "1 while the instrument is read from its fallback, or had no bar for two intervals.",
    ),
    _gauge("open_orders", "orders", RUN, "Orders that wait to be filled."),
    _gauge(
        "oldest_order_age_seconds",
        "seconds of event time",
        RUN,
        "Age of the oldest of them; 0 while there is none.",
    ),
    _counter(
        "orders_total",
        "orders",
        (*RUN, "status"),
        "Orders sent, filled, rejected, cancelled or abandoned; over recorded bars only those filled or abandoned.",
    ),
    _gauge("journal_seq", "records", RUN, "Number of the last record; absent without a journal."),
    Metric(
        name="step_seconds",
        kind="histogram",
        unit="seconds",
        labels=RUN,
        help="Wall time of an instant, from its bars to its durable decisions.",
    ),
    _gauge("shadow_equity", "account currency", RUN, "Equity had orders been filled as a backtest fills them today."),
    _gauge(
        "shadow_divergence_pct",
        "percent",
        RUN,
        "Difference of live and shadow profit since 00:00 UTC, of the equity at 00:00.",
    ),
    _counter("shadow_differences_total", "differences", RUN, "Differences that shadow parity has found."),
)

_OF_LIMITS = (
    _gauge("resource_usage", "the resource's own", (*RUN, "resource"), "What the process uses."),
    _gauge("resource_limit", "the resource's own", (*RUN, "resource"), "What it may use."),
    _gauge("resource_status", "0, 1 or 2", (*RUN, "resource"), "0 within its limit, 1 a warning, 2 over it."),
    _gauge("daily_risk_budget_pct", "percent", (*RUN, "risk_profile"), "Most that may be lost in a day."),
    _gauge("max_drawdown_pct", "percent", (*RUN, "risk_profile"), "Most that equity may fall from its highest."),
    _gauge(
        "telemetry_bound",
        "the metric's own",
        (*RUN, "risk_profile", "metric", "level"),
        "From which value on a metric is a warning or a failure; where fail is the lesser one, low values are bad.",
    ),
)

_OF_SWEEPS = (
    _gauge("sweep_rows", "rows", ("sweep",), "Rows that the sweep has."),
    _gauge("sweep_rows_done", "rows", ("sweep",), "Rows that are done."),
    _gauge(
        "sweep_rows_per_second", "rows a second", ("sweep",), "Rows done a second, since it was begun or gone on with."
    ),
)

BUILD = Metric(
    name="build_info",
    kind="info",
    unit="1",
    labels=("version", "kernels"),
    help="Version of barstep, and digest of its kernels.",
)

METRICS = MappingProxyType({one.name: one for one in (*_OF_SCHEDULES, *_OF_RUNS, *_OF_LIMITS, *_OF_SWEEPS, BUILD)})
"""By name, in the order in which a scrape has them."""


def no_signal_alert_seconds(interval_seconds: float, cadence_seconds: float) -> float:
    """From when on a schedule without a signal is worth an alert; three bars where these are long."""
    longer = max(interval_seconds, cadence_seconds)
    return _BARS * longer if longer > _LONG_BAR_SECONDS else NO_SIGNAL_SECONDS
