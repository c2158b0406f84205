"""The run's orders at the exchange: each is placed once, whatever is lost on the way.

An order is written down before it is sent. Where no answer came, it may be at the exchange or not; it is then asked for
under its own id. That it is absent is believed only once its request can no longer be carried out (the exchange refuses
what is older than the window that the request itself states), and only then is it sent again, or given up for its age.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from ...errors import FeedError
from ...kernels.account import LOT, MAX_AGE_BARS
from ..adapter_log import AdapterLog
from ..channel.messages import FINAL, Book, Fill, Order, Orders, Report, Status
from ..clock import Clock
from ..live.backing_off import BackOff
from .client_ids import client_id_of
from .exchange import (
    Candle,
    DeclinedError,
    Exchange,
    ExchangeOrder,
    Market,
    NotAuthorizedError,
    ThrottledError,
    UnansweredError,
    decimal_of,
)
from .ledger import Absent, AnyEvent, Ledger, Placed, Sent, Standing, Taken, Told
from .sizing import quantity_of, refusal_of
from .traded import fill_of, traded_by

WINDOW_MARGIN_US = 1_000_000
"""Added to the exchange's window before an absent order is believed to be absent."""
ASKED_AGAIN_US, OPEN_AGAIN_US = 500_000, 1_000_000
"""Between two questions for one order: in doubt, and at the exchange."""
_MOST_REASON = 200
_STATUS: Mapping[str, Status] = {
    "filled": "filled",
    "cancelled": "cancelled",
    "expired": "cancelled",
    "rejected": "rejected",
}


