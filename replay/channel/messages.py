"""What a loop and a venue say to each other. docs/protocol.md says the same for other languages.

A message is a MessagePack map whose member `type` names it. Times are microseconds since the epoch, UTC. Quantities are
whole lots. A leg is an instrument on one venue, named by its place in the list that `Hello` gives.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, Union

import msgspec
from msgspec import Struct

VERSION = 1
"""Of the protocol. Another one is refused in the answer to `Hello`."""


class Message(Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """What every message is."""


class Leg(Struct, frozen=True, kw_only=True):
    """One instrument on one venue.

    Attributes:
        name: What the loop calls it; a second leg of pairs is `venue:name`.
        venue: Where it trades.
        symbol: What that venue calls it.
        pair: Place of the second leg that pairs of it are traded with; -1 where there is none.
    """

    name: str
    venue: str
    symbol: str
    pair: int = -1


class Book(Struct, frozen=True, kw_only=True):
    """How the loop keeps its account: what a venue that fills exactly as a backtest does has to know.

    Attributes:
        capital: Cash before the first fill, in account currency.
        schedules: Names, sorted; positions are kept by schedule and instrument.
        order: Places of the schedules in declared order, in which orders of one instant are filled.
        instruments: How many of the legs are traded by themselves; the others are second legs.
        rules: By schedule the `rules` vector of `kernels.venue`.
    """

    capital: float
    schedules: list[str]
    order: list[int]
    instruments: int
    rules: list[list[float]]


class Hello(Message, frozen=True, kw_only=True, tag="hello"):
    """The first message of a loop.

    Attributes:
        version: Of the protocol.
        run: The run's id: 32 hexadecimal digits of its journal. Orders and reports are kept by it.
        interval_seconds: Length of the bars that are wanted.
        legs: What is watched and traded.
        book: How the account is kept.
        done_us: The last instant that the loop has done; -1: none, and the venue says where it stands.
        reports: How many reports of this run the loop has; the venue sends the later ones again.
        waiting: Ids of the orders that the loop waits for.
    """

    version: int
    run: str
    interval_seconds: int
    legs: list[Leg]
    book: Book
    done_us: int = -1
    reports: int = 0
    waiting: list[str] = []


class Welcome(Message, frozen=True, kw_only=True, tag="welcome"):
    """The venue's answer.

    Attributes:
        version: Of the protocol.
        venue: The venue's name.
        now_us: Where the venue stands: bars that close later are sent. For a run that goes on, its `done_us`, unless
            the venue has nothing that is so old.
        exact: Whether it waits for the loop's `Orders` after each instant, and fills as a backtest does.
        orders: Ids of the run's orders that it has, and that have not ended.
        known: Those of `Hello.waiting` that it has or had.
        clock_us: What its clock says in event time, by which lateness is measured; -1: it has none.
        speed: Seconds of event time that go by in a second; 0: its clock waits for the loop.
    """

    version: int
    venue: str
    now_us: int
    exact: bool
    orders: list[str]
    known: list[str]
    clock_us: int = -1
    speed: float = 1.0


class Bar(Message, frozen=True, kw_only=True, tag="bar"):
    """A bar that is closed.

    Attributes:
        leg: Whose.
        ts_us: When it opened.
    """

    leg: int
    ts_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Unfinished(Message, frozen=True, kw_only=True, tag="unfinished"):
    """A bar that has opened and not closed: what is known of it so far. The first one for a bar tells its open."""

    leg: int
    ts_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Complete(Message, frozen=True, kw_only=True, tag="complete"):
    """Every bar that closes at or before an instant was sent. Sent also where nothing was traded."""

    at_us: int


class Begun(Message, frozen=True, kw_only=True, tag="begun"):
    """The first price of every bar that opens at an instant was sent, as far as there is one.

    A venue that is `exact` has sent the reports of all fills at these opens, too.
    """

    at_us: int


Status: TypeAlias = Literal["accepted", "partial", "filled", "rejected", "cancelled", "abandoned"]
FINAL: frozenset[str] = frozenset({"filled", "rejected", "cancelled", "abandoned"})
"""What an order ends in."""


class Fill(Struct, frozen=True, kw_only=True):
    """A part of an order that was traded.

    Attributes:
        leg: Where.
        lots: How many, bought above 0.
        price: At what price.
        fee: In account currency.
        reference: Price before slippage, where the venue knows it; else the price.
    """

    leg: int
    lots: int
    price: float
    fee: float
    reference: float


MOST_FILLS = 1_000
"""That one report tells: the loop's table of fills has room for twice as many at any time."""


