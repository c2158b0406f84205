"""An order is placed once, whatever is lost; what the market does not take is not sent."""

from __future__ import annotations

import os
from decimal import Decimal

import pytest
from barstep.errors import FeedError
from barstep.replay.channel.messages import Fill, Orders, Report, Welcome
from gateway_making import MINUTE_US, SECOND_US, START_US, World, hello, order

SEEDS = int(os.environ.get("SEEDS", "1"))


def last(world: World) -> Report:
    return world.reports[-1]


def test_a_market_order_is_filled(world: World) -> None:
    """Lots become a quantity of the market, and the fill has the exchange's price and fee."""
    world.connect()
    world.place(order())
    (placed,) = world.stub.orders
    assert (placed.side, placed.quantity) == ("BUY", Decimal("0.01"))
    assert placed.client_id.endswith("-1.0000000000000001")
    report = last(world)
    assert (report.number, report.status, report.reason, report.left) == (1, "filled", "", 0)
    assert report.fills == [Fill(leg=0, lots=1_000, price=50_000.0, fee=0.5, reference=50_000.0)]


def test_a_sale_has_lots_below_zero(world: World) -> None:
    """Lots below 0 are sold."""
    world.connect()
    world.place(order(lots=-1_000))
    assert world.stub.orders[0].side == "SELL"
    assert last(world).fills[0].lots == -1_000


def test_lots_are_cut_to_the_markets_step(world: World) -> None:
    """A lot finer than the step is rounded towards zero, and the report says that the order was cut, and why."""
    world.connect(hello(lot=1e-8))
    world.place(order(lots=1_234_567))
    assert world.stub.orders[0].quantity == Decimal("0.01234")
    assert (last(world).status, last(world).reason, last(world).fills[0].lots) == ("filled", "lot", 1_234_000)
    assert "lot_differs" not in world.events(), "only the service compares the book with the market"


@pytest.mark.parametrize(
    ("lots", "lot", "reason"),
    [(999, 1e-8, "lot"), (19, 1e-5, "minimum_notional"), (10_000_001, 1e-5, "largest_lot")],
)
def test_what_the_market_does_not_take_is_not_sent(world: World, lots: int, lot: float, reason: str) -> None:
    """Too little for the step, too little value, too much for one order: rejected here, by the exchange's own rules."""
    world.connect(hello(lot=lot))
    world.place(order(lots=lots))
    assert (last(world).status, last(world).reason) == ("rejected", reason)
    assert world.stub.orders == []
    assert "POST order" not in world.stub.requests


def test_the_rules_are_read_from_the_exchange(world: World) -> None:
    """With another step and another minimum in exchangeInfo, another order is taken."""
    world.stub.filters["BTCUSDT"] = ("0.001", "700")
    world.exchange = world.new_exchange()
    world.connect()
    world.place(order(1, lots=1_399), order(2, lots=99), order(3, lots=1_499))
    assert [(report.status, report.reason) for report in world.reports] == [
        ("rejected", "minimum_notional"),
        ("rejected", "lot"),
        ("filled", "lot"),
    ]
    assert world.stub.orders[0].quantity == Decimal("0.014")


def test_pairs_are_rejected(world: World) -> None:
    """Both legs of a pair cannot be traded at one venue as one order."""
    world.connect(hello("BTCUSDT", "ETHUSDT"))
    world.place(order(pair=True))
    assert (last(world).status, last(world).reason) == ("rejected", "pairs")
    assert world.stub.orders == []


def test_a_leg_of_another_venue_is_rejected(world: World) -> None:
    """What is not traded here is not sent here."""
    greeting = hello("BTCUSDT", "ETHUSDT")
    legs = [greeting.legs[0], type(greeting.legs[1])(name="k:ETHUSDT", venue="kraken", symbol="ETHUSDT")]
    world.connect(hello(legs=legs, book=greeting.book))
    world.place(order(leg=1))
    assert (last(world).status, last(world).reason) == ("rejected", "venue")


