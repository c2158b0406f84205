"""The words for what a fill was, and for what became of signals that were not filled as asked."""

from __future__ import annotations

from collections.abc import Mapping

from ..kernels import account, fill_kinds, venue

FILL_KINDS: Mapping[int, str] = {
    fill_kinds.MARKET: "market",
    fill_kinds.LIMIT: "limit",
    fill_kinds.STOP: "stop",
    fill_kinds.TAKE_PROFIT: "take_profit",
    fill_kinds.TRAILING_STOP: "trailing_stop",
    fill_kinds.LIQUIDATION: "liquidation",
    fill_kinds.FUNDING: "funding",
    fill_kinds.BORROW_COST: "borrow",
}

REFUSALS: Mapping[str, tuple[int, str]] = {
    "without_a_whole_lot": (account.WITHOUT_LOT, "the change of position came to no whole lot"),
    "below_minimum": (venue.BELOW_MINIMUM, "the order was worth less than min_notional"),
    "cut_by_cash": (account.UNAFFORDABLE, "cash or margin did not allow the whole order, or none of it"),
    "cut_by_volume": (venue.OVER_VOLUME, "it was over max_volume_share of the bar; the rest waits or is cancelled"),
    "too_old": (account.ABANDONED, "no bar filled the order in time, or a leg had no price; the wish was asked again"),
}
"""Slot of the account's carry and text, by the reason's name."""

END_OF_DATA = "end_of_data"
"""An order was on hand when the data ended."""
