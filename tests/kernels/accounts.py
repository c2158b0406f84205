"""One account over some bars, for the tests of orders, fills, equity and trades; and what a plain loop makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from barstep.kernels import account
from contract import POISON
from hypothesis import strategies as st
from inputs import Floats
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Market:
    """Bars of one venue, or of two where the account is hedged: a short position of the second mirrors the first."""

    opens: Floats
    closes: Floats
    other_opens: Floats
    other_closes: Floats
    numbers: NDArray[np.int64]
    hedged: bool = False

    @property
    def marks(self) -> Floats:
        return self.closes - self.other_closes if self.hedged else self.closes

    def __len__(self) -> int:
        return self.opens.size


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The rules of an account by name, as `account.RULES` lists them."""

    fee: float = 0.0
    slippage: float = 0.0
    lot: float = 1.0
    units: float = 0.0
    threshold: float = 0.0
    max_notional: float = float("inf")
    max_age_bars: float = 3.0
    capital: float = 1000.0

    def rules(self, hedged: bool) -> Floats:
        rules = np.zeros(account.RULES)
        rules[account.FEE], rules[account.SLIPPAGE], rules[account.LOT] = self.fee, self.slippage, self.lot
        rules[account.UNITS], rules[account.THRESHOLD] = self.units, self.threshold
        rules[account.MAX_NOTIONAL], rules[account.MAX_AGE_BARS] = self.max_notional, self.max_age_bars
        rules[account.HEDGED] = float(hedged)
        return rules


@dataclass
class Outcome:
    """What an account came to: its fills, of which `rows` gives (bar, leg, lots, price, fee), and its carry."""

    fills: Floats
    carry: Floats

    @property
    def rows(self) -> list[tuple[float, ...]]:
        return [tuple(map(float, row)) for row in self.fills[: account.FILL_KIND].T]

    def __getitem__(self, slot: int) -> float:
        return float(self.carry[slot])


def one_venue(opens: Sequence[float], closes: Sequence[float] | None = None, first_number: int = 7) -> Market:
    """Bars without gaps; each closes where it opens unless closes are given. The second venue is never to be read."""
    opened = np.array(opens, dtype=float)
    closed = opened.copy() if closes is None else np.array(closes, dtype=float)
    none = np.full(opened.size, POISON)
    numbers = np.arange(first_number, first_number + opened.size)
    return Market(opens=opened, closes=closed, other_opens=none, other_closes=none, numbers=numbers)


def two_venues(opens: Sequence[float], others: Sequence[float]) -> Market:
    """Bars of two venues that close where they open."""
    first, second = np.array(opens, dtype=float), np.array(others, dtype=float)
    numbers = np.arange(first.size)
    return Market(
        opens=first, closes=first.copy(), other_opens=second, other_closes=second.copy(), numbers=numbers, hedged=True
    )


def trade(
    market: Market, wishes: Sequence[float], terms: Terms, cuts: Sequence[int] = (), capacity: int = 1000
) -> Outcome:
    """Run the kernel, cut before each bar of `cuts`; a full table is made longer and the call taken up again."""
    target = np.array(wishes, dtype=float)
    rules, carry = terms.rules(market.hedged), np.zeros(account.ACCOUNT_CARRY)
    carry[account.CASH] = terms.capital
    fills = np.full((account.FILL_COLUMNS, capacity), POISON)
    for start, stop in pairwise([0, *sorted(cuts), len(market)]):
        at = start
        while at < stop:
            at = account.trade_targets(
                market.opens, market.closes, market.marks, market.other_opens, market.numbers,
                target[at:stop].copy(), rules, carry, fills, at, stop,
            )  # fmt: skip
            if at < stop:
                fills = np.concatenate((fills, np.full((account.FILL_COLUMNS, 2), POISON)), axis=1)
    count = int(carry[account.FILLS])
    assert not (fills[:, count:].view(np.int64) != np.float64(POISON).view(np.int64)).any(), "written beyond the fills"
    return Outcome(np.ascontiguousarray(fills[:, :count]), carry)


def equity(market: Market, outcome: Outcome, terms: Terms, cuts: Sequence[int] = ()) -> Floats:
    """The kernel's equity curve, cut before each bar of `cuts`."""
    carry = np.zeros(account.MARK_CARRY)
    carry[account.MARK_CASH] = terms.capital
    curve = np.full(len(market), POISON)
    for start, stop in pairwise([0, *sorted(cuts), len(market)]):
        piece = np.full(stop - start, POISON)
        account.mark_equity(outcome.fills, market.marks, terms.lot, carry, piece, start, stop)
        curve[start:stop] = piece
    return curve


@dataclass
class Book:
    """An account as one keeps it by hand: money, quantities of both legs, and the order that waits."""

    cash: float
    held: list[int] = field(default_factory=lambda: [0, 0])
    accepted: float = 0.0
    order: tuple[int, int, float] | None = None
    fills: list[tuple[float, ...]] = field(default_factory=list)
    curve: list[float] = field(default_factory=list)
    signals: int = 0
    without_lot: int = 0
    abandoned: int = 0
    cut: int = 0


