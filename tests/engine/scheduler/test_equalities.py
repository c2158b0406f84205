"""Runs of the scheduler that must give the same: as simpler backtests, with others left out, and in another order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import barstep as bs
import msgspec
import numpy as np
import polars as pl
import pytest
from barstep.config.commands import AnyCommand
from barstep.config.reading import PACKAGED
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.scheduler.result import SchedulerResult
from making import ENGINE_NAMES, QUICK, random_wishes, second_venue, walk_bars
from scheduler_making import at, config_of, hour, told_bars
from told_engine import ENGINE

FREE = {"fee_bps": 0.0, "lot": 0.01}
VENUES: dict[str, dict[str, Any]] = {
    "plain": {"fee_bps": 10.0},
    "levels": {"stop_loss_pct": 2.0, "take_profit_pct": 3.0, "trailing_stop_pct": 2.5, "borrow_pct": 5.0},
    "limits": {"limit_offset_bps": 20.0, "maker_fee_bps": 1.0},
    "volume": {"max_volume_share": 0.0001, "impact_bps": 10.0},
}


def scheduled(config: Any, bars: Any, commands: list[dict[str, Any]] | None = None, **given: Any) -> SchedulerResult:
    """The scheduler `s`, with commands as mappings."""
    told = msgspec.convert(commands or [], list[AnyCommand])
    return bs.backtest_scheduler(config, "s", environment="e", bars=bars, commands=told, **given)


def shares_at(result: SchedulerResult, time_us: int) -> dict[str, float] | None:
    """The shares of capital of the refresh at that time, by schedule."""
    table = result.refresh_table
    rows = np.flatnonzero(table[0] == time_us)
    names = result.setup.schedules
    return dict(zip(names, table[1 + len(names) :, rows[-1]].tolist(), strict=True)) if rows.size else None


def told(result: SchedulerResult, schedule: str = "a") -> list[tuple[int, float, str, str]]:
    """Microseconds, wish, status and reason of a schedule's decisions."""
    rows = result.decisions.filter(pl.col("schedule") == schedule)
    wish = rows["side"].cast(pl.Float64) * rows["exposure"]
    return list(zip(rows["due_time"].dt.epoch("us"), wish, rows["status"], rows["reason"], strict=True))


def traded(result: Any) -> list[tuple[Any, ...]]:
    """What was traded: bar, quantity, price and fee."""
    return result.fills.select("time", "quantity", "price", "fee", "kind").rows()


@pytest.mark.parametrize("gaps", [0.0, 0.1])
@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_one_schedule_alone_is_the_single_backtest(engine: str, venue: str, gaps: float) -> None:
    """Bit for bit; a pair passes over what is for one venue."""
    bars, options = walk_bars(700, gaps=gaps), VENUES[venue]
    pair = engine == "cross_exchange_arbitrage"
    if pair and venue != "plain":
        options = {}
    given = (bars, second_venue(bars)) if pair else bars
    config = config_of(
        {"a": {"strategy": "one"}}, strategies={"one": {"engine": engine, "parameters": QUICK[engine]}}, engine_files=()
    )
    alone = bs.backtest(
        bars, engine, secondary=given[1] if isinstance(given, tuple) else None, capital=1000.0, **options,
        **QUICK[engine],
    )  # fmt: skip
    result = scheduled(config, {"X": given}, **options)
    assert traded(result) == traded(alone) != []
    assert result.equity_values.tobytes() == alone.equity_values.tobytes()


@pytest.mark.parametrize("options", [{}, {"stop_loss_pct": 1.0}], ids=["plain", "stops"])
def test_one_schedule_on_three_instruments_is_a_portfolio(options: dict[str, Any]) -> None:
    """An allocation of weight 1, where wishes sum to no more than 1: the same fills, and equity but for the last bits.

    A portfolio adds positions up in another order, and tells of levels between the orders of an open.
    """
    names = ("X", "Y", "Z")
    bars = {
        name: replace(told_bars(walk_bars(400, k).close.tolist(), (random_wishes(400, k) * 0.3).tolist()), symbol=name)
        for k, name in enumerate(names)
    }
    result = scheduled(config_of({"a": {}}, names), bars, fee_bps=5.0, **options)
    plan = [bs.Allocation(strategy=ENGINE, weight=1.0)]
    portfolio = bs.portfolio(list(bars.values()), plan, capital=1000.0, fee_bps=5.0, **options)
    assert result.fills.height > 100
    columns = ("instrument", "time", "quantity", "price", "fee", "kind")
    assert sorted(result.fills.select(columns).rows()) == sorted(portfolio.fills.select(columns).rows())
    np.testing.assert_allclose(result.equity_values, portfolio.equity_values, rtol=1e-13)