def test_the_exchanges_own_reason_is_told(world: World) -> None:
    """What the exchange refuses is rejected in its words."""
    world.connect()
    world.stub.fail("POST order", (-2010, "Account has insufficient balance for requested action."))
    world.place(order())
    assert last(world).status == "rejected"
    assert last(world).reason == "venue: -2010 Account has insufficient balance for requested action."


def test_partial_fills_add_up(world: World) -> None:
    """Parts are told as they are traded, each once; together they are what the exchange traded, fees included."""
    world.stub.pieces = ["0.3", "0.2"]
    world.connect()
    world.place(order())
    assert (last(world).status, last(world).left) == ("partial", 500)
    world.go_on(3)
    assert len(world.reports) == 1, "nothing new, nothing told"
    world.stub.trade(world.stub.orders[0], Decimal("0.005"))
    world.go_on(2)
    assert [report.status for report in world.reports] == ["partial", "filled"]
    fills = [fill for report in world.reports for fill in report.fills]
    trades = world.stub.orders[0].trades
    assert sum(fill.lots for fill in fills) == 1_000
    value = sum(fill.lots * 1e-5 * fill.price for fill in fills)
    assert value == pytest.approx(float(sum(Decimal(t["qty"]) * Decimal(t["price"]) for t in trades)), rel=1e-12)
    assert sum(fill.fee for fill in fills) == pytest.approx(float(sum(Decimal(t["commission"]) for t in trades)))


def test_what_expires_is_cancelled_with_what_was_traded(world: World) -> None:
    """A market order that found too little to trade with ends as the exchange ends it."""
    world.stub.pieces, world.stub.expires = ["0.4"], True
    world.connect()
    world.place(order())
    assert (last(world).status, last(world).reason) == ("cancelled", "venue: expired")
    assert last(world).fills[0].lots == 400


def test_an_open_order_is_cancelled(world: World) -> None:
    """A cancel reaches the exchange; what was traded before stays."""
    world.stub.pieces = ["0.25"]
    world.connect()
    world.place(order())
    world.place(cancels=("run.a.BTCUSDT.1",))
    world.go_on(2)
    assert world.stub.orders[0].status == "CANCELED"
    assert [report.status for report in world.reports] == ["partial", "cancelled"]
    assert last(world).fills == []


def test_a_lost_acknowledgement_is_asked_for(world: World) -> None:
    """The exchange has taken the order and its answer is lost: it is asked for, found, and not sent again."""
    world.connect()
    world.stub.fail("POST order", "drop")
    world.place(order())
    assert world.reports == []
    world.go_on(2)
    assert len(world.stub.orders) == 1
    assert world.stub.requests.count("POST order") == 1
    assert last(world).status == "filled"
    assert last(world).fills[0].lots == 1_000


@pytest.mark.parametrize("fault", ["drop", 500, (-1007, "Timeout waiting for response from backend server.")])
def test_after_any_doubt_there_is_one_order(world: World, fault: object) -> None:
    """No connection, an error of the server, a time-out inside the exchange: none of them is an answer."""
    world.connect()
    world.stub.fail("POST order", fault)
    world.place(order())
    world.go_on(12)
    assert len(world.stub.orders) == 1
    assert [report.status for report in world.reports] == ["filled"]


def test_an_order_that_hangs_is_asked_for(private: object) -> None:
    """The answer does not come within the time-out; the order is found under its own id."""
    world = World(private, timeout_seconds=0.3)  # type: ignore[arg-type]
    try:
        world.connect()
        world.stub.fail("POST order", "hang")
        world.place(order())
        assert world.reports == []
        world.go_on(2)
        assert len(world.stub.orders) == 1
        assert last(world).status == "filled"
    finally:
        world.close()


