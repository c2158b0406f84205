"""What became of a run's orders, in one durable file: a line of JSON for each event, folded when it is opened.

What is about to be sent is on the disk before it is sent, and a report before the loop is told. So a gateway that is
killed anywhere knows, when it starts again, which orders may be at the exchange and which numbers its reports had.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, Union

import msgspec
from msgspec import Struct

from ...errors import HeldError, JournalError
from ..channel.messages import FINAL, Order, Report
from ..journal.disk import REAL_DISK, Disk


class Event(Struct, frozen=True, kw_only=True, tag_field="event", forbid_unknown_fields=True):
    """What every line is."""


class Taken(Event, frozen=True, kw_only=True, tag="taken"):
    """An order came from the loop.

    Attributes:
        order: As it came.
        market: Where it is traded, as the exchange calls it.
        client_id: The id under which it is placed, if it is.
        unsure_until_us: Exchange time from which on its absence at the exchange is certain; 0: it was never sent.
    """

    order: Order
    market: str
    client_id: str
    unsure_until_us: int = 0


class Sent(Event, frozen=True, kw_only=True, tag="sent"):
    """It is about to be sent to the exchange; until it is told of again, it may be there or not.

    Attributes:
        order_id: Which.
        quantity: In base currency, as the exchange reads it.
        unsure_until_us: Exchange time from which on the request can no longer be carried out.
    """

    order_id: str
    quantity: str
    unsure_until_us: int


class Absent(Event, frozen=True, kw_only=True, tag="absent"):
    """The exchange does not have it, and what was sent can no longer arrive."""

    order_id: str


class Placed(Event, frozen=True, kw_only=True, tag="placed"):
    """The exchange has it, under this number of its own."""

    order_id: str
    exchange_id: str


class Told(Event, frozen=True, kw_only=True, tag="told"):
    """A report that the loop is told, now or again."""

    report: Report


AnyEvent: TypeAlias = Union[Taken, Sent, Absent, Placed, Told]  # noqa: UP007
_read = msgspec.json.Decoder(AnyEvent).decode
_encode = msgspec.json.Encoder().encode


@dataclass(kw_only=True)
class Standing:
    """Where an order stands, folded from its events.

    Attributes:
        order: As it came from the loop.
        market: Where it is traded.
        client_id: Its id at the exchange.
        quantity: What was sent, in base currency; empty: nothing yet.
        unsure_until_us: See `Sent`; 0: it is not under way.
        exchange_id: The exchange's number; empty: it is not known to be there.
        status: Of the last report; empty: none yet.
        lots: Traded, as told, above 0.
        lots_price: Sum of lots times price, as told.
        fee: As told.
    """

    order: Order
    market: str
    client_id: str
    quantity: str = ""
    unsure_until_us: int = 0
    exchange_id: str = ""
    status: str = ""
    lots: int = 0
    lots_price: float = 0.0
    fee: float = 0.0

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status in FINAL

    @property
    def is_unsure(self) -> bool:
        """Whether it may be at the exchange without our knowing."""
        return self.unsure_until_us > 0 and not self.exchange_id


class Ledger:
    """The orders and reports of one run. One process has it at a time.

    Args:
        path: The file, private; folders are made.
        disk: Where it lies.

    Attributes:
        standings: By order id, in the order in which they came.
        reports: All of the run, in order.
        last_number: Of the last report; greater than their count where earlier ones were lost with the file.

    Raises:
        HeldError: Another gateway has it.
        JournalError: It is not private, or holds what no gateway wrote.
    """

    def __init__(self, path: Path, disk: Disk = REAL_DISK) -> None:
        self.path, self._disk = path, disk
        self.standings: dict[str, Standing] = {}
        self._open: dict[str, Standing] = {}
        self.reports: list[Report] = []
        self.last_number = 0
        disk.make_folder(path.parent)
        try:
            self._lock = disk.lock(path.with_suffix(".lock"))
        except BlockingIOError:
            raise HeldError(f"{path}: another gateway serves this run.") from None
        try:
            self._fold()
            self._descriptor = disk.open(path)
            disk.sync_folder(path.parent)
        except BaseException:
            disk.close(self._lock)
            raise

    def close(self) -> None:
        """Give it back."""
        self._disk.close(self._descriptor)
        self._disk.close(self._lock)

    def add(self, *events: AnyEvent) -> None:
        """Make events durable, and only then let them count.

        Raises:
            JournalError: The disk would not; nothing may be done on their word.
        """
        try:
            self._disk.write(self._descriptor, b"".join(_encode(event) + b"\n" for event in events))
            self._disk.fdatasync(self._descriptor)
        except OSError as error:
            raise JournalError(f"{self.path}: cannot be written: {error.strerror}; nothing was sent.") from None
        for event in events:
            self._apply(event)

    def begin_numbers_after(self, number: int) -> None:
        """Never use a number again that the loop has a report of."""
        self.last_number = max(self.last_number, number)

    def unended(self) -> Iterator[Standing]:
        """Orders that something may still happen to."""
        return iter(list(self._open.values()))

    def _fold(self) -> None:
        try:
            with self._disk.read(self.path) as file:
                data = file.read()
        except FileNotFoundError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        for place, line in enumerate(whole.split(b"\n")[:-1], 1):
            try:
                self._apply(_read(line))
            except (msgspec.DecodeError, KeyError) as error:
                raise JournalError(f"{self.path}: line {place} is none of a gateway's: {error}.") from None
        if len(whole) < len(data):  # a crash cut the last line; nothing was done on its word
            self._write_anew(whole)

    def _write_anew(self, data: bytes) -> None:
        temporary = self.path.with_suffix(".new")
        descriptor = self._disk.open(temporary, fresh=True)
        try:
            self._disk.write(descriptor, data)
            self._disk.fdatasync(descriptor)
        finally:
            self._disk.close(descriptor)
        self._disk.replace(temporary, self.path)

    def _apply(self, event: AnyEvent) -> None:
        if isinstance(event, Taken):
            standing = Standing(
                order=event.order,
                market=event.market,
                client_id=event.client_id,
                unsure_until_us=event.unsure_until_us,
            )
            self.standings[event.order.order_id] = self._open[event.order.order_id] = standing
            return
        if isinstance(event, Told):
            self._tell(event.report)
            return
        standing = self.standings[event.order_id]
        if isinstance(event, Sent):
            standing.quantity, standing.unsure_until_us = event.quantity, event.unsure_until_us
        elif isinstance(event, Absent):
            standing.unsure_until_us = 0
        else:
            standing.exchange_id = event.exchange_id

    def _tell(self, report: Report) -> None:
        self.reports.append(report)
        self.last_number = report.number
        standing = self.standings[report.order_id]
        standing.status = report.status
        for fill in report.fills:
            standing.lots += abs(fill.lots)
            standing.lots_price += abs(fill.lots) * fill.price
            standing.fee += fill.fee
        if standing.has_ended:
            self._open.pop(report.order_id, None)
