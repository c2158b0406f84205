"""The alert rules: what they say, that they fire when they should, and that a broken one is noticed."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from barstep.replay.metrics.catalog import METRICS
from monitoring_tools import DEPLOY, ROOT, RULES, run_tool
from programs import the_program

CASES = sorted((DEPLOY / "prometheus/tests").glob("*.yml"))
PLAYBOOK = "docs/runbooks/operations/strategy_incident_playbook.md"
ROLLBACK = "docs/runbooks/rollback_multi_strategy.md"
ALERT_TYPES = {"pnl", "risk", "latency", "no_signals", "resources", "feed"}
LEVELS = {"L1", "L2", "lead"}

PAGE = (ROOT / "docs/alerts.md").read_text()
GROUPS = yaml.safe_load(RULES.read_text())["groups"]
ALERTS = {rule["alert"]: rule for group in GROUPS for rule in group["rules"] if "alert" in rule}
EXPRESSIONS = [rule["expr"] for group in GROUPS for rule in group["rules"]]


def kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def anchors(page: Path) -> set[str]:
    """What a link into a page may name: its headings as sites turn them into anchors, and anchors of its own."""
    text = page.read_text()
    headings = re.findall(r"^#+ (.*?)(?: \{#([\w-]+)\})?$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading, _ in headings}
    return slugs | {own for _, own in headings if own} | set(re.findall(r'<a (?:id|name)="([\w-]+)"', text))


def metrics_of(expression: str) -> set[str]:
    """Names of barstep's metrics that an expression names; those of a histogram without their endings."""
    names = re.findall(r"\bbarstep_([a-z_]+)(?![a-z_.:(*])", expression)
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_who_is_told_and_what_to_do(name: str) -> None:
    """Type, severity and escalation are words of their lists; the runbook a heading of the playbook, or a rollback."""
    labels, annotations = ALERTS[name]["labels"], ALERTS[name]["annotations"]
    assert set(labels) == {"alert_type", "severity", "escalation"}
    assert labels["alert_type"] in ALERT_TYPES
    assert labels["severity"] in {"warning", "critical"}
    assert labels["escalation"] in LEVELS
    assert labels["severity"] == "critical" or labels["escalation"] != "lead"
    assert annotations["summary"]
    page, _, anchor = annotations["runbook"].partition("#")
    if page == PLAYBOOK:
        assert anchor == kebab(name)
    else:
        assert (page, anchor) == (ROLLBACK, "")
    assert (ROOT / page).is_file()
    assert not anchor or anchor in anchors(ROOT / page)


def test_every_type_has_alerts() -> None:
    """No type is forgotten, and each has its file of cases."""
    assert {rule["labels"]["alert_type"] for rule in ALERTS.values()} == ALERT_TYPES
    assert {path.stem for path in CASES} == ALERT_TYPES


def test_metrics_of_the_rules_are_shown() -> None:
    """Every metric that a rule or one of its cases names is in the catalog, with the labels that it is asked by."""
    series = [one["series"] for path in CASES for case in yaml.safe_load(path.read_text())["tests"]
              for one in case["input_series"]]  # fmt: skip
    named = set().union(*map(metrics_of, [*EXPRESSIONS, *series]))
    assert named >= {"seconds_since_signal", "step_seconds", "telemetry_bound"}
    assert named <= METRICS.keys()
    for one in series:
        for name in metrics_of(one):
            labels = set(re.findall(r"(\w+)=", one)) - {"instance", "job", "le"}
            assert labels == set(METRICS[name].labels), one


def test_numbers_of_the_configuration_are_read_from_metrics() -> None:
    """A rule holds no number but those of the playbook: factors, quantiles and its own durations."""
    numbers = {number for text in EXPRESSIONS for number in re.findall(r"(?<![\w\"$])\d+(?:\.\d+)?(?![\w\"])", text)}
    assert numbers <= {"0", "1", "2", "3", "0.8", "0.99", "1.2", "600"}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_its_cases(name: str) -> None:
    """It is tried that it fires, that it does not where it should not, and that it resolves."""
    path = DEPLOY / "prometheus/tests" / f"{ALERTS[name]['labels']['alert_type']}.yml"
    cases = [case for case in yaml.safe_load(path.read_text())["tests"] if case["name"].split()[0] == name]
    for what in ("fires", "does not fire", "resolves"):
        found = [case for case in cases if case["name"].removeprefix(name).strip().startswith(what)]
        assert found, f"{name} {what}"
        for case in found:
            looks = [bool(look["exp_alerts"]) for look in case["alert_rule_test"] if look["alertname"] == name]
            assert looks, case["name"]
            expected = {"fires": [False, True], "does not fire": [False], "resolves": [False, True]}[what]
            assert sorted(set(looks)) == expected, case["name"]
            assert what != "resolves" or looks[-1] is False


