"""One page that says how a scheduler is: what it holds back, decides, owns, uses, hears and how long it takes."""

from __future__ import annotations

from collections.abc import Iterator

from .panels import OF_PROFILE, OF_RUN, OF_SCHEDULE, WIDTH, Json, dashboard, named, panel, query, steps, words

_STAT: Json = {"width": 3, "height": 4}
_YES_IS_BAD = words(("0", "no", "green"), ("1", "YES", "red"))
_YES_IS_GOOD = words(("0", "NO", "red"), ("1", "yes", "green"))
_DASHED: Json = {"custom__lineStyle": {"fill": "dash", "dash": [8, 8]}, "custom__fillOpacity": 0}

_COLUMNS = {
    "signals": "signals",
    "allocator_smoothed_weight": "weight",
    "avg_confidence": "confidence",
    "suspended": "suspended",
    "disabled": "disabled",
    "seconds_since_run": "since run",
    "seconds_since_signal": "since signal",
    "drift_seconds": "late by",
    "latency_ms": "latency ms",
}
"""Columns of the scheduler's table: metrics of a schedule, and what stands above them."""


def overview() -> Json:
    """The dashboard."""
    return dashboard(
        "barstep-overview",
        "Multi-Strategy Overview",
        "How a scheduler is: state, schedules, capital, decisions, equity, resources, feeds, latency.",
        [*_state(), _scheduler(), *_capital(), *_decisions(), *_account(), *_machine()],
    )


def _state() -> Iterator[Json]:
    mode = query(f"barstep_mode{{{OF_RUN}}} == 1", "{{mode}}")
    yield panel("stat", "Mode", [mode], **_STAT, overrides=[_red("^halted$"), _red("^reducing$", "orange")]) | {
        "options": {
            "colorMode": "background",
            "graphMode": "none",
            "textMode": "name",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        }
    }
    yield panel("stat", "Connected", [_run("connected")], **_STAT, mappings=_YES_IS_GOOD)
    yield panel("stat", "Last record", [_run("journal_seq")], **_STAT, unit="none")
    yield panel("stat", "Equity now", [_run("equity")], **_STAT, unit="short", decimals=2)
    yield panel("stat", "Drawdown now", [_run("drawdown_pct")], **_STAT, unit="percent", decimals=2)
    yield panel("stat", "Lag", [_run("lag_seconds")], **_STAT, unit="s")
    firing = query(f'count(ALERTS{{alertstate="firing", {OF_RUN}}}) or vector(0)', "alerts")
    yield panel("stat", "Alerts that fire", [firing], **_STAT, thresholds=steps((None, "green"), (1, "red")))


def _scheduler() -> Json:
    """A row a schedule; what each query gives is joined by the schedule's labels."""
    names = {f"Value #{chr(ord('A') + i)}": heading for i, heading in enumerate(_COLUMNS.values())}
    hidden = dict.fromkeys(("Time", "__name__", "instance", "job"), True)
    seconds = [_column(heading, unit="s") for heading in ("since run", "since signal", "late by")]
    held = [_column(heading, mappings=_YES_IS_BAD) for heading in ("suspended", "disabled")]
    made = panel(
        "table",
        "Multi-Strategy Scheduler",
        [query(f"barstep_{metric}{{{OF_SCHEDULE}}}", is_table=True) for metric in _COLUMNS],
        width=WIDTH,
        height=9,
        text="Each schedule: what its last run gave, what it has, what holds it back, and since when.",
        overrides=[*seconds, *held],
        decimals=3,
    )
    return made | {
        "transformations": [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": hidden, "renameByName": names}},
        ]
    }


def _capital() -> Iterator[Json]:
    share: Json = {"unit": "percentunit", "min": 0}
    stacked = {"fillOpacity": 40, "stacking": {"mode": "normal", "group": "A"}}
    weights = [query(f"barstep_allocator_smoothed_weight{{{OF_SCHEDULE}}}", "{{schedule}}")]
    yield panel("timeseries", "Allocation", weights, text="Share of capital, smoothed.", custom=stacked, **share)
    raw = [
        query(f"barstep_allocator_raw_weight{{{OF_SCHEDULE}}}", "{{schedule}} raw"),
        query(f"max by (risk_profile) (barstep_allocator_profile_weight{{{OF_PROFILE}}})", "profile {{risk_profile}}"),
    ]
    yield panel(
        "timeseries",
        "Allocation before smoothing, and of profiles",
        raw,
        overrides=[named("^profile ", **_DASHED)],
        **share,
    )
    held = [
        query(f"barstep_suspended{{{OF_SCHEDULE}}}", "{{schedule}} suspended"),
        query(f"barstep_suspension_tag_indicator{{{OF_SCHEDULE}}}", "{{schedule}} by a tag"),
        query(f"barstep_disabled{{{OF_SCHEDULE}}}", "{{schedule}} disabled"),
    ]
    yield panel("state-timeline", "Suspensions", held, mappings=_YES_IS_BAD)


