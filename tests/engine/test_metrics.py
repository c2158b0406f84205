"""Every metric against its formula in plain numpy: on a case by hand, at random, and with nothing to divide by."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import barstep as bs
import numpy as np
import pytest
from barstep.engine.backtest import Execution
from barstep.engine.bars import Bars, Floats
from barstep.engine.metrics import DESCRIPTIONS
from barstep.engine.result import Result
from making import bars_of, random_wishes, six_bars_by_hand, walk_bars
from plain import PlainFill, PlainTrade, follow, round_trips

NAN = math.nan


@dataclass(frozen=True)
class Case:
    """What the formulas read: equity at each close, the returns of bars, fills, trades, and the bars of a year."""

    capital: float
    equity: Floats
    closes: Floats
    fills: list[PlainFill]
    closed: list[PlainTrade]
    still_open: list[PlainTrade]
    year: float

    @property
    def n(self) -> int:
        return self.equity.size

    @property
    def r(self) -> Floats:
        before = np.concatenate(([self.capital], self.equity[:-1]))
        return self.equity / before - 1.0

    @property
    def peaks(self) -> Floats:
        return np.maximum(self.capital, np.maximum.accumulate(self.equity))

    @property
    def annual(self) -> float:
        return float((self.equity[-1] / self.capital) ** (self.year / self.n) - 1.0)

    @property
    def returns_pct(self) -> list[float]:
        return [100.0 * t.profit / (abs(t.quantity) * t.entry_price) for t in self.closed]


def divide(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else NAN


def longest_run(under: list[bool]) -> int:
    words = "".join("u" if u else " " for u in under).split()
    return max((len(word) for word in words), default=0)


def bars_held(c: Case) -> int:
    held = np.zeros(c.n)
    for fill in c.fills:
        held[fill.bar :] += fill.quantity
    return int((np.abs(held) > 1e-9).sum())


def worst_mean(c: Case) -> float:
    return float(np.sort(c.r)[: math.floor(0.05 * (c.n - 1)) + 1].mean())


FORMULAS: dict[str, Callable[[Case], float]] = {
    "total_return_pct": lambda c: 100.0 * (c.equity[-1] / c.capital - 1.0),
    "annual_return_pct": lambda c: 100.0 * c.annual,
    "annual_volatility_pct": lambda c: 100.0 * np.std(c.r, ddof=1) * math.sqrt(c.year),
    "sharpe": lambda c: divide(c.r.mean() * math.sqrt(c.year), np.std(c.r, ddof=1)),
    "sortino": lambda c: divide(
        c.r.mean() * math.sqrt(c.year), math.sqrt((np.minimum(c.r, 0.0) ** 2).sum() / (c.n - 1))
    ),
    "calmar": lambda c: divide(c.annual, 1.0 - (c.equity / c.peaks).min()),
    "omega": lambda c: divide(c.r[c.r > 0].sum(), -c.r[c.r < 0].sum()),
    "max_drawdown_pct": lambda c: 100.0 * (1.0 - (c.equity / c.peaks).min()),
    "max_drawdown_bars": lambda c: longest_run((c.equity < c.peaks).tolist()),
    "benchmark_return_pct": lambda c: 100.0 * (c.closes[-1] / c.closes[0] - 1.0),
    "trades": lambda c: len(c.closed),
    "open_trades": lambda c: len(c.still_open),
    "win_rate_pct": lambda c: 100.0 * divide(sum(t.profit > 0 for t in c.closed), len(c.closed)),
    "profit_factor": lambda c: divide(
        sum(t.profit for t in c.closed if t.profit > 0), -sum(t.profit for t in c.closed if t.profit < 0)
    ),
    "expectancy": lambda c: divide(sum(t.profit for t in c.closed), len(c.closed)),
    "average_trade_pct": lambda c: divide(sum(c.returns_pct), len(c.closed)),
    "best_trade_pct": lambda c: max(c.returns_pct, default=NAN),
    "worst_trade_pct": lambda c: min(c.returns_pct, default=NAN),
    "average_trade_bars": lambda c: divide(sum(t.exit_bar - t.entry_bar for t in c.closed), len(c.closed)),
    "exposure_pct": lambda c: 100.0 * bars_held(c) / c.n,
    "turnover": lambda c: divide(sum(abs(f.quantity) * f.price for f in c.fills), c.equity.mean()),
    "fees_paid": lambda c: math.fsum(f.fee for f in c.fills),
    "value_at_risk_95_pct": lambda c: -100.0 * np.percentile(c.r, 5),
    "conditional_value_at_risk_95_pct": lambda c: -100.0 * worst_mean(c),
    "tail_ratio": lambda c: divide(np.percentile(c.r, 95), abs(np.percentile(c.r, 5))),
}


def case_of(bars: Bars, wishes: Floats, rules: Execution) -> Case:
    fills, equity = follow(bars, wishes, rules)
    trades = round_trips(fills, len(bars) - 1, float(bars.close[-1]))
    year = rules.year_days * 86_400 / bars.interval_seconds
    closed, still_open = ([t for t in trades if t.is_open is is_open] for is_open in (False, True))
    return Case(rules.capital, np.array(equity), bars.close, fills, closed, still_open, year)


def metrics_of(closes: list[float], wishes: list[float], **options: float) -> dict[str, float]:
    chosen = {"capital": 1000.0, "units": 10.0, "lot": 1.0, "fee_bps": 0.0} | options
    return dict(bs.backtest(bars_of(closes), wishes, **chosen).metrics)


def test_every_metric_has_a_formula_here() -> None:
    """No metric is left out below, and each is described."""
    assert list(FORMULAS) == list(DESCRIPTIONS)


@pytest.fixture(scope="module")
def at_random() -> tuple[Result, Case]:
    """A backtest over more bars than are read at once, with costs, gaps and sessions."""
    bars, wishes = walk_bars(20_000, 5, step=0.002, gaps=0.01), random_wishes(20_000, 6, stay=0.95)
    rules = Execution(fee_bps=3.0, slippage_bps=2.0, lot=0.01, year_days=252.0)
    return bs.backtest(bars, wishes, fee_bps=3, slippage_bps=2, lot=0.01, year_days=252), case_of(bars, wishes, rules)


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_metric_at_random_is_its_formula(name: str, at_random: tuple[Result, Case]) -> None:
    """Over 20,000 bars and hundreds of trades the metric is what numpy makes of a plain account."""
    result, case = at_random
    assert len(case.closed) > 500
    assert result.metrics[name] == pytest.approx(FORMULAS[name](case), rel=1e-8)


BY_HAND = {
    "total_return_pct": -1.0,
    "annual_return_pct": 100.0 * (0.99**1460 - 1.0),
    "max_drawdown_pct": 100.0 * 30.0 / 1020.0,
    "max_drawdown_bars": 2.0,
    "omega": (20 / 1000 + 10 / 1010) / (10 / 1020 + 30 / 1020),
    "benchmark_return_pct": 50.0,
    "trades": 1.0,
    "open_trades": 1.0,
    "win_rate_pct": 100.0,
    "profit_factor": NAN,
    "expectancy": 10.0,
    "average_trade_pct": 10.0,
    "best_trade_pct": 10.0,
    "worst_trade_pct": 10.0,
    "average_trade_bars": 2.0,
    "exposure_pct": 100.0 * 4 / 6,
    "turnover": 340.0 / (6050.0 / 6),
    "fees_paid": 0.0,
    "value_at_risk_95_pct": 100.0 * (0.75 * 30 / 1020 + 0.25 * 10 / 1020),
    "conditional_value_at_risk_95_pct": 100.0 * 30 / 1020,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_metric_by_hand(name: str) -> None:
    """Six bars, one closed and one open trade: the number is the one that was worked out."""
    assert six_bars_by_hand().metrics[name] == pytest.approx(BY_HAND[name], rel=1e-12, nan_ok=True)


ENDS = {
    "all losing": ([10.0, 9.0, 8.0, 7.0, 6.0, 5.0], [1.0, 1.0, 0.0, 1.0, 0.0, 0.0]),
    "all winning": ([10.0, 11.0, 12.0, 13.0, 14.0, 15.0], [1.0, 1.0, 0.0, 1.0, 0.0, 0.0]),
    "never in": ([10.0, 11.0, 9.0, 12.0], [0.0] * 4),
    "flat price": ([10.0] * 5, [1.0] * 5),
    "two bars": ([10.0, 11.0], [1.0, 1.0]),
    "short and long": ([10.0, 12.0, 7.0, 9.0, 11.0, 8.0, 10.0], [-1.0, 1.0, 1.0, -0.5, 0.3, 0.0, 1.0]),
}


@pytest.mark.parametrize("name", ENDS)
def test_metrics_where_little_happens(name: str) -> None:
    """Every metric is its formula where all trades lose or win, where there are none, and over two bars."""
    closes, wishes = ENDS[name]
    found = metrics_of(closes, wishes)
    case = case_of(bars_of(closes), np.array(wishes), Execution(capital=1000, units=10, lot=1, fee_bps=0))
    expected = {key: formula(case) for key, formula in FORMULAS.items()}
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


def test_nothing_traded_is_flat() -> None:
    """Without a trade returns and risks are 0, and what would divide by 0 is NaN."""
    found = metrics_of([10.0, 11.0, 9.0, 12.0], [0.0] * 4)
    zeros = {
        "total_return_pct", "annual_return_pct", "annual_volatility_pct", "max_drawdown_pct", "max_drawdown_bars",
        "trades", "open_trades", "exposure_pct", "turnover", "fees_paid", "value_at_risk_95_pct",
        "conditional_value_at_risk_95_pct",
    }  # fmt: skip
    assert {name for name, value in found.items() if value == 0.0} == zeros
    assert {name for name, value in found.items() if math.isnan(value)} == set(found) - zeros - {"benchmark_return_pct"}


def test_a_single_bar_has_no_deviation() -> None:
    """One bar has one return: deviations and tails of it are NaN, sums are 0."""
    found = metrics_of([10.0], [1.0])
    assert (found["total_return_pct"], found["max_drawdown_pct"], found["exposure_pct"]) == (0.0, 0.0, 0.0)
    for name in ("annual_volatility_pct", "sharpe", "sortino", "value_at_risk_95_pct", "tail_ratio"):
        assert math.isnan(found[name])


def test_no_bar_at_all() -> None:
    """Over no bars there is no return, no benchmark and no exposure."""
    found = metrics_of([], [])
    for name in ("total_return_pct", "annual_return_pct", "benchmark_return_pct", "exposure_pct", "turnover"):
        assert found[name] == 0.0


@pytest.mark.parametrize("n", range(3, 40))
def test_without_a_loss_there_is_no_omega(n: int) -> None:
    """Where no bar loses, omega, sortino and calmar have nothing to divide by, whatever rounding leaves."""
    closes = (10.0 + np.cumsum(np.random.default_rng(n).random(n))).tolist()
    found = metrics_of(closes, [1.0] * n)
    assert found["total_return_pct"] > 0.0
    assert all(math.isnan(found[name]) for name in ("omega", "sortino", "calmar"))


def test_a_few_good_minutes_make_an_endless_year() -> None:
    """A yearly return beyond what a float holds is infinite, not an error."""
    bars = bars_of(np.linspace(100.0, 140.0, 10), interval_seconds=60)
    assert bs.backtest(bars, [1.0] * 10).metrics["annual_return_pct"] == math.inf


def test_more_than_everything_is_lost() -> None:
    """Equity under zero is a yearly return of -100 % and a drawdown of more than 100 %."""
    found = metrics_of([100.0, 100.0, 300.0], [-1.0] * 3)
    assert found["total_return_pct"] == pytest.approx(-200.0)
    assert found["annual_return_pct"] == -100.0
    assert found["max_drawdown_pct"] == pytest.approx(200.0)


def test_turnover_of_no_equity_is_nan() -> None:
    """A mean equity of 0 divides nothing."""
    found = metrics_of([10.0, 40.0, 40.0], [-1.0] * 3, units=100.0)
    # Short 100 units from 10 to 40, equity is 1000, -2000, -2000; to 25 it is 1000, -500, -500.
    assert found["turnover"] == pytest.approx(1000.0 / (-3000.0 / 3))
    assert math.isnan(metrics_of([10.0, 25.0, 25.0], [-1.0] * 3, units=100.0)["turnover"])


def test_metrics_are_a_mapping() -> None:
    """They have a length, an order and a text, and are a dict where one is wanted."""
    metrics = six_bars_by_hand().metrics
    assert len(metrics) == len(DESCRIPTIONS)
    assert list(metrics) == list(DESCRIPTIONS)
    assert dict(metrics) == pytest.approx({name: metrics[name] for name in DESCRIPTIONS}, nan_ok=True)
    assert all(type(value) is float for value in metrics.values())
    assert "sharpe" in metrics
    assert repr(metrics).startswith("{'total_return_pct': -1.0")


def test_an_unknown_metric_is_a_key_error() -> None:
    """As in any mapping, a name that is not there is a KeyError, and `get` gives the default."""
    metrics = six_bars_by_hand().metrics
    with pytest.raises(KeyError, match="sharp"):
        metrics["sharp"]
    assert "sharp" not in metrics
    assert metrics.get("sharp", 1.5) == 1.5
