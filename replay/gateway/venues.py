"""The exchanges that the gateway knows, and what it has to know of each beyond what ccxt says alike of all.

Another one is a row here, once `barstep gateway --check` has shown what it answers; docs/gateway.md says what ccxt
must offer for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import UsageError, unknown_name


@dataclass(frozen=True, kw_only=True)
class Venue:
    """What differs between exchanges.

    Attributes:
        name: What ccxt calls it, and what legs call it.
        options: Options of its ccxt class.
        most_candles: Most bars of one answer.
        weight_header: The header that tells the request weight used in the running minute; None: none does.
        weight_a_minute: How much is allowed.
        client_id_parameter: What an order's own id is called when it is placed.
        asked_client_id_parameter: What it is called when it is asked for or cancelled.
        stamp_parameter: What the time stamp of a signed request is called, in milliseconds.
        window_seconds: How long after its time stamp a signed request is carried out.
        unknown_order: Codes of "no such order".
        not_authorized: Codes of a key, a signature or a permission that is not right.
        off_time: Codes of a time stamp outside the window: not carried out, and the time is to be measured again.
        unsure: Codes after which a request may have been carried out.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    most_candles: int
    weight_header: str | None
    weight_a_minute: int
    client_id_parameter: str
    asked_client_id_parameter: str
    stamp_parameter: str
    window_seconds: int
    unknown_order: frozenset[str]
    not_authorized: frozenset[str]
    off_time: frozenset[str]
    unsure: frozenset[str]


BINANCE = Venue(
    name="binance",
    # Spot alone: anything else would ask five more hosts for markets, two of them signed.
    options={"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchMargins": False, "recvWindow": 5_000},
    most_candles=1_000,
    weight_header="X-MBX-USED-WEIGHT-1M",
    weight_a_minute=6_000,
    client_id_parameter="newClientOrderId",
    asked_client_id_parameter="origClientOrderId",
    stamp_parameter="timestamp",
    window_seconds=5,
    unknown_order=frozenset({"-2013", "-2011"}),
    not_authorized=frozenset({"-1002", "-1022", "-2014", "-2015"}),
    off_time=frozenset({"-1021", "-5028"}),
    # -1015 and -1003 come with HTTP 429. -2010 is also said of an id that is there already, see `ccxt_exchange`.
    unsure=frozenset({"-1000", "-1001", "-1006", "-1007"}),
)
VENUES = {venue.name: venue for venue in (BINANCE,)}


def venue_named(name: str) -> Venue:
    """An exchange by its name.

    Raises:
        UsageError: The gateway does not know it.
    """
    if name not in VENUES:
        raise UsageError(unknown_name("exchange", name, VENUES))
    return VENUES[name]
