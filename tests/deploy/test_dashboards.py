"""The dashboards: written from the configuration, in Grafana's schema, with queries that Prometheus takes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from barstep.engine.configured import load_core_config
from barstep.ops.dashboards import dashboards, write_dashboards
from barstep.ops.dashboards.panels import VARIABLES
from barstep.ops.dashboards.stage4 import UNITS
from barstep.replay.metrics.catalog import METRICS
from monitoring_tools import DEPLOY, ROOT, run_tool

FOLDER = DEPLOY / "grafana/provisioning/dashboards"
CONFIG = load_core_config(ROOT / "config/core.yaml")
DASHBOARDS = dict(dashboards(CONFIG))
QUERIES = {
    f"{name}: {panel['title']} {target['refId']}": target["expr"]
    for name, one in DASHBOARDS.items()
    for panel in one["panels"]
    for target in panel["targets"]
} | {f"{name}: annotations": one["annotations"]["list"][0]["expr"] for name, one in DASHBOARDS.items()}


def lost(given: Any, kept: Any, path: str = "") -> list[str]:
    """What is not the same after the round trip; what only the schema adds is not asked."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [text for key in given for text in
                (lost(given[key], kept[key], f"{path}.{key}") if key in kept else [f"{path}.{key}"])]  # fmt: skip
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [text for i, pair in enumerate(zip(given, kept, strict=True)) for text in lost(*pair, f"{path}[{i}]")]
    return [] if given == kept and type(given) is type(kept) else [path]


def round_trip(kind: Any, given: Any) -> list[str]:
    from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: PLC0415 - of the development's libraries

    return lost(given, json.loads(JSONEncoder().encode(kind.from_json(given))))


def test_the_files_are_what_the_configuration_makes(tmp_path: Path) -> None:
    """`make dashboards` would change nothing."""
    write_dashboards(CONFIG, tmp_path)
    assert (
        {path.name for path in tmp_path.iterdir()} == {path.name for path in FOLDER.glob("*.json")} == set(DASHBOARDS)
    )
    for name in DASHBOARDS:
        assert (FOLDER / name).read_bytes() == (tmp_path / name).read_bytes(), f"{name}: make dashboards"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_grafana_knows_every_field(name: str) -> None:
    """Nothing is lost on the way through Grafana's own schema: dashboard, options and queries."""
    from grafana_foundation_sdk.models import dashboard, prometheus, stat, statetimeline, table, timeseries  # noqa: PLC0415

    models = {"timeseries": timeseries, "stat": stat, "table": table, "state-timeline": statetimeline}
    assert not round_trip(dashboard.Dashboard, DASHBOARDS[name])
    for panel in DASHBOARDS[name]["panels"]:
        model = models[panel["type"]]
        assert not round_trip(model.Options, panel["options"]), panel["title"]
        if custom := panel["fieldConfig"]["defaults"].get("custom"):
            assert not round_trip(model.FieldConfig, custom), panel["title"]
        for target in panel["targets"]:
            assert not round_trip(prometheus.Dataquery, target), panel["title"]


def test_a_misspelt_field_is_noticed() -> None:
    """The round trip can fail."""
    from grafana_foundation_sdk.models.dashboard import Dashboard  # noqa: PLC0415

    given = json.loads(json.dumps(DASHBOARDS["stage4_multi_strategy.json"]))
    given["panels"][0]["fieldConfig"]["defaults"]["treshold"] = 1
    assert round_trip(Dashboard, given) == [".panels[0].fieldConfig.defaults.treshold"]


def test_the_stage_4_dashboard_has_five_panels_with_the_profiles_bounds() -> None:
    """Its title, its panels, and from which value on which colour, of each profile that has bounds."""
    one = DASHBOARDS["stage4_multi_strategy.json"]
    assert one["title"] == "Stage4 – Multi-Strategy Operations"
    names = ["avg_abs_zscore", "allocation_error_pct", "spread_capture_bps", "secondary_delay_ms", "pnl_drawdown_pct"]
    assert [panel["title"] for panel in one["panels"]] == names == list(UNITS)
    for panel in one["panels"]:
        coloured = {over["matcher"]["options"]: over["properties"][0] for over in panel["fieldConfig"]["overrides"]}
        for name, profile in CONFIG.risk_profiles.items():
            bounds = profile.telemetry_bounds.get(panel["title"])
            assert (f"/^{name}: /" in coloured) == (bounds is not None)
            if bounds is not None:
                steps = coloured[f"/^{name}: /"]["value"]["steps"]
                assert {step["color"]: step["value"] for step in steps if step["value"] is not None} == (
                    {"yellow": bounds.fail, "green": bounds.warn}
                    if bounds.fail < bounds.warn
                    else {"yellow": bounds.warn, "red": bounds.fail}
                )
                assert [step["value"] for step in steps[1:]] == sorted(step["value"] for step in steps[1:])


def test_the_overview_has_the_scheduler() -> None:
    """The panel that the playbook names is there, with a row a schedule, and its columns are its queries."""
    (panel,) = (
        one
        for one in DASHBOARDS["multi_strategy_overview.json"]["panels"]
        if one["title"] == "Multi-Strategy Scheduler"
    )
    renamed = panel["transformations"][1]["options"]["renameByName"]
    assert list(renamed) == [f"Value #{target['refId']}" for target in panel["targets"]]
    columns = set(renamed.values())
    for override in panel["fieldConfig"]["overrides"]:
        assert override["matcher"]["options"] in columns


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_do_not_lie_on_each_other(name: str) -> None:
    """Each place belongs to one panel, inside the width of a dashboard; numbers and titles are told apart."""
    panels = DASHBOARDS[name]["panels"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)


def test_metrics_of_the_dashboards_are_shown() -> None:
    """Every metric is in the catalog, and is asked and told apart by labels that it has."""
    for where, expr in [*QUERIES.items(), *VARIABLES.items()]:
        for name, labels in re.findall(r"barstep_([a-z_]+)(?:\{(.*?)\})?", expr):
            metric = METRICS[re.sub(r"_bucket$", "", name)]
            assert set(re.findall(r"(\w+)(?:=~|=)", labels)) <= set(metric.labels), where
        for labels in re.findall(r"by \((.*?)\)", expr):
            assert set(labels.split(", ")) <= {"status", "reason", "risk_profile", "le"}, where


def test_promtool_takes_every_query(tmp_path: Path) -> None:
    """Each query, its variables filled in, is PromQL; variables are all declared."""
    declared = {*VARIABLES, "__rate_interval"}
    rules = []
    for number, expr in enumerate(QUERIES.values()):
        assert set(re.findall(r"\$(\w+)", expr)) <= declared
        filled = re.sub(r"\$(\w+)", lambda found: "5m" if found[1] == "__rate_interval" else ".*", expr)
        rules.append({"record": f"query:{number}", "expr": filled})
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    code, told = run_tool("promtool", "check", "rules", path)
    assert code == 0, told
    assert f"{len(QUERIES)} rules found" in told


def test_grafana_is_told_where_they_are() -> None:
    """The provisioning names the folder in which they lie beside it, and the source by its type."""
    (provider,) = yaml.safe_load((FOLDER / "barstep.yml").read_text())["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"].endswith("provisioning/dashboards")
    (source,) = yaml.safe_load((FOLDER.parent / "datasources/prometheus.yml").read_text())["datasources"]
    assert source["type"] == "prometheus"
    assert source["url"].startswith("http://127.0.0.1:")