def test_the_order_in_which_schedules_are_declared_changes_nothing() -> None:
    """Where no order is cut by cash: the same shares of capital and orders, and equity but for the last bits."""
    schedules = {
        name: {"strategy": name, "cadence_seconds": 3600.0 * (k + 1)} for k, name in enumerate(("one", "two", "three"))
    }
    kinds = zip(schedules, ("mean_reversion", "grid_trading", "daily_trend_momentum"), strict=True)
    strategies = {name: {"engine": kind, "parameters": QUICK[kind]} for name, kind in kinds}
    bars = {"X": walk_bars(600, 4), "Y": walk_bars(600, 5)}
    given: dict[str, Any] = {"instruments": ("X", "Y"), "strategies": strategies, "capital_policy": "signal_strength"}
    governor = {"max_gross_exposure": 0.5}
    first, second = (
        scheduled(config_of(dict(order), engine_files=(), portfolio_governor=governor, **given), bars)
        for order in (schedules.items(), reversed(schedules.items()))
    )
    names = list(first.setup.schedules)
    np.testing.assert_allclose(
        first.capital_weights.select(names).to_numpy(), second.capital_weights.select(names).to_numpy(), atol=1e-15
    )
    orders = [result.fills.sort("time", "schedule", "instrument").drop("fee") for result in (first, second)]
    assert orders[0].equals(orders[1])
    np.testing.assert_allclose(first.equity_values, second.equity_values, rtol=1e-13)


def test_a_schedule_that_is_suspended_from_the_start_is_as_good_as_absent() -> None:
    """It holds nothing and has no share: the other one's decisions, fills and the equity are the same bits."""
    strategies = {
        "one": {"engine": "mean_reversion", "parameters": QUICK["mean_reversion"]},
        "two": {"engine": "grid_trading", "parameters": QUICK["grid_trading"]},
    }
    both, bars = {name: {"strategy": name} for name in strategies}, {"X": walk_bars(500)}
    absent = scheduled(config_of({"one": both["one"]}, strategies=strategies, engine_files=()), bars)
    held = config_of(both, strategies=strategies, engine_files=(), initial_suspensions=[{"schedule": "two"}])
    suspended = scheduled(held, bars)
    assert told(suspended, "one") == told(absent, "one")
    assert traded(suspended) == traded(absent) != []
    assert suspended.equity_values.tobytes() == absent.equity_values.tobytes()


def test_an_expiry_between_due_times_takes_effect_at_its_instant() -> None:
    """The suspension of b ends at 2:07: the shares are computed anew then, and the next run of a moves its target."""
    bars = {"X": told_bars([100.0] * 5, [0.4] * 5)}
    until = hour(2) + 7 * 60_000_000
    night = [{"at": at(0), "command": "suspend_schedule", "schedule": "b", "until": at(2 + 7 / 60)}]
    result = scheduled(config_of({"a": {}, "b": {}}), bars, night, **FREE)
    assert shares_at(result, hour(2)) == {"a": 1.0, "b": 0.0}
    assert shares_at(result, until) == {"a": 0.5, "b": 0.5}
    quantities = [(row[0], round(row[1], 6)) for row in result.fills.select("schedule", "quantity").rows()]
    assert quantities == [("a", 4.0), ("a", -2.0), ("b", 2.0)]


def test_a_command_comes_before_an_expiry_of_its_instant() -> None:
    """The suspension would end at 2:00; the command of 2:00 puts another one in its place, which holds on."""
    night = [
        {"at": at(0), "command": "suspend_schedule", "schedule": "a", "until": at(2)},
        {"at": at(2), "command": "suspend_schedule", "schedule": "a", "until": at(3)},
    ]
    result = scheduled(config_of({"a": {}}), {"X": told_bars([100.0] * 4, [1.0] * 4)}, night, **FREE)
    assert [row[3] for row in told(result)] == ["suspended", "suspended", ""]


def test_a_stop_of_the_bar_that_closes_comes_before_the_runs_of_its_close() -> None:
    """The bar of 1:00 falls through the stop: at 2:00 the wish still stands, and its side is closed."""
    bars = {"X": told_bars([100.0, 90.0, 90.0, 90.0], [1.0] * 4)}
    result = scheduled(config_of({"a": {}}), bars, stop_loss_pct=5.0, **FREE)
    assert [row[4] for row in traded(result)] == ["market", "stop"]
    assert told(result) == [(hour(1), 1.0, "accepted", "")]


def test_a_refresh_knows_earlier_runs_alone() -> None:
    """At 1:00 nothing was measured of a run that accepts a signal then; at 2:00 that one counts."""
    config = config_of({"a": {}, "b": {"cadence_seconds": 7200.0}}, capital_policy={
        "name": "metric_weighted", "metrics": {"signals": {"weight": 1.0}}, "default_score": 1.0,
    })  # fmt: skip
    result = scheduled(config, {"X": told_bars([100.0] * 4, [0.2] * 4)}, **FREE)
    first, second = shares_at(result, hour(1)), shares_at(result, hour(2))
    assert first == {"a": 0.5, "b": 0.5}
    assert second == {"a": 1.0, "b": 0.0}