def _decisions() -> Iterator[Json]:
    signals = [query(f"barstep_signals{{{OF_SCHEDULE}}}", "{{schedule}}")]
    yield panel("timeseries", "Signals", signals, text="Accepted in the last run.")
    became = f"sum by (status, reason) (increase(barstep_decisions_total{{{OF_SCHEDULE}}}[$__rate_interval])) > 0"
    yield panel("timeseries", "Decisions", [query(became, "{{status}} {{reason}}")], text="What became of signals.")
    runs = f"sum by (status, reason) (increase(barstep_runs_total{{{OF_SCHEDULE}}}[$__rate_interval])) > 0"
    yield panel("timeseries", "Runs", [query(runs, "{{status}} {{reason}}")], text="Due times, executed and skipped.")


def _account() -> Iterator[Json]:
    equity = [_run("equity", "live"), _run("shadow_equity", "shadow")]
    yield panel("timeseries", "Equity", equity, text="Live, and as a backtest would have filled today's orders.")
    falls = [
        _run("drawdown_pct", "account"),
        query(f"barstep_max_drawdown_pct{{{OF_PROFILE}}}", "{{risk_profile}} allows"),
        query(f"barstep_pnl_drawdown_pct{{{OF_SCHEDULE}}}", "{{schedule}}"),
    ]
    yield panel("timeseries", "Drawdown", falls, unit="percent", min=0, overrides=[named(" allows$", **_DASHED)])
    apart = [
        _run("shadow_divergence_pct", "live and shadow apart"),
        query(f"barstep_daily_risk_budget_pct{{{OF_PROFILE}}}", "{{risk_profile}} daily budget"),
    ]
    yield panel("timeseries", "Live against shadow", apart, unit="percent", overrides=[named(" budget$", **_DASHED)])
    exposure = [_run("gross_exposure", "gross exposure")]
    yield panel("timeseries", "Exposure", exposure, unit="percentunit")
    orders = [
        _run("open_orders", "open"),
        query(f"sum by (status) (increase(barstep_orders_total{{{OF_RUN}}}[$__rate_interval]))", "{{status}}"),
    ]
    yield panel("timeseries", "Orders", orders)
    age = [_run("oldest_order_age_seconds", "oldest order")]
    yield panel(
        "timeseries", "Oldest order without a fill", age, unit="s", thresholds=steps((None, "green"), (600, "red"))
    )


def _machine() -> Iterator[Json]:
    of_limit = f"barstep_resource_usage{{{OF_RUN}}} / (barstep_resource_limit{{{OF_RUN}}} > 0)"
    colours = steps((None, "green"), (0.8, "yellow"), (1, "red"))
    used = [query(of_limit, "{{resource}}")]
    yield panel("timeseries", "Resources, of their limits", used, unit="percentunit", min=0, thresholds=colours)
    feeds = [query(f"barstep_feed_age_seconds{{{OF_RUN}}}", "{{instrument}}")]
    yield panel("timeseries", "Feed: age of the last bar", feeds, unit="s", text="In event time.")
    stalled = [query(f"barstep_feed_stalled{{{OF_RUN}}}", "{{instrument}}")]
    yield panel("state-timeline", "Feed: silent, or on its fallback", stalled, mappings=_YES_IS_BAD)
    took = f"sum by (le) (rate(barstep_step_seconds_bucket{{{OF_RUN}}}[$__rate_interval]))"
    step = [query(f"histogram_quantile({q}, {took})", f"p{q * 100:g}") for q in (0.5, 0.95, 0.99)]
    yield panel("timeseries", "Latency of an instant", step, unit="s", text="From bars to durable decisions.")
    latency = [query(f"barstep_latency_ms{{{OF_SCHEDULE}}}", "{{schedule}}")]
    yield panel("timeseries", "Latency of the last run", latency, unit="ms")
    drift = [query(f"barstep_drift_seconds{{{OF_SCHEDULE}}}", "{{schedule}}"), _run("lag_seconds", "lag")]
    yield panel("timeseries", "Drift and lag", drift, unit="s")


def _run(metric: str, legend: str = "") -> Json:
    return query(f"barstep_{metric}{{{OF_RUN}}}", legend or "{{environment}}")


def _red(pattern: str, colour: str = "red") -> Json:
    return named(pattern, color={"mode": "fixed", "fixedColor": colour})


def _column(heading: str, **properties: object) -> Json:
    return {
        "matcher": {"id": "byName", "options": heading},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }
