"""Each scenario does to a market what it says, from its bar on and never before."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.config.risk_scenarios import (
    AnyScenario,
    CorrelationToOne,
    FundingSpike,
    PriceGap,
    VenueOutage,
    VolatilityShock,
)
from barstep.engine.feeds import FeedSources
from barstep.engine.risk.market import Market
from barstep.engine.risk.scenarios import stress
from barstep.errors import UsageError
from markets import HOUR_US, sources

START = 100
SCENARIOS = [
    PriceGap(gap_pct=-20.0),
    PriceGap(gap_pct=-5.0, feeds="primary"),
    PriceGap(gap_pct=5.0, feeds="secondary"),
    VolatilityShock(factor=4.0, duration=36_000.0),
    CorrelationToOne(duration=36_000.0),
    VenueOutage(duration=36_000.0, gap_pct=-10.0),
    VenueOutage(duration=36_000.0, feeds="primary"),
]


def stressed(scenario: AnyScenario) -> tuple[FeedSources, FeedSources]:
    """The market before and after."""
    market = Market.of(sources())
    return market.sources(), stress(market, scenario, START).market.sources()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_nothing_before_its_bar_moves(scenario: AnyScenario) -> None:
    """Bars that open earlier keep every bit, on every venue."""
    before, after = stressed(scenario)
    cut = int(Market.of(sources()).ts_us[START])
    for name in ("primary", "secondary", "fallback"):
        for instrument, bars in getattr(before, name).items():
            own, same = bars.ts_us < cut, getattr(after, name)[instrument]
            assert np.array_equal(same.values[:5, same.ts_us < cut], bars.values[:5, own])


def test_a_gap_moves_every_price_from_its_open_on() -> None:
    """All venues open 20 % lower and stay there; later moves are the recorded ones."""
    before, after = stressed(PriceGap(gap_pct=-20.0))
    for leg in ("primary", "secondary", "fallback"):
        old, new = getattr(before, leg)["ONE"], getattr(after, leg)["ONE"]
        assert new.values[:4, START:] == pytest.approx(0.8 * old.values[:4, START:], rel=1e-12)


def test_one_venue_can_gap_away_from_the_other() -> None:
    """The first venue falls, the others stay where they were; and the other way round."""
    before, after = stressed(PriceGap(gap_pct=-5.0, feeds="primary"))
    assert after.primary["ONE"].close[START:] == pytest.approx(0.95 * before.primary["ONE"].close[START:])
    assert after.secondary["ONE"].close == pytest.approx(before.secondary["ONE"].close)
    assert after.fallback["ONE"].close == pytest.approx(before.fallback["ONE"].close)
    before, after = stressed(PriceGap(gap_pct=5.0, feeds="secondary"))
    assert after.secondary["ONE"].close[START:] == pytest.approx(1.05 * before.secondary["ONE"].close[START:])
    assert after.primary["ONE"].close == pytest.approx(before.primary["ONE"].close)


def returns(values: np.ndarray) -> np.ndarray:
    """Of closes."""
    return values[1:] / values[:-1] - 1.0


def test_a_volatility_shock_multiplies_moves_for_its_duration() -> None:
    """Ten bars of four times the move, then the recorded ones again."""
    before, after = stressed(VolatilityShock(factor=4.0, duration=36_000.0))
    old, new = returns(before.primary["ONE"].close), returns(after.primary["ONE"].close)
    assert new[START - 1 : START + 9] == pytest.approx(4.0 * old[START - 1 : START + 9], rel=1e-9)
    assert new[START + 9 :] == pytest.approx(old[START + 9 :], rel=1e-9)


def test_a_move_that_would_take_all_leaves_a_hundredth() -> None:
    """However large the factor, a price stays above 0 and bars stay bars."""
    _, after = stressed(VolatilityShock(factor=1_000.0, duration=36_000.0))
    assert after.primary["ONE"].close.min() > 0.0


def test_correlation_goes_to_one() -> None:
    """Both instruments make ONE's moves, TWO in its own size."""
    before, after = stressed(CorrelationToOne(duration=36_000.0))
    one, two = (returns(after.primary[name].close) for name in ("ONE", "TWO"))
    assert after.primary["ONE"].close == pytest.approx(before.primary["ONE"].close)
    shift = len(after.primary["ONE"]) - len(after.primary["TWO"])  # TWO has bars missing before
    window = slice(START - 1, START + 9)
    moves = two[window.start - shift : window.stop - shift]
    assert np.corrcoef(one[window], moves)[0, 1] == pytest.approx(1.0)
    assert (moves / one[window]).std() == pytest.approx(0.0, abs=1e-9)


def test_the_reference_must_be_traded() -> None:
    """A mistyped instrument is told with the near one."""
    with pytest.raises(UsageError, match="Did you mean 'ONE'"):
        stressed(CorrelationToOne(duration=3_600.0, reference="ONW"))


def test_an_outage_takes_bars_away() -> None:
    """Ten hours of silence; all venues, or the first one alone; then the gap."""
    before, after = stressed(VenueOutage(duration=36_000.0, gap_pct=-10.0))
    cut = int(before.primary["ONE"].ts_us[START])
    for leg in ("primary", "secondary", "fallback"):
        times = getattr(after, leg)["ONE"].ts_us
        assert not ((times >= cut) & (times < cut + 10 * HOUR_US)).any()
        assert len(getattr(after, leg)["ONE"]) == len(getattr(before, leg)["ONE"]) - 10
    assert after.primary["ONE"].close[START:] == pytest.approx(0.9 * before.primary["ONE"].close[START + 10 :])
    before, after = stressed(VenueOutage(duration=36_000.0, feeds="primary"))
    assert len(after.primary["ONE"]) == len(before.primary["ONE"]) - 10
    assert np.array_equal(after.fallback["ONE"].ts_us, before.fallback["ONE"].ts_us)


def test_funding_is_paid_at_its_times() -> None:
    """From the first bar on, every eight hours, for a day."""
    market = Market.of(sources())
    found = stress(market, FundingSpike(rate_pct=0.5, duration=86_400.0), START).funding
    assert set(found) == {"ONE", "TWO"}
    first = int(market.ts_us[START])
    assert found["ONE"]["timestamp"].to_list() == [first, first + 8 * HOUR_US, first + 16 * HOUR_US]
    assert found["ONE"]["rate"].to_list() == [0.005] * 3
