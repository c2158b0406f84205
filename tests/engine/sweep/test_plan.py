"""What a sweep will run is checked before anything runs, and told as plain values."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.engine.metrics import DESCRIPTIONS, TAIL
from barstep.engine.sweep.axes import Span, When
from barstep.engine.sweep.plan import SweepPlan, plan_sweep
from barstep.errors import UsageError
from making import bars_of, part_of, second_venue, walk_bars

BARS = walk_bars(300)
DONCHIAN = Path(__file__).resolve().parents[3] / "docs" / "examples" / "donchian.py"
CROSSING: dict[str, Any] = {"fast_ma": [5, 10, 20], "slow_ma": [10, 20]}


def crossing(axes: dict[str, Any] | None = None, **asked: Any) -> SweepPlan:
    """A sweep of the crossover, over 300 bars unless others are given."""
    return plan_sweep(asked.pop("bars", BARS), "sma_crossover", CROSSING if axes is None else axes, **asked)


def paired(axes: dict[str, Any], **asked: Any) -> SweepPlan:
    return plan_sweep(BARS, "cross_exchange_arbitrage", axes, secondary=second_venue(BARS), **asked)


def rates(bars: bs.Bars = BARS, rate: float = 1e-4) -> pl.DataFrame:
    return pl.DataFrame({"timestamp": bars.ts_us[::8], "rate": np.full(bars.ts_us[::8].size, rate)})


def test_sets_that_contradict_themselves_are_left_out_and_counted() -> None:
    """A fast mean is the faster one, in the engine's own words; the order of the others stays."""
    plan = crossing()
    assert plan.sets.rows() == [(5, 10), (5, 20), (10, 20)]
    assert (plan.left_out, plan.count, plan.cells) == (3, 3, 900)


def test_contradictions_of_the_execution_are_left_out_too() -> None:
    """A margin under which a position is liquidated as it is opened."""
    plan = crossing({"fast_ma": [5, 9], "leverage": [2.0, 10.0], "maintenance_margin_pct": [5.0, 20.0]})
    assert (plan.count, plan.left_out) == (6, 2)
    assert (10.0, 20.0) not in plan.sets.select("leverage", "maintenance_margin_pct").rows()


def test_values_are_read_as_the_parameters_kind() -> None:
    """Whole numbers stay whole, words of truth become it, numpy's numbers are numbers."""
    plan = crossing({"fast_ma": np.array([5, 6]), "allow_short": ["yes", False], "fee_bps": [1], "slow_ma": [20.0]})
    assert plan.options(0) == {"fast_ma": 5, "allow_short": True, "fee_bps": 1.0, "slow_ma": 20}
    assert [type(value) for value in plan.options(0).values()] == [int, bool, float, int]


def test_whole_parameters_are_drawn_as_whole_numbers() -> None:
    """From a span; other parameters and options are not."""
    plan = crossing({"fast_ma": Span(2, 9), "slow_ma": Span(10, 40), "fee_bps": Span(0, 9)}, sampling="random", sets=50)
    assert plan.sets.dtypes == [pl.Int64, pl.Int64, pl.Float64]
    assert plan.sets["fast_ma"].min() == 2
    assert plan.sets["fast_ma"].max() == 9


def test_a_condition_keeps_the_default_or_what_is_given() -> None:
    """Where it does not hold the parameter is its default, or the option of its name."""
    axes = {"allow_short": [True, False], "fee_bps": When([1.0, 2.0], allow_short="yes")}
    assert crossing(axes).sets.rows() == [(True, 1.0), (True, 2.0), (False, 10.0)]
    assert crossing(axes, fee_bps=3).sets.rows() == [(True, 1.0), (True, 2.0), (False, 3.0)]


def test_a_threshold_goes_to_the_engine_that_has_one() -> None:
    """As in a backtest; elsewhere it is the account's."""
    grid = plan_sweep(BARS, "grid_trading", {"rebalance_threshold": [0.1, 0.2]}, anchor_window=24)
    assert len(grid.executions[0]) == 1
    account = crossing({"rebalance_threshold": [0.1, 0.2]})
    assert [one.rebalance_threshold for one in account.executions[0]] == [0.1, 0.2]
    assert account.executions[1].tolist() == [0, 1]


