"""The configuration that comes with barstep: sound, complete, and held to every letter."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.config.document import Node, parse
from barstep.config.problems import Path as KeyPath
from barstep.config.problems import written
from barstep.engine.catalog import DEFAULT_STRATEGY_CATALOG
from barstep.engine.configured import examine
from written import CORE, read, told

TEXT = CORE.read_text(encoding="utf-8")
CONFIG = examine(CORE).config

# Names that are given here and that nothing else refers to: another name is another configuration, not a mistake.
FREE = {
    "runtime.multi_strategy_schedulers.hedged_multi",
    *(
        f"runtime.multi_strategy_schedulers.{scheduler}.schedules.{schedule}"
        for scheduler, one in CONFIG.runtime.multi_strategy_schedulers.items()
        for schedule in one.schedules
    ),
    *(f"environments.{name}" for name in CONFIG.environments),
    *(
        f"risk_profiles.{name}.instrument_buckets.{bucket}"
        for name, profile in CONFIG.risk_profiles.items()
        for bucket in profile.instrument_buckets
    ),
}


def keys(node: Node, path: KeyPath = ()) -> list[tuple[KeyPath, Node]]:
    """Every key with its path, from the top of the file."""
    found: list[tuple[KeyPath, Node]] = []
    if isinstance(node.value, dict):
        for name, entry in node.value.items():
            found += [((*path, name), entry), *keys(entry, (*path, name))]
    if isinstance(node.value, list):
        for index, item in enumerate(node.value):
            found += keys(item, (*path, index))
    return found


KEYS = keys(parse(TEXT, "core.yaml")[0])


def mistype(path: KeyPath, node: Node) -> tuple[str, str]:
    """The file with the last letter of one key doubled, and the key that this makes."""
    lines = TEXT.splitlines(keepends=True)
    line, name = lines[node.line - 1], str(path[-1])
    start = node.column - 1
    assert line[start:].startswith(name)
    wrong = name + name[-1]
    lines[node.line - 1] = line[:start] + wrong + line[start + len(name) :]
    return "".join(lines), wrong


def test_it_passes_without_a_warning() -> None:
    """There is nothing to say about it."""
    assert examine(CORE).problems == ()


@pytest.mark.parametrize(("path", "node"), KEYS, ids=[written(path) for path, _ in KEYS])
def test_one_wrong_letter_in_a_key_is_found(path: KeyPath, node: Node, tmp_path: Path) -> None:
    """It is told of with its line and path and the name that was meant; or the name is free, and another one it is."""
    text, wrong = mistype(path, node)
    found = read(text, tmp_path, engines=True)
    if written(path) in FREE:
        assert found.errors == ()
        assert found.content_sha384 != examine(CORE).content_sha384
        return
    advised = [line for line in told(found) if f"Did you mean {path[-1]!r}?" in line]
    if advised:
        place = f"{node.line}:{node.column}: {written((*path[:-1], wrong))}: "
        assert any(line.startswith(place) and repr(wrong) in line for line in advised)
        return
    # A definition that was mistyped: what refers to it is told of, with the name that is near, which is the wrong one.
    assert any(
        f"unknown {kind} {path[-1]!r}. Did you mean {wrong!r}?" in line for line in told(found) for kind in KINDS
    )


KINDS = ("scheduler", "strategy", "risk profile", "instrument universe", "instrument")


def test_there_are_many_keys_and_few_free_names() -> None:
    """The test above has something to try, and every free name is a key."""
    assert len(KEYS) > 250
    assert {written(path) for path, _ in KEYS} > FREE
    assert len(FREE) < 20


def test_it_names_what_the_commands_of_the_runbooks_name() -> None:
    """Environments, schedulers, strategies, schedules, tags and profiles are all there."""
    schedulers = CONFIG.runtime.multi_strategy_schedulers
    assert {"core_multi", "hedged_multi"} <= set(schedulers)
    assert {"trend_schedule", "grid_schedule", "trend_alpha"} <= set(schedulers["core_multi"].schedules)
    assert {environment.type for environment in CONFIG.environments.values()} == {"demo", "paper", "live"}
    assert {"demo", "binance_paper"} <= set(CONFIG.environments)
    strategies = {"daily_trend", "core_daily_trend", "trend_engine", "mean_reversion", "grid_engine",
                  "volatility_target", "cross_exchange"}  # fmt: skip
    assert strategies <= set(CONFIG.catalog())
    tags = {tag for _, strategy in CONFIG.catalog().values() for tag in strategy.tags}
    assert {"core", "trend", "mean", "futures", "experimental"} <= tags
    assert {"balanced", "aggressive"} <= set(CONFIG.risk_profiles)
    engines = {strategy.engine for _, strategy in CONFIG.catalog().values()}
    assert engines == {engine.name for engine in DEFAULT_STRATEGY_CATALOG} - {"sma_crossover"}
    limits = CONFIG.runtime.resource_limits
    assert None not in (limits.cpu_pct, limits.memory_mb, limits.io_read_mb_s, limits.io_write_mb_s)


def test_it_holds_no_secret() -> None:
    """Every token is named by its environment variable."""
    tokens = [token for one in CONFIG.runtime.multi_strategy_schedulers.values() for token in one.rbac_tokens]
    assert {(token.id, token.env, token.sha384) for token in tokens} == {
        ("scheduler-local", "CORE_SCHEDULER_TOKEN", None)
    }


def test_its_bars_are_there() -> None:
    """Each feed of each instrument is an embedded dataset."""
    folder = CORE.parent.parent / "data" / "backtests" / "normalized"
    for universe in CONFIG.instrument_universes.values():
        for name, instrument in universe.instruments.items():
            for venue in (instrument.primary, instrument.secondary, instrument.fallback):
                assert (folder / f"{venue}_{name}_1h.parquet").is_file()


def edited(before: str, after: str, folder: Path) -> object:
    """The shipped file with one line changed."""
    assert TEXT.count(before) == 1
    return read(TEXT.replace(before, after), folder, engines=True)


def test_more_arbitrage_for_balanced_is_one_line(tmp_path: Path) -> None:
    """20 % instead of 10 % is one line: it passes, and both digests are others."""
    found = edited("      cross_exchange: 0.10", "      cross_exchange: 0.20", tmp_path)
    assert found.problems == ()
    assert found.config.risk_profiles["balanced"].strategy_allocations["cross_exchange"] == 0.2
    assert found.content_sha384 != examine(CORE).content_sha384
    assert found.file_sha384 != examine(CORE).file_sha384


def test_too_much_arbitrage_for_balanced_is_refused_with_the_sum(tmp_path: Path) -> None:
    """30 % makes 110 %, and the error says so and of what."""
    (line,) = told(edited("      cross_exchange: 0.10", "      cross_exchange: 0.30", tmp_path))
    assert (
        "risk_profiles.balanced.strategy_allocations: sums to 1.1; shares sum to 1 at most (trend_engine 0.25 + "
        in line
    )
    assert "cross_exchange 0.3)" in line


def test_switching_arbitrage_off_is_one_line(tmp_path: Path) -> None:
    """0.0 passes."""
    assert edited("      cross_exchange: 0.10", "      cross_exchange: 0.0", tmp_path).problems == ()


def test_a_profile_of_one_s_own_is_one_more_entry(tmp_path: Path) -> None:
    """It is added under `risk_profiles`, and a schedule may name it."""
    text = TEXT.replace("risk_profiles:\n", "risk_profiles:\n  balanced_high_vol:\n    max_drawdown_pct: 25\n", 1)
    text = text.replace(
        "risk_profile: aggressive\n          max_signals", "risk_profile: balanced_high_vol\n          max_signals", 1
    )
    assert [line for line in told(read(text, tmp_path, engines=True)) if "no effect" not in line] == []
