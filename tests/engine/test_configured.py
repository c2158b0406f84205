"""What a configuration becomes: strategies with their engines, schedules with their instruments."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import barstep as bs
import pytest
from barstep.config.commands import SetCapitalPolicy, SuspendTag
from barstep.config.core import CoreConfig
from barstep.config.reading import PACKAGED, read_config
from barstep.config.strategies import EngineSettings, Strategy
from barstep.engine.builtin import BUILTIN_ENGINES
from barstep.engine.catalog import ENTRY_POINT_GROUP, StrategyCatalog
from barstep.engine.configured import catalog_of, examine, load_commands, resolve_schedules, resolve_strategy
from barstep.engine.policy_program import Traits
from msgspec.structs import replace

CONFIG = bs.load_core_config(PACKAGED)
CATALOG = bs.DEFAULT_STRATEGY_CATALOG
EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "donchian.py"


def offer(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Make an installed package offer an engine `donchian`."""
    found = EntryPoints([EntryPoint(name="donchian", value=value, group=ENTRY_POINT_GROUP)])
    monkeypatch.setattr("barstep.engine.catalog.entry_points", lambda group: found.select(group=group))
    catalog = StrategyCatalog(BUILTIN_ENGINES, with_installed=True)
    monkeypatch.setattr("barstep.engine.configured.DEFAULT_STRATEGY_CATALOG", catalog)


def test_a_name_of_the_catalog() -> None:
    """It has its own parameters, and the engine's defaults for the rest."""
    found = resolve_strategy(CONFIG, "core_daily_trend", CATALOG)
    assert found.engine is CATALOG["daily_trend_momentum"]
    assert (found.parameters["slow_ma"], found.parameters["allow_short"]) == (100, False)
    assert (found.risk_profile, found.tags) == ("balanced", ("core", "trend"))
    assert found.capability == "strategy.daily_trend_momentum"


def test_a_name_of_the_catalog_goes_before_an_engine_s() -> None:
    """`mean_reversion` of the catalog is not the bare engine of that name."""
    assert resolve_strategy(CONFIG, "mean_reversion", CATALOG).tags == ("mean", "core")


def test_an_engine_s_own_name() -> None:
    """It is that engine with its defaults, without a profile and without tags."""
    found = resolve_strategy(CONFIG, "cross_exchange_arbitrage", CATALOG)
    assert found.parameters == CATALOG["cross_exchange_arbitrage"].read_parameters({})
    assert (found.risk_profile, found.tags) == (None, ())


@pytest.mark.parametrize(
    ("section", "engine"),
    [
        ("mean_reversion_strategies", "mean_reversion"),
        ("volatility_target_strategies", "volatility_target"),
        ("cross_exchange_arbitrage_strategies", "cross_exchange_arbitrage"),
        ("grid_strategies", "grid_trading"),
    ],
)
def test_specialised_sections_feed_the_same_catalog(section: str, engine: str) -> None:
    """A strategy of theirs runs the engine that the section is for."""
    config = CoreConfig(**{section: {"mine": EngineSettings(tags=["a"], capability="b", rebalance_threshold=0.5)}})
    found = resolve_strategy(config, "mine", CATALOG)
    assert (found.engine.name, found.tags, found.capability) == (engine, ("a",), "b")
    assert found.rebalance_threshold == 0.5


def test_the_threshold_of_a_signal_is_not_the_engine_s_own() -> None:
    """A parameter of the same name stays the engine's; the strategy's is 0 where it is not said."""
    strategy = Strategy(engine="volatility_target", parameters={"rebalance_threshold": 0.2})
    found = resolve_strategy(CoreConfig(strategies={"mine": strategy}), "mine", CATALOG)
    assert (found.rebalance_threshold, found.parameters["rebalance_threshold"]) == (0.0, 0.2)


def test_an_unknown_strategy_is_refused() -> None:
    """With the near name of the catalog or of the engines."""
    with pytest.raises(bs.UsageError, match=r"unknown strategy 'trend_engin'. Did you mean 'trend_engine'\?"):
        resolve_strategy(CONFIG, "trend_engin", CATALOG)


def resolved(scheduler: str, environment: str = "demo") -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """Profile, universe and instruments of each schedule of the shipped configuration."""
    one = CONFIG.runtime.multi_strategy_schedulers[scheduler]
    found = resolve_schedules(CONFIG, CONFIG.environments[environment], one, CATALOG)
    return {one.name: (one.risk_profile, one.instrument_universe, one.instruments) for one in found}


def test_schedules_in_declared_order() -> None:
    """They come as they are written."""
    assert list(resolved("core_multi")) == list(CONFIG.runtime.multi_strategy_schedulers["core_multi"].schedules)


def test_what_a_schedule_is_found_by() -> None:
    """Its name, its strategy and that one's tags, and the profile that it runs under."""
    one = CONFIG.runtime.multi_strategy_schedulers["core_multi"]
    found = resolve_schedules(CONFIG, CONFIG.environments["demo"], one, CATALOG)
    assert found[5].traits == Traits(
        schedule="grid_schedule", strategy="grid_engine", risk_profile="aggressive", tags=("grid", "experimental")
    )


def test_profile_and_universe_of_a_schedule() -> None:
    """The schedule's own goes before the strategy's, that before the environment's."""
    majors = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    found = resolved("core_multi")
    assert found["grid_schedule"] == ("aggressive", "majors", majors)
    assert found["trend_schedule"] == ("balanced", "majors", majors)
    assert resolved("hedged_multi")["arb"] == ("aggressive", "bitcoin", ("BTCUSDT",))