def test_the_notional_of_an_arbitrage_is_its_accounts() -> None:
    """The engine's parameter bounds the position, varied or fixed."""
    varied = paired({"max_notional": [500.0, 900.0]})
    assert [one.max_notional for one in varied.executions[0]] == [500.0, 900.0]
    fixed = paired({"spread_entry": [0.002, 0.003]}, max_notional=700.0)
    assert [one.max_notional for one in fixed.executions[0]] == [700.0]


def test_executions_that_are_the_same_are_there_once() -> None:
    """Each set knows its own, whatever else is varied beside it."""
    plan = crossing({"fee_bps": [1.0, 2.0], "fast_ma": [4, 5], "max_volume_share": [None, 0.5]})
    made, which = plan.executions
    assert [(one.fee_bps, one.max_volume_share) for one in made] == [(1, None), (1, 0.5), (2, None), (2, 0.5)]
    for place, row in enumerate(plan.sets.iter_rows(named=True)):
        one = made[which[place]]
        assert (one.fee_bps, one.max_volume_share) == (row["fee_bps"], row["max_volume_share"])


def test_rows_are_instruments_with_sets() -> None:
    """Instruments outermost; each row can be run by itself, and says what it is made from."""
    other = replace(walk_bars(250, 2), symbol="Y", digest="")
    plan = crossing(bars=[BARS, other])
    assert (plan.count, plan.cells) == (6, 3 * 550)
    rows = np.arange(6)
    assert plan.labels(rows)["symbol"].to_list() == ["X"] * 3 + ["Y"] * 3
    digests = plan.provenance_of(rows)["data_sha384"].cast(pl.String).to_list()
    assert digests == [BARS.content_digest] * 3 + [other.content_digest] * 3
    again = plan.result_of(4)
    assert (again.bars, again.run and again.run.parameters["slow_ma"]) == (other, 20)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: crossing({"fast_mma": [1]}), "unknown parameter to vary 'fast_mma'. Did you mean 'fast_ma'"),
        (lambda: crossing({"year_days": [252, 365]}), "unknown parameter to vary 'year_days'"),
        (lambda: crossing({"fast_ma": [5, 0]}), "sma_crossover: fast_ma is 0; allowed is 1 to"),
        (lambda: crossing({"fast_ma": [2.5]}), "sma_crossover: fast_ma is 2.5; it must be a whole number"),
        (lambda: crossing({"fast_ma": Span(2, 9.5)}), "sma_crossover: fast_ma is 9.5; it must be a whole number"),
        (lambda: crossing({"fee_bps": [1, -1]}), "fee_bps is -1; allowed is 0 or more"),
        (lambda: crossing({"fee_bps": ["dear"]}), "fee_bps is 'dear'; it must be a number"),
        (lambda: crossing({"fast_ma": [50]}, slow_ma=20), "no parameter set is left: all 1 contradict themselves"),
        (lambda: crossing({"fast_ma": [5]}, fast_ma=6), "fast_ma is varied and given as 6; leave one out"),
        (lambda: crossing(fast_man=6), "unknown option 'fast_man'"),
        (
            lambda: crossing({"slow_ma": [50, 301]}),
            "sma_crossover needs 301 bars before its first wish with slow_ma=301",
        ),
        (lambda: crossing({"fast_ma": [5]}, slow_ma=400), "sma_crossover needs 400 bars"),
        (lambda: crossing(bars=[BARS, part_of(BARS, 0, 15)]), "sma_crossover needs 20 bars .* the data has 15"),
        (lambda: crossing(bars=[]), "a sweep needs the bars of at least one instrument"),
        (
            lambda: crossing(bars=[BARS, bars_of(BARS.close, interval_seconds=60)]),
            "the instruments have bars of different length",
        ),
        (lambda: crossing(secondary=[BARS, BARS]), "secondary: 2 given for 1 instruments; give one for each"),
        (lambda: crossing(funding=[None, None]), "funding: 2 given for 1 instruments; give one for each"),
        (lambda: crossing(secondary=BARS), "sma_crossover trades one venue; leave `secondary` out"),
        (lambda: plan_sweep(BARS, "sma_crosover", CROSSING), "unknown .*'sma_crosover'. Did you mean 'sma_crossover'"),
        (lambda: plan_sweep(BARS, "cross_exchange_arbitrage", {"spread_entry": [0.1]}), "trades two venues; give"),
        (lambda: paired({"primary_exchange": ["v"]}), "primary_exchange is a label that cross_exchange_arbitrage does"),
        (lambda: paired({"stop_loss_pct": [0.0, 2.0]}), "trades two venues: levels, limits, margin"),
        (lambda: paired({"spread_entry": [0.1]}, funding=rates()), "trades two venues: levels, limits, margin"),
        (lambda: crossing(metrics=["sharp"]), "unknown metric 'sharp'. Did you mean 'sharpe'"),
        (lambda: crossing(metrics=["sharpe", TAIL[0]]), f"{TAIL[0]} needs all returns of a row at once"),
        (lambda: crossing(metrics=[]), "no metric is asked for; give at least one, such as sharpe"),
        (lambda: crossing(slices=-1), "slices is -1; allowed is 0 and more"),
        (lambda: crossing({}), "nothing is varied"),
    ],
)
def test_refusals(make: Callable[[], object], text: str) -> None:
    """One line, before anything runs."""
    with pytest.raises(UsageError, match=text) as refused:
        make()
    assert "\n" not in str(refused.value)


