"""The audit for look-ahead: every planted leak is found, and nothing honest is accused."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import barstep as bs
import numpy as np
import pytest
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine import outputs
from barstep.engine.bars import Bars
from barstep.engine.lookahead import audit_lookahead
from barstep.engine.result import Result
from barstep.engine.simulation import Setup, simulate
from barstep.kernels import account
from planted_leaks import ENGINES, HONEST, PIPELINES, Planted

SEEDS = int(os.environ.get("SEEDS", "1"))


def _first(name: str, count: int) -> Bars:
    bars = bs.load(EMBEDDED_FOLDER / name)
    columns = (row[:count] for row in bars.values[:5])
    interval = bars.interval_seconds
    return Bars.from_arrays(bars.ts_us[:count], *columns, interval_seconds=interval, venue=bars.venue)


@pytest.fixture(scope="module")
def bars() -> Bars:
    """Two months of hours."""
    return _first("binance_BTCUSDT_1h.parquet", 1500)


@pytest.fixture(scope="module")
def secondary() -> Bars:
    """The same hours at another venue."""
    return _first("kraken_BTCUSDT_1h.parquet", 1500)


def _audit(one: Planted, bars: Bars, secondary: Bars) -> bs.LookaheadReport:
    other = secondary if one.needs_secondary else None
    return audit_lookahead(one.subject, bars, secondary=other, at_open=one.at_open, cuts=40)


@pytest.mark.parametrize("one", [*ENGINES, *PIPELINES], ids=lambda one: one.name)
def test_a_planted_leak_is_found(one: Planted, bars: Bars, secondary: Bars) -> None:
    """The verdict is fail, and what moved is the planted output and nothing else."""
    report = _audit(one, bars, secondary)
    assert report.verdict == "fail"
    moved = {leak.column for leak in report.leaks if leak.track != "fills"}  # these follow from the wishes
    assert one.moves <= moved
    assert moved <= one.moves or one.name == "long bars that close early"


def test_there_are_enough_leaks() -> None:
    """The table holds at least twenty, each by another name."""
    names = [one.name for one in (*ENGINES, *PIPELINES)]
    assert len(names) == len(set(names)) >= 20


@pytest.mark.parametrize("one", HONEST, ids=lambda one: one.name)
def test_an_honest_pipeline_passes(one: Planted, bars: Bars, secondary: Bars) -> None:
    """What looks like a leak and is none moves nowhere."""
    assert _audit(one, bars, secondary).leaks == ()


@pytest.mark.parametrize("engine", list(bs.DEFAULT_STRATEGY_CATALOG), ids=lambda engine: engine.name)
def test_the_engines_pass(engine: bs.StrategyEngine, bars: Bars, secondary: Bars) -> None:
    """No row of any engine reads a bar that comes after its own."""
    report = audit_lookahead(engine, bars, secondary=secondary if engine.needs_secondary else None, cuts=20)
    assert report.verdict == "pass"
    assert report.outputs["outputs"][:3] == ("target", "confidence", "volatility")
    assert report.outputs["fills"] == ("lots", "price", "fee", "leg")


def test_a_backtest_that_fills_at_the_close_of_the_same_bar_is_found(
    bars: Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fills that read the close of their bar move where only what follows its open is another."""

    def at_the_close(setup: Setup) -> Result:
        result = simulate(setup)
        result.fill_table[account.FILL_PRICE] = setup.bars.close[result.fill_table[account.FILL_BAR].astype(int)]
        return result

    monkeypatch.setattr(outputs, "simulate", at_the_close)
    report = audit_lookahead("sma_crossover", bars, cuts=len(bars), fast_ma=3, slow_ma=9)
    assert {(leak.track, leak.column, leak.changes) for leak in report.leaks} == {("fills", "price", ("after_open",))}


def test_an_engine_passes_over_gaps(bars: Bars) -> None:
    """Where hours are missing the audit cuts at the gaps too, and accuses nothing."""
    kept = np.ones(len(bars), dtype=np.bool_)
    kept[200:230] = kept[700] = False
    columns = (row[kept] for row in bars.values[:5])
    gapped = Bars.from_arrays(bars.ts_us[kept], *columns, interval_seconds=bars.interval_seconds)
    assert audit_lookahead("mean_reversion", gapped, cuts=30, lookback=24).verdict == "pass"


