"""Accounts of the slow reference of the scheduler: orders at the open, what they cost, and what money allows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from barstep.engine.execution import Execution
from plain import wanted_lots
from plain_scheduler_market import SECOND_US, Asset, Quote

DAY_US = 86_400 * SECOND_US

Fill = tuple[int, str, str, float, float, float, str]
"""Open of the bar, schedule, instrument, quantity, price, fee, kind."""


@dataclass
class Order:
    """On hand: signed lots, when it was decided, and the wish and target that come back should nothing fill it.

    After a `partial` one, which has filled in part or follows one that had, no wish comes back: any is asked. What is
    `endless` does not grow too old. `limit` is the price that it rests at, 0 where it takes.
    """

    lots: int
    decided_us: int
    before: tuple[float, float]
    partial: bool = False
    endless: bool = False
    limit: float = 0.0

    @property
    def side(self) -> int:
        return 1 if self.lots > 0 else -1


@dataclass(eq=False)
class Cell:
    """What one schedule wants and has of one asset.

    `accepted` is the wish; `target` the share of equity that it came to when it was last acted on; `stopped` the side
    that a level has closed, until a run sees the wish leave it, and `closed` whether no other wish was accepted since;
    `again` whether any wish is a signal; `unset` whether its target is to be looked at at the next run.
    """

    schedule: str
    asset: Asset
    rules: Execution
    accepted: float = 0.0
    target: float = 0.0
    again: bool = False
    unset: bool = False
    closed: bool = False
    order: Order | None = None
    lots: int = 0
    entry: float = 0.0
    best: float = 0.0
    stopped: int = 0

    @property
    def standing(self) -> float:
        """The accepted wish as sums and targets count it."""
        return 0.0 if self.closed else self.accepted

    @property
    def known(self) -> float:
        """The accepted wish, on a closed side too; of a part that was filled only what stands is known."""
        return self.standing if self.again else self.accepted

    @property
    def units(self) -> float:
        return self.lots * self.rules.lot

    @property
    def side(self) -> int:
        return (self.lots > 0) - (self.lots < 0)

    @property
    def projected(self) -> int:
        """Lots held once the order on hand is filled."""
        return self.lots + (self.order.lots if self.order else 0)


@dataclass(eq=False)
class Account:
    """Cash and cells in declared order. Orders go out `drift_us` after they were decided."""

    cash: float
    cells: list[Cell]
    drift_us: int = 0
    fills: list[Fill] = field(default_factory=list)
    traded: float = 0.0

    @property
    def equity(self) -> float:
        """Cash and positions at their last closes."""
        return self.cash + sum(cell.units * cell.asset.worth for cell in self.cells if cell.lots)

    def wanted(self, cell: Cell, share: float) -> int:
        """Lots that a share of equity comes to at the last close."""
        rules, asset = cell.rules, cell.asset
        if asset.hedged and asset.price:  # `max_notional` is that of a leg
            rules = replace(rules, max_notional=rules.max_notional * asset.gross / asset.price)
        return wanted_lots(share, self.equity, asset.gross, rules) if asset.gross > 0.0 else 0

    def put_on_order(self, cell: Cell, before: float, share: float, lots: int, now_us: int, *, asked: bool) -> None:
        """Order what leads to `lots`, and set the target; the order on hand is replaced.

        before: the wish that is back should nothing come of it; that of an order on hand goes before it. The target of
        a move that comes to no order stays; `asked` is whether it is for a signal.
        """
        back = cell.order.before if cell.order else (before, cell.target)
        partial = cell.order.partial if cell.order else cell.again
        change, closes = lots - cell.lots, lots == 0
        too_small = abs(change) * cell.rules.lot * cell.asset.gross < cell.rules.min_notional and not closes
        if cell.asset.hedged:
            too_small = False
        cell.order = Order(change, now_us, back, partial) if change and not too_small else None
        if asked or cell.order:
            cell.target = share
        if asked:
            cell.again = False
        if cell.order and cell.rules.limit_offset_bps and not cell.asset.hedged and cell.lots * change >= 0:
            off = 1.0 - cell.order.side * cell.rules.limit_offset_bps / 1e4
            cell.order.limit = on_grid(cell.asset.gross * off, cell.rules.tick, up=change < 0)

    def flatten(self, cell: Cell, now_us: int) -> None:
        """Close at the next open, whenever that is."""
        cell.accepted, cell.target, cell.again, cell.unset, cell.closed = 0.0, 0.0, False, True, False
        cell.order = Order(-cell.lots, now_us, (0.0, 0.0), endless=True) if cell.lots else None

    def open_bars(self, now_us: int) -> None:
        """Borrow cost, then orders that lower a position, then the others."""
        trading = [(cell, cell.asset.opening[now_us]) for cell in self.cells if now_us in cell.asset.opening]
        for cell, quote in trading:
            self._borrow(cell, quote)
        asking = [(cell, quote) for cell, quote in trading if cell.order and not cell.order.limit]
        lowering = [(c, q) for c, q in asking if c.order and c.order.lots * c.lots < 0]
        others = [(c, q) for c, q in asking if c.order and c.order.lots * c.lots >= 0]
        for cell, quote in lowering + others:
            self.fill_order(cell, quote)

    def _borrow(self, cell: Cell, quote: Quote) -> None:
        """A short pays for each midnight since the bar before."""
        if cell.lots >= 0 or cell.rules.borrow_pct == 0.0 or cell.asset.hedged:
            return
        nights = quote.open_us // DAY_US - quote.before_us // DAY_US
        if nights:
            cost = abs(cell.units) * quote.open * cell.rules.borrow_pct / 100.0 / 365.0 * nights
            self.cash -= cost
            self.fills.append((quote.open_us, cell.schedule, cell.asset.name, 0.0, quote.open, cost, "borrow"))

    def fill_order(self, cell: Cell, quote: Quote) -> None:
        """Show the order on hand to a bar: at its open, a limit order once all of it is known."""
        order = cell.order
        assert order is not None
        if quote.open_us < order.decided_us + self.drift_us:
            return
        length = cell.asset.interval_us
        age = quote.open_us // length - (order.decided_us // length - 1)
        legless = cell.asset.hedged and quote.other_open is None
        if order.endless and legless:
            return
        if legless or (age > cell.rules.max_order_age_bars and not order.endless):
            cell.order = None
            _ask_again(cell, order)
            return
        if cell.asset.hedged:
            self._fill_pair(cell, quote, order)
        elif not order.limit or order.side * (quote.open - order.limit) <= 0.0:
            self._fill_single(cell, quote, order, quote.open)
        elif quote.low <= order.limit <= quote.high:
            self._fill_single(cell, quote, order, order.limit)

    def _fill_single(self, cell: Cell, quote: Quote, order: Order, reference: float) -> None:
        rules, side, rest = cell.rules, order.side, 0
        size = abs(order.lots)
        if rules.max_volume_share:
            most = math.floor(rules.max_volume_share * quote.volume / rules.lot * (1.0 + 1e-15))
            size, rest = min(size, most), max(size - most, 0)
        maker_bps = rules.fee_bps if rules.maker_fee_bps is None else rules.maker_fee_bps
        fee_bps = maker_bps if order.limit else rules.fee_bps

        def price(lots: int) -> float:
            return reference if order.limit else taken(reference, lots, quote.volume, rules)

        at, free = price(side * size), self._free(cell, quote.open_us)
        paid = paid_for(side * size, cell.lots, free, at, at, replace(rules, fee_bps=fee_bps), rules.leverage)
        if abs(paid) < size:
            size, rest = abs(paid), 0
        cell.order = replace(order, lots=side * rest, partial=order.partial or size > 0) if rest else None
        if not rules.carry_rest:
            cell.order = None
        if size:
            kind = "limit" if order.limit else "market"
            self.book(cell, side * size, price(side * size), reference, fee_bps / 1e4, kind, quote.open_us)
        elif not rest:
            _ask_again(cell, order)

    def _fill_pair(self, cell: Cell, quote: Quote, order: Order) -> None:
        rules, side, other = cell.rules, math.copysign(1.0, order.lots), quote.other_open
        assert other is not None
        worse = side * rules.slippage_bps / 1e4
        first, second = quote.open * (1.0 + worse), other * (1.0 - worse)
        free = self._free(cell, quote.open_us)
        lots = paid_for(order.lots, cell.lots, free, first - second, first + second, rules, 1.0)
        cell.order = None
        if not lots:
            _ask_again(cell, order)
            return
        held = cell.lots
        self.book(cell, lots, first, quote.open, rules.fee_bps / 1e4, "market", quote.open_us)
        cell.lots = held
        self.book(cell, -lots, second, other, rules.fee_bps / 1e4, "market", quote.open_us, cell.asset.other_name)
        cell.lots = held + lots

    def _free(self, own: Cell, now_us: int) -> float:
        """Cash, and of the other positions what they are worth less the margin that they bind, at the opens."""
        free = self.cash
        for cell in self.cells:
            if cell is own or not cell.lots:
                continue
            quote = cell.asset.opening.get(now_us)
            worth, gross = cell.asset.worth_at_open(quote) if quote else (cell.asset.worth, cell.asset.gross)
            leverage = 1.0 if cell.asset.hedged else cell.rules.leverage
            free += cell.units * worth - abs(cell.units) * gross / leverage
        return free

    def book(
        self,
        cell: Cell,
        lots: int,
        price: float,
        reference: float,
        fee_share: float,
        kind: str,
        bar_us: int,
        leg: str = "",
    ) -> None:
        """Pay for a fill and keep the average entry."""
        value = lots * cell.rules.lot * price
        fee = abs(value) * fee_share
        self.cash -= value + fee
        self.traded += abs(value)
        after = cell.lots + lots
        if cell.lots * lots >= 0:
            cell.entry = (cell.entry * abs(cell.lots) + price * abs(lots)) / abs(after)
        elif after * cell.lots < 0:
            cell.entry = price
        if cell.lots * after <= 0:
            cell.best = reference
        cell.lots = after
        name = leg or cell.asset.name
        self.fills.append((bar_us, cell.schedule, name, lots * cell.rules.lot, price, fee, kind))

    def of(self, schedule: str) -> Iterator[Cell]:
        return (cell for cell in self.cells if cell.schedule == schedule)


def _ask_again(cell: Cell, order: Order) -> None:
    """Nothing came of an order: the wish of before is back. Where none stood for what is held, any is asked."""
    if order.partial:
        cell.again = True
    else:
        cell.accepted = order.before[0]
    cell.target, cell.unset = order.before[1], True


def taken(reference: float, lots: int, volume: float, rules: Execution) -> float:
    """What a taker pays or gets."""
    worse = rules.slippage_bps / 1e4
    if rules.volume_slippage_bps or rules.impact_bps:
        share = abs(lots) * rules.lot / volume if volume > 0.0 else 1.0
        worse += rules.volume_slippage_bps / 1e4 * share + rules.impact_bps / 1e4 * math.sqrt(share)
    if lots > 0:
        return on_grid(reference * (1.0 + worse), rules.tick, up=True)
    return on_grid(reference * max(1.0 - worse, 0.0), rules.tick, up=False)


def on_grid(price: float, tick: float, *, up: bool) -> float:
    if tick == 0.0:
        return price
    steps = price / tick
    if abs(steps - round(steps)) > 1e-9:
        return (math.ceil(steps) if up else math.floor(steps)) * tick
    return round(steps) * tick


def paid_for(lots: int, held: int, free: float, worth: float, bound: float, rules: Execution, leverage: float) -> int:
    """The most of an order that leaves, its fee paid, the margin of what is then held.

    worth, bound: of one unit, what it is worth and the value that margin and fee are taken of. What only lowers the
    position is always paid for.
    """
    lot_worth, lot_bound, fee_share = rules.lot * worth, rules.lot * bound, rules.fee_bps / 1e4
    closing = min(abs(lots), abs(held)) if lots * held < 0 else 0
    still = abs(held) if lots * held >= 0 else 0
    left = free + held * lot_worth - still * lot_bound / leverage - closing * lot_bound * fee_share
    most = math.floor(left / (lot_bound * (1.0 / leverage + fee_share)) * (1.0 + 1e-15))
    return int(math.copysign(closing + min(abs(lots) - closing, max(most, 0)), lots))
