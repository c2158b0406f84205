"""A venue over some bars, for the tests of its kernel: terms by name, one call or many, and cases by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf

import numpy as np
from barstep.kernels import account, venue
from barstep.kernels.columns import CLOSE
from contract import POISON
from inputs import Floats
from numpy.typing import NDArray

Bar = float | tuple[float, ...]
"""Open, high, low, close and, where it matters, volume; a number alone is a bar that stays there."""

FILL = tuple[int, float, float, int]
"""Bar, lots, price, kind."""


def rules_of(**terms: float) -> Floats:
    """The rules vector by the names of its slots in small letters. Nothing is asked for that is not named."""
    usual = {
        "lot": 1.0, "max_notional": inf, "max_age_bars": 3.0, "carry_rest": 1.0, "leverage": 1.0,
        "interval_days": 1 / 24, "maker_fee": terms.get("fee", 0.0),
    }  # fmt: skip
    rules = np.zeros(venue.VENUE_RULES)
    for name, value in (usual | terms).items():
        rules[getattr(venue, name.upper(), None) or getattr(account, name.upper())] = value
    return rules


@dataclass
class Outcome:
    """What trading came to: the fills, the account, and the last close."""

    fills: Floats
    carry: Floats
    rules: Floats
    last: float

    def __getitem__(self, slot: int) -> float:
        return float(self.carry[slot])

    @property
    def rows(self) -> list[tuple[float, ...]]:
        """(bar, lots, price, kind) of every row."""
        order = [account.FILL_BAR, account.FILL_LOTS, account.FILL_PRICE, account.FILL_KIND]
        return [tuple(map(float, row)) for row in self.fills[order].T]

    @property
    def equity(self) -> float:
        held = self[account.LOTS] * self.rules[account.LOT]
        return self[account.CASH] + (held * self.last if held else 0.0)


def columns_of(bars: Sequence[Bar]) -> Floats:
    """float64[column, bar] of bars by hand; a volume that is not given is poison."""
    rows = [(bar,) * 4 if isinstance(bar, float | int) else bar for bar in bars]
    columns = np.full((6, len(rows)), POISON)
    for at, row in enumerate(rows):
        opening, high, low, close = row[:4]
        assert low <= min(opening, close) <= max(opening, close) <= high, f"bar {at} is none"
        columns[: len(row), at] = row
    return columns


def follow(
    bars: Floats,
    wishes: Sequence[float] | Floats,
    rules: Floats,
    *,
    numbers: NDArray[np.int64] | None = None,
    funding: Floats | None = None,
    capital: float = 1000.0,
    cuts: Sequence[int] = (),
    capacity: int = 1000,
) -> Outcome:
    """Run the kernel, cut before each bar of `cuts`; a full table is made longer and the call taken up again."""
    target, n = np.array(wishes, dtype=float), bars.shape[1]
    places = np.arange(7, 7 + n) if numbers is None else numbers
    rates = np.empty(0) if funding is None else funding
    carry = np.zeros(venue.VENUE_CARRY)
    carry[account.CASH] = capital
    fills = np.full((account.FILL_COLUMNS, capacity), POISON)
    for start, stop in pairwise([0, *sorted(cuts), n]):
        at = start
        while at < stop:
            at = venue.trade_at_venue(bars, rates, places, target[at:stop].copy(), rules, carry, fills, at, stop)
            if at < stop:
                fills = np.concatenate((fills, np.full((account.FILL_COLUMNS, 3), POISON)), axis=1)
    count = int(carry[account.FILLS])
    assert not (fills[:, count:].view(np.int64) != np.float64(POISON).view(np.int64)).any(), "written beyond the fills"
    return Outcome(np.ascontiguousarray(fills[:, :count]), carry, rules, float(bars[CLOSE, -1]) if n else 0.0)


@dataclass(frozen=True)
class Case:
    """Bars, wishes and terms, and what they come to, computed by hand.

    Attributes:
        words: What happens, with its arithmetic. Sides and prices are those of the bars below it.
        bars: The history; the wish of each bar is made at its close.
        wishes: By bar; the last one stands for all that follow.
        terms: Rules by name; a wish of 1 is five units unless it says otherwise.
        fills: (bar, lots, price, kind) of every row.
        equity: At the last close, of 1000 at the start.
        counts: What slots of the account come to.
        numbers: Bar numbers, where they are not one after another.
        funding: Rates by bar; 0 after the last one given.
    """

    words: str
    bars: Sequence[Bar]
    wishes: Sequence[float]
    terms: Mapping[str, float]
    fills: Sequence[FILL]
    equity: float
    counts: Mapping[int, float] = field(default_factory=dict)
    numbers: Sequence[int] | None = None
    funding: Sequence[float] = ()

    def __str__(self) -> str:
        return self.words.split(":", maxsplit=1)[0].replace(" ", "-")

    def run(self, cuts: Sequence[int] = (), capacity: int = 1000) -> Outcome:
        n = len(self.bars)
        wishes = [*self.wishes, *[self.wishes[-1]] * (n - len(self.wishes))]
        rates = np.array([*self.funding, *[0.0] * (n - len(self.funding))])
        terms = {"units": 5.0, "funded": float(bool(self.funding))} | dict(self.terms)
        numbers = None if self.numbers is None else np.array(self.numbers)
        return follow(
            columns_of(self.bars), wishes, rules_of(**terms),
            numbers=numbers, funding=rates, cuts=cuts, capacity=capacity,
        )  # fmt: skip
