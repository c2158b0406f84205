"""What a loop says first, and why it may be refused."""

from __future__ import annotations

import re

from ...errors import nearest
from ...kernels.account import LOT
from ...kernels.venue import MIN_NOTIONAL, TICK, VENUE_RULES
from ..adapter_log import AdapterLog
from ..channel.messages import VERSION, Hello, Refusal
from .exchange import Exchange, Market, decimal_of

_RUN = re.compile(r"[0-9a-f]{32}")


def markets_of(hello: Hello, exchange: Exchange) -> dict[int, Market] | Refusal:
    """The markets of a loop's legs at this exchange, by leg, or why the loop cannot be served.

    Legs of another venue are left out: their bars come from elsewhere, and orders in them are rejected.
    """
    if hello.version != VERSION:
        text = f"version {hello.version} of the protocol; this gateway speaks {VERSION}."
        return Refusal(code="version", message=text)
    if not _RUN.fullmatch(hello.run):
        return Refusal(code="run", message="a run's id is 32 hexadecimal digits.")
    if hello.interval_seconds not in exchange.intervals:
        offered = ", ".join(str(seconds) for seconds in sorted(exchange.intervals))
        text = f"bars of {hello.interval_seconds} s; {exchange.name} has those of {offered} s."
        return Refusal(code="interval", message=text)
    if any(len(rules) != VENUE_RULES or rules[LOT] <= 0.0 for rules in hello.book.rules):
        return Refusal(code="book", message=f"each schedule has {VENUE_RULES} rules, among them a lot above 0.")
    if hello.done_us > exchange.latest_us():
        return Refusal(code="time", message=f"the run is done up to {hello.done_us}, which has not come yet.")
    return _markets(hello, exchange)


def _markets(hello: Hello, exchange: Exchange) -> dict[int, Market] | Refusal:
    found: dict[int, Market] = {}
    for place, leg in enumerate(hello.legs):
        if leg.venue != exchange.name:
            continue
        market = exchange.market(leg.symbol)
        if market is None:
            text = f"{exchange.name} has no market {leg.symbol!r}.{nearest(leg.symbol, exchange.market_names())}"
            return Refusal(code="leg", message=text)
        found[place] = market
    if not found:
        return Refusal(code="leg", message=f"no leg is traded at {exchange.name}.")
    quotes = sorted({market.quote for market in found.values()})
    if len(quotes) > 1:
        text = f"legs are paid in {' and '.join(quotes)}; an account is kept in one currency."
        return Refusal(code="currency", message=text)
    return found


def note_differences(hello: Hello, markets: dict[int, Market], log: AdapterLog) -> None:
    """Write down where the book's rules are finer than the exchange's: orders will be cut or rejected there."""
    for schedule, rules in zip(hello.book.schedules, hello.book.rules, strict=True):
        for market in markets.values():
            if decimal_of(rules[LOT]) % market.step:
                log.write("lot_differs", schedule=schedule, market=market.name, lot=rules[LOT], step=str(market.step))
            if decimal_of(rules[MIN_NOTIONAL]) < market.least_value:
                least = str(market.least_value)
                log.write("minimum_differs", schedule=schedule, market=market.name, minimum_notional=least)
            if decimal_of(rules[TICK]) % market.tick:
                log.write("tick_differs", schedule=schedule, market=market.name, tick=str(market.tick))
