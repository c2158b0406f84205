"""From wishes to fills in the engine: which kernel trades, in which chunks, and what a setup can be run again with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine import simulation
from barstep.engine.simulation import Setup, simulate
from barstep.kernels import account, venue
from making import HOUR_US, START_US, bars_of, bits, random_wishes, walk_bars

RULES: dict[str, Any] = {
    "maker_fee_bps": 2.0, "impact_bps": 5.0, "max_volume_share": 0.01, "tick": 0.01, "min_notional": 10.0,
    "limit_offset_bps": 20.0, "stop_loss_pct": 2.0, "take_profit_pct": 3.0, "trailing_stop_pct": 2.5, "leverage": 3.0,
    "maintenance_margin_pct": 0.5, "borrow_pct": 5.0,
}  # fmt: skip


def funding_of(n: int) -> pl.DataFrame:
    """A rate every eight hours."""
    times = [START_US + 8 * k * HOUR_US for k in range(n // 8)]
    return pl.DataFrame({"timestamp": times, "rate": [0.0001 * (-1) ** k for k in range(n // 8)]})


@pytest.mark.parametrize("options", [{}, {"fee_bps": 0.0, "units": 3.0}, {"slippage_bps": 20.0, "lot": 0.1}])
def test_a_rule_that_never_binds_changes_no_bit(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain account and a venue with nothing to do trade the same, each by its own kernel."""
    bars, wishes = walk_bars(2000, gaps=0.02), random_wishes(2000)
    plain = bs.backtest(bars, wishes, **options)
    assert bits(bs.backtest(bars, wishes, **options, stop_loss_pct=99.99, min_notional=1e-9)) == bits(plain)
    used = []
    for module, name in ((account, "trade_targets"), (venue, "trade_at_venue")):
        kernel = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, _k=kernel, _n=name: (used.append(_n), _k(*a))[1])
    bs.backtest(bars, wishes, **options)
    bs.backtest(bars, wishes, **options, min_notional=1e-9)
    bs.backtest(bars, wishes, **options, funding=funding_of(8))
    assert used == ["trade_targets", "trade_at_venue", "trade_at_venue"]


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_bits_of_the_venue_do_not_depend_on_chunks(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wishes made a bar, seven or a thousand at a time give the fills and the equity of wishes made at once."""
    bars = walk_bars(1500, gaps=0.02)
    results = []
    for length in (1 << 20, chunk):
        monkeypatch.setattr(simulation, "_CHUNK", length)
        results.append(
            bs.backtest(
                bars, "sma_crossover", fast_ma=4, slow_ma=15, allow_short=True, funding=funding_of(1500), **RULES
            )
        )
    assert bits(results[0]) == bits(results[1])
    assert results[0].fill_table.shape[1] > 20


@pytest.mark.parametrize("first", [1, 5])
def test_the_table_of_fills_grows_as_it_must(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However short it begins, all fills are written."""
    bars, wishes = walk_bars(800), random_wishes(800)
    at_once = bs.backtest(bars, wishes, funding=funding_of(800), **RULES)
    monkeypatch.setattr(simulation, "_FIRST_FILLS", first)
    assert bits(bs.backtest(bars, wishes, funding=funding_of(800), **RULES)) == bits(at_once)
    assert bits(bs.backtest(bars, wishes)) == bits(simulate(Setup(bars, bs.Execution(), own_wishes=wishes)))


def test_a_setup_runs_again_with_another_execution() -> None:
    """The same bars and wishes with other costs, and the first execution untouched."""
    bars, wishes = walk_bars(300), random_wishes(300)
    result = bs.backtest(bars, wishes, fee_bps=0.0)
    dear = simulate(replace(result.setup, execution=replace(result.execution, fee_bps=50.0)))
    assert bits(dear) == bits(bs.backtest(bars, wishes, fee_bps=50.0))
    assert result.execution.fee_bps == 0.0
    assert dear.final_equity < result.final_equity


@pytest.mark.parametrize("later", [{"fee_bps": 50.0}, {"stop_loss_pct": 2.0, "fee_bps": 1.0}])
def test_an_execution_takes_over(later: dict[str, float]) -> None:
    """From its bar on an account trades by the other execution: flat there, it is two backtests in a row."""
    bars, wishes = walk_bars(600), random_wishes(600)
    wishes[298:300] = 0.0
    first = bs.backtest(bars.part(0, 300), wishes[:300], fee_bps=5.0)
    second = bs.backtest(bars.part(300, 600), wishes[300:], capital=first.final_equity, **later)
    execution = bs.Execution(fee_bps=5.0)
    both = simulate(Setup(bars, execution, own_wishes=wishes, takeovers=((300, bs.Execution(**later)),)))
    assert both.equity_values[:300].tobytes() == first.equity_values.tobytes()
    np.testing.assert_allclose(both.equity_values[300:], second.equity_values, rtol=1e-12)
    assert both.execution is execution


def test_the_other_order_is_that_of_every_execution() -> None:
    """Also one that takes over is run with the other order in ambiguous bars."""
    base, wishes = walk_bars(600), random_wishes(600)
    bars = bars_of(base.close, base.open, high=base.close * 1.02, low=base.close * 0.98)
    narrow = bs.Execution(stop_loss_pct=0.3, take_profit_pct=0.3)
    whole = simulate(Setup(bars, narrow, own_wishes=wishes))
    in_turn = simulate(Setup(bars, bs.Execution(), own_wishes=wishes, takeovers=((0, narrow),)))
    assert whole.ambiguous_bars > 5
    assert bits(in_turn.other_order) == bits(whole.other_order)
    assert bits(in_turn) == bits(whole)


def test_a_setup_of_an_engine_makes_its_wishes_again() -> None:
    """An engine is asked once more, chunk by chunk, and wishes the same."""
    bars = walk_bars(400)
    result = bs.backtest(bars, "sma_crossover", fast_ma=4, slow_ma=15)
    assert bits(simulate(result.setup)) == bits(result)
    ((start, stop, target),) = [(a, b, t.copy()) for a, b, t in result.setup.wishes()]
    assert (start, stop) == (0, 400)
    table = result.columns
    np.testing.assert_array_equal(target[:400], table["side"] * table["exposure"])


def test_the_account_of_a_result_is_the_venues() -> None:
    """Its slots are those of the venue, whichever kernel traded."""
    bars = bars_of([10.0] * 4)
    for options in ({}, {"stop_loss_pct": 1.0}):
        result = bs.backtest(bars, [1.0] * 4, units=2, lot=1, fee_bps=0, capital=100, **options)
        assert result.account.shape == (venue.VENUE_CARRY,)
        assert (result.account[account.CASH], result.account[account.LOTS]) == (80.0, 2.0)
