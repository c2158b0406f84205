"""No alert is left out where they are made to fire, and the hurried rules are the deployed ones."""

import sys
from pathlib import Path

import yaml
from monitoring_tools import RULES

sys.path.insert(0, str(Path(__file__).parent / "live"))

from monitors import FASTER, fast_rules, shortened
from provocations import PROVOCATIONS

RULES_BY_NAME = {rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
                 if "alert" in rule}  # fmt: skip


def test_every_alert_has_its_provocation() -> None:
    """Each is provoked once, and says how."""
    provoked = [alert for one in PROVOCATIONS for alert in one.alerts]
    assert sorted(provoked) == sorted(RULES_BY_NAME)
    for one in PROVOCATIONS:
        assert all(one.alerts.values())


def test_hurried_rules_differ_in_their_durations_only() -> None:
    """Ten minutes are ten seconds; expressions, labels and annotations are those that are deployed."""
    assert (FASTER, shortened("10m"), shortened("10s")) == (60, "10000ms", "167ms")
    for group in yaml.safe_load(fast_rules())["groups"]:
        for rule in (one for one in group["rules"] if "alert" in one):
            deployed = RULES_BY_NAME[rule["alert"]]
            assert rule.get("for") == (shortened(deployed["for"]) if "for" in deployed else None)
            assert {**rule, "for": None} == {**deployed, "for": None}
