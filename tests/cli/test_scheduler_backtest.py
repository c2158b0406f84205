"""`barstep backtest --scheduler`: what reaches the engine, and what is printed of what comes back.

The engine is a stand-in that keeps what it was called with.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import barstep as package
import polars as pl
import pytest
from barstep.config.core import CoreConfig
from barstep.config.reading import PACKAGED
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.configured import ResolvedSchedule, catalog_of, resolve_schedules
from barstep.engine.portfolio import PortfolioSetup
from barstep.engine.portfolio_result import PortfolioResult
from barstep.engine.reasons import DECISION_TEXTS

Run = Callable[..., Any]
CONFIG = package.load_core_config(PACKAGED)


def times(*texts: str | None) -> pl.Series:
    return pl.Series(
        [None if text is None else datetime.fromisoformat(text) for text in texts], dtype=pl.Datetime("us")
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class SetupStandIn(PortfolioSetup):
    """A portfolio's setup with the schedules of a scheduler, by name, and their places in declared order."""

    resolved: tuple[ResolvedSchedule, ...]
    order: tuple[int, ...]
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, eq=False)
class StandIn(PortfolioResult):
    """A portfolio's result with the tables of a scheduler."""

    decisions: pl.DataFrame = field(default_factory=pl.DataFrame)
    signals: dict[str, int] = field(default_factory=dict)
    capital_weights: pl.DataFrame = field(default_factory=pl.DataFrame)
    interventions: pl.DataFrame = field(default_factory=pl.DataFrame)


INTERVENTIONS = pl.DataFrame(
    {
        "kind": ["suspension", "signal_limit", "disabled_strategy", "mode"],
        "name": ["trend", "mean_reversion:balanced", "grid_engine", "halted"],
        "reason": ["liquidations across venues", "", "review", "drawdown"],
        "source": ["tag", "override", "operator", "governor"],
        "value": [None, 3.0, None, None],
        "begin": times("2023-08-17T21:40", "2023-08-17T21:45", "2023-08-20", "2023-09-01"),
        "end": times("2023-08-18T05:40", None, "2023-08-21", "2023-09-02"),
    }
)
DECISIONS = pl.DataFrame(
    {
        "schedule": ["trend"] * 1_500 + ["arb"] * 2,
        "status": ["accepted"] * 1_200 + ["refused"] * 301 + ["accepted"],
    }
)


def values_of(made: Any) -> dict[str, Any]:
    """The fields of a dataclass by name."""
    return {each.name: getattr(made, each.name) for each in fields(made)}


def made(interventions: pl.DataFrame = INTERVENTIONS, refreshes: int = 2) -> StandIn:
    """A run of `hedged_multi` in which `trend` trades and `arb` does not."""
    bars = package.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet")
    plan = [package.Allocation(strategy="mean_reversion", weight=0.5, name="trend")]
    result = package.portfolio([bars], plan, fee_bps=5.0)
    environment = CONFIG.environments["demo"]
    scheduler = CONFIG.runtime.multi_strategy_schedulers["hedged_multi"]
    weights = {"time": times("2023-01-01", "2023-01-02"), "trend": [0.5, 0.25], "arb": [0.5, 0.75]}
    trend, arb = resolve_schedules(CONFIG, environment, scheduler, catalog_of(CONFIG))
    setup = SetupStandIn(**values_of(result.setup), resolved=(arb, trend), order=(1, 0))
    return StandIn(
        **{**values_of(result), "setup": setup},
        decisions=DECISIONS,
        signals={"seen": 1_502, "accepted": 1_201, **dict.fromkeys(DECISION_TEXTS, 0), "limit": 300, "warmup": 1},
        capital_weights=pl.DataFrame(weights).head(refreshes),
        interventions=interventions,
    )


@dataclass
class Engine:
    """Gives a result, and keeps what it was asked for."""

    result: StandIn
    config: CoreConfig | None = None
    scheduler: str | None = None
    asked: dict[str, Any] = field(default_factory=dict)
    bars_done: tuple[int, int] = (0, 0)

    def backtest_scheduler(self, config: CoreConfig, scheduler: str | None = None, **asked: Any) -> StandIn:
        self.config, self.scheduler, self.asked = config, scheduler, asked
        if asked["progress"] is not None:
            asked["progress"](*self.bars_done)
        return self.result


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    """The stand-in, in the place of the engine, and a working folder without a configuration."""
    engine, module = Engine(made()), ModuleType("barstep.engine.scheduler")
    module.backtest_scheduler = engine.backtest_scheduler  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)
    return engine