def test_absence_is_not_believed_inside_the_window(world: World) -> None:
    """An order that the exchange does not show yet is not sent again while its request may still be carried out."""
    world.connect()
    world.stub.fail("POST order", "drop")
    world.stub.invisible = 9
    world.place(order())
    world.go_on(4.5, step_seconds=0.5)
    assert world.stub.requests.count("GET order") + world.stub.requests.count("order") >= 9
    assert world.stub.requests.count("POST order") == 1
    world.go_on(4)
    assert len(world.stub.orders) == 1
    assert last(world).status == "filled"


def test_an_order_that_never_arrived_is_sent_again_after_the_window(world: World) -> None:
    """Lost on the way there: absent for longer than its request was good for, it is sent once more, under one id."""
    world.connect()
    world.stub.fail("POST order", "lose")
    world.place(order())
    world.go_on(5)
    assert world.stub.orders == []
    assert world.stub.requests.count("POST order") == 1
    world.go_on(4)
    assert len(world.stub.orders) == 1
    assert world.stub.requests.count("POST order") == 2
    assert last(world).status == "filled"


def test_an_order_that_never_arrived_may_be_too_old(world: World) -> None:
    """Absent, and older than the book allows: given up, with its age as the reason."""
    world.connect()
    world.stub.fail("POST order", "lose")
    world.place(order())
    world.clock.sleep_us(4 * MINUTE_US)
    world.go_on(2)
    assert (last(world).status, last(world).reason) == ("abandoned", "age")
    assert world.stub.orders == []


def test_one_that_never_ages_waits(world: World) -> None:
    """What is to wait as long as it takes is sent whenever it can be."""
    world.connect()
    world.clock.sleep_us(90 * MINUTE_US)
    world.place(order(1), order(2, never_ages=True))
    assert [(report.order_id[-1], report.status) for report in world.reports] == [("1", "abandoned"), ("2", "filled")]


def test_an_order_that_comes_again_is_the_same(world: World) -> None:
    """One id is one order, however often the loop sends it."""
    world.connect()
    world.place(order())
    world.place(order(), order())
    assert len(world.stub.orders) == 1
    assert len(world.reports) == 1


def test_a_replacement_waits_for_what_it_replaces(world: World) -> None:
    """It cancels the first one; where that one was traded in part it is rejected, else it is placed."""
    world.stub.pieces = ["0.25"]
    world.connect()
    world.place(order(1))
    world.place(order(2, replaces="run.a.BTCUSDT.1"))
    world.go_on(3)
    assert [(report.order_id[-1], report.status) for report in world.reports] == [
        ("1", "partial"),
        ("1", "cancelled"),
        ("2", "rejected"),
    ]
    assert last(world).reason == "replaced"
    world.stub.pieces = []
    world.place(order(3))
    world.place(order(4, replaces="run.a.BTCUSDT.3"))
    world.stub.pieces = ["1"]
    world.go_on(3)
    assert [placed.status for placed in world.stub.orders] == ["CANCELED", "CANCELED", "FILLED"]
    assert (last(world).order_id[-1], last(world).status) == ("4", "filled")


def test_too_many_requests_are_waited_out(world: World) -> None:
    """After 429 nothing is asked until `Retry-After` is over; then the order is placed once."""
    world.connect()
    world.steps(2)
    world.stub.fail("POST order", 429)
    world.place(order())
    asked = len(world.stub.requests)
    world.go_on(6.5)
    assert len(world.stub.requests) == asked
    world.go_on(2)
    assert len(world.stub.orders) == 1
    assert last(world).status == "filled"


def test_a_wrong_time_stamp_is_measured_again(world: World) -> None:
    """An order outside the exchange's window was not carried out: the time is measured anew and it is sent again."""
    world.connect()
    world.steps(2)
    world.stub.fail("POST order", (-1021, "Timestamp for this request is outside of the recvWindow."))
    asked = world.stub.requests.count("time")
    world.place(order())
    world.go_on(1)
    assert world.stub.requests.count("time") == asked + 1
    assert [report.status for report in world.reports] == ["filled"]


