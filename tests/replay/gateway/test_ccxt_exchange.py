"""ccxt against the stub: markets, errors in the gateway's own words, and no secret anywhere."""

from __future__ import annotations

import logging
import sys
import traceback
from dataclasses import replace
from decimal import Decimal

import pytest
from barstep.errors import UsageError
from barstep.replay.clock import SimulatedClock
from barstep.replay.gateway.ccxt_exchange import CcxtExchange
from barstep.replay.gateway.credentials import Credentials
from barstep.replay.gateway.exchange import DeclinedError, NotAuthorizedError, ThrottledError, UnansweredError
from barstep.replay.gateway.venues import BINANCE, venue_named
from exchange_stub import KEY, SECRET
from gateway_making import START_US, World


def test_a_market_is_what_exchange_info_says(world: World) -> None:
    """Step, tick, bounds and least value are the exchange's."""
    market = world.exchange.market("ETHUSDT")
    assert market is not None
    assert (market.base, market.quote, market.step, market.tick) == ("ETH", "USDT", Decimal("0.0001"), Decimal("0.01"))
    assert (market.least, market.most, market.least_value) == (Decimal("0.0001"), Decimal(100), Decimal(10))
    assert market.is_trading
    assert world.exchange.market("DOGEUSDT") is None
    assert world.exchange.market_between("BNB", "USDT") == world.exchange.market("BNBUSDT")


def test_only_the_endpoints_that_are_needed_are_asked(world: World) -> None:
    """Opening asks for time and markets, and nothing that is signed."""
    assert world.stub.requests == ["time", "exchangeInfo"]


def test_signed_requests_have_the_exchanges_time(world: World) -> None:
    """The stub refuses a time stamp off by more than its window; the wall clock here is off by minutes."""
    assert world.exchange.balances() == {
        "BTC": (Decimal("2.5"), Decimal("0.5")),
        "USDT": (Decimal(100_000), Decimal(0)),
    }


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("drop", UnansweredError),
        ("lose", UnansweredError),
        (500, UnansweredError),
        ((-1006, "An unexpected response was received."), UnansweredError),
        ((-2010, "Duplicate order sent."), UnansweredError),
        ((-2010, "Account has insufficient balance."), DeclinedError),
        ((-1013, "Filter failure: LOT_SIZE"), DeclinedError),
        ((-2015, "Invalid API-key, IP, or permissions for action."), NotAuthorizedError),
        ((-1021, "Timestamp for this request is outside of the recvWindow."), ThrottledError),
        (429, ThrottledError),
        (418, ThrottledError),
    ],
)
def test_only_what_was_surely_not_done_is_called_so(world: World, fault: object, kind: type[Exception]) -> None:
    """After anything else the order may be at the exchange; and no error shows a secret or somebody else's cause."""
    world.stub.fail("POST order", fault)
    with pytest.raises(kind) as raised:
        world.exchange.place(
            "BTCUSDT", side="buy", quantity=Decimal("0.01"), client_id="AbCdEfGh-1.0000000000000001", stamp_us=START_US
        )
    text = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert KEY not in text
    assert SECRET not in text
    assert "signature" not in text
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_a_code_is_the_exchanges_own(world: World) -> None:
    """A refusal has its code and words."""
    world.stub.fail("POST order", (-1013, "Filter failure: NOTIONAL"))
    with pytest.raises(DeclinedError) as raised:
        world.exchange.place("BTCUSDT", side="sell", quantity=Decimal(1), client_id="x", stamp_us=START_US)
    assert (raised.value.code, raised.value.text) == ("-1013", "Filter failure: NOTIONAL")


def test_words_of_the_exchange_that_hold_a_secret_are_struck_out(world: World) -> None:
    """Should the exchange repeat the key, it is not repeated here."""
    world.stub.fail("POST order", (-1100, f"Illegal characters in {KEY} or {SECRET}."))
    with pytest.raises(DeclinedError, match=r"Illegal characters in \[key\] or \[secret\]"):
        world.exchange.place("BTCUSDT", side="sell", quantity=Decimal(1), client_id="x", stamp_us=START_US)


def test_no_log_has_a_secret(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Not even where somebody sets every log to DEBUG."""
    with caplog.at_level(logging.DEBUG):
        world.exchange.balances()
    assert KEY not in caplog.text
    assert SECRET not in caplog.text
    assert any(KEY in headers.values() for headers in world.stub.request_headers), "the request itself has the key"
    assert KEY not in repr(world.exchange) + repr(vars(world.exchange))


def test_an_order_is_placed_at_the_time_that_was_written_down(world: World) -> None:
    """Its time stamp is the one given; one older than the window is refused by the exchange and not carried out."""
    with pytest.raises(ThrottledError):
        world.exchange.place("BTCUSDT", side="buy", quantity=Decimal(1), client_id="x", stamp_us=START_US - 5_001_000)
    assert world.stub.orders == []
    world.exchange.place("BTCUSDT", side="buy", quantity=Decimal(1), client_id="x", stamp_us=START_US - 4_999_000)
    assert len(world.stub.orders) == 1


def test_an_unknown_order_is_none(world: World) -> None:
    """Asked for by an id that was never there."""
    assert world.exchange.order("BTCUSDT", "AbCdEfGh-1.0000000000000001") is None


def test_weight_that_is_used_up_stops_what_can_wait(world: World) -> None:
    """Near the limit bars wait for the next minute, while an order still goes."""
    world.stub.extra_weight = 5_000
    world.exchange.measure_time()
    with pytest.raises(ThrottledError) as raised:
        world.exchange.candles("BTCUSDT", interval_seconds=60, from_us=0, limit=5)
    assert 0 < raised.value.wait_us <= 60_000_000
    world.exchange.place("BTCUSDT", side="buy", quantity=Decimal(1), client_id="x", stamp_us=START_US)
    assert len(world.stub.orders) == 1


def test_the_sandbox_is_asked_and_nothing_else() -> None:
    """With `sandbox` every address is the exchange's test one; without it none is."""
    credentials = Credentials(key=KEY, secret=SECRET)
    for sandbox, host in ((True, "testnet.binance.vision"), (False, "api.binance.com")):
        made = CcxtExchange(BINANCE, SimulatedClock(), credentials=credentials, sandbox=sandbox)
        for name in ("public", "private"):
            assert host in made._ccxt.urls["api"][name]
    with pytest.raises(UsageError, match="has no sandbox"):
        CcxtExchange(replace(BINANCE, name="kraken", options={}), SimulatedClock(), credentials=None, sandbox=True)


def test_without_ccxt_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named as pip wants it."""
    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(UsageError, match=r"pip install 'barstep\[exchange\]'"):
        CcxtExchange(BINANCE, SimulatedClock(), credentials=None, sandbox=True)


def test_an_unknown_exchange_is_named() -> None:
    """With the near one."""
    with pytest.raises(UsageError, match="Did you mean 'binance'"):
        venue_named("binanse")


def test_websockets_are_not_touched() -> None:
    """ccxt.pro is never imported."""
    assert not any(name.startswith("ccxt.pro") for name in sys.modules)
