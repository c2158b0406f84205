"""The simulation as a whole: the same bits for its seed, limits that bite, figures that are the engine's."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import barstep as bs
import numpy as np
import pytest
from barstep.config.changing import changed
from barstep.config.reading import PACKAGED
from barstep.config.risk_scenarios import FundingSpike, PriceGap, RiskScenarios, Tolerated, VenueOutage
from barstep.engine.configured import choose_scheduler, load_core_config
from barstep.engine.risk.market import Market
from barstep.engine.risk.measures import holdings, measure
from barstep.engine.risk.profiles import profiles_of
from barstep.engine.risk.stressing import Stretch, hits, moments_of
from barstep.errors import UsageError

SMALL = RiskScenarios(
    lead=86_400.0,
    watch=86_400.0,
    moments=2,
    scenarios={
        "gap": PriceGap(gap_pct=-20.0),
        "outage": VenueOutage(duration=21_600.0, gap_pct=-10.0),
        "funding": FundingSpike(rate_pct=1.0, duration=86_400.0),
    },
)
CORE = load_core_config(PACKAGED)


def simulated(**asked: Any) -> bs.RiskSimulation:
    """A few paths of three days."""
    return bs.risk_simulation(asked.pop("config", CORE), **{"scenarios": SMALL, "paths": 4, "horizon": "3d", **asked})


@pytest.fixture(scope="module")
def found() -> bs.RiskSimulation:
    """Both profiles of the shipped configuration."""
    return simulated()


@pytest.fixture(scope="module")
def recorded() -> Any:
    """The balanced profile alone over all recorded bars."""
    (alone,) = profiles_of(choose_scheduler(CORE, "demo", None), ["balanced"])
    return alone, alone.run(alone.sources)


def test_the_shipped_configuration_keeps_its_limits(found: bs.RiskSimulation) -> None:
    """No breach, and every profile that a schedule trades under is there."""
    assert [one.name for one in found.profiles] == ["aggressive", "balanced"]
    assert (found.status, found.breaches) == ("ok", ())


def test_it_repeats_for_its_seed() -> None:
    """The same JSON on one thread and on three; another seed is another one."""
    few: dict[str, Any] = {"profiles": ["aggressive"], "paths": 3}
    once = simulated(**few, threads=1).to_json()
    assert simulated(**few, threads=3).to_json() == once
    assert simulated(**few, seed=1).to_json() != once


def test_paths_do_not_depend_on_how_many_there_are(found: bs.RiskSimulation) -> None:
    """The first two of four are the two of two."""
    few = simulated(paths=2, profiles=["aggressive"])
    assert few.profiles[0].losses.tolist() == found.profiles[0].losses[:2].tolist()


def test_json_has_no_word_that_is_none(found: bs.RiskSimulation) -> None:
    """It is read back, and carries seed, digests and every figure."""
    document = json.loads(found.to_json())
    assert document["seed"] == 0
    assert {"config_sha384", "scenarios_sha384", "kernels", "arithmetic"} <= set(document["provenance"])
    balanced = document["profiles"][1]
    assert {entry["limit"] for entry in balanced["resampled"]["limits"]} == set(balanced["limits"])
    assert len(balanced["data"]) == 9  # three instruments on their first, second and fallback feed


@pytest.mark.parametrize(
    ("limit", "value", "scenario"),
    [
        ("max_drawdown_pct", 0.5, "gap"),
        ("max_drawdown_pct", 0.5, "resampled markets"),
        ("daily_risk_budget_pct", 0.01, "resampled markets"),
        ("max_leverage", 0.001, "gap"),
    ],
)
def test_a_limit_that_is_too_tight_is_a_breach(limit: str, value: float, scenario: str) -> None:
    """It is told with the limit, the scenario, and by how much."""
    tight = changed(CORE, {("risk_profiles", "balanced", limit): value})
    if limit == "max_leverage":  # the engine holds orders to it, so prices must carry positions over it
        tight = changed(tight, {("risk_profiles", "balanced", "max_position_pct"): 1_000.0})
    broken = simulated(config=tight, profiles=["balanced"], paths=2)
    assert broken.status == "breach"
    assert {one.profile for one in broken.breaches} == {"balanced"}
    mine = next(one for one in broken.breaches if (one.limit, one.scenario) == (limit, scenario))
    assert mine.excess == mine.value - value > 0.0
    assert limit in mine.words


def test_tolerance_decides_in_resampled_markets() -> None:
    """What is over its limit more often than nothing tolerates is a breach; all of it tolerated, none."""
    tight = changed(CORE, {("risk_profiles", "balanced", "daily_risk_budget_pct"): 0.05})
    for share, status in ((0.0, "breach"), (100.0, "ok")):
        lenient = RiskScenarios(tolerated=Tolerated(daily_risk_budget_pct=share), lead=86_400.0)
        assert simulated(config=tight, profiles=["balanced"], scenarios=lenient).status == status


def test_a_scenario_that_is_not_held_to_a_limit_tells_it_only(found: bs.RiskSimulation) -> None:
    """The daily budget is exceeded by a gap, shown, and no breach."""
    document = found.to_dict()
    checks = {check["limit"]: check for check in document["profiles"][1]["scenarios"][0]["limits"]}
    assert checks["daily_risk_budget_pct"]["exceeded"]
    assert not checks["daily_risk_budget_pct"]["breach"]


def test_what_is_held_is_what_the_result_says(recorded: Any) -> None:
    """Net exposure is the sum of the result's weights; sizes are never less than that."""
    _, result = recorded
    held = holdings(result)
    weights = result.weights.drop("timestamp").to_numpy()
    assert held.net == pytest.approx(weights.sum(axis=1), abs=1e-9)
    assert (held.positions.sum(axis=0) >= np.abs(held.net) - 1e-9).all()