def _execute(book: Book, bar: int, leg: int, lots: int, price: float, terms: Terms) -> None:
    paid = price * (1 + terms.slippage) if lots > 0 else price * (1 - terms.slippage)
    fee = abs(lots) * terms.lot * paid * terms.fee
    book.cash -= lots * terms.lot * paid
    book.cash -= fee
    book.held[leg] += lots
    book.fills.append((bar, leg, lots, paid, fee, 0, price))


def _paid_for(book: Book, lots: int, opening: float, other: float, terms: Terms) -> int:
    """The most of an order after which positions and fees are worth no more than the account, found by halving.

    What lowers the position is always paid for. `other` is the open of the second leg, 0 where there is none.
    """
    side = 1 if lots > 0 else -1
    first, second = terms.lot * opening * (1 + side * terms.slippage), terms.lot * other * (1 - side * terms.slippage)
    worth = book.cash + book.held[0] * first + book.held[1] * second

    def is_paid(size: int) -> bool:
        return (abs(book.held[0] + side * size) + size * terms.fee) * (first + second) <= worth * (1 + 1e-15)

    if is_paid(abs(lots)):
        return lots
    least, most = min(max(-side * book.held[0], 0), abs(lots)), abs(lots)
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if is_paid(middle) else (least, middle)
    return side * (most if least == abs(lots) else least)


def _wanted(wish: float, worth: float, price: float, other: float, terms: Terms) -> int:
    """Whole lots that a wish stands for, towards zero."""
    money = abs(wish) * max(worth, 0.0)
    quantity = abs(wish) * terms.units if terms.units else money / (price + other)
    quantity = min(quantity, terms.max_notional / price)
    lots = int(quantity / terms.lot * (1 + 1e-15))
    return lots if wish > 0 else -lots


def by_hand(market: Market, wishes: Sequence[float], terms: Terms) -> Book:
    """The same account, kept by a plain loop: each leg by itself, valued at its own venue's close."""
    book = Book(terms.capital)
    refused_to = 0.0
    for bar, wish in enumerate(wishes):
        if book.order is not None:
            lots, ordered, refused_to = book.order
            book.order = None
            late = market.numbers[bar] - ordered > terms.max_age_bars
            if late or (market.hedged and not market.other_opens[bar] > 0):
                book.abandoned, book.accepted = book.abandoned + 1, refused_to
            else:
                other = market.other_opens[bar] if market.hedged else 0.0
                paid_for = _paid_for(book, lots, market.opens[bar], other, terms)
                book.cut += paid_for != lots
                if not paid_for:
                    book.accepted = refused_to
                else:
                    _execute(book, bar, 0, paid_for, market.opens[bar], terms)
                    if market.hedged:
                        _execute(book, bar, 1, -paid_for, other, terms)
        close, other = market.closes[bar], market.other_closes[bar] if market.hedged else 0.0
        worth = book.cash + terms.lot * (book.held[0] * close + book.held[1] * other)
        book.curve.append(worth)
        if abs(wish - book.accepted) > terms.threshold:
            book.signals += 1
            change = _wanted(wish, worth, close, other, terms) - book.held[0]
            if change:
                book.order = (change, int(market.numbers[bar]), book.accepted)
            elif wish:  # to be flat takes no lot
                book.without_lot += 1
            book.accepted = wish
    return book


@st.composite
def situations(draw: st.DrawFn, hedged: bool | None = None) -> tuple[Market, Floats, Terms]:
    """A market with gaps and missing second-leg opens, wishes that change now and then, and terms."""
    n = draw(st.integers(1, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    opens = 100.0 * np.exp(np.cumsum(0.02 * rng.standard_normal(n)))
    closes = opens * np.exp(0.01 * rng.standard_normal(n))
    other_opens, other_closes = (prices * np.exp(0.01 * rng.standard_normal(n)) for prices in (opens, closes))
    other_opens[rng.random(n) < 0.1] = np.nan
    market = Market(
        opens=opens, closes=closes, other_opens=other_opens, other_closes=other_closes,
        numbers=np.cumsum(rng.choice([1, 1, 1, 2, 9], n)), hedged=draw(st.booleans()) if hedged is None else hedged,
    )  # fmt: skip
    levels = rng.choice([-1.0, -0.4, 0.0, 0.3, 0.97], n)
    wishes = levels[
        np.maximum.accumulate(np.where(rng.random(n) < draw(st.sampled_from([0.03, 0.5])), np.arange(n), 0))
    ]
    terms = Terms(
        fee=draw(st.sampled_from([0.0, 0.001])),
        slippage=draw(st.sampled_from([0.0, 0.0005])),
        lot=draw(st.sampled_from([1e-8, 0.013, 1.0])),
        units=draw(st.sampled_from([0.0, 3.7])),
        threshold=draw(st.sampled_from([0.0, 0.5])),
        max_notional=draw(st.sampled_from([float("inf"), 250.0])),
        max_age_bars=draw(st.sampled_from([1.0, 3.0])),
    )
    return market, wishes, terms
