"""The audit for look-ahead over a whole scheduler: the shipped ones pass, planted leaks do not."""

from __future__ import annotations

from pathlib import Path

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.config.reading import PACKAGED
from barstep.engine.scheduler.lookahead import audit_scheduler_lookahead
from barstep.engine.scheduler.result import SchedulerResult

SHORT = {"end": "2023-02-01"}
LEAKING = """
import numpy as np
from barstep.engine.strategy import StrategyEngine


def kernel(bars, params, carry, out, start, stop, at):
    out[:, at : at + stop - start] = 0.0
    ahead = np.minimum(np.arange(start, stop) + 1, bars.shape[1] - 1)
    out[0, at : at + stop - start] = bars[3, ahead] > bars[3, start:stop]
    out[1, at : at + stop - start] = 1.0


ENGINE = StrategyEngine(
    name="leaking", kernel=kernel, parameters=(), carry_size=1, diagnostics=(), history=lambda _: 1
)
"""
CONFIG = """
runtime:
  multi_strategy_schedulers:
    own:
      capital_policy: equal_weight
      allocation_rebalance_seconds: 1d
      schedules:
        leaking: {strategy: leaking, cadence_seconds: 1h, interval: 1h}
risk_profiles:
  free: {}
environments:
  demo:
    {type: demo, offline: true, venue: binance, feed: embedded, risk_profile: free, instrument_universe: one,
     scheduler: own, capital: 100000}
instrument_universes:
  one: {instruments: {BTCUSDT: {primary: binance}}}
"""


@pytest.mark.parametrize("scheduler", ["core_multi", "hedged_multi"])
def test_the_shipped_schedulers_pass(scheduler: str) -> None:
    """No decision, weight, fill or equity of theirs reads what comes after it."""
    report = audit_scheduler_lookahead(PACKAGED, scheduler, cuts=3, **SHORT)
    assert report.verdict == "pass"
    assert set(report.outputs) >= {"decisions", "capital weights", "fills", "equity", "fills at the open"}
    assert report.runs == 2 + 7 * report.cuts


def test_a_start_leaves_the_bars_before_it_alone() -> None:
    """With bars that warm up, cuts fall after the start, and nothing moves."""
    report = audit_scheduler_lookahead(PACKAGED, "core_multi", cuts=2, start="2023-01-20", **SHORT)
    assert report.verdict == "pass"


def test_levels_and_volume_pass() -> None:
    """What happens inside bars is known at their close."""
    options = {"stop_loss_pct": 1.0, "take_profit_pct": 2.0, "max_volume_share": 0.1, "limit_offset_bps": 5.0}
    report = audit_scheduler_lookahead(PACKAGED, "hedged_multi", cuts=2, **SHORT, **options)
    assert report.verdict == "pass"
    assert "fills at the open" not in report.outputs


def test_an_engine_that_looks_ahead_moves_decisions(tmp_path: Path) -> None:
    """Its decisions move, and with them what follows from them."""
    engine, config = tmp_path / "leaking.py", tmp_path / "core.yaml"
    engine.write_text(LEAKING)
    config.write_text(f"{CONFIG}engine_files: [{engine}]\n")
    report = audit_scheduler_lookahead(config, cuts=12, **SHORT)
    moved = {(leak.track, leak.column) for leak in report.leaks}
    assert report.verdict == "fail"
    assert ("decisions", "side") in moved or ("decisions", "number of rows") in moved


def test_a_fill_at_the_close_of_its_own_bar_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices of fills that read their bar's close are found by the future that begins after the open."""
    honest = SchedulerResult.fills.func  # type: ignore[attr-defined]  # a cached property

    def at_the_close(self: SchedulerResult) -> pl.DataFrame:
        fills = honest(self)
        bars = self.panel.instruments[0]
        place = np.searchsorted(bars.ts_us, fills["time"].to_physical().to_numpy())
        return fills.with_columns(price=pl.Series(bars.close[place]))

    monkeypatch.setattr(SchedulerResult, "fills", property(at_the_close))
    report = audit_scheduler_lookahead(PACKAGED, "hedged_multi", cuts=12, **SHORT)
    assert {(leak.track, leak.column, leak.changes) for leak in report.leaks} == {
        ("fills at the open", "price", ("after_open",))
    }


def test_too_few_bars_are_refused() -> None:
    """With two bars there is no future to change."""
    with pytest.raises(bs.UsageError, match="there is no future to change"):
        audit_scheduler_lookahead(PACKAGED, "hedged_multi", end="2023-01-01T02:00Z")
    with pytest.raises(bs.UsageError, match="cuts is 0; allowed is 1 or more"):
        audit_scheduler_lookahead(PACKAGED, "hedged_multi", cuts=0)
