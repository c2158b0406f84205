"""What a scheduler's backtest gives: a portfolio's result, and every decision with what governed it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import polars as pl

from ...kernels import account, decisions, portfolio, venue
from ...kernels.scheduler import layout
from ..bars import Floats, Integers
from ..inputs import Inputs, of_scheduler
from ..policy_program import PolicyProgram
from ..portfolio_result import PAID, PortfolioResult
from ..provenance import provenance
from ..reasons import DECISIONS, GOVERNED, count_refusals
from .allocation import Allocation
from .digests import digest_of
from .effects import Noted
from .interventions import interventions_of
from .setup import SchedulerSetup
from .state import SchedulerState

By = Literal["schedule", "instrument", "tag", "strategy", "risk_profile"]

EVENTS = {
    layout.PROFILE_REDUCES: "profile_reduces",
    layout.PROFILE_RECOVERS: "profile_recovers",
    layout.GOVERNOR_SCALES: "governor_scales",
    layout.GOVERNOR_LIMITS: "governor_limits",
    layout.GOVERNOR_RELAXES: "governor_relaxes",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class SchedulerResult(PortfolioResult):
    """A finished backtest of a scheduler.

    Attributes:
        setup: What it ran on and how.
        curve: float64[bar]: equity at each close, in account currency.
        read_decisions: Gives `decision_table`.
        read_refreshes: Gives `refresh_table`.
        event_table: float64[EVENT, event], what profiles and the governor did.
        notes: What the operator's state told, each with its instant in microseconds.
        program: The capital policy that was in force at the end.
        registers: float64[register, schedule], what it made of the last telemetry.
        state: The operator's state at the end.
    """

    setup: SchedulerSetup  # type: ignore[assignment]  # it has all that a portfolio's result asks of its own
    curve: Floats
    read_decisions: Callable[[], Floats]
    read_refreshes: Callable[[], Floats]
    event_table: Floats
    notes: tuple[tuple[int, Noted], ...]
    program: PolicyProgram
    registers: Floats
    state: SchedulerState

    @cached_property
    def decision_table(self) -> Floats:
        """float64[DECISION, decision], as `kernels.scheduler.layout` lays it out."""
        return self.read_decisions()

    @cached_property
    def refresh_table(self) -> Floats:
        """float64[1 + 2 × schedules, refresh]: the instant in microseconds, raw weights, weights."""
        return self.read_refreshes()

    @cached_property
    def equity_values(self) -> Floats:
        """float64[bar]: equity at each bar's close, in account currency."""
        return self.curve

    @cached_property
    def decisions(self) -> pl.DataFrame:
        """One row a signal, in the order in which they were decided.

        `due_time`, `schedule`, `strategy`, `risk_profile`, `risk_budget_bucket`, `instrument`, `side`, `exposure`,
        `confidence`, `status` (accepted or refused), `reason` (empty where there is none), and `weight`, the schedule's
        share of capital at that time.
        """
        table, setup = self.decision_table, self.setup
        places, instrument = np.divmod(table[layout.DECIDED_CELL].astype(np.int64), len(setup.instruments))
        reasons = table[layout.DECIDED_REASON].astype(np.int64)
        wish = table[layout.DECIDED_WISH]
        texts = {**DECISIONS, decisions.ACCEPTED: ""}
        return pl.DataFrame(
            {
                "due_time": _instants(table[layout.DECIDED_AT]),
                "schedule": _words(setup.schedules, places),
                "strategy": _words([one.strategy.name for one in setup.resolved], places),
                "risk_profile": _words([one.risk_profile for one in setup.resolved], places),
                "risk_budget_bucket": self._buckets(places, instrument, reasons),
                "instrument": _words(setup.instruments, instrument),
                "side": np.sign(wish).astype(np.int8),
                "exposure": np.abs(wish),
                "confidence": table[layout.DECIDED_CONFIDENCE],
                "status": _words(("refused", "accepted"), table[layout.IS_ACCEPTED].astype(np.int64)),
                "reason": _words([texts.get(code, "") for code in range(max(texts) + 1)], reasons),
                "weight": self._weights_at(table[layout.DECIDED_AT], places),
            }
        )

    def _buckets(self, places: Integers, instruments: Integers, reasons: Integers) -> pl.Series:
        """The profile's bucket that holds an instrument; `manual` once the strategy is disabled."""
        setup, count = self.setup, len(self.setup.instruments)
        names = [
            bucket_of(setup.profiles[one.risk_profile].instrument_buckets, name)
            for one in setup.resolved
            for name in setup.instruments
        ]
        which = np.where(reasons == decisions.DISABLED, len(names), places * count + instruments)
        return _words([*names, "manual"], which)

    def _weights_at(self, instants: Floats, places: Integers) -> Floats:
        refresh = np.searchsorted(self.refresh_table[0], instants, side="right") - 1
        weights = self.refresh_table[1 + len(self.setup.schedules) :]
        return np.where(refresh >= 0, weights[places, refresh], 0.0) if weights.shape[1] else np.zeros(places.size)

    @cached_property
    def signals(self) -> dict[str, int]:
        """How many wishes were signals, how many of these were accepted, and how many refused or cut, by reason."""
        reasons = self.decision_table[layout.DECIDED_REASON].astype(np.int64)
        counts = np.bincount(reasons, minlength=max(DECISIONS) + 1)
        met = {word: int(counts[code]) for code, word in DECISIONS.items()}
        accepted = int(self.decision_table[layout.IS_ACCEPTED].sum())
        return {"seen": reasons.size, "accepted": accepted, **met}

    @cached_property
    def signals_by_schedule(self) -> pl.DataFrame:
        """One row a schedule: `schedule`, and the counts of `signals` for it alone."""
        table, names = self.decision_table, self.setup.schedules
        places = table[layout.DECIDED_CELL].astype(np.int64) // len(self.setup.instruments)
        width = max(DECISIONS) + 1
        reasons = table[layout.DECIDED_REASON].astype(np.int64)
        met = np.bincount(places * width + reasons, minlength=len(names) * width).reshape(len(names), width)
        accepted = np.bincount(places, weights=table[layout.IS_ACCEPTED], minlength=len(names)).astype(np.int64)
        counts = {"seen": met.sum(axis=1), "accepted": accepted, **{word: met[:, k] for k, word in DECISIONS.items()}}
        return pl.DataFrame({"schedule": names, **counts})

    @cached_property
    def capital_weights(self) -> pl.DataFrame:
        """One row a refresh: `time`, and each schedule's share of capital."""
        return self._refreshes(1 + len(self.setup.schedules))

    @cached_property
    def raw_capital_weights(self) -> pl.DataFrame:
        """The same before smoothing and before the ceilings of the risk profiles."""
        return self._refreshes(1)

    def _refreshes(self, first: int) -> pl.DataFrame:
        shares = {name: self.refresh_table[first + s] for s, name in enumerate(self.setup.schedules)}
        return pl.DataFrame({"time": _instants(self.refresh_table[0]), **shares})

    @cached_property
    def interventions(self) -> pl.DataFrame:
        """One row a suspension, limit, disabled strategy or halt, from `begin` to `end` (null: it still held).

        `kind`, `name`, `reason`, `source`, and `value`, the signals that a limit allows.
        """
        return interventions_of(self.notes)

    @cached_property
    def governance(self) -> pl.DataFrame:
        """One row a change that nobody ordered: profiles that let only lower positions, and what the governor did.

        `time`, `kind`, `name` (the profile, or what the governor looked at), `value` and `limit`.
        """
        table = self.event_table
        kinds = table[layout.EVENT_KIND].astype(np.int64)
        of = table[layout.EVENT_OF].astype(np.int64)
        profiles = sorted({one.risk_profile for one in self.setup.resolved})
        is_profile = kinds <= layout.PROFILE_RECOVERS
        return pl.DataFrame(
            {
                "time": _instants(table[layout.EVENT_AT]),
                "kind": _words([EVENTS[kind] for kind in range(len(EVENTS))], kinds),
                "name": [
                    profiles[which] if own else GOVERNED[which] for which, own in zip(of, is_profile, strict=True)
                ],
                "value": table[layout.EVENT_VALUE],
                "limit": table[layout.EVENT_LIMIT],
            },
            schema_overrides={"name": pl.String},
        )

    @cached_property
    def allocation(self) -> Allocation:
        """The shares of capital at the last refresh."""
        raw, held = np.split(self.refresh_table[1:, -1:].sum(axis=1), 2)  # 0 where there was no refresh
        return Allocation(self.setup, self.program, self.registers, raw, held)

    @cached_property
    def feed_changes(self) -> pl.DataFrame:
        """One row a switch between a feed and its fallback: `time`, and the other fields of `FeedChange`."""
        rows = [asdict(change) for change in self.setup.feed_changes]
        columns = {name: [row[name] for row in rows] for name in ("instrument", "change", "feed", "before", "reason")}
        texts = {name: pl.Series(values, dtype=pl.String) for name, values in columns.items()}
        moments = np.array([row["at_us"] for row in rows], dtype=np.float64)
        return pl.DataFrame({"time": _instants(moments), **texts})

    def allocation_snapshot(self) -> dict[str, float]:
        """Each schedule's share of capital since the last refresh; 0 before the first one."""
        return self.allocation.snapshot()

    def capital_allocation_state(self) -> dict[str, dict[str, float]]:
        """The last refresh: `raw` and `smoothed` shares of the policy, `weights` after the ceilings of the profiles.

        And these added up by `profile` and by primary `tag`.
        """
        return self.allocation.state()

    def capital_policy_diagnostics(self) -> dict[str, Any]:
        """How the last weights came about, by each policy of the tree."""
        return self.allocation.diagnostics()

    def equity_by(self, by: By = "schedule") -> pl.DataFrame:
        """`timestamp`, and for each schedule, strategy, profile, tag or instrument its profit so far at each close.

        What never traded stands in it too, with 0.
        """
        legs = len(self.panel.names)
        schedule, leg = np.divmod(self.fill_table[account.FILL_LEG].astype(np.int64), legs)
        groups = self._groups(by, schedule, leg)
        names = self.panel.names if by == "instrument" else self.setup.labels[by]
        curves = {name: self._profit(self.fill_table[:, groups == name], legs) for name in sorted(set(names))}
        times = pl.Series("timestamp", self.panel.times).dt.replace_time_zone("UTC")
        return pl.DataFrame([times, *(pl.Series(name, curve) for name, curve in curves.items())])

    def _groups(self, by: By, schedule: Integers, leg: Integers) -> np.ndarray[Any, Any]:
        if by == "instrument":
            return np.array(self.panel.names, dtype=object)[leg]
        return np.array(self.setup.labels[by], dtype=object)[schedule]

    def _profit(self, fills: Floats, legs: int) -> Floats:
        curve = np.empty(len(self.panel))
        fills = np.ascontiguousarray(fills)
        portfolio.add_cash(*(fills[row] for row in PAID), 0.0, curve)
        leg = fills[account.FILL_LEG].astype(np.int64) % legs
        for j in np.unique(leg).tolist():
            own = fills[:, leg == j]
            bars, units = (np.ascontiguousarray(own[row]) for row in (account.FILL_BAR, account.FILL_LOTS))
            portfolio.add_position(bars, units, self.panel.closes(j), curve)
        return curve

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables that are saved with it, by the names of their files."""
        return {
            **super().tables,
            "decisions": self.decisions,
            "capital_weights": self.capital_weights,
            "profits": self.equity_by("schedule"),
            "interventions": self.interventions,
            "governance": self.governance,
            "feed_changes": self.feed_changes,
        }

    @cached_property
    def refusals(self) -> dict[str, int]:
        """How many orders were not filled as asked, by reason; `engine.reasons` has the texts."""
        return count_refusals(self.cells, self.setup.rules[:, : self.cells.shape[1], venue.LEVERAGE])

    @cached_property
    def other_order(self) -> SchedulerResult:
        """The same backtest with the other order in every ambiguous bar."""
        from .simulation import simulate  # noqa: PLC0415 - a result is made there

        return simulate(self.setup.other_order())

    @property
    def governed(self) -> SchedulerResult:
        """The same backtest with nothing left out; itself where nothing is. The difference prices what was left out."""
        return self._with_nothing_left_out if self.setup.without else self

    @cached_property
    def _with_nothing_left_out(self) -> SchedulerResult:
        from .simulation import simulate  # noqa: PLC0415 - likewise

        return simulate(replace(self.setup, without=frozenset()))

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-384 of decisions, weights, equity, trades and fills: two runs that agree on them agree bit for bit."""
        return {
            "decisions": digest_of(self.decisions.sort("due_time", "schedule", "instrument", maintain_order=True)),
            "weights": digest_of(self.capital_weights),
            **super().digests,
        }

    @cached_property
    def inputs(self) -> Inputs:
        """What it was asked for, so that it can be made again."""
        return of_scheduler(self.setup)

    def to_dict(self) -> dict[str, Any]:
        """All that is not a table, as plain values."""
        setup, plain, shares = self.setup, super().to_dict(), self.capital_allocation_state()
        raw, weights = shares["raw"].values(), shares["weights"].values()
        governor = setup.scheduler.portfolio_governor
        plain["signals"] = {**plain["signals"], **self.signals}
        plain["attribution"] |= {by: self.attribution(by).to_dicts() for by in ("strategy", "risk_profile")}
        return {
            **plain,
            "scheduler": setup.name,
            "environment": setup.environment,
            "config_sha384": setup.config_digest,
            "without": sorted(setup.without),
            "governed_final_equity": self.governed.final_equity,
            "drift_seconds": setup.drift_seconds,
            "schedules": [
                {
                    "schedule": one.name,
                    "strategy": one.strategy.name,
                    "engine": one.strategy.engine.name,
                    "parameters": dict(one.strategy.parameters),
                    "risk_profile": one.risk_profile,
                    "tags": list(one.strategy.tags),
                    "instruments": list(one.instruments),
                    "cadence_seconds": one.schedule.cadence_seconds,
                    "raw_weight": raw_weight,
                    "weight": weight,
                }
                for one, raw_weight, weight in zip(setup.resolved, raw, weights, strict=True)
            ],
            "signals_by_schedule": self.signals_by_schedule.to_dicts(),
            "on_breach": governor.on_breach if governor is not None else None,
            "capital_policy": self.capital_policy_diagnostics(),
            "provenance": provenance(setup.history.instruments, setup.config_digest),
        }


def bucket_of(buckets: Mapping[str, list[str]], instrument: str) -> str:
    """The bucket of a risk profile that holds an instrument; empty where none does."""
    return next((bucket for bucket, members in buckets.items() if instrument in members), "")


def _words(names: Any, places: Integers) -> pl.Series:
    """Names at places, without a Python object for each row."""
    words = pl.Series(list(names), dtype=pl.String)
    return words.gather(pl.Series(places)) if len(words) else pl.Series([], dtype=pl.String)


def _instants(moments: Floats) -> pl.Series:
    return pl.Series(moments.astype(np.int64)).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
