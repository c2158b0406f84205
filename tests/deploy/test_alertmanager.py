"""Alertmanager tells whom the rota says, as soon as it says, and no secret stands in the repository."""

import re

import pytest
import yaml
from monitoring_tools import DEPLOY, ROOT, RULES, run_tool

PATH = DEPLOY / "alertmanager/alertmanager.yml"
CONFIG = yaml.safe_load(PATH.read_text())
ROTATION = yaml.safe_load((ROOT / "ops/oncall_rotation.yaml").read_text())
LEVELS = ROTATION["levels"]
RULE_LABELS = [rule["labels"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
               if "alert" in rule]  # fmt: skip


def minutes(text: str) -> float:
    number, unit = re.fullmatch(r"(\d+)([sm])", text).groups()
    return int(number) / {"s": 60, "m": 1}[unit]


def test_amtool_takes_the_configuration() -> None:
    """Alertmanager takes its configuration and its templates."""
    code, told = run_tool("amtool", "check-config", PATH)
    assert code == 0, told
    assert "1 templates" in told


@pytest.mark.parametrize("level", LEVELS)
def test_an_alert_reaches_its_level(level: str) -> None:
    """`escalation` chooses the receiver, whatever the other labels are; the levels are those of the rules."""
    assert {labels["escalation"] for labels in RULE_LABELS} == LEVELS.keys()
    words = next(
        [f"{name}={value}" for name, value in one.items()] for one in RULE_LABELS if one["escalation"] == level
    )
    code, told = run_tool("amtool", "config", "routes", "test", f"--config.file={PATH}", *words)
    assert (code, told.splitlines()[0]) == (0, level)


@pytest.mark.parametrize("name", LEVELS)
def test_a_level_is_told_as_the_rota_says(name: str) -> None:
    """Its channel, whom it mentions, and how soon an answer is due, after which it is told again."""
    level = LEVELS[name]
    (receiver,) = (one for one in CONFIG["receivers"] if one["name"] == name)
    (slack,) = receiver["slack_configs"]
    assert slack["channel"] == level["channel"] == "#ops-trading"
    assert f"{level['mention']} answers within {level['answers_within_minutes']} minutes" in slack["text"]
    (route,) = (one for one in CONFIG["route"]["routes"] if one["receiver"] == name)
    assert route["matchers"] == [f'escalation="{name}"']
    told_again = route.get("repeat_interval", CONFIG["route"]["repeat_interval"])
    assert minutes(told_again) == level["answers_within_minutes"]


def test_the_rota_answers_in_time_and_names_nobody() -> None:
    """L1 in 5 minutes, L2 in 15; everybody has a phone; all are examples as they are shipped."""
    assert {name: level["answers_within_minutes"] for name, level in LEVELS.items()} == {"L1": 5, "L2": 15, "lead": 15}
    for level in LEVELS.values():
        assert level["rota"]
        for person in level["rota"]:
            assert set(person) == {"name", "slack", "phone"}
            assert person["name"].startswith("Example ")
            assert person["slack"].startswith("@example")
            assert re.fullmatch(r"\+1-202-555-01\d\d", person["phone"])
    assert ROTATION["rota_begins"].strftime("%A").lower() == ROTATION["handover"]["weekday"]


def test_no_secret_stands_here() -> None:
    """The webhook comes from a file."""
    assert set(CONFIG["global"]) == {"resolve_timeout", "slack_api_url_file"}
    assert "hooks.slack.com" not in PATH.read_text()


def test_what_is_worse_silences_what_is_milder() -> None:
    """Every alert that an inhibition names is one of the rules, and none silences itself."""
    rules = {rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
             if "alert" in rule}  # fmt: skip
    for one in CONFIG["inhibit_rules"]:
        source, target = (
            set(re.findall(r"[A-Z]\w+", text)) for text in (*one["source_matchers"], *one["target_matchers"])
        )
        assert source <= rules
        assert target <= rules
        assert not source & target