def test_the_report_says_what_moved_first(bars: Bars) -> None:
    """It names the first row before a cut (a fiftieth of the bars comes before any), both values and the distance."""

    def ahead(given: Bars) -> dict[str, object]:
        return {"next": np.append(given.close[1:], 0.0)}

    (leak,) = audit_lookahead(ahead, bars, cuts=len(bars)).leaks
    assert (leak.column, leak.row, leak.known) == ("next", 29, "2023-01-02T06:00:00Z")
    assert leak.cut == leak.known  # the next bar opens when this one closes
    assert leak.before == bars.close[30]
    assert leak.difference == abs(leak.after - leak.before) > 0.0
    assert set(leak.changes) >= {"noise", "scaled", "shocked", "removed"}


def test_what_is_random_is_told_as_that(bars: Bars) -> None:
    """A function that gives something else each time moves although nothing was changed."""
    rng = np.random.default_rng(1)
    report = audit_lookahead(lambda given: {"dice": rng.random(len(given))}, bars, cuts=1)
    assert report.leaks[0].changes[0] == "nothing"


def test_the_same_seed_gives_the_same_report(bars: Bars) -> None:
    """Cuts and futures are drawn by the seed alone."""
    one, same = (audit_lookahead(PIPELINES[0].subject, bars, cuts=5, seed=3).to_dict() for _ in range(2))
    assert one == same


def test_what_cannot_be_audited_is_refused(bars: Bars, secondary: Bars) -> None:
    """Each refusal says what is wrong and what is allowed."""
    with pytest.raises(bs.UsageError, match=r"cuts is 0; allowed is 1 or more"):
        audit_lookahead("mean_reversion", bars, cuts=0)
    with pytest.raises(bs.UsageError, match="there is no future to change"):
        audit_lookahead("mean_reversion", _first("binance_BTCUSDT_1h.parquet", 1))
    with pytest.raises(bs.UsageError, match="trades one venue"):
        audit_lookahead("mean_reversion", bars, secondary=secondary)
    with pytest.raises(bs.UsageError, match=r"trades two venues; give the second one's bars"):
        audit_lookahead("cross_exchange_arbitrage", bars)
    with pytest.raises(bs.UsageError, match="output 'short' has 3 values for 1,500 bars"):
        audit_lookahead(lambda _: {"short": [1, 2, 3]}, bars)
    with pytest.raises(bs.UsageError, match="there is no output 'fill'; there are close"):
        audit_lookahead(lambda given: {"close": given.close}, bars, at_open=("fill",))
    with pytest.raises(bs.UsageError, match="the function gives a float"):
        audit_lookahead(lambda _: 1.0, bars)
    with pytest.raises(bs.UsageError, match="parameters are for engines"):
        audit_lookahead(lambda given: {"close": given.close}, bars, lookback=3)


def test_a_function_that_fails_on_another_future_is_told(bars: Bars) -> None:
    """The error names the change and where it began, and what the function said."""

    def fussy(given: Bars) -> dict[str, object]:
        if len(given) < 1500:
            raise ValueError("too short")
        return {"close": given.close}

    with pytest.raises(bs.UsageError, match=r"fussy gives an answer .* missing.*: ValueError: too short"):
        audit_lookahead(fussy, bars, cuts=2)


def test_a_planted_leak_in_an_installed_engine_is_found(bars: Bars) -> None:
    """An engine is found by its name in a catalog, with its parameters."""
    leaking = replace(ENGINES[0].subject, name="leaking")  # type: ignore[type-var]
    catalog = bs.DEFAULT_STRATEGY_CATALOG.with_engine(leaking)  # type: ignore[arg-type]
    assert audit_lookahead("leaking", bars, cuts=3, catalog=catalog).verdict == "fail"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_leaks_are_found_by_any_seed(bars: Bars, secondary: Bars, seed: int) -> None:
    """With a dozen cuts every planted leak is found whatever the cuts are drawn by, and nothing honest is accused."""
    for one in (*ENGINES, *PIPELINES, *HONEST):
        other = secondary if one.needs_secondary else None
        report = audit_lookahead(one.subject, bars, secondary=other, at_open=one.at_open, cuts=12, seed=100 + seed)
        assert (report.verdict == "fail") == bool(one.moves), one.name


@pytest.mark.shared_data
@pytest.mark.parametrize("market", ["BINANCEUS_BTCUSDC_1m", "KRAKEN_XBTUSD_1h", "BINANCE_1000LUNCUSDT-PERP_1h"])
def test_recorded_markets_accuse_no_engine(shared_data: Path, market: str) -> None:
    """Over real gaps and quiet bars the engines pass, too."""
    history = bs.load(shared_data / f"{market}.parquet")
    for engine in bs.DEFAULT_STRATEGY_CATALOG:
        if not engine.needs_secondary:
            assert audit_lookahead(engine, history, cuts=4).verdict == "pass"
