"""What commands name must be there."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.config.command_reading import read_commands
from barstep.config.command_references import check_commands
from barstep.config.core import CoreConfig
from barstep.config.problems import written
from barstep.config.reading import read_config
from msgspec.structs import replace
from written import CORE

CONFIG = read_config(CORE).config


def told(text: str, folder: Path, config: CoreConfig = CONFIG, scheduler: str = "core_multi") -> list[str]:
    """The problems of commands to a scheduler, with their paths."""
    path = folder / "commands.yaml"
    path.write_text(f"commands: [{text}]", encoding="utf-8")
    read = read_commands(path)
    assert read.problems == ()
    commanded = config.runtime.multi_strategy_schedulers[scheduler]
    return [f"{written(one.path)}: {one.text}" for one in check_commands(read.places(), config, commanded)]


AT = "at: 2023-08-17T12:00:00Z"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("command: suspend_schedule, schedule: trend_shedule", ".schedule: unknown schedule 'trend_shedule'. Did you"),
        ("command: resume_schedule, schedule: x", ".schedule: unknown schedule 'x'. Allowed: arbitrage_schedule, "),
        ("command: suspend_tag, tag: trned", ".tag: unknown tag 'trned'. Did you mean 'trend'?"),
        ("command: resume_tag, tag: x", ".tag: unknown tag 'x'. Allowed: arbitrage, "),
        (
            "command: set_signal_limit, strategy: mean_revertion, profile: balanced, limit: 1",
            ".strategy: unknown strategy 'mean_revertion'. Did you mean 'mean_reversion'?",
        ),
        (
            "command: clear_signal_limit, strategy: mean_reversion, profile: balancd",
            ".profile: unknown risk profile 'balancd'. Did you mean 'balanced'?",
        ),
        (
            "command: use_feed, feed: primary, instrument: BTCUSD",
            ".instrument: unknown instrument 'BTCUSD'. Did you mean",
        ),
        ("command: disable_strategy, strategy: trend_schedule", ".strategy: unknown strategy 'trend_schedule'."),
        ("command: enable_strategy, strategy: x", ".strategy: unknown strategy 'x'."),
        (
            "command: set_capital_policy, policy: {name: smoothed, base: {name: tag_quota, tags: {tren: 1}}}",
            ".policy.base.tags.tren: unknown tag 'tren'. Did you mean 'trend'?",
        ),
        (
            "command: replace_capital_policy, policy: {name: risk_profile, profiles: {agressive: 1}}",
            ".policy.profiles.agressive: unknown risk profile 'agressive'. Did you mean 'aggressive'?",
        ),
    ],
)
def test_a_name_that_dangles(text: str, says: str, tmp_path: Path) -> None:
    """It is told with the near name, at the path in the file."""
    (line,) = told(f"{{{AT}, {text}}}", tmp_path)
    assert line.startswith(f"commands[0]{says}")


def test_a_command_for_what_another_scheduler_runs(tmp_path: Path) -> None:
    """It would do nothing here, and is refused here alone."""
    for text in (
        "command: suspend_tag, tag: grid",
        "command: disable_strategy, strategy: grid_engine",
        "command: suspend_schedule, schedule: grid_schedule",
    ):
        assert told(f"{{{AT}, {text}}}", tmp_path) == []
        assert len(told(f"{{{AT}, {text}}}", tmp_path, scheduler="hedged_multi")) == 1


def test_an_instrument_is_one_of_the_universes_that_schedules_name(tmp_path: Path) -> None:
    """Of those that an environment may bring where a schedule names none; another universe's is refused."""
    text = "command: use_feed, feed: fallback, instrument: "
    scheduler = CONFIG.runtime.multi_strategy_schedulers["core_multi"]
    bitcoin = {name: replace(one, instrument_universe="bitcoin") for name, one in scheduler.schedules.items()}
    only = replace(scheduler, schedules=bitcoin)
    config = replace(CONFIG, runtime=replace(CONFIG.runtime, multi_strategy_schedulers={"core_multi": only}))
    assert told(f"{{{AT}, {text}ETHUSDT}}", tmp_path) == []
    assert told(f"{{{AT}, {text}BTCUSDT}}", tmp_path, config) == []
    (line,) = told(f"{{{AT}, {text}ETHUSDT}}", tmp_path, config)
    assert "unknown instrument 'ETHUSDT'" in line


def test_an_engine_s_own_name_is_a_strategy(tmp_path: Path) -> None:
    """Where a schedule runs the engine under that name."""
    text = f"{{{AT}, command: disable_strategy, strategy: cross_exchange_arbitrage}}"
    assert told(text, tmp_path, scheduler="hedged_multi") == []


def test_every_command_is_looked_at(tmp_path: Path) -> None:
    """In the order of the file, whatever their instants."""
    late, early = (f"{{at: 2023-08-{day}T00:00:00Z, command: resume_tag, tag: x}}" for day in (18, 17))
    assert [line[:11] for line in told(f"{late}, {early}", tmp_path)] == ["commands[0]", "commands[1]"]
