"""Whatever is lost, at random: the exchange's ledger has each order once, and the loop knows what became of it."""

from __future__ import annotations

import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from barstep.errors import FeedError
from barstep.replay.channel.messages import FINAL, Orders
from gateway_making import MINUTE_US, START_US, World, hello, order

SEEDS = int(os.environ.get("SEEDS", "1"))
FAULTS = ("drop", "lose", 500, 429, (-1007, "Timeout."), (-1021, "Timestamp."), (-1000, "Unknown."))
QUIET = ("drop", 500, 429)


def hurt(world: World, draws: np.random.Generator) -> None:
    """Let some of the next requests fail."""
    if draws.random() < 0.7:
        world.stub.fail("POST order", FAULTS[draws.integers(len(FAULTS))])
    for endpoint in ("order", "myTrades", "klines", "time"):
        if draws.random() < 0.25:
            world.stub.fail(endpoint, QUIET[draws.integers(len(QUIET))])
    if draws.random() < 0.3:
        world.stub.invisible = int(draws.integers(1, 4))
    world.stub.pieces = [["1"], ["0.4", "0.6"], ["0.3"]][draws.integers(3)]
    world.stub.expires = bool(draws.random() < 0.5)


def come_back(world: World, greeting: object) -> None:
    """Connect until it succeeds, as a loop does."""
    for _ in range(40):
        try:
            world.restart(greeting)  # type: ignore[arg-type]
            return
        except FeedError:
            world.clock.sleep_us(3_000_000)
    raise AssertionError("the gateway does not come back")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_each_order_is_there_once(private: Path, seed: int) -> None:
    """Faults, kills and lost ledgers in any order; at the end the exchange's own ledger is the judge."""
    draws = np.random.default_rng(seed)
    world = World(private)
    try:
        world.connect()
        bar = START_US // MINUTE_US + 60
        orders = [
            order(number, lots=int(draws.choice([-1, 1])) * 1_000, decided=bar, sent_us=START_US)
            for number in range(1, 7)
        ]
        for place, one in enumerate(orders):
            hurt(world, draws)
            world.place(one)
            for _ in range(int(draws.integers(0, 4))):
                world.go_on(1, step_seconds=1)
            if draws.random() < 0.6:
                known = {report.number for report in world.reports}
                if draws.random() < 0.3:
                    for path in (private / "ledgers").glob("*.jsonl"):
                        path.unlink()
                come_back(world, hello(done_us=START_US, reports=max(known, default=0)))
                world.say(Orders(at_us=START_US, orders=orders[: place + 1]))
                world.steps(2)
        world.stub.faults.clear()
        world.stub.invisible, world.stub.pieces = 0, ["1"]
        world.go_on(30, step_seconds=1)
        for placed in world.stub.orders:
            if placed.status in ("NEW", "PARTIALLY_FILLED"):
                world.stub.trade(placed, placed.quantity - placed.executed)
        world.go_on(10, step_seconds=1)
        judge(world, [one.order_id for one in orders])
    finally:
        world.close()


def judge(world: World, order_ids: list[str]) -> None:
    counted = Counter(world.stub.client_ids())
    assert set(counted.values()) == {1}, counted
    assert len(counted) <= len(order_ids)
    reports = {report.number: report for report in world.reports}
    assert sorted(reports) == list(range(1, len(reports) + 1)), "numbers have no gap"
    ends = {report.order_id for report in reports.values() if report.status in FINAL}
    assert ends == set(order_ids)
    assert world.ledger is not None
    for standing in world.ledger.standings.values():
        (placed,) = [one for one in world.stub.orders if one.client_id == standing.client_id]
        assert standing.lots * Decimal("0.00001") == placed.executed
