"""Schedulers in event time from a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from barstep.config.core import CoreConfig
from barstep.errors import ConfigError, DataError, UsageError
from barstep.replay.builders import (
    build_demo_multi_strategy_runtime,
    build_live_multi_strategy_runtime,
    build_multi_strategy_runtime,
    build_paper_multi_strategy_runtime,
)
from barstep.replay.key_files import KeyFolder
from runtime_making import BARS, CLOSES, WISHES, small_config
from scheduler_making import told_bars

GIVEN = {"bars": {name: told_bars(CLOSES[name], WISHES[name]) for name in CLOSES}}


def config_with_environments() -> CoreConfig:
    """A demo that is offline and one that is not, one paper and two live environments."""
    core = small_config()
    one = core.environments["e"]

    def another(**fields: Any) -> Any:
        return msgspec.structs.replace(one, **fields)

    environments = {
        "e": one,
        "wired": another(offline=False, aliases=["cable"]),
        "paper_a": another(type="paper", offline=False, feed=None, adapter_address="grpc+tls://x:1", aliases=["p"]),
        "live_a": another(type="live", offline=False, feed=None),
        "live_b": another(type="live", offline=True),
    }
    return msgspec.structs.replace(core, environments=environments)


@pytest.mark.parametrize(
    ("build", "asked", "chosen"),
    [
        (build_demo_multi_strategy_runtime, (), "e"),
        (build_demo_multi_strategy_runtime, ("cable",), "wired"),
        (build_paper_multi_strategy_runtime, (), "paper_a"),
        (build_paper_multi_strategy_runtime, ("p",), "paper_a"),
        (build_live_multi_strategy_runtime, (), "live_a"),
        (build_live_multi_strategy_runtime, ("live_b",), "live_b"),
        (build_multi_strategy_runtime, ("cable",), "wired"),
        (build_multi_strategy_runtime, ("paper",), "paper_a"),
    ],
)
def test_the_environment_is_found_by_name_alias_type_and_offline_flag(build: Any, asked: Any, chosen: str) -> None:
    """A demo prefers to be offline, paper and live do not; with bars of one's own each of them runs."""
    runtime = build(config_with_environments(), *asked, **GIVEN)
    assert runtime.session.machine.setup.environment == chosen
    assert len(runtime.run().equity) == BARS


def test_what_there_is_no_channel_for_is_refused() -> None:
    """Paper and live without recorded bars say that their venue cannot be reached yet, and what can be done."""
    core = config_with_environments()
    with pytest.raises(UsageError, match=r"'paper_a' .*grpc\+tls://x:1.* no live channel in this version"):
        build_paper_multi_strategy_runtime(core)
    with pytest.raises(UsageError, match=r"'live_a' .* no live channel"):
        build_multi_strategy_runtime(core, "live_a")


def test_another_type_than_was_asked_for_is_refused() -> None:
    """A name of a live environment is no demo."""
    with pytest.raises(UsageError, match="'live_b' is of type 'live'; this builds one of type 'demo'"):
        build_demo_multi_strategy_runtime(config_with_environments(), "live_b", **GIVEN)
    with pytest.raises(UsageError, match="Did you mean 'wired'"):
        build_multi_strategy_runtime(config_with_environments(), "wierd", **GIVEN)


def test_a_scheduler_is_the_environments_or_the_one_that_is_named() -> None:
    """What is mistyped says the near name."""
    with pytest.raises(UsageError, match="unknown scheduler 'ss'"):
        build_multi_strategy_runtime(config_with_environments(), "e", "ss", **GIVEN)


def test_a_configuration_is_read_from_its_file(tmp_path: Path) -> None:
    """And refused with what is wrong in it."""
    path = tmp_path / "core.yaml"
    path.write_text("environmnts: {}\n")
    with pytest.raises(ConfigError, match="environments"):
        build_multi_strategy_runtime(path)


def test_with_a_journal_a_runtime_goes_on_where_it_ended(tmp_path: Path) -> None:
    """Its keys must be there; the second one begins where the first one was closed."""
    core, folders = config_with_environments(), {"journal": tmp_path / "audit", "keys": tmp_path / "keys"}
    with pytest.raises(DataError, match="keys init"):
        build_demo_multi_strategy_runtime(core, **folders, **GIVEN)
    (tmp_path / "keys").mkdir(mode=0o700, exist_ok=True)
    KeyFolder(tmp_path / "keys").init()
    with build_demo_multi_strategy_runtime(core, **folders, **GIVEN) as first:
        first.run_until("2024-01-01T10:00Z")
        first.suspend_tag("quick", reason="night", until="2024-01-02T00:00Z")
    with build_demo_multi_strategy_runtime(core, **folders, **GIVEN) as second:
        assert second.now_us == first.now_us
        assert second.suspension_snapshot() == first.suspension_snapshot()
        second.run()
    assert [path.name for path in sorted((tmp_path / "audit").glob("e.jsonl"))] == ["e.jsonl"]
