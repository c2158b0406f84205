"""docs/protocol.md says what the code does: messages, codes, bytes and limits, by reflection.

Its table of permissions is tried by test_permissions.py.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest
from barstep.replay.channel import frames, messages, queued_stream, service
from barstep.replay.channel.calls import OpenCalls
from barstep.replay.channel.endings import CODES, ENDED, INTERNAL, LONGEST_TEXT
from barstep.replay.channel.gate import CERTIFICATE_HEADER, TOKEN_HEADER
from barstep.replay.channel.message_queue import MOST_MESSAGES
from barstep.replay.channel.messages import FINAL, VERSION, Book, Fill, HistoryRequest, Leg, Order, Status
from barstep.replay.channel.opening import CHANNEL_VERSION, Opening
from barstep.replay.channel.server import ChannelServer

PAGE = (Path(__file__).parents[3] / "docs/protocol.md").read_text()
LOOP, VENUE = get_args(messages.FromLoop), get_args(messages.FromVenue)
PARTS = {"leg": Leg, "book": Book, "order": Order, "fill": Fill, "history request": HistoryRequest}
NAMES = {kind: name for name, kind in PARTS.items()}


def section(title: str) -> str:
    """What stands under a title, to the next one of any depth."""
    found = re.findall(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert len(found) == 1, title
    return str(found[0])


def rows(text: str, columns: str) -> list[list[str]]:
    """The rows of the table with these columns."""
    tables = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    (table,) = [one for one in tables if cells(one.splitlines()[0]) == columns.split(" / ")]
    return [cells(row) for row in table.splitlines()[2:]]


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def written(kind: Any) -> str:
    """A type as the page writes it."""
    if get_origin(kind) is list:
        return f"list of {written(get_args(kind)[0])}"
    if get_origin(kind) is Literal:
        return "str"
    return NAMES.get(kind) or str(kind.__name__)


def fields(kind: type[msgspec.Struct]) -> list[list[str]]:
    """Name, type and default of each field, as the page writes them."""
    hints = get_type_hints(kind)
    return [
        [f"`{one.name}`", written(hints[one.name]), "" if one.required else f"`{json.dumps(default(one))}`"]
        for one in msgspec.structs.fields(kind)
    ]


def default(field: Any) -> object:
    return field.default_factory() if field.default is msgspec.NODEFAULT else field.default


def tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


@pytest.mark.parametrize("kind", [*LOOP, *VENUE, *PARTS.values()], ids=lambda kind: kind.__name__)
def test_fields_are_those_of_the_message(kind: type[msgspec.Struct]) -> None:
    """In order, with type and default; a message without fields says so."""
    title = NAMES.get(kind) or f"`{tag(kind)}`"
    if not kind.__struct_fields__:
        assert section(title).strip() == "It has no fields."
        return
    assert [row[:3] for row in rows(section(title), "field / type / left out / meaning")] == fields(kind)


def test_every_message_stands_under_who_sends_it() -> None:
    """The loop's under the loop, the venue's under the venue, parts apart, and no other."""
    for title, tags in (
        ("Messages of the loop", [f"`{tag(kind)}`" for kind in LOOP]),
        ("Messages of the venue", [f"`{tag(kind)}`" for kind in VENUE]),
        ("Parts of messages", [name for name in PARTS if name != "history request"]),
    ):
        part = PAGE.split(f"\n### {title}\n")[1].split("\n### ")[0]
        assert re.findall(r"^#### (.*)$", part, re.MULTILINE) == tags
    defined = {one for one in vars(messages).values() if inspect.isclass(one) and issubclass(one, msgspec.Struct)}
    assert defined - {messages.Message} - {msgspec.Struct} == {*LOOP, *VENUE, *PARTS.values()}


def test_what_is_refused_is_what_the_page_says() -> None:
    """Unknown fields of messages are refused, those of their parts are not; a field of type str takes no number."""
    assert all(kind.__struct_config__.forbid_unknown_fields for kind in (*LOOP, *VENUE))
    assert not any(kind.__struct_config__.forbid_unknown_fields for kind in (Leg, Book, Order, Fill))
    whole = msgspec.msgpack.encode({"type": "complete", "at_us": 1})
    assert messages.read_from_venue(whole) == messages.Complete(at_us=1)
    bar = {"type": "bar", "leg": 0, "ts_us": 1, "open": 1, "high": 1, "low": 1, "close": 1, "volume": 0}
    assert isinstance(messages.read_from_venue(msgspec.msgpack.encode(bar)), messages.Bar)
    for wrong in ({"type": "complete", "at_us": 1.5}, {"type": "complete", "at_us": 1, "x": 2}, {"at_us": 1}):
        with pytest.raises(msgspec.DecodeError):
            messages.read_from_venue(msgspec.msgpack.encode(wrong))


def test_a_report_tells_so_many_fills_and_no_more() -> None:
    """Kernels write them to a table whose room is known; the page says how many."""
    fill = {"leg": 0, "lots": 1, "price": 1.0, "fee": 0.0, "reference": 1.0}
    report = {"type": "report", "number": 1, "order_id": "x", "at_us": 1, "status": "filled"}
    fits, many = ({**report, "fills": [fill] * count} for count in (messages.MOST_FILLS, messages.MOST_FILLS + 1))
    assert isinstance(messages.read_from_venue(msgspec.msgpack.encode(fits)), messages.Report)
    with pytest.raises(msgspec.ValidationError, match=r"\$\.fills"):
        messages.read_from_venue(msgspec.msgpack.encode(many))
    assert f"{messages.MOST_FILLS:,} at most" in PAGE


def test_states_of_orders_are_those_of_reports() -> None:
    """With which of them an order has ended."""
    table = rows(section("`report`"), "status / meaning / the order has ended")
    assert [row[0].strip("`") for row in table] == list(get_args(Status))
    assert {row[0].strip("`") for row in table if row[2] == "yes"} == FINAL


def test_codes_are_those_of_endings() -> None:
    """With the class that a client raises."""
    table = rows(section("Why it ended"), "code / what it means / at a client of barstep")
    expected = {code: kind.__name__ for code, kind in CODES.items()} | {ENDED: "FeedError", INTERNAL: "FeedError"}
    assert {row[0].strip("`"): row[2].strip("`") for row in table} == expected
    assert f"A text has at most {LONGEST_TEXT:,} letters." in PAGE


def test_bytes_headers_and_versions_are_those_of_the_code() -> None:
    """What a stream's frames begin with, what calls carry, and which versions these are."""
    table = rows(section("Streams"), "byte / who / what follows")
    kinds = (queued_stream.MESSAGE, queued_stream.END, queued_stream.OPENED)
    assert [row[0] for row in table] == [f"`{one.hex()}`" for one in kinds]
    opening = Opening(channel=CHANNEL_VERSION, message_bytes=service.DEFAULT_MESSAGE_BYTES)
    assert json.dumps(msgspec.to_builtins(opening)) in table[2][2]
    headers = rows(section("Transport"), "header / what it holds")
    assert [row[0].strip("`") for row in headers] == [TOKEN_HEADER, CERTIFICATE_HEADER]
    assert f"This is version {VERSION} of the protocol." in PAGE
    assert f"its number in {frames.NUMBER_BYTES} bytes, little-endian" in PAGE
    assert f"Where more than {frames.MOST_AHEAD} wait" in PAGE
    assert f"A queue at each end keeps {MOST_MESSAGES:,} messages at most" in PAGE


def test_limits_are_the_defaults_of_a_server() -> None:
    """One message, a stalled reader, an ended stream, age and number."""
    server = defaults(ChannelServer.__init__)
    seconds = f"{server['send_timeout_us'] / 1e6:g} s"
    assert [row[1] for row in rows(section("Limits"), "what / limit / then")] == [
        f"{server['message_bytes']:,} bytes",
        seconds,
        seconds,
        f"{server['stream_age_seconds']:,.0f} s",
        str(server["most_calls"]),
    ]
    assert "patience_us" in inspect.signature(OpenCalls.__init__).parameters


def defaults(work: Callable[..., object]) -> dict[str, Any]:
    return {name: one.default for name, one in inspect.signature(work).parameters.items()}