class OrderDesk:
    """Takes orders, places them, and reports what becomes of them. `work` does what is due and never waits.

    Args:
        exchange: Where they are placed.
        ledger: Where all of it is kept.
        markets: By leg, those that this exchange trades.
        book: How the loop keeps its account.
        interval_us: Length of the loop's bars.
        clock: When it is time to ask again.
        back_off: How long to wait where the exchange does not answer.
        price_of: The last price of a leg; None where none is known.
        log: The adapter's log.
    """

    def __init__(
        self,
        *,
        exchange: Exchange,
        ledger: Ledger,
        markets: Mapping[int, Market],
        book: Book,
        interval_us: int,
        clock: Clock,
        back_off: BackOff,
        price_of: Callable[[int], float | None],
        log: AdapterLog,
    ) -> None:
        self._exchange, self._ledger, self._markets, self._book = exchange, ledger, markets, book
        self._interval_us, self._clock, self._back_off = interval_us, clock, back_off
        self._price_of, self._log = price_of, log
        self._cancels: set[str] = set()
        self._asked_us: dict[str, int] = {}
        self._rests_until_us = 0

    def take(self, message: Orders, *, lost_until_us: int) -> None:
        """Write orders down; those that are there already stay as they are.

        Args:
            message: What came from the loop.
            lost_until_us: The ledger may lack orders of the run that were decided by this time: each of them is asked
                for before it is placed. -1: it lacks none.

        Raises:
            FeedError: It names a leg or a schedule that the loop has not named before.
            JournalError: The ledger cannot be written.
        """
        end_us = self._end_of_window(self._exchange.latest_us())
        new: dict[str, AnyEvent] = {}
        for order in message.orders:
            if not 0 <= order.schedule < len(self._book.rules) or order.leg < 0:
                raise FeedError(f"order {order.order_id}: schedule {order.schedule}, leg {order.leg}: no such one.")
            if order.order_id not in self._ledger.standings:
                market = self._markets.get(order.leg)
                new[order.order_id] = Taken(
                    order=order,
                    market=market.name if market else "",
                    client_id=client_id_of(order.order_id, order.tag) or "",
                    unsure_until_us=end_us if market and order.sent_us <= lost_until_us else 0,
                )
        if new:
            self._ledger.add(*new.values())
        self._cancels.update(message.cancels)

    def work(self) -> None:
        """Do what is due: place, ask, cancel, report.

        Raises:
            JournalError: The ledger cannot be written.
        """
        if self._clock.monotonic_us() < self._rests_until_us:
            return
        try:
            for standing in self._ledger.unended():
                if self._is_due(standing):
                    self._advance(standing)
        except ThrottledError as pause:
            self._rests_until_us = self._clock.monotonic_us() + pause.wait_us
            self._log.write("throttled", wait_seconds=pause.wait_us / 1e6)
        except (UnansweredError, DeclinedError, NotAuthorizedError) as trouble:
            wait_us = self._back_off.next_us()
            self._rests_until_us = self._clock.monotonic_us() + wait_us
            self._log.write("unanswered", error=str(trouble), wait_seconds=wait_us / 1e6)

    def reconcile(self) -> None:
        """Ask for every order that may be at the exchange, and note open ones that are no order of this run."""
        self.work()
        ours = {standing.client_id for standing in self._ledger.standings.values()}
        for name in dict.fromkeys(market.name for market in self._markets.values()):
            for order in self._exchange.open_orders(name):
                if order.client_id not in ours:
                    self._log.write("stray_order", market=name, client_id=order.client_id, order=order.exchange_id)

    def _is_due(self, standing: Standing) -> bool:
        asked_us = self._asked_us.get(standing.order.order_id)
        spacing_us = OPEN_AGAIN_US if standing.exchange_id else ASKED_AGAIN_US
        return asked_us is None or self._clock.monotonic_us() - asked_us >= spacing_us

    def _advance(self, standing: Standing) -> None:
        if standing.exchange_id or standing.is_unsure:
            self._ask(standing)
        elif standing.order.order_id in self._cancels:
            self._tell(standing, "cancelled", reason="cancelled")
        elif self._waits_for_another(standing.order):
            return
        elif reason := self._refused(standing):
            self._tell(standing, "rejected", reason=reason)
        elif self._is_too_old(standing.order):
            self._tell(standing, "abandoned", reason="age")
        else:
            self._size_and_send(standing)

    def _refused(self, standing: Standing) -> str:
        """Why an order is not for this exchange at all; empty where it is."""
        order = standing.order
        if order.pair:
            return "pairs"
        if order.leg not in self._markets:
            return "venue"
        if not standing.client_id:
            return "tag"
        replaced = self._ledger.standings.get(order.replaces)
        return "replaced" if replaced is not None and replaced.lots > 0 else ""

    def _waits_for_another(self, order: Order) -> bool:
        """Whether the order that it replaces has not ended yet; that one is cancelled."""
        replaced = self._ledger.standings.get(order.replaces)
        if replaced is None or replaced.has_ended:
            return False
        self._cancels.add(order.replaces)
        return True

    def _is_too_old(self, order: Order) -> bool:
        number = self._exchange.earliest_us() // self._interval_us
        return not order.never_ages and number - order.decided > self._book.rules[order.schedule][MAX_AGE_BARS]

    def _size_and_send(self, standing: Standing) -> None:
        order, market = standing.order, self._markets[standing.order.leg]
        quantity = quantity_of(order.lots, self._lot(order), market)
        reason = refusal_of(quantity, self._price(order.leg, market), market)
        if reason:
            self._tell(standing, "rejected", reason=reason)
            return
        stamp_us = self._exchange.earliest_us()
        end_us = self._end_of_window(stamp_us)
        self._ledger.add(Sent(order_id=order.order_id, quantity=f"{quantity:f}", unsure_until_us=end_us))
        self._log.write("sent", order_id=order.order_id, client_id=standing.client_id, quantity=f"{quantity:f}")
        self._asked_us[order.order_id] = self._clock.monotonic_us()
        try:
            answer = self._exchange.place(
                market.name,
                side="buy" if order.lots > 0 else "sell",
                quantity=quantity,
                client_id=standing.client_id,
                stamp_us=stamp_us,
            )
        except ThrottledError:
            self._ledger.add(Absent(order_id=order.order_id))
            del self._asked_us[order.order_id]
            raise
        except (DeclinedError, NotAuthorizedError) as refused:
            self._log.write("declined", order_id=order.order_id, error=str(refused))
            self._tell(standing, "rejected", reason=_reason_of(refused))
        except UnansweredError as doubt:
            self._log.write("acknowledgement_lost", order_id=order.order_id, error=str(doubt))
        else:
            self._back_off.succeeded()
            self._found(standing, answer)

    def _ask(self, standing: Standing) -> None:
        order_id = standing.order.order_id
        self._asked_us[order_id] = self._clock.monotonic_us()
        asked_us = self._exchange.earliest_us()
        if order_id in self._cancels and standing.exchange_id:
            try:
                self._exchange.cancel(standing.market, standing.client_id)
            except DeclinedError as ended:
                self._log.write("not_cancelled", order_id=order_id, error=str(ended))
        answer = self._exchange.order(standing.market, standing.client_id)
        self._back_off.succeeded()
        if answer is not None:
            self._found(standing, answer)
        elif not standing.exchange_id and asked_us > standing.unsure_until_us:
            self._log.write("absent", order_id=order_id, client_id=standing.client_id)
            self._ledger.add(Absent(order_id=order_id))
            del self._asked_us[order_id]

    def _found(self, standing: Standing, answer: ExchangeOrder) -> None:
        """Report what the exchange says of an order, where it says anything new."""
        order, market = standing.order, self._markets[standing.order.leg]
        if not standing.exchange_id:
            self._ledger.add(Placed(order_id=order.order_id, exchange_id=answer.exchange_id))
        lot = self._lot(order)
        trades = answer.trades or ()
        # A list of trades weighs five times what the order does: it is asked for only where there are new ones.
        if answer.executed > max(standing.lots * lot, sum(trade.quantity for trade in trades)):
            trades = self._exchange.trades(market.name, answer.exchange_id)
            if sum(trade.quantity for trade in trades) < answer.executed:
                return  # the list lags behind the order; asked again
        traded = traded_by(trades, market, self._exchange)
        fill = fill_of(traded, lot, standing)
        at_us = max(answer.at_us, traded.last_us)
        if answer.state != "open":
            self._end(standing, answer, fill, at_us)
        elif fill is not None or not standing.status:
            told = standing.lots + (abs(fill.lots) if fill else 0)
            left = int(self._sent_quantity(standing) // lot) - told
            self._tell(standing, "partial" if told else "accepted", fill=fill, at_us=at_us, left=left)

    def _end(self, standing: Standing, answer: ExchangeOrder, fill: Fill | None, at_us: int) -> None:
        reason = ""
        if answer.state == "filled" and self._sent_quantity(standing) < abs(standing.order.lots) * self._lot(
            standing.order
        ):
            reason = "lot"
        elif answer.state == "cancelled":
            reason = "cancelled" if standing.order.order_id in self._cancels else "venue"
        elif answer.state != "filled":
            reason = f"venue: {answer.state}"
        self._tell(standing, _STATUS[answer.state], fill=fill, at_us=at_us, reason=reason)

    def _tell(
        self,
        standing: Standing,
        status: Status,
        *,
        fill: Fill | None = None,
        at_us: int | None = None,
        left: int = 0,
        reason: str = "",
    ) -> None:
        report = Report(
            number=self._ledger.last_number + 1,
            order_id=standing.order.order_id,
            at_us=self._exchange.earliest_us() if at_us is None else at_us,
            status=status,
            fills=[] if fill is None else [fill],
            left=left,
            reason=reason,
        )
        self._ledger.add(Told(report=report))
        self._log.write("report", number=report.number, order_id=report.order_id, status=status, reason=reason)
        if status in FINAL:
            self._asked_us.pop(report.order_id, None)
            self._cancels.discard(report.order_id)

    def _price(self, leg: int, market: Market) -> float | None:
        known = self._price_of(leg)
        if known is not None:
            return known
        minute_us = self._exchange.earliest_us() // 60_000_000 * 60_000_000
        return _last_close(
            self._exchange.candles(market.name, interval_seconds=60, from_us=minute_us - 120_000_000, limit=3)
        )

    def _lot(self, order: Order) -> Decimal:
        return decimal_of(self._book.rules[order.schedule][LOT])

    def _sent_quantity(self, standing: Standing) -> Decimal:
        """What was sent; for an order that was found after the ledger was lost, what would have been sent."""
        if standing.quantity:
            return Decimal(standing.quantity)
        return quantity_of(standing.order.lots, self._lot(standing.order), self._markets[standing.order.leg])

    def _end_of_window(self, stamp_us: int) -> int:
        """When a request of this time stamp can surely no longer be carried out."""
        return stamp_us + self._exchange.receive_window_us + WINDOW_MARGIN_US


def _last_close(candles: Sequence[Candle]) -> float | None:
    return candles[-1].close if candles else None


def _reason_of(refused: DeclinedError | NotAuthorizedError) -> str:
    """The exchange's own reason."""
    text = f"{refused.code} {refused.text}" if isinstance(refused, DeclinedError) else str(refused)
    return f"venue: {text}"[:_MOST_REASON]
