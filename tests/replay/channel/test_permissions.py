"""Who may do what: every verb, every stream and every fetch, with everything that can be shown.

The table is that of docs/protocol.md; each of its cells is tried.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.flight as fl
import pytest
from barstep.replay.channel.identity import Identity
from barstep.replay.channel.server import ChannelServer
from barstep.replay.clock import SystemClock
from certificate_making import AUTHORITY, CLIENT, DESK, SERVER, STRANGER, identity, made
from channel_making import LESSER, READ, SECRET, BareStream, bare, ending_of_call, entry, headers, serving, table

PAGE = Path(__file__).parents[3] / "docs/protocol.md"
OLD = "a-token-of-yesterday"


@dataclass(frozen=True)
class Shown:
    """What a call shows: a token, and under mTLS a certificate, and one in the header."""

    token: str | None = SECRET
    tls: Identity = CLIENT
    header: Identity | None = CLIENT
    plain: bool = False


def _two() -> Identity:
    return identity(made(DESK, "second.example", issuer=AUTHORITY), AUTHORITY)


SHOWN = {
    "a token with the scope": Shown(),
    "no token": Shown(token=None),
    "a token that is not known": Shown(token="x" * 64),
    "a token that has expired": Shown(token=OLD),
    "a token without the scope": Shown(token=LESSER),
    "no certificate": Shown(tls=Identity(authority=AUTHORITY.pem, certificate=b"", key=b"", name="")),
    "a certificate of another authority": Shown(tls=identity(made(DESK, issuer=STRANGER), AUTHORITY)),
    "a certificate that has expired": Shown(tls=identity(made(DESK, issuer=AUTHORITY, days=(-3, -1)), AUTHORITY)),
    "a certificate with two names": Shown(tls=_two(), header=_two()),
    "two names, and one in the header": Shown(
        tls=replace(_two(), name=DESK), header=identity(made("second.example", issuer=AUTHORITY), AUTHORITY)
    ),
    "no certificate in the header": Shown(header=None),
    "no TLS": Shown(plain=True),
}
WITHOUT_TLS = [
    "a token with the scope",
    "no token",
    "a token that is not known",
    "a token that has expired",
    "a token without the scope",
]


class _NoHandshake(fl.ClientAuthHandler):
    def authenticate(self, outgoing: object, incoming: object) -> None:
        outgoing.write(b"me")  # type: ignore[attr-defined]
        incoming.read()  # type: ignore[attr-defined]

    def get_token(self) -> bytes:
        return b""


def exchange(name: str) -> Callable[[fl.FlightClient, fl.FlightCallOptions], object]:
    def call(client: fl.FlightClient, options: fl.FlightCallOptions) -> object:
        stream = BareStream(client, options, name)
        try:
            stream.write(b"\0hello")
            return stream.read()
        finally:
            stream.close()

    return call


def fetch(name: str) -> Callable[[fl.FlightClient, fl.FlightCallOptions], object]:
    return lambda client, options: client.do_get(fl.Ticket(name.encode()), options).read_all()


def put(client: fl.FlightClient, options: fl.FlightCallOptions) -> None:
    writer, reader = client.do_put(fl.FlightDescriptor.for_command("x"), pa.schema([("x", pa.int64())]), options)
    writer.write_batch(pa.record_batch([pa.array([1])], names=["x"]))
    writer.done_writing()
    reader.read()
    writer.close()


STREAMS = {f"stream `{name}`": exchange(name) for name in ("echo", "flood", "once")}
FETCHES = {f"fetch `{name}`": fetch(name) for name in ("numbers",)}
OTHERS: dict[str, Callable[[fl.FlightClient, fl.FlightCallOptions], object]] = {
    "DoPut": put,
    "DoAction": lambda client, options: list(client.do_action(fl.Action("x", b"y"), options)),
    "ListActions": lambda client, options: list(client.list_actions(options)),
    "ListFlights": lambda client, options: list(client.list_flights(b"", options)),
    "GetFlightInfo": lambda client, options: client.get_flight_info(fl.FlightDescriptor.for_command("x"), options),
    "GetSchema": lambda client, options: client.get_schema(fl.FlightDescriptor.for_command("x"), options),
}
COLUMNS = {"a stream": STREAMS, "a fetch": FETCHES, "another verb": OTHERS}


def page_rows() -> dict[str, list[str]]:
    """The table of the page: what is shown, and what is answered by column."""
    section = PAGE.read_text().split("## Who may do what")[1].split("\n## ")[0]
    rows = [
        [cell.strip().strip("`") for cell in row.strip("|").split("|")]
        for row in re.findall(r"^\|.*\|$", section, re.M)
    ]
    assert rows[0][1:] == list(COLUMNS)
    return {row[0]: row[1:] for row in rows[2:]}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[bool, ChannelServer]]:
    """One with mTLS and one without."""
    tokens = [entry(), entry("viewer", LESSER, READ), entry("old", OLD, expires_us=SystemClock().now_us() - 1)]
    with serving(tokens=table(*tokens), identity=SERVER) as secure, serving(tokens=table(*tokens)) as plain:
        yield {True: secure, False: plain}


def answer(server: ChannelServer, one: Shown, call: Callable[..., object], *, tls: bool) -> str:
    """What a call comes to: `answered`, a code, or `no connection`."""
    header = one.header if tls else None
    location = {"location": f"grpc://127.0.0.1:{server.port}"} if one.plain else {}
    with bare(server, one.tls if tls and not one.plain else None, **location) as client:
        told = ending_of_call(lambda: call(client, headers(one.token, header)))
    return "answered" if told is None else told.code


def test_the_page_has_a_row_for_everything_that_can_be_shown() -> None:
    """Neither the page nor this table knows more than the other."""
    assert list(page_rows()) == list(SHOWN)


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("column", COLUMNS)
def test_with_certificates_the_table_of_the_page_holds(
    servers: dict[bool, ChannelServer], shown: str, column: str
) -> None:
    """Every stream, fetch and other verb comes to what the page says."""
    expected = page_rows()[shown][list(COLUMNS).index(column)]
    for name, call in COLUMNS[column].items():
        assert answer(servers[True], SHOWN[shown], call, tls=True) == expected, name


@pytest.mark.parametrize("shown", WITHOUT_TLS)
@pytest.mark.parametrize("column", COLUMNS)
def test_without_certificates_tokens_count_the_same(
    servers: dict[bool, ChannelServer], shown: str, column: str
) -> None:
    """On this machine the rows of tokens hold as they do with mTLS."""
    expected = page_rows()[shown][list(COLUMNS).index(column)]
    for name, call in COLUMNS[column].items():
        assert answer(servers[False], SHOWN[shown], call, tls=False) == expected, name


@pytest.mark.parametrize("tls", [True, False])
def test_a_handshake_opens_nothing(servers: dict[bool, ChannelServer], tls: bool) -> None:
    """Flight's own way to log in is not there, with or without a token, and calls after it are still refused."""
    with bare(servers[tls], CLIENT if tls else None) as client:
        with pytest.raises((pa.ArrowException, NotImplementedError)) as refused:
            client.authenticate(_NoHandshake(), headers(None))
        assert "Traceback" not in str(refused.value)
        told = ending_of_call(lambda: fetch("numbers")(client, headers(None)))
        assert told is not None
        assert told.code == "authorization"


@pytest.mark.parametrize("column", ["a stream", "a fetch"])
def test_the_scope_that_is_asked_for_is_the_one_of_the_stream_or_fetch(
    servers: dict[bool, ChannelServer], column: str
) -> None:
    """What is refused to a lesser scope is told with the id of the token and with what it lacks."""
    for call in COLUMNS[column].values():
        with bare(servers[False]) as client:
            told = ending_of_call(lambda call=call, client=client: call(client, headers(LESSER)))
        assert told is not None
        assert told.message == "token 'viewer' lacks the scope write; it has read."
