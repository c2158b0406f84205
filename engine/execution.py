"""How wishes become fills: costs, sizes, orders, levels and margin, each checked once."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields, replace
from math import inf, isinf
from numbers import Real
from typing import Any

import numpy as np

from ..errors import UsageError
from ..kernels import account, venue
from .bars import Floats
from .strategy import SECONDS_PER_DAY, read_truth


def _number(
    default: float | None, text: str, *, above: float | None = None, below: float = inf, endless: bool = False
) -> Any:
    """A field that is a number: 0 or more, or over `above`; under `below`; infinite only where `endless`."""
    return field(default=default, metadata={"text": text, "above": above, "below": below, "endless": endless})


def _word(default: bool | str, text: str) -> Any:
    """A field that is one of some words."""
    return field(default=default, metadata={"text": text})


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How wishes become fills. With the defaults every order fills in full at the next open.

    What each field means, and its unit, stands beside it.
    """

    capital: float = _number(100_000.0, "starting cash, in account currency", above=0.0)
    fee_bps: float = _number(10.0, "fee of an order that takes (market orders, stops), in basis points of traded value")
    maker_fee_bps: float | None = _number(None, "fee of an order that rests (limits, take-profits); None: the same")
    slippage_bps: float = _number(
        0.0, "how much worse than its reference (the open, or a stop's level) a taking fill is", below=1e4
    )
    volume_slippage_bps: float = _number(
        0.0, "slippage on top, at a quantity as large as the bar's volume; in proportion below"
    )
    impact_bps: float = _number(0.0, "slippage on top, times the root of the order's share of the bar's volume")
    max_volume_share: float | None = _number(
        None, "most of a bar's volume that an order may fill; None: all that is asked", above=0.0
    )
    carry_rest: bool = _word(True, "whether what the volume did not allow waits for the next bars, or is cancelled")
    units: float | None = _number(
        None, "units held at full exposure; None sizes by equity (exposure × equity at the last close)", above=0.0
    )
    lot: float = _number(1e-8, "smallest tradable quantity; quantities are rounded towards zero to it", above=0.0)
    tick: float = _number(
        0.0, "price step; taken prices are rounded to the worse side, limits to the side that asks no more. 0: none"
    )
    min_notional: float = _number(
        0.0, "least value of an order, in account currency; one that closes a position is exempt"
    )
    rebalance_threshold: float = _number(0.0, "least change of a wish that is a signal")
    max_notional: float = _number(
        inf, "most value of a position (of a leg, in a pair), in account currency", above=0.0, endless=True
    )
    max_order_age_bars: float = _number(
        3.0,
        "most bars between a decision and its fill; an older order is abandoned and asked again",
        above=0.0,
        endless=True,
    )
    limit_offset_bps: float = _number(
        0.0, "orders that open or add rest as limits this far from the close; 0: market orders", below=1e4
    )
    stop_loss_pct: float = _number(0.0, "distance of the stop from the average entry price; 0: none")
    take_profit_pct: float = _number(0.0, "distance of the take-profit from it; 0: none")
    trailing_stop_pct: float = _number(
        0.0, "distance of the trailing stop from the best price since the entry; 0: none"
    )
    leverage: float = _number(1.0, "position value over the margin that it binds", above=0.0)
    maintenance_margin_pct: float = _number(
        0.0, "margin, of position value, under which a position is liquidated", below=100.0
    )
    liquidation_fee_bps: float = _number(0.0, "fee of a liquidation, on top of the fee")
    borrow_pct: float = _number(
        0.0, "yearly cost of borrowing what is sold short, charged at each midnight UTC on value at the open"
    )
    ambiguous_fills: str = _word(
        "pessimistic", "which of two possible orders inside a bar is taken: pessimistic or optimistic"
    )
    year_days: float = _number(
        365.0, "days that make a year: 365 for markets that never close, 252 for sessions", above=0.0
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            given = getattr(self, each.name)
            if "above" in each.metadata and not (given is None and each.default is None):
                object.__setattr__(self, each.name, _checked(each, given))
        if self.ambiguous_fills not in ("pessimistic", "optimistic"):
            raise UsageError(f"ambiguous_fills is {self.ambiguous_fills!r}; allowed is pessimistic or optimistic")
        carries = read_truth(self.carry_rest)
        if carries is None:
            raise UsageError(f"carry_rest is {self.carry_rest!r}; it must be true or false")
        object.__setattr__(self, "carry_rest", carries)
        if self.leverage < 1.0:
            raise UsageError(
                f"leverage is {self.leverage:g}; allowed is 1 or more (a smaller exposure is a smaller wish)"
            )

        if self.leverage * self.maintenance_margin_pct >= 100.0:
            raise UsageError(
                f"maintenance_margin_pct is {self.maintenance_margin_pct:g} with leverage {self.leverage:g}; allowed "
                f"is less than {100.0 / self.leverage:g}: a position would be liquidated as it is opened"
            )

    @property
    def is_plain(self) -> bool:
        """Whether every order fills in full at the next open and nothing happens in between."""
        return all(getattr(self, name) == _DEFAULTS[name] for name in _VENUE_SLOTS) and self.carry_rest

    @property
    def plain(self) -> Execution:
        """The same without limits, levels, margin and volume: what a hedged pair is traded by."""
        defaults: dict[str, Any] = {name: _DEFAULTS[name] for name in (*_VENUE_SLOTS, "carry_rest")}
        return replace(self, **defaults)

    def rules(self, *, hedged: bool, interval_seconds: int, funded: bool) -> Floats:
        """The `rules` vector of `kernels.venue`, whose first part is that of `kernels.account`."""
        rules = np.zeros(venue.VENUE_RULES)
        for name, (slot, scale) in {**_ACCOUNT_SLOTS, **_VENUE_SLOTS}.items():
            rules[slot] = (getattr(self, name) or 0.0) * scale
        if self.maker_fee_bps is None:
            rules[venue.MAKER_FEE] = rules[account.FEE]
        rules[account.HEDGED] = float(hedged)
        rules[venue.CARRY_REST] = float(self.carry_rest)
        rules[venue.FUNDED] = float(funded)
        rules[venue.INTERVAL_DAYS] = interval_seconds / SECONDS_PER_DAY
        rules[venue.OPTIMISTIC] = float(self.ambiguous_fills == "optimistic")
        return rules


def describe_execution() -> list[dict[str, Any]]:
    """Every option with its default and what it means."""
    return [
        {"name": each.name, "default": None if each.default == inf else each.default, "text": each.metadata["text"]}
        for each in fields(Execution)
    ]


_BPS, _PCT = 1e-4, 1e-2
_ACCOUNT_SLOTS = {
    "fee_bps": (account.FEE, _BPS),
    "slippage_bps": (account.SLIPPAGE, _BPS),
    "lot": (account.LOT, 1.0),
    "units": (account.UNITS, 1.0),
    "rebalance_threshold": (account.THRESHOLD, 1.0),
    "max_notional": (account.MAX_NOTIONAL, 1.0),
    "max_order_age_bars": (account.MAX_AGE_BARS, 1.0),
}
_VENUE_SLOTS = {
    "maker_fee_bps": (venue.MAKER_FEE, _BPS),
    "volume_slippage_bps": (venue.VOLUME_SLIPPAGE, _BPS),
    "impact_bps": (venue.IMPACT, _BPS),
    "max_volume_share": (venue.MAX_VOLUME_SHARE, 1.0),
    "tick": (venue.TICK, 1.0),
    "min_notional": (venue.MIN_NOTIONAL, 1.0),
    "limit_offset_bps": (venue.LIMIT_OFFSET, _BPS),
    "stop_loss_pct": (venue.STOP_DISTANCE, _PCT),
    "take_profit_pct": (venue.TAKE_PROFIT_DISTANCE, _PCT),
    "trailing_stop_pct": (venue.TRAIL_DISTANCE, _PCT),
    "leverage": (venue.LEVERAGE, 1.0),
    "maintenance_margin_pct": (venue.MAINTENANCE, _PCT),
    "liquidation_fee_bps": (venue.LIQUIDATION_FEE, _BPS),
    "borrow_pct": (venue.BORROW_RATE, _PCT),
}
_DEFAULTS = {each.name: each.default for each in fields(Execution)}


def _checked(each: Field[Any], given: Any) -> float:
    """The value as a float, or a refusal that says what is allowed."""
    if isinstance(given, bool) or not isinstance(given, Real):
        raise UsageError(f"{each.name} is {given!r}; it must be a number")
    value, above, below = float(given), each.metadata["above"], each.metadata["below"]
    bounded = value < below or (isinf(value) and each.metadata["endless"])
    if not bounded or not value >= 0.0 or (above is not None and value <= above):
        allowed = "0 or more" if above is None else f"more than {above:g}"
        most = f" and less than {below:g}" if below != inf else ""
        raise UsageError(f"{each.name} is {given}; allowed is {allowed}{most}")
    return value
