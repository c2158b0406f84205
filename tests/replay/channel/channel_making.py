"""A small service, servers of it that end with the test, and clients that say just what a test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
from barstep.errors import FeedError, UsageError
from barstep.replay.channel.certificates import shown
from barstep.replay.channel.client import ChannelClient
from barstep.replay.channel.endings import Ending, read_ending
from barstep.replay.channel.identity import Identity
from barstep.replay.channel.server import ChannelServer
from barstep.replay.channel.service import Caller, Stream
from barstep.replay.channel.tokens import TokenEntry, TokenTable
from barstep.replay.clock import Clock, SystemClock

READ, WRITE = "read", "write"
SECRET, LESSER = "a-secret-of-the-desk", "a-secret-of-a-viewer"
SCHEMA = pa.schema([("number", pa.int64())])
SECOND = 1_000_000


class SmallService:
    """Echoes, counts, fails; keeps who called and how its streams ended."""

    def __init__(self) -> None:
        self.streams = dict.fromkeys(["echo", "flood", "trouble", "foreseen", "once"], WRITE)
        self.fetches = dict.fromkeys(["numbers", "flood", "trouble", "late"], WRITE)
        self.callers: list[Caller] = []
        self.endings: list[str] = []
        self.ended = Event()

    def serve(self, name: str, caller: Caller, stream: Stream) -> None:
        self.callers.append(caller)
        try:
            getattr(self, name)(stream)
        except FeedError as error:
            self.endings.append(str(error))
            self.ended.set()
            raise

    def echo(self, stream: Stream) -> None:
        while True:
            stream.send(stream.receive() or b"")

    def flood(self, stream: Stream) -> None:
        while True:
            stream.send(bytes(50_000))

    def once(self, stream: Stream) -> None:
        stream.send(b"only this")

    def trouble(self, _: Stream) -> None:
        raise ZeroDivisionError("a detail of the inside")

    def foreseen(self, _: Stream) -> None:
        raise UsageError("schedule 'x' is none. Allowed: y.")

    def fetch(self, name: str, caller: Caller, ticket: bytes) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        self.callers.append(caller)
        if name == "trouble":
            raise ZeroDivisionError("a detail of the inside")
        return SCHEMA, self._batches(name, ticket)

    def _batches(self, name: str, ticket: bytes) -> Iterator[pa.RecordBatch]:
        yield pa.record_batch([pa.array([int(ticket or b"0")])], schema=SCHEMA)
        while name == "flood":
            yield pa.record_batch([pa.array(range(20_000))], schema=SCHEMA)
        if name == "late":
            raise ZeroDivisionError("a detail of the inside")


def entry(name: str = "desk", secret: str = SECRET, *scopes: str, expires_us: int | None = None) -> TokenEntry:
    return TokenEntry.of_secret(name, secret, scopes or (READ, WRITE), expires_us=expires_us)


def table(*entries: TokenEntry) -> TokenTable:
    return TokenTable(entries or [entry(), entry("viewer", LESSER, READ)])


@contextmanager
def serving(
    service: SmallService | None = None, tokens: TokenTable | None = None, **options: Any
) -> Iterator[ChannelServer]:
    """A server of the service; that it closes is part of each test."""
    server = ChannelServer(
        service or SmallService(), tokens=tokens or table(), clock=options.pop("clock", SystemClock()), **options
    )
    try:
        yield server
    finally:
        assert server.close(SECOND // 2)


@contextmanager
def calling(
    server: ChannelServer, token: str = SECRET, identity: Identity | None = None, clock: Clock | None = None
) -> Iterator[ChannelClient]:
    """A client that is closed with the test."""
    client = ChannelClient(server.address, token, identity=identity, clock=clock or SystemClock())
    try:
        yield client
    finally:
        client.close()


@contextmanager
def bare(server: ChannelServer, identity: Identity | None = None, **options: Any) -> Iterator[fl.FlightClient]:
    """Flight's own client, which keeps to nothing that ours does."""
    if identity is not None:
        shows = {"cert_chain": identity.certificate, "private_key": identity.key} if identity.certificate else {}
        options = {"tls_root_certs": identity.authority, **shows, **options}
    client = fl.FlightClient(options.pop("location", server.address), **options)
    try:
        yield client
    finally:
        client.close()


def headers(token: str | None = SECRET, identity: Identity | None = None) -> fl.FlightCallOptions:
    """What a call shows."""
    said = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
    if identity is not None and identity.certificate:
        said.append((b"barstep-certificate", shown(identity).encode()))
    return fl.FlightCallOptions(headers=said, timeout=20.0)


def ending_of_call(call: Callable[[], object]) -> Ending | None:
    """What a server says of a call of Flight's own client; None where it answers."""
    try:
        call()
    except (pa.ArrowException, OSError) as error:
        said = str(error)
        assert "Traceback" not in said
        assert ".py" not in said
        if "Detail: Unavailable" in said or isinstance(error, fl.FlightUnavailableError):
            return Ending(code="no connection", message=said)
        told = read_ending(getattr(error, "extra_info", b""))
        if told is None:  # some verbs of Flight's client lose what is beside the status, and the error's class
            assert "Detail: Unauthenticated" in said
            return Ending(code="authorization", message=said)
        return told
    return None


class BareStream:
    """A stream of Flight's own client, frame by frame."""

    def __init__(self, client: fl.FlightClient, options: fl.FlightCallOptions, name: str = "echo") -> None:
        self.writer, self.reader = client.do_exchange(fl.FlightDescriptor.for_command(name), options)

    def write(self, frame: bytes) -> None:
        self.writer.write_metadata(frame)

    def read(self) -> bytes:
        return bytes(self.reader.read_chunk().app_metadata)

    def close(self) -> None:
        self.reader.cancel()
        with suppress(Exception):
            self.writer.close()
