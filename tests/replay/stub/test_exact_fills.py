"""An exact venue fills a scheduler's orders as its backtest does, bit for bit, whatever becomes of the streams."""

from __future__ import annotations

import os
from functools import cache

import pytest
from barstep.replay.stub.exact_run import ExactRun
from barstep.replay.stub.faults import Faults, parse_faults
from barstep.replay.stub.ledger import summary_of
from barstep.replay.stub.manner import Manner
from barstep.replay.stub.market import Market
from barstep.replay.stub.venue import StubVenue
from machine_orders import PLAIN, RUN, Row
from plain_loop import PlainLoop
from replays import drawn_setup

SEEDS = int(os.environ.get("SEEDS", "1"))
FAULTS = [
    ["drop:0.01"], ["duplicate:0.2"], ["reorder:0.2"], ["delay:700ms:0.2"], ["delay:100ms"], ["ack_lost:0.5"],
    ["disconnect:0.02"], ["disconnect:9h"], ["stall:40h"], ["half_close:40h"],
    ["drop:0.01", "duplicate:0.05", "reorder:0.05", "delay:100ms:0.1", "ack_lost:0.1", "disconnect:0.01"],
]  # fmt: skip


@cache
def traded(seed: int, faults: Faults) -> tuple[PlainLoop, StubVenue, float]:
    """A random scheduler's orders, traded to the end of its bars; and the size of a lot."""
    setup = drawn_setup(seed, **PLAIN)
    manner = Manner(start_us=setup.start_us, end_us=setup.end_us, step_seconds=900, once=True)
    venue = StubVenue(Market(setup.history.instruments), manner)
    loop = PlainLoop(venue, setup, faults, seed)
    loop.run()
    return loop, venue, setup.execution.lot


def assert_the_same(loop: PlainLoop, venue: StubVenue, lot: float) -> None:
    """Fills and cash are the backtest's bits, and each order was taken once."""
    made = [Row(f.leg, f.lots * lot, f.price, f.fee, f.reference) for one in loop.reports for f in one.fills]
    assert made == loop.expected
    run = venue.runs[RUN]
    assert isinstance(run, ExactRun)
    assert run.account.cash == loop.machine.cash
    assert loop.reports == run.ledger.reports
    summary = summary_of(venue.ledgers)
    assert summary["ordered_twice"] == summary["traded_twice"] == 0
    assert summary["fills"] == len(made)


@pytest.mark.parametrize("seed", range(10 * SEEDS))
def test_fills_are_those_of_the_backtest(seed: int) -> None:
    """Over one stream; price, fee, reference and lots are the same bits."""
    loop, venue, lot = traded(seed, Faults())
    assert loop.streams == 1
    assert_the_same(loop, venue, lot)


@pytest.mark.parametrize("faults", FAULTS, ids=" ".join)
@pytest.mark.parametrize("seed", range(2, 3 + SEEDS))
def test_faults_change_nothing(seed: int, faults: list[str]) -> None:
    """Frames that are lost, late, twice or swapped, cut streams and lost acknowledgements leave the same fills."""
    loop, venue, lot = traded(seed, parse_faults(faults))
    assert_the_same(loop, venue, lot)
    if not set(faults) & {"duplicate:0.2", "reorder:0.2", "delay:700ms:0.2", "delay:100ms"}:
        assert loop.streams > 1


def test_the_drawn_schedulers_trade() -> None:
    """The comparison is not of nothing: there are many fills, pairs, cut and abandoned orders among them."""
    reports = [one for seed in range(10) for one in traded(seed, Faults())[0].reports]
    assert sum(len(one.fills) for one in reports) > 1_000
    assert any(len(one.fills) == 2 for one in reports)
    assert {(one.status, one.reason) for one in reports} == {
        ("filled", ""), ("filled", "cash"), ("rejected", "cash"), ("abandoned", "age"), ("abandoned", "no_price"),
        ("cancelled", "replaced"), ("cancelled", ""),
    }  # fmt: skip
