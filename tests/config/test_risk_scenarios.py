"""A file of scenarios is read as strictly as the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.config.risk_scenarios import PACKAGED, PriceGap, RiskScenarios, load_risk_scenarios
from barstep.errors import ConfigError


def test_what_comes_with_barstep_has_every_kind() -> None:
    """The shipped set is read, and no kind of scenario is left out of it."""
    shipped = load_risk_scenarios()
    kinds = {type(scenario).__struct_config__.tag for scenario in shipped.scenarios.values()}
    assert kinds == {"price_gap", "volatility_shock", "correlation_to_one", "venue_outage", "funding_spike"}
    assert shipped.scenarios["gap_down"] == PriceGap(gap_pct=-20.0)
    assert load_risk_scenarios(PACKAGED) == shipped


def test_defaults_are_those_of_the_shipped_file() -> None:
    """What a file leaves out is what the shipped one writes."""
    shipped, empty = load_risk_scenarios(), RiskScenarios()
    assert (shipped.lead, shipped.watch, shipped.moments) == (empty.lead, empty.watch, empty.moments)
    assert (shipped.tolerated, shipped.confidence_pct) == (empty.tolerated, empty.confidence_pct)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scenarios: {a: {kind: price_gap, gap: -20}}", "Did you mean 'gap_pct'?"),
        ("scenarios: {a: {kind: price_gop, gap_pct: -20}}", "Did you mean 'price_gap'?"),
        ("scenarios: {a: {kind: price_gap, gap_pct: -100}}", "scenarios.a.gap_pct"),
        ("scenarios: {a: {kind: venue_outage, duration: 4d}}", "is watched for 259200 s"),
        ("scenarios: {a: {kind: price_gap, gap_pct: 1, held_to: [max_drawdown]}}", "max_drawdown_pct"),
        ("confidence_pct: [99, 95]", "levels rise"),
        ("tolerated: {max_drawdown_pct: 101}", "tolerated.max_drawdown_pct"),
        ("moments: 0", "moments"),
    ],
)
def test_what_is_wrong_is_refused_where_it_stands(tmp_path: Path, text: str, told: str) -> None:
    """Each error names its place, and what is allowed or near."""
    file = tmp_path / "scenarios.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_risk_scenarios(file)
    assert told in str(refused.value)
    assert str(file) in str(refused.value)