def test_the_page_has_a_row_for_each_alert() -> None:
    """docs/alerts.md says of each how long it waits and who is told, as the rules do."""
    rows = {row[0]: row for row in re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|[^|]*\| (\w+) \|$", PAGE, re.MULTILINE)}
    assert rows.keys() == ALERTS.keys()
    for name, (_, waits, level) in rows.items():
        assert waits.replace(" ", "") == ALERTS[name].get("for", waits.replace(" ", ""))
        assert ("for" in ALERTS[name]) == (not waits.startswith("at once"))
        assert level == ALERTS[name]["labels"]["escalation"]


def test_promtool_takes_rules_and_configuration() -> None:
    """The rules parse, and Prometheus takes its configuration."""
    assert run_tool("promtool", "check", "rules", RULES)[0] == 0
    code, told = run_tool("promtool", "check", "config", DEPLOY / "prometheus/prometheus.yml")
    assert code == 0, told
    assert f"{len(EXPRESSIONS)} rules found" in told


def test_promtool_passes_every_case() -> None:
    """Each alert fires at its true duration and not just short of it, and resolves."""
    code, told = run_tool("promtool", "test", "rules", *CASES)
    assert code == 0, told


def broken(folder: Path, change: Callable[[dict[str, Any]], object]) -> list[Path]:
    """The cases, beside rules of which each alert is changed."""
    document = yaml.safe_load(RULES.read_text())
    for rule in (rule for group in document["groups"] for rule in group["rules"] if "alert" in rule):
        change(rule)
    (folder / "rules").mkdir()
    (folder / "rules" / RULES.name).write_text(yaml.safe_dump(document, sort_keys=False))
    (folder / "tests").mkdir()
    return [Path(shutil.copy(case, folder / "tests")) for case in CASES]


def sooner(rule: dict[str, Any]) -> None:
    """A minute earlier, or always where it waits for nothing."""
    if "for" in rule:
        rule["for"] = f"{int(rule['for'].removesuffix('m')) - 1}m"
    else:
        rule["expr"] = "vector(1)"


def later(rule: dict[str, Any]) -> None:
    """Two minutes later."""
    rule["for"] = f"{int(rule.get('for', '0m').removesuffix('m')) + 2}m"


def other_limit(rule: dict[str, Any]) -> None:
    """At its limit, too, or not at it where it counts."""
    comparison = next(sign for sign in (">=", ">", "==") if sign in rule["expr"])
    rule["expr"] = rule["expr"].replace(comparison, {">=": ">", ">": ">=", "==": "!="}[comparison])


@pytest.mark.parametrize("change", [sooner, later, other_limit])
def test_a_broken_rule_is_noticed(change: Callable[[dict[str, Any]], object], tmp_path: Path) -> None:
    """A rule that fires too soon, too late, or at another limit fails its own cases."""
    code, told = run_tool("promtool", "test", "rules", *broken(tmp_path, change))
    assert code == 1
    noticed = set(re.findall(r"alertname: (\w+), time", told))
    # A quantile between buckets is never exactly at its limit.
    assert noticed | ({"InstantSlow"} if change is other_limit else set()) == set(ALERTS)


def test_a_misspelt_expression_is_noticed(tmp_path: Path) -> None:
    """What is no PromQL is refused with its line."""
    path = tmp_path / "rules.yml"
    path.write_text(RULES.read_text().replace("barstep_resource_status == 1", "barstep_resource_status === 1"))
    code, told = run_tool("promtool", "check", "rules", path)
    assert code == 1
    assert "could not parse expression" in told


def test_a_tool_that_is_missing_skips_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the tool a check is skipped and says why; under BARSTEP_STRICT=1 it fails."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("BARSTEP_STRICT", raising=False)
    with pytest.raises(pytest.skip.Exception, match="promtool is not installed"):
        the_program("promtool")
    monkeypatch.setenv("BARSTEP_STRICT", "1")
    with pytest.raises(AssertionError, match="BARSTEP_STRICT is 1"):
        the_program("promtool")
