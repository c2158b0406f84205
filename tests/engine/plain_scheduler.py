"""The governed scheduler once more, in plain Python: one instant after another, as docs/scheduler.md tells it.

What the compiled scheduler is held to. Engines and capital policies are called as they are, they have references of
their own; everything between them is done here by other reasoning. Limit orders go without levels; funding is not paid.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
from barstep.config.core import CoreConfig
from barstep.config.environments import choose_environment
from barstep.engine.capital_policies import policy_of
from barstep.engine.configured import ResolvedSchedule, catalog_of, resolve_schedules
from barstep.engine.execution import Execution
from plain_scheduler_fills import DAY_US, Account, Cell, Fill
from plain_scheduler_governance import (
    HALTING,
    LIMITING,
    NEVER,
    SUSPENDING,
    Command,
    Marks,
    Rules,
    Watched,
    has_ended,
    meant_by,
    microseconds,
)
from plain_scheduler_levels import has_levels, watch
from plain_scheduler_market import SECOND_US, Asset, Given, asset_of, voice_of
from plain_scheduler_runs import Actor, Decision, Limits, OrderRow, Run, make_orders, start_run
from plain_scheduler_telemetry import Telemetry


@dataclass
class PlainRun:
    """What came of a walk; times are microseconds since the epoch."""

    decisions: list[Decision] = field(default_factory=list)
    weights: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    orders: list[OrderRow] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    equity: list[tuple[int, float]] = field(default_factory=list)
    telemetry: list[tuple[int, pl.DataFrame]] = field(default_factory=list)
    governor: list[tuple[int, float]] = field(default_factory=list)


def walk(
    config: CoreConfig,
    scheduler: str,
    environment: str,
    bars: Mapping[str, Given],
    *,
    start_us: int | None = None,
    end_us: int | None = None,
    commands: Sequence[Command] = (),
    without: Collection[str] = frozenset(),
    drift_seconds: float = 0.0,
    **options: Any,
) -> PlainRun:
    """Run a scheduler over bars, by instrument: the primary's, or (primary, secondary) where an arbitrage trades it.

    Due times are those from `start_us` to `end_us`, by default from the first open to the last close. A command is a
    mapping as YAML has it, `at` and `until` as datetimes with a zone. `without` names suspensions, limits, governor.
    """
    loop = _Loop(config, scheduler, environment, bars, without, drift_seconds, options)
    times = [time for asset in loop.assets.values() for time in asset.times]
    start = min(times) if start_us is None else max(min(times), start_us)
    end = max(time for time in times if end_us is None or time <= end_us)
    return loop.walk(start, end, commands)


class _Loop:
    """The state of the loop and its seven steps."""

    def __init__(
        self,
        config: CoreConfig,
        scheduler: str,
        environment: str,
        bars: Mapping[str, Given],
        without: Collection[str],
        drift_seconds: float,
        options: Mapping[str, Any],
    ) -> None:
        self.scheduler = config.runtime.multi_strategy_schedulers[scheduler]
        self.place = config.environments[choose_environment(config.environments, environment)[0]]
        self.profiles, self.without, self.drift_seconds = config.risk_profiles, without, drift_seconds
        self.drift_us = round(drift_seconds * SECOND_US)
        rules = Execution(**{"capital": self.place.capital, **options})
        assert rules.units is None, "sizes are shares of equity here"
        assert not (rules.limit_offset_bps and has_levels(rules)), (
            "limit orders and levels in one bar are not told here"
        )
        self.assets: dict[tuple[str, bool], Asset] = {}
        plans = resolve_schedules(config, self.place, self.scheduler, catalog_of(config))
        self.actors = [self._actor(plan, bars, rules) for plan in plans]
        cells = [cell for actor in self.actors for cell in actor.cells]
        self.account = Account(rules.capital, cells, self.drift_us)
        self.governor = None if "governor" in without else self.scheduler.portfolio_governor
        self.run = PlainRun()
        self.run.fills = self.account.fills
        self._set_policy(self.scheduler.capital_policy)
        recommended = self.policy.rebalance_seconds or 0.0
        self.interval_us = round((self.scheduler.allocation_rebalance_seconds or recommended) * SECOND_US)
        self.refreshed_us: int | None = None
        self.seen_us = -1
        self.running: frozenset[str] = frozenset()
        self.refresh_now = False

    def _actor(self, plan: ResolvedSchedule, bars: Mapping[str, Given], rules: Execution) -> Actor:
        engine, parameters, schedule = plan.strategy.engine, plan.strategy.parameters, plan.schedule
        if "max_notional" in parameters:
            rules = replace(rules, max_notional=float(parameters["max_notional"]))
        if plan.strategy.rebalance_threshold > 0.0:
            rules = replace(rules, rebalance_threshold=plan.strategy.rebalance_threshold)
        assets = [self._asset(name, bars[name], hedged=engine.needs_secondary) for name in plan.instruments]
        interval = int(schedule.interval)
        target = parameters.get("target_volatility")
        profile = self.profiles[plan.risk_profile]
        return Actor(
            plan,
            profile,
            cadence_us=round(schedule.cadence_seconds * SECOND_US),
            voices={
                name: voice_of(engine, parameters, bars[name], interval, rules.year_days) for name in plan.instruments
            },
            cells=[Cell(plan.name, asset, rules) for asset in assets],
            unit=Account(rules.capital, [Cell(plan.name, asset, rules) for asset in assets], self.drift_us),
            telemetry=Telemetry(
                rules.year_days * 86_400.0 / schedule.cadence_seconds,
                None if target is None else float(target),
                profile.max_drawdown_pct,
                self.drift_seconds,
            ),
        )

    def _asset(self, name: str, given: Given, *, hedged: bool) -> Asset:
        if (name, hedged) not in self.assets:
            self.assets[name, hedged] = asset_of(name, given, hedged=hedged)
        return self.assets[name, hedged]

    def walk(self, start_us: int, end_us: int, commands: Sequence[Command]) -> PlainRun:
        self.rules = Rules.initial(self.scheduler, start_us, self.without)
        self.marks = Marks.at(self.account.cash, start_us)
        self._begin(start_us, end_us)
        asked = sorted(commands, key=lambda command: microseconds(command["at"]))
        waiting = [(max(microseconds(command["at"]), start_us), command) for command in asked]
        instants = [start_us, *(time for time, _ in waiting)]
        for asset in self.assets.values():
            instants += asset.times
        for actor in self.actors:
            instants += range(start_us + -start_us % actor.cadence_us, end_us + 1, actor.cadence_us)
        heap = [time for time in set(instants) if start_us <= time <= end_us]
        heapq.heapify(heap)
        done = start_us - 1
        while heap:
            now = heapq.heappop(heap)
            if now > done:
                self._instant(now, [command for time, command in waiting if time == now])
                done = now
                for time in self.rules.ends():
                    if now < time <= end_us:
                        heapq.heappush(heap, int(time))
        return self.run

    def _begin(self, start_us: int, end_us: int) -> None:
        """See the closes of the history, and trade only the bars that lie between start and end."""
        for asset in self.assets.values():
            for time in sorted({*asset.closing, *asset.other_closes}):
                if time <= start_us:
                    asset.see_close(time)
                    self.seen_us = max(self.seen_us, time)
            asset.opening = {
                time: quote for time, quote in asset.opening.items() if start_us <= time and quote.close_us <= end_us
            }
            asset.closing = {time: quote for time, quote in asset.closing.items() if start_us < time <= end_us}
            asset.other_closes = {
                time: price for time, price in asset.other_closes.items() if start_us < time <= end_us
            }

    def _instant(self, now: int, commands: Sequence[Command]) -> None:
        for command in commands:
            self._obey(command, now)
        self.rules.expire(now)
        days = now // DAY_US - self.marks.day
        if days > 1 or (days == 1 and now % DAY_US):
            self._new_day(now)
        self._close_bars(now)
        if now // DAY_US > self.marks.day:
            self._new_day(now)
        due = [actor for actor in self.actors if actor.is_due(now)]
        self._share_out(now, any_due=bool(due))
        self._run(now, due)
        for account in (self.account, *(actor.unit for actor in self.actors)):
            account.open_bars(now)

    def _new_day(self, now: int) -> None:
        self.marks.new_day(now)
        self.account.traded = 0.0

    # 1. Commands

    def _obey(self, command: Command, now: int) -> None:
        word = command["command"]
        if "suspensions" in self.without and word in (SUSPENDING | HALTING) - {"resume"}:
            return
        if "limits" in self.without and word in LIMITING:
            return
        if has_ended(command, now):
            return
        if word in SUSPENDING | LIMITING | HALTING:
            if word in HALTING - {"halt"} and self.rules.loop == "halted":
                self.marks.peak = self.marks.last
            self.rules.apply(command, microseconds(command["at"]))
            if command.get("flatten"):
                self._flatten(command, now)
        elif word == "use_feed":
            return  # is in the bars
        elif word == "rebalance_capital":
            self.refresh_now = True
        elif word == "set_allocation_rebalance_seconds":
            self.interval_us = round(command["seconds"] * SECOND_US)
        else:
            self._change_policy(command)

    def _flatten(self, command: Command, now: int) -> None:
        for actor in self.actors:
            if meant_by(command, actor.plan):
                for cell in actor.cells:
                    if cell.lots:
                        self.run.orders.append((now, actor.name, cell.asset.name, -cell.units, "flatten"))
                    self.account.flatten(cell, now)
                for cell in actor.unit.cells:
                    actor.unit.flatten(cell, now)

    def _change_policy(self, command: Command) -> None:
        self._set_policy(command["policy"])
        if command.get("apply_policy_interval") and self.policy.rebalance_seconds is not None:
            self.interval_us = round(self.policy.rebalance_seconds * SECOND_US)
        if command["command"] == "set_capital_policy" and command.get("rebalance", True):
            self.refresh_now = True

    def _set_policy(self, written: object) -> None:
        self.policy = policy_of(written)

    # 3. Bars

    def _close_bars(self, now: int) -> None:
        closing = [asset for asset in self.assets.values() if now in asset.closing or now in asset.other_closes]
        if not closing:
            return
        for account in (self.account, *(actor.unit for actor in self.actors)):
            for cell in account.cells:
                if now in cell.asset.closing:
                    watch(account, cell, cell.asset.closing[now])
        for asset in closing:
            asset.see_close(now)
        self.seen_us = now
        self.marks.take(self.account.equity, self.profiles)
        self.run.equity.append((now, self.marks.last))

    # 4. Capital

    def _may_run(self, actor: Actor, now: int) -> bool:
        return not self.rules.held_back(actor.plan) and actor.is_warm(now)

    def _share_out(self, now: int, *, any_due: bool) -> None:
        running = frozenset(actor.name for actor in self.actors if self._may_run(actor, now))
        waited = self.refreshed_us is None or now - self.refreshed_us >= self.interval_us
        if not (self.refresh_now or running != self.running or (any_due and waited)):
            return
        self.refresh_now, self.running, self.refreshed_us = False, running, now
        frame = self._frame(running)
        shares = self.policy.weights(frame)
        for actor in self.actors:
            actor.weight = shares[actor.name] * self._ceiling_factor(actor, shares)
        self.run.telemetry.append((now, frame))
        self.run.weights.append((now, {actor.name: actor.weight for actor in self.actors}))

    def _frame(self, running: Collection[str]) -> pl.DataFrame:
        rows = [
            {
                "schedule": actor.name,
                "strategy": actor.plan.strategy.name,
                "risk_profile": actor.plan.risk_profile,
                "tags": list(actor.plan.strategy.tags),
                "may_run": actor.name in running,
                **actor.telemetry.metrics(),
            }
            for actor in self.actors
        ]
        names = list(dict.fromkeys(name for row in rows for name in row))
        return pl.DataFrame([{name: row.get(name) for name in names} for row in rows], infer_schema_length=None)

    def _ceiling_factor(self, actor: Actor, shares: Mapping[str, float]) -> float:
        """What the ceiling of its strategy leaves of a schedule's share."""
        strategy = actor.plan.strategy.name
        ceiling = actor.profile.strategy_allocations.get(strategy)
        profile = [each for each in self.actors if each.plan.risk_profile == actor.plan.risk_profile]
        own = sum(shares[each.name] for each in profile if each.plan.strategy.name == strategy)
        most = NEVER if ceiling is None else ceiling * sum(shares[each.name] for each in profile)
        return most / own if own > most else 1.0

    # 5. Runs, 6. Governor and orders

    def _run(self, now: int, due: Sequence[Actor]) -> None:
        if not due:
            return
        signals, no_raises = self._look()
        runs = [self._start(actor, now, signals, no_raises) for actor in due]
        scale = 1.0
        if self.governor and self.governor.on_breach == "scale":
            scale = self._watched().scale(self.governor)
        if self.governor:
            self.run.governor.append((now, scale))
        for run in runs:
            profile = run.actor.plan.risk_profile
            cells = [c for actor in self.actors if actor.plan.risk_profile == profile for c in actor.cells]
            decisions, orders = make_orders(run, self.account, cells, scale)
            self.run.decisions += decisions
            self.run.orders += orders

    def _look(self) -> tuple[float, bool]:
        """The governor before the runs: most signals of each, and whether nothing may grow. It may halt the loop."""
        governor = self.governor
        if governor is None:
            return NEVER, False
        watched = self._watched()
        if governor.on_breach == "scale":
            return (0.0, True) if watched.used_up(governor) else (NEVER, False)
        if not watched.breaks(governor):
            return NEVER, False
        if governor.on_breach == "halt":
            self.rules.loop = "halted"
            return NEVER, False
        return (NEVER if governor.signal_limit is None else governor.signal_limit), False

    def _watched(self) -> Watched:
        wanted = others = 0.0
        for actor in self.actors:
            if self.rules.held_back(actor.plan):
                sizes = sum(abs(cell.units) * cell.asset.gross for cell in actor.cells if cell.lots)
                others += sizes / self.marks.last
            else:
                wanted += actor.weight * min(1.0, actor.wished)
        return Watched(wanted, others, self.marks.drawdown_pct, self.account.traded / self.marks.day_start)

    def _start(self, actor: Actor, now: int, signals: float, no_raises: bool) -> Run:
        limits = Limits(
            held_back=self.rules.held_back(actor.plan),
            loop=self.rules.loop,
            most=self.rules.most_signals(actor.plan, self.without),
            governor=signals,
            profile_reducing=self.marks.reducing(actor.plan.risk_profile, actor.profile),
            no_raises=no_raises,
        )
        return start_run(actor, now, self.seen_us, limits, self.drift_seconds)
