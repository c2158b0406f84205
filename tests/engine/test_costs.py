"""What a result says about fills, costs and exits where the venue has rules; and what such a venue refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import barstep as bs
import polars as pl
import pytest
from barstep.errors import UsageError
from hypothesis import given
from hypothesis import strategies as st
from making import HOUR_US, START_US, bars_of, random_wishes, walk_bars

BASE: dict[str, Any] = {"capital": 1000.0, "units": 5, "lot": 1, "fee_bps": 0}


def hour(k: int) -> datetime:
    return datetime(2024, 1, 1, k, tzinfo=UTC)


def rate_at(hour: int, rate: float) -> pl.DataFrame:
    return pl.DataFrame({"timestamp": [START_US + hour * HOUR_US], "rate": [rate]})


def stopped(**options: Any) -> bs.Result:
    """Long five at 100 from the second bar, stopped at 98 in the fourth: costs of 10 bps a fill, 1 % of slippage."""
    bars = bars_of([100.0, 100.0, 100.0, 90.0, 90.0])
    given = BASE | {"fee_bps": 10, "slippage_bps": 100, "stop_loss_pct": 3.0} | options
    return bs.backtest(bars, [1.0] * 5, funding=rate_at(2, 0.001), **given)


def test_fills_by_hand() -> None:
    """In at 101 for 0.505; 0.5 of funding; the stop, 3 % under 101, is 97.97, sold at 96.9903 for 0.48495."""
    table = stopped().fills
    assert table.select("time", "quantity", "kind").rows() == [
        (hour(1), 5.0, "market"), (hour(2), 0.0, "funding"), (hour(3), -5.0, "stop"),
    ]  # fmt: skip
    assert table["price"].to_list() == pytest.approx([101.0, 100.0, 96.9903])
    assert table["reference_price"].to_list() == pytest.approx([100.0, 100.0, 97.97])
    assert table["fee"].to_list() == pytest.approx([0.505, 0.5, 0.4849515])


def test_costs_by_hand() -> None:
    """Two fees, slippage of 5 × 1 and 5 × 0.9797, and the funding; start + 5 × (97.97 - 100) - costs is left."""
    result = stopped()
    assert result.costs == pytest.approx(
        {"fees": 0.9899515, "slippage": 9.8985, "liquidation": 0.0, "funding": 0.5, "borrow": 0.0}
    )
    assert result.final_equity == pytest.approx(1000.0 - 5 * 2.03 - sum(result.costs.values()))
    assert result.metrics["fees_paid"] == pytest.approx(0.9899515)


def test_an_exit_has_its_reason() -> None:
    """The trade says that a stop closed it, and bears fees and funding."""
    (trade,) = stopped().trades.select("exit_reason", "exit_time", "fees", "is_open").rows()
    assert trade == ("stop", hour(3), pytest.approx(0.9899515 + 0.5), False)


def test_a_liquidation_costs_its_fee() -> None:
    """Ten times: sold at 90 / 0.995; 1 % of 50 × 90.452 on top of the fee stands by itself in the costs."""
    bars = bars_of([100.0, 100.0, 100.0, 80.0])
    options = BASE | {
        "units": 50,
        "leverage": 10,
        "maintenance_margin_pct": 0.5,
        "liquidation_fee_bps": 100,
        "fee_bps": 10,
    }
    result = bs.backtest(bars, [1.0] * 4, **options)
    value = 50 * 90 / 0.995
    assert result.costs["liquidation"] == pytest.approx(value * 0.01)
    assert result.costs["fees"] == pytest.approx(5000 * 0.001 + value * 0.001)
    assert result.metrics["fees_paid"] == pytest.approx(5000 * 0.001 + value * 0.011)
    assert result.trades["exit_reason"].to_list() == ["liquidation"]


def test_a_short_pays_for_what_it_borrows() -> None:
    """36.5 % a year are a thousandth a night: 0.5 on 500."""
    bars = bars_of([100.0] * 4, hours=[22, 23, 24, 25])
    result = bs.backtest(bars, [-1.0] * 4, borrow_pct=36.5, **BASE)
    assert result.costs["borrow"] == pytest.approx(0.5)
    assert result.fills["kind"].to_list() == ["market", "borrow"]
    assert result.final_equity == pytest.approx(999.5)
    assert result.to_dict()["signals"]["fills"] == 1
    assert result.columns["position"].to_list() == [0.0, -5.0, -5.0, -5.0]


def test_volume_cuts_are_told_where_they_leave_a_rest() -> None:
    """A tenth of 20 is 2 a bar: five units take three bars, and two of them leave a rest."""
    result = bs.backtest(bars_of([100.0] * 5, volume=[20.0] * 5), [1.0] * 5, max_volume_share=0.1, **BASE)
    assert result.fills["quantity"].to_list() == [2.0, 2.0, 1.0]
    assert result.refusals["cut_by_volume"] == 2


@given(
    st.integers(0, 10_000),
    st.fixed_dictionaries(
        {
            "slippage_bps": st.sampled_from([0.0, 5.0]),
            "impact_bps": st.sampled_from([0.0, 50.0]),
            "stop_loss_pct": st.sampled_from([0.0, 1.0]),
            "trailing_stop_pct": st.sampled_from([0.0, 2.0]),
            "leverage": st.sampled_from([1.0, 5.0]),
            "maintenance_margin_pct": st.sampled_from([0.0, 1.0]),
            "liquidation_fee_bps": st.sampled_from([0.0, 30.0]),
            "borrow_pct": st.sampled_from([0.0, 20.0]),
        }
    ),
)
def test_costs_are_all_that_lies_between_references_and_equity(seed: int, options: dict[str, Any]) -> None:
    """Capital + profit at reference prices - costs is the final equity, and so is capital + profits of trades."""
    bars = walk_bars(300, seed, gaps=0.05)
    result = bs.backtest(bars, 2.0 * random_wishes(300, seed), funding=rate_at(40, 0.002), lot=0.01, **options)
    fills = result.fills
    at_references = (fills["quantity"] * (float(bars.close[-1]) - fills["reference_price"])).sum()
    expected = 100_000.0 + at_references - sum(result.costs.values())
    assert result.final_equity == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert result.final_equity == pytest.approx(100_000.0 + result.trades["profit"].sum(), rel=1e-9, abs=1e-6)


ONE_VENUE_ONLY: list[dict[str, Any]] = [
    {"stop_loss_pct": 1.0}, {"limit_offset_bps": 1.0}, {"leverage": 2.0}, {"max_volume_share": 0.1}, {"tick": 0.1},
    {"carry_rest": False}, {"funding": rate_at(1, 0.1)},
]  # fmt: skip


@pytest.mark.parametrize("options", ONE_VENUE_ONLY, ids=lambda options: next(iter(options)))
def test_a_pair_takes_fees_and_slippage_only(options: dict[str, Any]) -> None:
    """Levels, limits, margin, volume and funding are refused for two venues; costs are taken."""
    bars, other = bars_of([10.0] * 50), bars_of([10.0] * 50, venue="w")
    with pytest.raises(UsageError) as caught:
        bs.backtest(bars, "cross_exchange_arbitrage", secondary=other, **options)
    assert str(caught.value) == (
        "cross_exchange_arbitrage trades two venues: levels, limits, margin, volume and funding are for one only"
    )
    taken = bs.backtest(bars, "cross_exchange_arbitrage", secondary=other, fee_bps=1, slippage_bps=1)
    assert taken.fills.height == 0


@pytest.mark.parametrize("name", ["volume_slippage_bps", "impact_bps", "max_volume_share"])
@pytest.mark.parametrize("strategy", ["sma_crossover", "own wishes"])
def test_rules_of_volume_need_volume(name: str, strategy: str) -> None:
    """Bars without a volume, or with one missing, are refused by name; the same rule at 0 asks for none."""
    some = [100.0] * 99 + [float("nan")]
    for volume in (None, some):
        bars = bars_of([10.0] * 100, volume=volume)
        wished: Any = strategy if strategy != "own wishes" else [0.0] * 100
        with pytest.raises(UsageError, match=rf"^{name} needs the volume of every bar; .* lacks it in places$"):
            bs.backtest(bars, wished, **{name: 0.5})
        assert bs.backtest(bars, wished, **{} if name == "max_volume_share" else {name: 0.0}).fills.height == 0