def test_an_execution_that_wants_volume_wants_it_of_every_instrument() -> None:
    """Also where only a later set asks for it, of a later instrument."""
    silent = bars_of(BARS.close)
    with pytest.raises(UsageError, match="max_volume_share needs the volume of every bar"):
        crossing({"max_volume_share": [None, 0.5]}, bars=[BARS, silent])


def test_metrics_are_there_once_in_their_order() -> None:
    """Every one but the tail's may be asked for."""
    assert crossing(metrics=["trades", "sharpe", "trades"]).metrics == ("trades", "sharpe")
    assert crossing(metrics=[name for name in DESCRIPTIONS if name not in TAIL]).count == 3


def test_it_is_told_as_plain_values() -> None:
    """As JSON has them, with what it was asked for."""
    axes = {"fast_ma": Span(2, 9), "allow_short": [True, False], "fee_bps": When([1.0], allow_short=True)}
    told = json.loads(json.dumps(crossing(axes, sampling="random", sets=9, seed=5, slow_ma=30).describe()))
    assert told["axes"]["fast_ma"] == {"low": 2, "high": 9, "log": False}
    assert told["axes"]["fee_bps"] == {"values": [1.0], "when": {"allow_short": True}}
    assert (told["kind"], told["strategy"], told["sampling"], told["seed"]) == ("sweep", "sma_crossover", "random", 5)
    assert told["fixed"] == {"slow_ma": 30}
    assert told["data"][0]["symbol"] == "X"


def test_the_digest_is_of_all_that_rows_depend_on() -> None:
    """The same for the same; another for other data, engine, sets, values, metrics, slices, second venue or rates."""
    changed = walk_bars(300, 2)
    plans = [
        crossing(), crossing(bars=changed), crossing(bars=[BARS, changed]), crossing({"fast_ma": [5, 10]}),
        crossing({"fast_ma": [10, 5]}), crossing(fee_bps=1.0), crossing(metrics=["sharpe"]), crossing(slices=2),
        crossing(funding=rates()), crossing(funding=rates(rate=2e-4)), crossing({"fee_bps": [5.0, 10.0]}),
        crossing({"max_volume_share": [None, 0.1]}), crossing({"max_volume_share": [0.1, None]}),
        paired({"spread_entry": [0.1]}), paired({"spread_entry": [0.1 + 2**-55]}), paired({"spread_exit": [0.0]}),
        plan_sweep(BARS, "cross_exchange_arbitrage", {"spread_entry": [0.1]}, secondary=second_venue(BARS, 5)),
    ]  # fmt: skip
    assert len({plan.digest for plan in plans}) == len(plans)
    assert crossing().digest == plans[0].digest


def test_the_file_of_an_engine_is_in_the_digest(tmp_path: Path) -> None:
    """Another text of the same engine is another sweep."""
    text, digests = DONCHIAN.read_text(), set()
    for folder, more in (("a", ""), ("b", "# otherwise\n")):
        path = tmp_path / folder / "mine.py"
        path.parent.mkdir()
        path.write_text(text + more)
        catalog = bs.DEFAULT_STRATEGY_CATALOG.with_file(path)
        digests.add(plan_sweep(BARS, "donchian", {"window": [5]}, catalog=catalog).digest)
    assert len(digests) == 2