class Report(Message, frozen=True, kw_only=True, tag="report"):
    """What became of an order.

    Attributes:
        number: Counts the reports of a run from 1 on; one that comes again has the same number.
        order_id: Whose.
        at_us: When it happened.
        status: What it is now; `accepted`, `partial`, or what it has ended in.
        fills: What was traded; both legs of a pair in one report.
        left: Lots that are still on order.
        reason: Why it was cut, rejected, cancelled or abandoned: `cash`, `age`, `no_price`, `replaced`, `venue`, ...
    """

    number: int
    order_id: str
    at_us: int
    status: Status
    fills: Annotated[list[Fill], msgspec.Meta(max_length=MOST_FILLS)] = []
    left: int = 0
    reason: str = ""


class Order(Struct, frozen=True, kw_only=True):
    """A market order.

    Attributes:
        order_id: The same for the same decision, also after a restart; a venue takes one id once.
        tag: `<seq>.<first 16 digits of the MAC>` of its record in the loop's journal, kept with the order.
        schedule: Place of the schedule in the book.
        leg: Which instrument; with `pair`, its second leg is traded the other way.
        lots: How many, bought above 0.
        pair: Whether both legs are traded.
        decided: Number of the bar that it was decided at: open time over interval.
        sent_us: The instant of the decision.
        replaces: Id of an order that is cancelled first; this one is rejected (`replaced`) where that one was filled in
            part or whole. Empty: none.
        never_ages: Whether it waits for a price as long as it takes.
    """

    order_id: str
    tag: str
    schedule: int
    leg: int
    lots: int
    pair: bool = False
    decided: int
    sent_us: int
    replaces: str = ""
    never_ages: bool = False


class Orders(Message, frozen=True, kw_only=True, tag="orders"):
    """The loop has done an instant, and these are its orders; also where there are none.

    Attributes:
        at_us: The instant.
        orders: New ones, and after a reconnection those that may not have arrived.
        cancels: Ids of orders that are to be cancelled.
    """

    at_us: int
    orders: list[Order] = []
    cancels: list[str] = []


class Heartbeat(Message, frozen=True, kw_only=True, tag="heartbeat"):
    """The venue is there, and stands at this instant of event time."""

    at_us: int


class Refusal(Message, frozen=True, kw_only=True, tag="refusal"):
    """The other side will not go on; the stream ends. `code` is one of docs/protocol.md."""

    code: str
    message: str


class Goodbye(Message, frozen=True, kw_only=True, tag="goodbye"):
    """The loop leaves in order."""


FromVenue: TypeAlias = Union[Welcome, Bar, Unfinished, Complete, Begun, Report, Heartbeat, Refusal]  # noqa: UP007
FromLoop: TypeAlias = Union[Hello, Orders, Goodbye]  # noqa: UP007

encode = msgspec.msgpack.Encoder().encode
"""The bytes of a message."""
read_from_venue = msgspec.msgpack.Decoder(FromVenue).decode
"""A message of a venue; msgspec.DecodeError where it is none."""
read_from_loop = msgspec.msgpack.Decoder(FromLoop).decode
"""A message of a loop; msgspec.DecodeError where it is none."""


class HistoryRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ticket of a fetch, as JSON: closed bars of a leg, in order.

    The answer's columns are those of a normalised dataset: `timestamp` (UTC, microseconds), `open`, `high`, `low`,
    `close`, `volume`.

    Attributes:
        leg: Whose.
        interval_seconds: Length of the bars.
        from_us: Bars that open at this instant or later.
        to_us: Bars that are closed at this instant.
    """

    leg: Leg
    interval_seconds: int
    from_us: int
    to_us: int