def test_orders_are_sized_before_the_fills_of_their_instant_and_in_declared_order() -> None:
    """Both want their half of 1000 at 1:00, by the equity before either has filled; fills are in declared order."""
    policy = {"name": "fixed_weight", "weights": {"a": 1.0, "b": 1.0}}
    bars = {"X": told_bars([100.0] * 3, [1.0] * 3)}
    for names in (("a", "b"), ("b", "a")):
        result = scheduled(config_of({name: {} for name in names}, capital_policy=policy), bars, **FREE)
        rows = result.fills.select("schedule", "quantity").rows()
        assert [name for name, _ in rows] == list(names)
        assert [round(quantity, 6) for _, quantity in rows] == [5.0, 5.0]


def test_one_line_of_the_configuration_changes_its_digest_and_the_result() -> None:
    """Balanced from 60 % of the capital to 20 %: another SHA-384, other shares of capital."""
    text = PACKAGED.read_text()
    assert text.count("balanced: 0.6") == 1
    config = bs.load_core_config(PACKAGED)
    policy = msgspec.to_builtins(config)
    scheduler = policy["runtime"]["multi_strategy_schedulers"]["core_multi"]
    changed = msgspec.json.decode(msgspec.json.encode(policy).replace(b'"balanced":0.6', b'"balanced":0.2'))
    assert changed["runtime"]["multi_strategy_schedulers"]["core_multi"] != scheduler
    given: dict[str, Any] = {"start": "2023-01-01", "end": "2023-01-08", "bars": _embedded()}
    one = bs.backtest_scheduler(config, "core_multi", **given)
    two = bs.backtest_scheduler(msgspec.convert(changed, type(config)), "core_multi", **given)
    assert one.to_dict()["config_sha384"] != two.to_dict()["config_sha384"]
    assert one.digests["weights"] != two.digests["weights"]


def _embedded() -> dict[str, tuple[bs.Bars, bs.Bars]]:
    return {
        f"{symbol}USDT": (
            bs.load(EMBEDDED_FOLDER / f"binance_{symbol}USDT_1h.parquet"),
            bs.load(EMBEDDED_FOLDER / f"kraken_{symbol}USDT_1h.parquet"),
        )
        for symbol in ("BTC", "ETH", "SOL")
    }


@pytest.mark.parametrize(
    ("part", "more", "reason"),
    [
        ("suspensions", {"initial_suspensions": [{"schedule": "a"}]}, "suspended"),
        ("limits", {"signal_limits": {"told": {"p": 0}}}, "limit"),
        ("governor", {"portfolio_governor": {"max_gross_exposure": 0.1, "on_breach": "halt"}}, "halted"),
    ],
)
def test_each_part_of_the_governance_can_be_left_out(part: str, more: dict[str, Any], reason: str) -> None:
    """With it the signal at 3:00 is refused for that reason, without it accepted."""
    bars = {"X": told_bars([100.0] * 5, [0.5, 0.5, 0.6, 0.6, 0.6])}
    config = config_of({"a": {}}, **more)
    assert (hour(3), 0.6, "refused", reason) in told(scheduled(config, bars, **FREE))
    assert (hour(3), 0.6, "accepted", "") in told(scheduled(config, bars, without=(part,), **FREE))


def test_a_run_that_starts_too_late_is_skipped_and_one_that_is_late_orders_late() -> None:
    """40 s are over the 30 that are allowed; after 5 s the open of 1:00 is missed, and that of 2:00 is taken."""
    config, bars = config_of({"a": {}}), {"X": told_bars([100.0, 110.0, 120.0], [1.0] * 3)}
    assert {row[3] for row in told(scheduled(config, bars, drift_seconds=40.0, **FREE))} == {"drift"}
    late = scheduled(config, bars, drift_seconds=5.0, **FREE)
    assert [row[2] for row in traded(late)] == [110.0]


def test_commands_before_the_start_are_applied_at_it() -> None:
    """Their durations count from their own time: the limit of 0:00 to 4:00 holds at 3:00, that to 2:00 never."""
    bars = {"X": told_bars([100.0] * 6, [1.0] * 6)}
    limit = {"at": at(0), "command": "set_signal_limit", "strategy": "told", "profile": "p", "limit": 0}
    for hours, refused in ((4, 1), (2, 0)):
        night = [{**limit, "duration_seconds": 3600.0 * hours}]
        result = scheduled(config_of({"a": {}}), bars, night, start=at(3), **FREE)
        assert sum(row[3] == "limit" for row in told(result)) == refused


def test_what_is_unknown_or_empty_is_refused() -> None:
    """With the near name."""
    config, bars = config_of({"a": {}}), {"X": told_bars([100.0] * 4, [1.0] * 4)}
    with pytest.raises(bs.UsageError, match=r"the start is .* before the end"):
        scheduled(config, bars, start=at(3), end=at(2))
    with pytest.raises(bs.UsageError, match=r"unknown scheduler 'core'"):
        bs.backtest_scheduler(config, "core", environment="e", bars=bars)
    with pytest.raises(bs.UsageError, match=r"unknown option 'fee_bp'. Did you mean 'fee_bps'\?"):
        scheduled(config, bars, fee_bp=1.0)
    with pytest.raises(bs.UsageError, match=r"without: unknown intervention 'limit'. Did you mean 'limits'\?"):
        scheduled(config, bars, without=("limit",))
