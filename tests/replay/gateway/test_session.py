"""A loop's stream: what is told, in which order, and what it survives."""

from __future__ import annotations

import pytest
from barstep.errors import FeedError
from barstep.replay.channel.messages import Bar, Begun, Complete, Goodbye, Heartbeat, Orders, Welcome
from exchange_stub import MINUTE_MS
from gateway_making import MINUTE_US, START_US, World, hello, order


def minutes(world: World, first: int, last: int, symbol: str = "BTCUSDT") -> None:
    for number in range(first, last):
        world.stub.bar(symbol, START_US // 1_000 + number * MINUTE_MS, 100, 101, 99, 100 + number % 7, 1)


def test_a_new_run_begins_where_the_exchange_stands(world: World) -> None:
    """The venue waits for nobody and fills as it does; the run has no orders yet."""
    world.clock.sleep_us(90_000_000)
    welcome = world.connect()
    assert welcome == Welcome(
        version=1,
        venue="binance",
        now_us=START_US + MINUTE_US,
        exact=False,
        orders=[],
        known=[],
        clock_us=START_US + 90_000_000,
    )
    assert world.heard[1] == Complete(at_us=START_US + MINUTE_US), "a new run hears first of where it stands"


def test_a_run_goes_on_where_it_stood(world: World) -> None:
    """After an hour away all bars since come, in order, with an end for each instant."""
    minutes(world, -65, 1)
    welcome = world.connect(hello(done_us=START_US - 60 * MINUTE_US))
    assert isinstance(welcome, Welcome)
    assert welcome.now_us == START_US - 60 * MINUTE_US
    world.go_on(2)
    assert [bar.ts_us for bar in world.told(Bar)] == [START_US + k * MINUTE_US for k in range(-60, 0)]
    assert [end.at_us for end in world.told(Complete)] == [START_US + k * MINUTE_US for k in range(-59, 1)]
    assert world.told(Begun)[-1].at_us == START_US


def test_reports_come_again_from_where_the_loop_stood(world: World) -> None:
    """Those that the loop has not had are told again under their numbers, also by a gateway that was started anew."""
    world.connect()
    world.place(*(order(number) for number in range(1, 5)))
    assert [report.number for report in world.reports] == [1, 2, 3, 4]
    world.restart(hello(done_us=START_US, reports=2))
    world.steps(2)
    assert [(report.number, report.order_id[-1]) for report in world.reports[4:]] == [(3, "3"), (4, "4")]


def test_a_heartbeat_says_that_the_exchange_is_there(world: World) -> None:
    """It has the exchange's time; while the exchange does not answer there is none."""
    minutes(world, -3, 1)
    world.connect()
    world.go_on(21)
    beats = [beat.at_us for beat in world.told(Heartbeat)]
    assert len(beats) >= 18
    assert all(START_US <= at_us <= START_US + world.clock.elapsed_us for at_us in beats)
    for endpoint in ("time", "klines"):
        world.stub.fail(endpoint, *["drop"] * 50)
    world.go_on(12)
    silent = len(world.told(Heartbeat))
    world.go_on(20)
    assert len(world.told(Heartbeat)) - silent <= 1
    assert "bars_wait" in world.events()
    world.stub.faults.clear()
    world.go_on(70, step_seconds=1)
    assert len(world.told(Heartbeat)) > silent + 1


def test_questions_keep_to_a_few_a_minute(world: World) -> None:
    """Two legs over five minutes: the weight used in any minute is far from the limit."""
    for symbol in ("BTCUSDT", "ETHUSDT"):
        minutes(world, -3, 8, symbol)
    world.connect(hello("BTCUSDT", "ETHUSDT"))
    world.go_on(300)
    assert [end.at_us for end in world.told(Complete)] == [START_US + k * MINUTE_US for k in range(5)]
    assert max(list(world.stub.weights.values())[1:]) <= 20


def test_a_goodbye_ends_it(world: World) -> None:
    """A loop that leaves in order is left."""
    world.connect()
    world.say(Goodbye())
    assert world.session is not None
    while not world.session._has_left:
        world.steps(1)


def test_what_is_no_message_ends_it(world: World) -> None:
    """Neither garbage nor a second hello is passed over."""
    world.connect()
    world.stream.waiting.append(world._outgoing.wrap(b"\xc1"))
    with pytest.raises(FeedError, match="no message of the channel"):
        world.steps(1)
    world.say(hello())
    with pytest.raises(FeedError, match="a second hello"):
        world.steps(1)


def test_orders_that_wait_in_the_ledger_are_placed_at_the_next_start(world: World) -> None:
    """Taken, written down, not sent, killed: placed once when the gateway is there again."""
    world.connect()
    assert world.ledger is not None
    assert world.session is not None
    world.session._desk.take(Orders(at_us=START_US, orders=[order()]), lost_until_us=-1)
    assert world.stub.orders == []
    welcome = world.restart(hello(done_us=START_US, waiting=["run.a.BTCUSDT.1"]))
    assert isinstance(welcome, Welcome)
    assert welcome.known == ["run.a.BTCUSDT.1"]
    assert len(world.stub.orders) == 1


def test_a_loop_is_not_welcomed_before_the_exchange_has_answered(world: World) -> None:
    """What became of the run's orders is to be known first; the loop comes back later."""
    world.stub.fail("openOrders", "drop")
    with pytest.raises(FeedError, match="no answer"):
        world.connect()
    assert world.heard == []
