"""Schedulers drawn at random with bars that they trade on: what the parity of two implementations is searched over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from barstep.config.core import CoreConfig
from barstep.data.generate import InstrumentSpec, MarketSpec, VenueSpec, generate_market
from barstep.engine.bars import Bars
from barstep.engine.configured import choose_scheduler
from barstep.engine.feeds import FeedSources
from hypothesis import strategies as st
from making import HOUR_US, QUICK, START_US
from plain_feeds import plain_merged
from plain_scheduler_market import Given
from scheduler_making import config_of

HOUR = 3600
START = datetime(2024, 1, 1, tzinfo=UTC)
ENGINES = ["daily_trend_momentum", "mean_reversion", "grid_trading", "volatility_target", "cross_exchange_arbitrage"]
METRICS = ["avg_confidence", "signals", "realized_volatility", "pnl_drawdown_pct", "last_confidence", "avg_abs_zscore"]
TAGS = ["slow", "quick", "core"]
PROFILES = ["p", "q"]


@dataclass(frozen=True)
class Drawn:
    """What `plain_scheduler.walk` takes: walk(d.config, "s", "e", d.bars, **d.given).

    `sources` are the feeds and fallbacks that `bars` were read from.
    """

    seed: int
    config: CoreConfig = field(repr=False)
    bars: Mapping[str, Given] = field(repr=False)
    given: Mapping[str, Any] = field(repr=False)
    sources: FeedSources = field(repr=False)


def schedulers(bars: tuple[int, int] = (300, 600)) -> st.SearchStrategy[Drawn]:
    """Drawn schedulers by seed, for Hypothesis."""
    return st.integers(0, 2**31 - 1).map(lambda seed: random_scheduler(seed, bars=bars))


def random_scheduler(seed: int, *, bars: tuple[int, int] = (300, 2000)) -> Drawn:
    """A scheduler, its bars and its commands from one seed.

    1 to 6 schedules over all engines with short windows, 1 to 4 instruments on two venues with gaps, policies in
    policies, cadences from half a bar to ten, and at random: longer intervals, warm-ups, limits, suspensions, profiles
    with caps, a governor of any kind, options of execution, a start inside the history, fallbacks of the instruments,
    and up to nine commands, with up to four more on feeds.
    """
    draw = _Draw(np.random.default_rng(seed))
    names = [f"I{k}" for k in range(draw.whole(1, 5))]
    count = draw.whole(*bars)
    market = _market(draw, names, count)
    strategies = {f"{engine}_s": _strategy(draw, engine, TAGS[k % 3]) for k, engine in enumerate(ENGINES)}
    schedules = {f"c{k}": _schedule(draw, list(strategies)) for k in range(draw.whole(1, 7))}
    schedules["c0"].pop("interval", None)  # the bars are those of the shortest one
    config = config_of(
        schedules, names, {name: _profile(draw, names, strategies) for name in PROFILES}, strategies,
        capital=float(draw.one([1e3, 1e5])), engine_files=(), **_scheduler(draw, schedules, strategies, count),
    )  # fmt: skip
    used = {each["strategy"]: strategies[each["strategy"]] for each in schedules.values()}
    given: dict[str, Any] = {"commands": _commands(draw, schedules, used, count), **_options(draw)}
    if draw.chance(0.3):
        given["start_us"] = START_US + draw.whole(20, count // 2) * HOUR_US
    feeds = _Draw(np.random.default_rng([seed, 1]))
    sources = _sources(feeds, market)
    traded = {name for one in choose_scheduler(config, "e", "s").resolved for name in one.instruments}
    words = _feed_words(feeds, [name for name in sources.fallback if name in traded], count)
    given["commands"] = sorted([*given["commands"], *words], key=lambda each: each["at"])
    return Drawn(seed, config, _read(sources, words), given, sources)


class _Draw:
    """Choices of one generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def whole(self, least: int, end: int) -> int:
        return int(self.rng.integers(least, end))

    def real(self, least: float, most: float) -> float:
        return round(float(self.rng.uniform(least, most)), 4)

    def one(self, values: list[Any]) -> Any:
        return values[self.whole(0, len(values))]

    def maybe(self, share: float, **entries: Any) -> dict[str, Any]:
        """These entries, each by itself with this chance."""
        return {name: value for name, value in entries.items() if self.chance(share)}