def test_with_nothing_but_a_start(barstep: Run, engine: Engine) -> None:
    """The configuration of barstep, which is said, its environment `demo`, and that one's scheduler."""
    ran = barstep("backtest", "--start", "2023-06-01")
    assert ran.code == 0
    assert ran.err == f"no config/core.yaml here; reading the one that comes with barstep: {PACKAGED}\n"
    assert (engine.config, engine.scheduler) == (CONFIG, "core_multi")
    assert engine.asked == {
        "environment": "demo", "start": datetime(2023, 6, 1, tzinfo=UTC), "end": None, "commands": (), "without": (),
        "progress": None,
    }  # fmt: skip


def test_all_that_may_be_said(barstep: Run, engine: Engine, tmp_path: Path) -> None:
    """Each option arrives: names as they are meant, times in UTC, options of execution by flag and by `--set`."""
    own = tmp_path / "mine.yaml"
    own.write_text(PACKAGED.read_text(encoding="utf-8").replace("capital: 100000", "capital: 5000"), encoding="utf-8")
    ran = barstep(
        "backtest", "--config", own, "--scheduler", "hedged_multi", "--environment", "local",
        "--start", "2023-06-01T02:00+02:00", "--end", "2024-01-01T12:00", "--commands", tmp_path / "night.yaml",
        "--without-suspensions", "--without-limits", "--without-governor", "--fee-bps", 4, "--set", "lot=0.01",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    assert engine.config is not None
    assert engine.config.environments["demo"].capital == 5000.0
    assert engine.scheduler == "hedged_multi"
    assert engine.asked == {
        "environment": "demo",
        "start": datetime(2023, 6, 1, tzinfo=UTC),
        "end": datetime(2024, 1, 1, 12, tzinfo=UTC),
        "commands": tmp_path / "night.yaml",
        "without": ("suspensions", "limits", "governor"),
        "progress": None,
        "fee_bps": 4.0,
        "lot": 0.01,
    }
    assert ran.out.startswith("hedged_multi in demo, without suspensions, limits, governor: Panel(BTCUSDT 1h, ")


def test_a_configuration_of_one_s_own_is_the_default(barstep: Run, engine: Engine, tmp_path: Path) -> None:
    """`config/core.yaml` of the working folder goes before the one of barstep, and that needs no word."""
    (tmp_path / "config").mkdir()
    text = PACKAGED.read_text(encoding="utf-8").replace("scheduler: core_multi", "scheduler: hedged_multi")
    (tmp_path / "config" / "core.yaml").write_text(text, encoding="utf-8")
    ran = barstep("backtest", "--environment", "demo", "--json")
    assert (ran.code, ran.err, engine.scheduler) == (0, "", "hedged_multi")


def test_a_person_sees_a_bar_that_moves(barstep: Run, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the engine is given a function of bars done and all bars; with `--json` it is given none."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    engine.bars_done = (5_000, 10_000)
    assert " 50%" in barstep("backtest", "--scheduler", "hedged_multi").err
    assert engine.asked["progress"] is not None
    assert " 50%" not in barstep("backtest", "--scheduler", "hedged_multi", "--json").err
    assert engine.asked["progress"] is None


def test_what_is_printed(barstep: Run, engine: Engine) -> None:
    """Span, metrics, a row a schedule, each reason with its text, each intervention in words, costs."""
    ran = barstep("backtest", "--scheduler", "hedged_multi")
    result, lines = engine.result, [" ".join(line.split()) for line in ran.out.splitlines()]
    assert lines[0] == ("hedged_multi in demo: Panel(BTCUSDT 1h, 17,544 bars, 2023-01-01T00:00Z to 2024-12-31T23:00Z)")
    assert f"total_return_pct {result.metrics['total_return_pct']:,.2f}" in lines
    row = result.attribution("schedule").row(0, named=True)
    money = f"{row['profit']:,.2f} {row['contribution_pct']:,.2f} {row['trades']:,}"
    assert f"trend trend_engine balanced 0.250 {money} 1,200 300" in lines
    assert "arb cross_exchange_arbitrage aggressive 0.750 0.00 0.00 0 1 1" in lines
    assert "signals: 1,502 seen, 1,201 accepted" in lines
    assert lines[lines.index("refused, or only allowed to close:") + 1 :][:3] == [
        f"1 warmup: {DECISION_TEXTS['warmup']}",
        f"300 limit: {DECISION_TEXTS['limit']}",
        "interventions: 4",
    ]
    assert lines[lines.index("interventions: 4") :][1:5] == [
        "suspended trend (tag): liquidations across venues; from 2023-08-17T21:40Z to 2023-08-18T05:40Z",
        "limited mean_reversion:balanced to 3 signals a run (override); from 2023-08-17T21:45Z on",
        "disabled grid_engine (operator): review; from 2023-08-20T00:00Z to 2023-08-21T00:00Z",
        "halted (governor): drawdown; from 2023-09-01T00:00Z to 2023-09-02T00:00Z",
    ]
    assert f"costs: fees {result.costs['fees']:,.2f}" in lines


def test_orders_that_were_not_filled_as_asked(barstep: Run, engine: Engine) -> None:
    """They are told beside the signals, by their own reasons."""
    large = package.portfolio(engine.result.instruments, [package.Allocation(strategy="mean_reversion")], lot=10.0)
    assert large.refusals["without_a_whole_lot"] > 0
    setup = SetupStandIn(**{**values_of(engine.result.setup), **values_of(large.setup)})
    engine.result = StandIn(**{**values_of(engine.result), **values_of(large), "setup": setup})
    out = barstep("backtest", "--scheduler", "hedged_multi").out
    count = large.refusals["without_a_whole_lot"]
    line = f"  {count:,} without a whole lot: the change of position came to no whole lot\n"
    assert f"\norders not filled as asked:\n{line}" in out


def test_a_quiet_run_and_a_busy_one(barstep: Run, engine: Engine) -> None:
    """No intervention, no refresh: that is said. Of many the first ones are told and the rest counted."""
    engine.result = made(INTERVENTIONS.clear(), refreshes=0)
    out = barstep("backtest", "--scheduler", "hedged_multi").out
    assert "\ninterventions: none\n" in out
    assert "cross_exchange_arbitrage  aggressive       –" in out
    engine.result = made(pl.concat([INTERVENTIONS] * 4))
    out = barstep("backtest", "--scheduler", "hedged_multi").out
    assert "\ninterventions: 16\n" in out
    assert out.count("; from 2023-") == 12
    assert "\n  and 4 more\n" in out


def test_json_and_files(barstep: Run, engine: Engine, tmp_path: Path) -> None:
    """One document, the same in the folder; a folder that is there is refused before anything runs."""
    folder = tmp_path / "out"
    ran = barstep("backtest", "--scheduler", "hedged_multi", "--output", folder, "--json")
    assert (
        json.loads(ran.out) == json.loads(engine.result.to_json()) == json.loads((folder / "result.json").read_text())
    )
    engine.scheduler = None
    again = barstep("backtest", "--scheduler", "hedged_multi", "--output", folder)
    assert (again.code, again.out, engine.scheduler) == (2, "", None)
    assert "is there already; add --overwrite" in again.err
    assert barstep("backtest", "--scheduler", "hedged_multi", "--output", folder, "--overwrite").out.endswith(
        f"\nwrote {folder}\n"
    )


FILE = EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            ["mean_reversion", FILE, "--scheduler", "x"],
            "--scheduler is for the backtest of a scheduler and the engine 'mean_reversion' for that",
        ),
        (
            ["mean_reversion", FILE, "--end", "2024-01-01"],
            "--end is for the backtest of a scheduler and the engine 'mean_reversion' for that",
        ),
        (
            ["--without-governor", "--secondary", FILE],
            "--without-governor is for the backtest of a scheduler and --secondary for that",
        ),
        (
            ["--config", PACKAGED, "--engine-file", "a.py"],
            "--config is for the backtest of a scheduler and --engine-file for that",
        ),
        (["--config", PACKAGED, "--funding", "a.csv"], "and --funding for that of an engine; leave one out."),
        ([], "or a scheduler: barstep backtest mean_reversion FILE, or barstep backtest --scheduler core_multi."),
        (["--scheduler", "core_multi", "--start", "June"], "--start 'June' is no time. Allowed: 2024-01-31 or"),
        (["--scheduler", "core_multi", "--end", "2024"], "--end '2024' is no time."),
        (["--environment", "dmeo"], "unknown environment 'dmeo'. Did you mean 'demo'?"),
        (["--config", "absent.yaml"], "absent.yaml: no such file."),
        (["--scheduler", "core_multi", "--set", "fee_bp=1"], "unknown option 'fee_bp'. Did you mean 'fee_bps'?"),
        (["--scheduler", "core_multi", "--set", "environment=demo"], "unknown option 'environment'."),
        (["--scheduler", "core_multi", "--set", "lot=1", "--set", "lot=2"], "--set lot: given twice; give it once."),
    ],
)
def test_one_line_for_what_is_wrong(barstep: Run, engine: Engine, words: list[object], text: str) -> None:
    """An engine and a scheduler at once, neither, a time, a name, a file, an option; nothing is run."""
    ran = barstep("backtest", *words)
    said = [line for line in ran.err.splitlines() if not line.startswith("no config/core.yaml here")]
    assert (ran.code, ran.out, len(said)) == (2, "", 1)
    assert text in said[0]
    assert engine.config is None