def test_buckets_choose_the_instruments() -> None:
    """Only those that a bucket of the profile holds are traded, in the universe's order."""
    profile = replace(CONFIG.risk_profiles["balanced"], instrument_buckets={"a": ["SOLUSDT"], "b": ["BTCUSDT"]})
    config = replace(CONFIG, risk_profiles={**CONFIG.risk_profiles, "balanced": profile})
    one = config.runtime.multi_strategy_schedulers["core_multi"]
    found = resolve_schedules(config, config.environments["demo"], one, CATALOG)
    assert found[0].instruments == ("BTCUSDT", "SOLUSDT")


def test_an_engine_from_a_file(tmp_path: Path) -> None:
    """A file of `engine_files` is in the catalog, and its parameters are checked."""
    path = tmp_path / "core.yaml"
    text = f"engine_files: [{EXAMPLE}]\nstrategies: {{mine: {{engine: donchian, parameters: {{window: %s}}}}}}\n"
    path.write_text(text % 40)
    config = bs.load_core_config(path)
    assert resolve_strategy(config, "mine", catalog_of(config)).parameters["window"] == 40
    path.write_text(text % -1)
    (problem,) = examine(path).problems
    assert "strategies.mine.parameters.window: is -1; allowed is a whole number, " in str(problem)


def test_an_engine_file_that_is_not_there(tmp_path: Path) -> None:
    """It is told of at its place in the list; the strategies that run it are told of too."""
    path = tmp_path / "core.yaml"
    path.write_text("engine_files: [absent.py]\nstrategies: {mine: {engine: donchian}}\n")
    first, second = examine(path).problems
    assert str(first).startswith(f"{path}:1:16: engine_files[0]: absent.py: no such file; an engine file is a Python")
    assert "unknown strategy engine 'donchian'" in str(second)
    with pytest.raises(bs.ConfigError, match="no such file"):
        catalog_of(read_config(path).config)


def test_two_engines_of_one_name(tmp_path: Path) -> None:
    """A file may not take a built-in engine's name, nor be named twice."""
    path = tmp_path / "core.yaml"
    path.write_text(f"engine_files: [{EXAMPLE}, {EXAMPLE}]\n")
    (problem,) = examine(path).problems
    assert "engine_files[1]: two strategy engines are named 'donchian'; names must differ." in str(problem)


def test_an_installed_engine_is_in_the_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the built-in ones."""
    monkeypatch.syspath_prepend(str(EXAMPLE.parent))
    offer(monkeypatch, "donchian:ENGINE")
    assert {"donchian", "mean_reversion"} <= {engine.name for engine in catalog_of(CONFIG)}


def test_a_broken_entry_point_refuses_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told of, although no key of the file names it."""
    offer(monkeypatch, "absent_module:ENGINE")
    with pytest.raises(bs.ConfigError, match=r"engine 'donchian' of .* cannot be loaded: ModuleNotFoundError"):
        bs.load_core_config(PACKAGED)


COMMANDS = """commands:
  - {at: 2024-01-02T00:00:00Z, command: suspend_tag, tag: trend, duration_seconds: 8h}
  - {at: 2024-01-01T00:00:00Z, command: set_capital_policy, policy: %s}
"""


def test_commands_to_a_scheduler(tmp_path: Path) -> None:
    """They come by their instant."""
    path = tmp_path / "commands.yaml"
    path.write_text(COMMANDS % "{name: fixed_weight, weights: {mean_reversion: {balanced: 1}, trend_alpha: 1}}")
    first, second = load_commands(path, CONFIG, "core_multi")
    assert (type(first), type(second)) == (SetCapitalPolicy, SuspendTag)


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (
            "{name: fixed_weight, weights: {trend_alpa: 1}}",
            "3:100: commands[1].policy.weights.trend_alpa: unknown schedule, strategy or risk profile 'trend_alpa'. "
            "Did you mean 'trend_alpha'?",
        ),
        (
            "{name: smoothed, base: {name: metric_weighted, metrics: {avg_zscor: {weight: 1}}}}",
            "commands[1].policy.base.metrics.avg_zscor: unknown metric 'avg_zscor'. Did you mean 'avg_zscore'?",
        ),
        ("{name: tag_quota, tags: {tren: 1}}", "commands[1].policy.tags.tren: unknown tag 'tren'. Did you mean 'tren"),
        ("equal_wieght", "commands[1].policy.name: unknown name 'equal_wieght'. Did you mean 'equal_weight'?"),
    ],
)
def test_commands_are_held_to_all_that_is_known(policy: str, says: str, tmp_path: Path) -> None:
    """Shape, names, and what only the engines can tell of a policy: all in one refusal."""
    path = tmp_path / "commands.yaml"
    path.write_text((COMMANDS % policy).replace("tag: trend", "tag: trnd"))
    with pytest.raises(bs.ConfigError) as refused:
        load_commands(path, CONFIG, "core_multi")
    first, second = map(str, refused.value.problems)
    assert "2:54: commands[0].tag: unknown tag 'trnd'. Did you mean 'trend'?" in first
    assert says in second


def test_commands_to_an_unknown_scheduler(tmp_path: Path) -> None:
    """With the near name."""
    with pytest.raises(bs.UsageError, match=r"unknown scheduler 'core_mult'. Did you mean 'core_multi'\?"):
        load_commands(tmp_path / "commands.yaml", CONFIG, "core_mult")