def test_measures_are_those_of_the_result(recorded: Any) -> None:
    """Drawdown and loss beside the result's own; a day's loss beside its equity."""
    _, result = recorded
    measured = measure(result, result.setup.start_us)
    assert measured.max_drawdown_pct == pytest.approx(result.metrics["max_drawdown_pct"], rel=1e-12)
    assert measured.loss_pct == pytest.approx(100.0 * (1.0 - result.final_equity / 100_000.0), abs=1e-9)
    equity = result.equity_values.reshape(-1, 24)  # the embedded hours are whole days
    before = np.append(100_000.0, equity[:-1, -1])
    assert measured.day_losses_pct[:, 0] == pytest.approx(100.0 * (1.0 - equity[:, -1] / before), abs=1e-9)
    assert measured.day_losses_pct[:, 1] == pytest.approx(100.0 * (1.0 - equity.min(axis=1) / before), abs=1e-9)


def test_scenarios_fall_where_most_is_held(recorded: Any) -> None:
    """A fall, where the profile is longest; moments are a watch apart."""
    alone, result = recorded
    market, stretch = Market.of(alone.sources), Stretch.of(alone, SMALL)
    moments = moments_of(result, market, PriceGap(gap_pct=-20.0), stretch, 3)
    assert all(later - earlier >= stretch.watched for earlier, later in pairwise(moments))
    net = holdings(result).net
    candidates = net[stretch.before : len(market) - stretch.watched + 1]  # bar k closes as market bar k opens
    met = [net[moment] for moment in moments]
    assert max(met) == candidates.max()


def test_a_gap_costs_what_was_held_times_the_gap(recorded: Any) -> None:
    """In the bar of the gap the account loses its net exposure times the fall, but for that bar's own moves."""
    alone, result = recorded
    market, stretch = Market.of(alone.sources), Stretch.of(alone, SMALL)
    moments = moments_of(result, market, PriceGap(gap_pct=-20.0), stretch, 1)
    (none,) = hits(alone, market, PriceGap(gap_pct=1e-12), moments, stretch)
    (hit,) = hits(alone, market, PriceGap(gap_pct=-20.0), moments, stretch)
    assert hit.measures.net_pct == none.measures.net_pct > 20.0
    lost = 100.0 * (none.measures.growth[0] - hit.measures.growth[0])
    assert lost == pytest.approx(0.2 * hit.measures.net_pct, abs=1.0)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"profiles": ["balancd"]}, "Did you mean 'balanced'"),
        ({"paths": 0}, "paths is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"block_bars": 0.5}, "block_bars is 0.5"),
        ({"horizon": "400d"}, "horizon is '400d'"),
        ({"horizon": "soon"}, "no duration"),
        ({"scheduler": "core_mult"}, "Did you mean 'core_multi'"),
    ],
)
def test_what_is_out_of_range_is_refused(asked: dict[str, Any], told: str) -> None:
    """One line that names the value and what is allowed."""
    with pytest.raises(UsageError, match=told):
        simulated(**asked)