def _market(draw: _Draw, names: list[str], count: int) -> dict[str, tuple[Bars, Bars]]:
    """Hours of both venues; of some the hours have gaps, and some begin late."""
    spec = MarketSpec(
        seed=draw.whole(0, 2**31), start=START, end=START + timedelta(hours=count), interval_seconds=HOUR,
        instruments=tuple(
            InstrumentSpec(symbol=name, start_price=float(draw.one([0.5, 100.0, 30_000.0])), ticks_per_unit=10_000,
                           own_volatility=0.8)
            for name in names
        ),
        venues=(VenueSpec(name="v"), VenueSpec(name="w", delay_seconds=360, basis_bps=25.0, noise_bps=2.0)),
    )  # fmt: skip
    made = {key: Bars.from_dataset(dataset) for key, dataset in generate_market(spec).items()}
    return {name: (_with_gaps(draw, made["v", name]), _with_gaps(draw, made["w", name])) for name in names}


def _with_gaps(draw: _Draw, bars: Bars) -> Bars:
    kept = np.ones(len(bars), dtype=bool)
    if draw.chance(0.4):
        for _ in range(draw.whole(1, 12)):
            at = draw.whole(0, len(bars))
            kept[at : at + draw.whole(1, 9)] = False
    if draw.chance(0.2):
        kept[: draw.whole(1, len(bars) // 4)] = False
    return Bars.from_arrays(
        bars.ts_us[kept], *(row[kept] for row in bars.values[:5]),
        interval_seconds=HOUR, symbol=bars.symbol, venue=bars.venue,
    )  # fmt: skip


def _sources(draw: _Draw, market: Mapping[str, tuple[Bars, Bars]]) -> FeedSources:
    """Of some schedulers some instruments have a fallback, which has gaps of its own."""
    has_fallbacks = draw.chance(0.5)
    return FeedSources(
        base_interval_seconds=HOUR,
        primary={name: pair[0] for name, pair in market.items()},
        secondary={name: pair[1] for name, pair in market.items()},
        fallback={
            name: _with_gaps(draw, pair[1]) for name, pair in market.items() if has_fallbacks and draw.chance(0.7)
        },
    )


def _feed_words(draw: _Draw, names: list[str], count: int) -> list[dict[str, Any]]:
    """What an operator says of feeds, where there are fallbacks."""
    times = sorted(draw.whole(-4, count * 4) * 900 + draw.one([0, 0, 17]) for _ in range(draw.whole(0, 5)) if names)
    return [
        {
            "at": START + timedelta(seconds=time), "command": "use_feed",
            "feed": draw.one(["fallback", "fallback", "primary"]), **draw.maybe(0.5, instrument=draw.one(names)),
        }
        for time in times
    ]  # fmt: skip


def _read(sources: FeedSources, words: list[dict[str, Any]]) -> dict[str, tuple[Bars, Bars]]:
    """The bars that are traded, by the plain rule."""
    read = {}
    for name, bars in sources.primary.items():
        own = [
            (START_US + (each["at"] - START) // timedelta(microseconds=1), each["feed"])
            for each in words
            if each.get("instrument", name) == name
        ]
        fallback = sources.fallback.get(name)
        read[name] = (bars if fallback is None else plain_merged(bars, fallback, own), sources.secondary[name])
    return read


def _strategy(draw: _Draw, engine: str, tag: str) -> dict[str, Any]:
    """`tag` it has for certain, so that each tag that is referred to is there."""
    tags = [tag, *(each for each in TAGS if each != tag and draw.chance(0.3))]
    return {
        "engine": engine,
        "parameters": QUICK[engine],
        "tags": tags,
        **draw.maybe(0.5, risk_profile=draw.one(PROFILES)),
    }


def _schedule(draw: _Draw, strategies: list[str]) -> dict[str, Any]:
    cadences = [HOUR // 2, HOUR, HOUR, HOUR, 2 * HOUR, 5400, 4 * HOUR, 10 * HOUR]
    return {
        "strategy": draw.one(strategies), "cadence_seconds": float(draw.one(cadences)),
        **draw.maybe(0.25, interval=float(draw.one([2, 3, 4]) * HOUR)),
        **draw.maybe(0.4, warmup_bars=draw.whole(1, 60), max_signals=draw.whole(0, 4), risk_profile=draw.one(PROFILES)),
    }  # fmt: skip


def _profile(draw: _Draw, names: list[str], strategies: Mapping[str, Any]) -> dict[str, Any]:
    limits = draw.maybe(
        0.35,
        daily_risk_budget_pct=draw.real(0.2, 3.0), max_drawdown_pct=draw.real(0.5, 10.0),
        max_position_pct=draw.real(5.0, 60.0), max_leverage=draw.real(0.1, 1.5),
        strategy_allocations={name: draw.real(0.0, 0.2) for name in strategies if draw.chance(0.5)},
    )  # fmt: skip
    if draw.chance(0.2):
        limits["instrument_buckets"] = {"b": names[: draw.whole(1, len(names) + 1)]}
    return limits


def _scheduler(draw: _Draw, schedules: Mapping[str, Any], strategies: Mapping[str, Any], count: int) -> dict[str, Any]:
    limit: list[Any] = [draw.whole(0, 3), {"limit": draw.whole(0, 3), "duration_seconds": draw.real(1, 200) * HOUR}]
    limits = {draw.one(list(strategies)): {draw.one(PROFILES): draw.one(limit)}}
    held = {"duration_seconds": draw.real(1, count / 6) * HOUR}
    suspension = {"schedule": draw.one(list(schedules))} if draw.chance(0.5) else {"tag": draw.one(TAGS)}
    written = draw.maybe(
        0.4, allocation_rebalance_seconds=float(draw.one([HOUR // 2, HOUR, 5 * HOUR, 24 * HOUR])),
        signal_limits=limits, initial_signal_limits=limits, initial_suspensions=[{**suspension, **held}],
        portfolio_governor=_governor(draw),
    )  # fmt: skip
    return {"capital_policy": _policy(draw, schedules, strategies), **written}


def _governor(draw: _Draw) -> dict[str, Any]:
    return {
        "on_breach": draw.one(["scale", "scale", "limit", "limit", "halt"]), "signal_limit": draw.whole(0, 3),
        **draw.maybe(
            0.6, max_drawdown_pct=draw.real(0.5, 20.0), max_gross_exposure=draw.real(0.1, 2.0),
            max_turnover_per_day=draw.real(0.2, 3.0),
        ),
    }  # fmt: skip


def _policy(draw: _Draw, schedules: Mapping[str, Any], strategies: Mapping[str, Any], depth: int = 0) -> Any:
    """A policy, in up to three others."""
    simple = ["equal_weight", "risk_parity", "volatility_target", "signal_strength", "drawdown_guard"]
    kinds = [*simple, "metric_weighted", "fixed_weight"]
    if depth < 3:
        kinds += ["smoothed", "risk_profile", "blended", "tag_quota"] * 2
    kind = draw.one(kinds)

    def inner() -> Any:
        return _policy(draw, schedules, strategies, depth + 1)

    fields: dict[str, Any] = {}
    if kind == "metric_weighted":
        fields["metrics"] = {name: {"weight": draw.real(-1.0, 2.0)} for name in METRICS if draw.chance(0.5)} or {
            "signals": {"weight": 1.0}
        }
        fields["default_score"] = draw.real(0.0, 1.0)
    elif kind == "fixed_weight":
        fields["weights"] = {name: draw.real(0.0, 2.0) for name in (*schedules, *strategies) if draw.chance(0.5)}
    elif kind == "smoothed":
        fields |= {"base": inner(), "alpha": draw.real(0.1, 1.0), "min_delta": draw.one([0.0, 0.02])}
    elif kind == "risk_profile":
        fields |= {"profiles": {name: draw.real(0.1, 1.0) for name in PROFILES}, "within_profile": inner()}
    elif kind == "blended":
        fields["components"] = [{"policy": inner(), "weight": draw.real(0.1, 2.0)} for _ in range(draw.whole(1, 4))]
    elif kind == "tag_quota":
        fields |= {"tags": {tag: draw.real(0.1, 1.0) for tag in TAGS}, "within_tag": inner(), "default_weight": 0.5}
    if draw.chance(0.2):
        fields["rebalance_seconds"] = float(draw.one([HOUR, 6 * HOUR]))
    return {"name": kind, **fields} if fields else kind


def _commands(
    draw: _Draw, schedules: Mapping[str, Any], strategies: Mapping[str, Any], count: int
) -> list[dict[str, Any]]:
    """At whole hours, at halves, and between; what ends does so by duration or at an instant, a halt within a day."""
    times = sorted(draw.whole(0, count * 4) * 900 + draw.one([0, 0, 0, 17]) for _ in range(draw.whole(0, 10)))
    asked = [_command(draw, START + timedelta(seconds=time), schedules, strategies) for time in times]
    halts = [each["at"] for each in asked if each["command"] in ("halt", "reduce")]
    resumed = [{"at": time + timedelta(minutes=draw.whole(1, 1440)), "command": "resume"} for time in halts]
    return sorted([*asked, *resumed], key=lambda each: each["at"])


def _command(
    draw: _Draw, time: datetime, schedules: Mapping[str, Any], strategies: Mapping[str, Any]
) -> dict[str, Any]:
    seconds = float(draw.whole(1, 200) * 900)
    end: dict[str, Any] = draw.one(
        [{}, *[{"duration_seconds": seconds}, {"until": time + timedelta(seconds=seconds)}] * 3]
    )
    carried = sorted({tag for each in strategies.values() for tag in each["tags"]})
    schedule, tag, strategy = draw.one(list(schedules)), draw.one(carried), draw.one(list(strategies))
    limited = {"strategy": strategy, "profile": draw.one(PROFILES)}
    policy = {"policy": _policy(draw, schedules, strategies, 1)}
    flatten = draw.maybe(0.7, flatten=True)
    asked = draw.one(
        [
            *[{"command": "suspend_schedule", "schedule": schedule, **end, **flatten}] * 2,
            *[{"command": "suspend_tag", "tag": tag, **end, **flatten}] * 2,
            {"command": "resume_schedule", "schedule": schedule},
            {"command": "resume_tag", "tag": tag},
            {"command": "set_signal_limit", **limited, "limit": draw.whole(0, 3), **end},
            {"command": "clear_signal_limit", **limited},
            {"command": "disable_strategy", "strategy": strategy, **flatten},
            {"command": "enable_strategy", "strategy": strategy},
            {"command": "rebalance_capital"},
            {"command": "set_capital_policy", **policy, **draw.maybe(0.5, rebalance=False, apply_policy_interval=True)},
            {"command": "replace_capital_policy", **policy},
            {"command": "set_allocation_rebalance_seconds", "seconds": seconds},
            {"command": "halt"},
            {"command": "reduce"},
            *[{"command": "resume"}] * 4,
        ]
    )
    return {"at": time, **asked}


def _options(draw: _Draw) -> dict[str, Any]:
    execution = draw.maybe(
        0.25, fee_bps=draw.real(0.0, 20.0), slippage_bps=draw.real(0.0, 10.0), stop_loss_pct=draw.real(0.3, 3.0),
        take_profit_pct=draw.real(0.3, 3.0), trailing_stop_pct=draw.real(0.3, 3.0), borrow_pct=draw.real(0.0, 10.0),
        lot=draw.one([1e-8, 1e-3]), min_notional=draw.real(1.0, 50.0), max_volume_share=draw.real(0.001, 0.1),
        rebalance_threshold=draw.one([0.01, 0.1]), max_order_age_bars=float(draw.whole(1, 6)),
    )  # fmt: skip
    if not execution.keys() & {"stop_loss_pct", "take_profit_pct", "trailing_stop_pct"}:  # the reference has not both
        execution |= draw.maybe(0.3, limit_offset_bps=draw.real(5.0, 60.0))
    aside = frozenset({draw.one(["suspensions", "limits", "governor"])})
    return {**execution, **draw.maybe(0.1, drift_seconds=draw.one([5.0, 40.0]), without=aside)}