def test_an_unknown_schedule_ends_the_stream(world: World) -> None:
    """An order of a schedule that the book does not have is no order."""
    world.connect()
    with pytest.raises(FeedError, match="schedule 5"):
        world.place(order(schedule=5))


def test_accepted_lost_and_restarted_gives_no_duplicate(world: World) -> None:
    """Killed after each of many orders, acknowledged or not: each is at the exchange once, each is reported once."""
    world.connect()
    faults = ["drop", None, 500, "lose", None, "drop", (-1007, "Timeout."), "lose"]
    bar = START_US // MINUTE_US + 1
    orders = [order(number, sent_us=START_US + number, decided=bar) for number in range(1, 1 + SEEDS * len(faults))]
    known: list[str] = []
    for place, one in enumerate(orders):
        fault = faults[place % len(faults)]
        if fault is not None:
            world.stub.fail("POST order", fault)
        world.place(one)
        waiting = [each.order_id for each in orders[: place + 1]]
        welcome = world.restart(hello(done_us=START_US, reports=len(world.reports), waiting=waiting))
        assert isinstance(welcome, Welcome)
        known = welcome.known
        world.say(Orders(at_us=START_US, orders=orders[: place + 1]))  # the loop cannot know what has arrived
        world.go_on(8, step_seconds=1)
    assert known == [one.order_id for one in orders]
    assert len(world.stub.orders) == len(set(world.stub.client_ids())) == len(orders)
    assert [report.number for report in world.reports] == list(range(1, len(orders) + 1))
    assert all(report.status == "filled" for report in world.reports)


def test_without_its_ledger_it_asks_the_exchange(world: World) -> None:
    """The gateway's file is lost: orders that the loop sends again are found at the exchange, and numbers go on."""
    world.connect()
    world.place(order(1), order(2))
    assert len(world.reports) == 2
    (path,) = (world.folder / "ledgers").glob("*.jsonl")
    path.unlink()
    world.restart(hello(done_us=START_US, reports=1))
    world.place(order(2))
    world.go_on(1)
    assert len(world.stub.orders) == 2
    assert (last(world).number, last(world).order_id, last(world).status) == (2, "run.a.BTCUSDT.2", "filled")
    assert world.stub.requests.count("POST order") == 2


def test_a_stray_order_is_noted(world: World) -> None:
    """An open order of the account that is none of this run's stands in the log."""
    world.stub.pieces = []
    world.connect()
    world.place(order())
    world.restart(hello(run="f" * 32))
    assert "stray_order" in world.events()


def test_fees_in_another_coin_are_converted(world: World) -> None:
    """A fee in the base coin counts at the trade's price, one in the exchange's coin at that coin's minute."""
    world.stub.fee_coin = "BTC"
    world.connect()
    world.place(order(1))
    assert last(world).fills[0].fee == pytest.approx(0.5)
    world.stub.fee_coin = "BNB"  # the stub charges a thousandth of a coin
    world.stub.bar("BNBUSDT", START_US // 1_000, 300, 301, 299, 300, 1)
    world.go_on(1)
    world.place(order(2))
    assert last(world).fills[0].fee == pytest.approx(0.3)
    world.stub.fee_coin = "XYZ"
    world.place(order(3))
    assert last(world).fills[0].fee == pytest.approx(0.5), "no market of it: the taker fee"


def test_trades_that_lag_are_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the list of trades is shorter than what the order has traded, nothing is told until it is whole."""
    world.connect()
    world.stub.fail("POST order", "drop")
    shown = world.stub._my_trades
    monkeypatch.setattr(world.stub, "_my_trades", lambda _: [])
    world.place(order())
    world.go_on(3)
    assert world.reports == []
    monkeypatch.setattr(world.stub, "_my_trades", shown)
    world.go_on(1)
    assert last(world).fills[0].lots == 1_000
    assert last(world).at_us < START_US + SECOND_US
