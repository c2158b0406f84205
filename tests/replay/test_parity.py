"""That drivers agree, and what is said where they do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import barstep as bs
import pytest
from barstep.config.commands import DisableStrategy, SuspendTag, UseFeed
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.replay.parity import JOURNAL, REPLAYED, VECTORISED, first_divergence, verify_parity
from hypothesis import given
from random_scheduler import Drawn, schedulers
from replays import BARS, drawn_setup, setup_of, vectorised

CORE = Path(__file__).parents[2] / "config" / "core.yaml"


@given(drawn=schedulers(bars=BARS))
def test_random_schedulers_agree(drawn: Drawn) -> None:
    """With random commands and options: vectorised, replayed a bar at a time, folded from the journal."""
    parity = verify_parity(setup_of(drawn))
    assert parity.holds, parity.divergence
    assert parity.divergence is None
    assert list(parity.digests) == [VECTORISED, REPLAYED, JOURNAL]


@pytest.mark.parametrize("scheduler", ["core_multi", "hedged_multi"])
def test_the_demo_configuration_agrees(scheduler: str) -> None:
    """Two months of the embedded bars."""
    parity = verify_parity(set_up_scheduler(CORE, scheduler, end="2023-03-01"))
    assert parity.holds
    assert parity.counts["decisions"] > 100 and parity.counts["records"] > parity.counts["decisions"]


def test_feeds_that_an_operator_chooses_agree() -> None:
    """Two months of the embedded bars, some of them from fallbacks by command, with the changes in the journal."""
    commands = [
        UseFeed(at=datetime(2023, 1, 10, 3, 30, tzinfo=UTC), feed="fallback", instrument="BTCUSDT"),
        UseFeed(at=datetime(2023, 1, 20, tzinfo=UTC), feed="fallback"),
        UseFeed(at=datetime(2023, 2, 1, tzinfo=UTC), feed="primary"),
    ]
    setup = set_up_scheduler(CORE, "core_multi", end="2023-03-01", commands=commands)
    assert [(one.instrument, one.change) for one in setup.feed_changes[:3]] == [
        ("BTCUSDT", "fallback"), ("ETHUSDT", "fallback"), ("SOLUSDT", "fallback"),
    ]  # fmt: skip
    assert {one.reason for one in setup.feed_changes} == {"commanded"} and len(setup.feed_changes) == 6
    parity = verify_parity(setup)
    assert parity.holds, parity.divergence
    assert parity.digests != verify_parity(set_up_scheduler(CORE, "core_multi", end="2023-03-01")).digests


def test_the_first_bar_that_differs_is_named_with_what_both_sides_saw() -> None:
    """A close that one side saw otherwise: the first decision, weight or mark that follows from it, and both bars."""
    setup = drawn_setup(4, commands=[])
    other = drawn_setup(4, commands=[])
    bars = other.history.instruments[0]
    bars.values.flags.writeable = True
    bars.values[:4, 100:] *= 1.01
    found = first_divergence({"one": vectorised(setup), "other": vectorised(other)})
    assert found is not None
    name = setup.history.names[0]
    place = int(setup.history.ts_us.searchsorted(bars.ts_us[100]))
    closed = setup.history.times[place] + (bars.interval_seconds * 10**6)
    assert found.at == f"{closed}Z"
    assert found.sides["one"].value != found.sides["other"].value
    assert found.sides["other"].bars[name][3] == found.sides["one"].bars[name][3] * 1.01


def test_runs_that_are_the_same_do_not_diverge() -> None:
    """Nothing is named where nothing differs."""
    setup = drawn_setup(4)
    assert first_divergence({"one": vectorised(setup), "other": vectorised(setup)}) is None


def test_a_decision_more_is_a_difference() -> None:
    """Also where all that both have is the same: one run is told to hold nothing back."""
    setup = drawn_setup(4, commands=[])
    longer, shorter = vectorised(setup), vectorised(setup)
    table = shorter.decision_table[:, :-1]
    shorter = replace(shorter, read_decisions=lambda: table)
    found = first_divergence({"longer": longer, "shorter": shorter})
    assert found is not None
    assert (found.table, found.what) == ("decisions", "a row more")
    assert found.sides["shorter"].value is None and found.sides["longer"].value is not None


@pytest.mark.shared_data
def test_recorded_bars_agree(shared_data: Path) -> None:
    """Recorded hours under the scheduler that comes with barstep, with an operator's commands in between."""
    recorded = {"BTCUSDT": "BTCUSDT", "ETHUSDT": "ETHUSDT", "SOLUSDT": "BNBUSDT"}
    read = {name: bs.load(shared_data / f"BINANCE_{file}_1h.parquet") for name, file in recorded.items()}
    bars = {name: (_called(one, name, "binance"), _called(one, name, "kraken")) for name, one in read.items()}
    start = str(read["BTCUSDT"].times[-3000])
    commands = [
        SuspendTag(at=datetime(2023, 10, 1, 3, 30, tzinfo=UTC), tag="trend", duration_seconds=36_000.0),
        DisableStrategy(at=datetime(2023, 11, 1, tzinfo=UTC), strategy="grid_engine", flatten=True),
    ]
    parity = verify_parity(set_up_scheduler(CORE, "core_multi", bars=bars, start=start, commands=commands))
    assert parity.holds, parity.divergence
    assert parity.counts["bars"] == 3000 and parity.counts["fills"] > 1000


def _called(bars: bs.Bars, symbol: str, venue: str) -> bs.Bars:
    return bs.Bars(symbol, venue, bars.interval_seconds, bars.ts_us, bars.values)
