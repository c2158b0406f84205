"""The words for what a fill was, for what became of signals, and of orders that were not filled as asked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..kernels import account, decisions, fill_kinds, venue
from ..kernels.scheduler import governor
from .bars import Floats

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

DECISIONS: Mapping[int, str] = {
    decisions.WARMUP: "warmup",
    decisions.DRIFT: "drift",
    decisions.SUSPENDED: "suspended",
    decisions.DISABLED: "disabled",
    decisions.LIMIT: "limit",
    decisions.GOVERNOR: "governor",
    decisions.RISK: "risk",
    decisions.CAPABILITY: "capability",
    decisions.HALTED: "halted",
}
"""The word for why a signal was refused, by its code."""

DECISION_TEXTS: Mapping[str, str] = {
    "warmup": "too few bars of the instrument had closed (warmup_bars)",
    "drift": "the run started later than max_drift_seconds allows and was skipped",
    "suspended": "the schedule, or one of its tags, was suspended",
    "disabled": "the strategy was disabled",
    "limit": "the run had as many signals as its limit allows",
    "governor": "the portfolio's governor allowed no more signals or turnover",
    "risk": "the risk profile left no room, or let positions only become smaller",
    "capability": "the licence does not grant the strategy",
    "halted": "the loop was halted, or let positions only become smaller",
}
"""What each of these words says."""

GOVERNED: Mapping[int, str] = {
    governor.NOTHING: "",
    governor.BY_FALL: "drawdown",
    governor.BY_EXPOSURE: "gross exposure",
    governor.BY_TURNOVER: "turnover",
}
"""What the governor looked at, by its number in the kernels."""

REFUSALS: Mapping[str, str] = {
    "without_a_whole_lot": "the change of position came to no whole lot",
    "below_minimum": "the order was worth less than min_notional",
    "cut_by_cash": "cash did not allow the whole order, or none of it",
    "cut_by_margin": "free margin did not allow the whole order, or none of it (positions with leverage)",
    "cut_by_volume": "it was over max_volume_share of the bar; the rest waits or is cancelled",
    "too_old": "no bar filled the order in time, or a leg had no price; the wish was asked again",
    "end_of_data": "an order was on hand when the data ended",
}
"""What became of signals that were not filled as asked, by the reason's name."""


def count_refusals(accounts: Floats, leverage: float | Floats) -> dict[str, int]:
    """How many orders met each reason.

    accounts: float64[..., VENUE_CARRY] after the last bar; leverage: of each position.
    """
    with_margin = np.broadcast_to(leverage, accounts.shape[:-1]) > 1.0
    unpaid = accounts[..., account.UNAFFORDABLE]
    met = {
        "without_a_whole_lot": accounts[..., account.WITHOUT_LOT],
        "below_minimum": accounts[..., venue.BELOW_MINIMUM],
        "cut_by_cash": unpaid[~with_margin],
        "cut_by_margin": unpaid[with_margin],
        "cut_by_volume": accounts[..., venue.OVER_VOLUME],
        "too_old": accounts[..., account.ABANDONED],
        "end_of_data": accounts[..., account.PENDING] != 0.0,
    }
    return {name: int(met[name].sum()) for name in REFUSALS}
