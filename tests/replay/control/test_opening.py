"""A run opened with the configuration that its journal was begun with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from barstep.config.core import CoreConfig
from barstep.config.digest import content_sha384
from barstep.config.reading import PACKAGED
from barstep.engine.configured import load_core_config
from barstep.errors import HeldError, JournalError
from barstep.replay.clock import SystemClock
from barstep.replay.control.configurations import begun, kept
from barstep.replay.control.opening import Wanted, open_run
from barstep.replay.control.reloading import Reloader

FOLDER = Path("audit/decision_logs")
CORE = load_core_config(PACKAGED)
CLOCK = SystemClock()


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, in which the demonstration's secrets are made."""
    monkeypatch.chdir(tmp_path)


def wanted(core: CoreConfig = CORE, **more: Any) -> Wanted:
    given = {"journal": FOLDER, "end": None} | more
    return Wanted(core=core, environment="demo", scheduler="core_multi", **given)


def first() -> None:
    """A journal over three days that holds one command."""
    opened = open_run(wanted(end=datetime(2023, 1, 4, tzinfo=UTC)), CLOCK)
    assert opened.is_current and opened.config == CORE
    opened.run.scheduler.halt(reason="news", by="ann")
    opened.run.close()


def other_interval(seconds: float) -> CoreConfig:
    tree = msgspec.to_builtins(CORE)
    tree["runtime"]["multi_strategy_schedulers"]["core_multi"]["allocation_rebalance_seconds"] = seconds
    return msgspec.convert(tree, CoreConfig)


def test_it_goes_on_over_the_bars_that_it_was_begun_with() -> None:
    """Nobody has to say them again; others are refused."""
    first()
    opened = open_run(wanted(), CLOCK)
    assert opened.run.scheduler.mode.reason == "news"
    assert opened.run.scheduler.session.machine.setup.end_us == 1_672_790_400_000_000
    with pytest.raises(HeldError):
        open_run(wanted(), CLOCK)
    opened.run.close()
    with pytest.raises(JournalError, match="was begun with end"):
        open_run(wanted(end=datetime(2023, 2, 1, tzinfo=UTC)), CLOCK)


def test_with_another_configuration_it_goes_on_with_its_own_and_says_so() -> None:
    """Until a reload takes it; the next start has it in force then."""
    first()
    new = other_interval(7_200.0)
    opened = open_run(wanted(new), CLOCK)
    assert not opened.is_current and opened.config == CORE
    Reloader(opened.run.scheduler, opened.config, lambda: new, CLOCK, folder=FOLDER)("ann")
    opened.run.close()
    again = open_run(wanted(new), CLOCK)
    assert again.is_current and again.config == new
    assert again.run.scheduler.session.machine.state.allocation_rebalance_seconds == 7_200.0
    again.run.close()
    back = open_run(wanted(CORE), CLOCK)
    assert not back.is_current and back.config == new
    back.run.close()


def test_each_configuration_is_kept_and_what_is_kept_is_held_to_its_digest() -> None:
    """Private; one that was changed, or is gone, is told."""
    first()
    told = begun(wanted().files)  # type: ignore[arg-type]
    assert told is not None and told.in_force == told.genesis["config"] == content_sha384(CORE)
    path = FOLDER / "configurations" / f"{told.in_force}.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert kept(FOLDER, told.in_force) == CORE
    data = path.read_bytes()
    path.write_bytes(data.replace(b"core_multi", b"core_mulit"))
    with pytest.raises(JournalError, match="it was changed"):
        open_run(wanted(other_interval(60.0)), CLOCK)
    path.unlink()
    with pytest.raises(JournalError, match="is not kept here"):
        open_run(wanted(other_interval(60.0)), CLOCK)
    open_run(wanted(), CLOCK).run.close()  # whoever has it needs no copy


def test_without_a_journal_nothing_is_written() -> None:
    """Not even a folder."""
    open_run(wanted(journal=None), CLOCK).run.close()
    assert list(Path().iterdir()) == []
