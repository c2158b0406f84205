"""A loop that cannot be served is told why, in stable codes."""

from __future__ import annotations

from typing import Any

import pytest
from barstep.replay.adapter_log import AdapterLog
from barstep.replay.channel.messages import Leg, Refusal
from barstep.replay.clock import SimulatedClock
from barstep.replay.gateway.greeting import markets_of, note_differences
from gateway_making import START_US, World, hello, rules


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"version": 2}, "version", "speaks 1"),
        ({"run": "../etc"}, "run", "32 hexadecimal"),
        ({"interval_seconds": 7}, "interval", "60"),
        ({"interval_seconds": 7 * 86_400}, "interval", "86400"),
        ({"done_us": START_US + 3_600_000_000}, "time", "not come yet"),
        ({"legs": [Leg(name="A", venue="binance", symbol="BTCUSD")]}, "leg", "Did you mean 'BTCUSDT'"),
        ({"legs": [Leg(name="A", venue="kraken", symbol="XBTUSD")]}, "leg", "no leg is traded at binance"),
    ],
)
def test_refusals(world: World, changes: dict[str, Any], code: str, said: str) -> None:
    """Each has its code, and says what would do."""
    answer = markets_of(hello(**changes), world.exchange)
    assert isinstance(answer, Refusal)
    assert answer.code == code
    assert said in answer.message


def test_a_book_without_a_lot_is_refused(world: World) -> None:
    """Quantities are whole lots, so there must be one."""
    answer = markets_of(hello(lot=0.0), world.exchange)
    assert isinstance(answer, Refusal)
    assert answer.code == "book"


def test_an_account_has_one_currency(world: World) -> None:
    """Legs that are paid in different coins are refused."""
    world.stub.filters["ETHBTC"] = ("0.001", "0.0001")
    world.exchange = world.new_exchange()
    answer = markets_of(hello("BTCUSDT", "ETHBTC"), world.exchange)
    assert isinstance(answer, Refusal)
    assert answer.code == "currency"
    assert "BTC and USDT" in answer.message


def test_legs_of_another_venue_are_left_out(world: World) -> None:
    """The second leg of an arbitrage is another venue's to serve."""
    legs = [*hello("BTCUSDT", "ETHUSDT").legs, Leg(name="k", venue="kraken", symbol="XBTUSD")]
    found = markets_of(hello(legs=legs), world.exchange)
    assert not isinstance(found, Refusal)
    assert {place: market.name for place, market in found.items()} == {0: "BTCUSDT", 1: "ETHUSDT"}


def test_finer_rules_of_the_book_are_noted(world: World) -> None:
    """A lot, a tick and a minimum that the exchange does not allow stand in the log, and equal ones do not."""
    lines: list[str] = []
    log = AdapterLog(None, SimulatedClock(), lines.append)
    for lot in (1e-5, 1e-8):
        greeting = hello(lot=lot)
        markets = markets_of(greeting, world.exchange)
        assert not isinstance(markets, Refusal)
        note_differences(greeting, markets, log)
    assert [line.split()[0] for line in lines] == ["minimum_differs", "lot_differs", "minimum_differs"]
    assert len(rules()) > 8
