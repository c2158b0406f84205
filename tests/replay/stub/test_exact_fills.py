"""An exact venue fills a scheduler's orders as its backtest does, bit for bit, whatever becomes of the stream."""

from __future__ import annotations

import os

import numpy as np
import pytest
from barstep.replay.channel.messages import Complete, Orders, Report
from barstep.replay.stub.ledger import summary_of
from barstep.replay.stub.manner import Manner
from barstep.replay.stub.market import Market
from barstep.replay.stub.venue import StubVenue
from machine_orders import PLAIN, Row, SteppedMachine, hello_of
from msgspec.structs import replace
from replays import drawn_setup

SEEDS = int(os.environ.get("SEEDS", "1"))


@pytest.mark.parametrize("seed", range(6 * SEEDS))
@pytest.mark.parametrize("breaks", [0.0, 0.1])
def test_fills_are_those_of_the_backtest(seed: int, breaks: float) -> None:
    """Each fill and the cash are the same bits; with breaks, half of which lose what was sent, too."""
    setup = drawn_setup(seed, **PLAIN)
    machine, rng = SteppedMachine(setup), np.random.default_rng(seed)
    manner = Manner(start_us=setup.start_us, end_us=setup.end_us, step_seconds=900, once=True)
    venue = StubVenue(Market(setup.history.instruments), manner)
    hello = hello_of(setup)
    session = venue.connect(hello, 0)
    expected: list[Row] = []
    reports: list[Report] = []
    done_us, said = -1, Orders(at_us=-1)
    while not session.is_over:
        heard, breaks_now = session.due(0), done_us >= 0 and rng.random() < breaks
        for message in heard[: int(rng.integers(0, len(heard) + 1))] if breaks_now else heard:
            if isinstance(message, Report):
                assert message.number == len(reports) + 1
                reports.append(message)
            if isinstance(message, Complete) and message.at_us > done_us:
                said, done_us = machine.orders(message.at_us), message.at_us
                expected += machine.open(message.at_us)
                if rng.random() >= breaks:  # else they are lost, until the stream is opened again
                    session.hear(said, 0)
        if breaks_now:
            session = venue.connect(replace(hello, done_us=done_us, reports=len(reports)), 0)
            session.hear(said, 0)
    lot = setup.execution.lot
    made = [Row(f.leg, f.lots * lot, f.price, f.fee, f.reference) for one in reports for f in one.fills]
    assert made == expected
    run = venue.runs[hello.run]
    assert run.account.cash == machine.cash
    assert [one.number for one in reports] == list(range(1, len(run.ledger.reports) + 1))
    assert summary_of(venue.ledgers)["ordered_twice"] == summary_of(venue.ledgers)["traded_twice"] == 0
