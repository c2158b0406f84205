"""Servers of the channel: where they listen, how their streams end, and that they close whatever clients do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.flight as fl
import pytest
from barstep.errors import AuthorizationError, BarstepError, FeedError, HeldError, UsageError
from barstep.replay.channel.server import ChannelServer
from barstep.replay.clock import SimulatedClock, SystemClock
from certificate_making import AUTHORITY, CLIENT, DESK, HOST, SERVER, identity, made
from channel_making import (
    LESSER,
    SECOND,
    SECRET,
    BareStream,
    SmallService,
    bare,
    calling,
    entry,
    headers,
    serving,
    table,
)
from own_process import folder_of, process

NOW = 1_704_067_200_000_000
SOON = 10 * SECOND
"""More than any of this takes; nothing waits for so long where all is well."""


def until(holds: Callable[[], object]) -> None:
    """Wait for what another thread does."""
    clock = SystemClock()
    ends_us = clock.monotonic_us() + SOON
    while not holds():
        assert clock.monotonic_us() < ends_us
        clock.sleep_us(5_000)


def raised(work: Callable[[], object]) -> BarstepError:
    """What is raised, once what came before is through."""
    with pytest.raises(BarstepError) as error:
        while work() is not None:
            pass
    return error.value


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "venue.example"])  # noqa: S104
def test_without_certificates_only_this_machine_is_listened_at(host: str) -> None:
    """Any other address is refused before anything listens."""
    with pytest.raises(UsageError, match="is not on this machine, where certificates are needed"):
        ChannelServer(SmallService(), tokens=table(), clock=SystemClock(), host=host)


def test_an_address_that_is_taken_is_refused() -> None:
    """A second server at the port of the first does not begin."""
    with serving() as server, pytest.raises(UsageError, match=f"{server.port} cannot be listened at"):
        ChannelServer(SmallService(), tokens=table(), clock=SystemClock(), port=server.port)


def test_a_server_whose_certificate_nobody_accepts_does_not_begin() -> None:
    """It says what is wrong with it, which its clients could not."""
    old = identity(made(HOST, issuer=AUTHORITY, days=(-3, -1)), AUTHORITY, name=HOST)
    with pytest.raises(AuthorizationError, match=r"the certificate of this side, 127\.0\.0\.1, expired"):
        ChannelServer(SmallService(), tokens=table(), clock=SystemClock(), identity=old)


def test_the_service_knows_who_calls() -> None:
    """The token's id and scopes, and under mTLS the one name of the certificate."""
    service = SmallService()
    with serving(service) as plain, calling(plain) as client:
        client.open("once")
    with serving(service, identity=SERVER) as secure, calling(secure, identity=CLIENT) as client:
        client.open("once")
        client.fetch("numbers", b"")
    assert [(one.token_id, one.certificate) for one in service.callers] == [
        ("desk", ""),
        ("desk", DESK),
        ("desk", DESK),
    ]
    assert service.callers[0].scopes == {"read", "write"}


def test_a_revoked_token_s_idle_stream_ends() -> None:
    """Nothing need be sent on it: both sides are told why, and another token's stream goes on."""
    service, tokens = SmallService(), table(entry(), entry("other", LESSER))
    with serving(service, tokens) as server, calling(server) as desk, calling(server, LESSER) as other:
        ended, stays = desk.open("echo"), other.open("echo")
        tokens.replace([entry("other", LESSER)])
        error = raised(lambda: ended.receive(SOON))
        assert isinstance(error, AuthorizationError)
        assert str(error) == "the token is not known here, or was revoked."
        assert service.ended.wait(10)
        assert service.endings == [str(error)]
        stays.send(b"still here")
        assert stays.receive(SOON) == b"still here"


def test_a_revoked_token_s_message_reaches_no_service() -> None:
    """The message itself is refused, however soon after the revocation it comes."""
    seen: list[bytes] = []

    class Keeps(SmallService):
        def echo(self, stream: object) -> None:
            while True:
                seen.append(stream.receive())  # type: ignore[attr-defined]

    tokens = table()
    with serving(Keeps(), tokens) as server, bare(server) as client:
        stream = BareStream(client, headers())
        stream.write(b"\0before")
        stream.read()
        until(lambda: seen)
        tokens.replace([])
        stream.write(b"\0after")
        assert stream.read().startswith(b'\1{"code":"authorization"')
        with pytest.raises(fl.FlightUnauthorizedError, match="not known here, or was revoked"):
            stream.read()
        stream.close()
    assert seen == [b"before"]


def test_a_token_that_expires_ends_its_stream_and_its_fetch() -> None:
    """The clock is looked at for each message, each batch, and in between."""
    clock = SimulatedClock(NOW)
    tokens = table(entry(expires_us=NOW + SECOND))
    with serving(tokens=tokens, clock=clock) as server, calling(server, clock=clock) as client, bare(server) as other:
        stream = client.open("echo")
        reader = other.do_get(fl.Ticket(b"flood"), headers())
        reader.read_chunk()
        clock.jump_us(SECOND)
        error = raised(lambda: stream.receive(SOON))
        assert str(error) == "token 'desk' expired at 2024-01-01T00:00:01Z."
        with pytest.raises(fl.FlightUnauthorizedError, match="token 'desk' expired"):
            while True:
                reader.read_chunk()


def test_a_certificate_that_expires_ends_its_stream() -> None:
    """Flight looks at it in the handshake only; the stream ends with it all the same."""
    clock = SimulatedClock(SystemClock().now_us())
    with serving(identity=SERVER, clock=clock) as server, calling(server, identity=CLIENT, clock=clock) as client:
        stream = client.open("echo")
        clock.jump_us(3 * 86_400 * SECOND)
        error = raised(lambda: stream.receive(SOON))
        assert str(error) == f"the certificate of {DESK} has expired."


def test_a_stream_that_is_too_old_is_ended_and_opened_again() -> None:
    """Its age is monotonic time, and the client is told to open it again, which it can."""
    clock = SimulatedClock(NOW)
    with serving(clock=clock, stream_age_seconds=60.0) as server, calling(server, clock=clock) as client:
        stream = client.open("echo")
        clock.sleep_us(60 * SECOND)
        error = raised(lambda: stream.receive(SOON))
        assert isinstance(error, FeedError)
        assert str(error) == "it is older than 60 s; open it again."
        again = client.open("echo")
        again.send(b"x")
        assert again.receive(SOON) == b"x"


def test_there_is_a_most_of_streams() -> None:
    """One more is refused as held; one that ends makes room."""
    with serving(most_calls=2) as server, calling(server) as client:
        first, _second = client.open("echo"), client.open("echo")
        with pytest.raises(HeldError, match="2 streams and fetches are open, and that is the most"):
            client.open("echo")
        with pytest.raises(HeldError, match="and that is the most"):
            client.fetch("numbers", b"")
        first.close()
        until(lambda: len(server._calls) == 1)
        assert client.open("once").receive(SOON) == b"only this"


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (b"\0" + bytes(1_001), "a message of 1,001 bytes; allowed are up to 1,000."),
        (b"\2{}", "a message begins with the byte 0, not with 02."),
    ],
)
def test_what_is_no_message_ends_the_stream(frame: bytes, text: str) -> None:
    """One that is too long, and one that begins otherwise, are told what is allowed; the service sees neither."""
    service = SmallService()
    with serving(service, message_bytes=1_000) as server, bare(server) as client:
        stream = BareStream(client, headers())
        stream.write(b"\0" + bytes(1_000))
        assert stream.read() == b'\2{"channel":1,"message_bytes":1000}'
        assert stream.read() == b"\0" + bytes(1_000)
        stream.write(frame)
        assert stream.read() == b'\1{"code":"usage","message":"%s"}' % text.encode()
        with pytest.raises(fl.FlightServerError, match="a message"):
            stream.read()
        stream.close()
    assert service.endings == [text]


def test_a_client_that_ends_its_stream_in_order_gets_no_error() -> None:
    """The service is told, and Flight's status is that all is well; Flight takes an empty message for the end, too."""
    ends = (b"\1", b"\1{}", b"")
    for end in (
        *(lambda stream, end=end: stream.write(end) for end in ends),
        lambda stream: stream.writer.done_writing(),
    ):
        service = SmallService()
        with serving(service) as server, bare(server) as client:
            stream = BareStream(client, headers())
            stream.write(b"\0")
            assert [stream.read()[:1], stream.read()] == [b"\2", b"\0"]
            end(stream)
            assert stream.read() == b'\1{"code":"ended","message":"the other side has ended the stream."}'
            with pytest.raises(StopIteration):
                stream.reader.read_chunk()
            stream.writer.close()
        assert service.endings == ["the other side has ended the stream."]


def test_a_batch_on_a_stream_ends_it() -> None:
    """Messages travel in the metadata only."""
    with serving() as server, bare(server) as client:
        stream = BareStream(client, headers())
        stream.writer.begin(pa.schema([("x", pa.int64())]))
        stream.writer.write_batch(pa.record_batch([pa.array([1])], names=["x"]))
        stream.read()
        assert stream.read().startswith(b'\1{"code":"usage","message":"a stream of the channel has messages in its')
        stream.close()


def test_a_stalled_reader_is_dropped_with_its_reason() -> None:
    """The service is told within the time that a send may take; the connection is cut, and the place is free again."""
    service = SmallService()
    with serving(service, send_timeout_us=SECOND // 4, most_calls=1) as server, bare(server) as client:
        stalled = BareStream(client, headers(), "flood")
        stalled.write(b"\0")
        assert service.ended.wait(10)
        assert service.endings[0].startswith("the other side does not read: ")
        assert service.endings[0].endswith(" messages waited for 0.25 s; the stream is dropped.")
        until(lambda: len(server._calls) == 0)
        with calling(server) as other:
            assert other.open("once").receive(SOON) == b"only this"
        stalled.close()


def test_a_fetch_that_nobody_reads_is_dropped() -> None:
    """Its connection is cut, and its place is free again."""
    with serving(send_timeout_us=SECOND // 4, most_calls=1) as server, bare(server) as client:
        reader = client.do_get(fl.Ticket(b"flood"), headers())
        reader.read_chunk()
        until(lambda: len(server._calls) == 0)
        with calling(server) as other:
            assert other.fetch("numbers", b"7").to_pydict() == {"number": [7]}


def test_a_client_that_does_not_let_go_is_cut() -> None:
    """A revoked token's stream that the client keeps open does not keep its place."""
    tokens = table()
    with serving(tokens=tokens, send_timeout_us=SECOND // 4) as server, bare(server) as client:
        stream = BareStream(client, headers())
        stream.write(b"\0")
        stream.read()
        tokens.replace([])
        until(lambda: len(server._calls) == 0)
        stream.close()


def test_what_a_service_sent_before_it_ended_arrives() -> None:
    """The end comes after the messages."""
    with serving() as server, calling(server) as client:
        stream = client.open("once")
        assert stream.receive(SOON) == b"only this"
        assert str(raised(lambda: stream.receive(SOON))) == "the other side has ended the stream."


@pytest.mark.parametrize("tls", [False, True])
def test_a_server_closes_whatever_clients_do(tls: bool) -> None:
    """With idle streams, stalled readers of a stream and of a fetch, it is closed within its bound, and twice."""
    clock = SystemClock()
    own, theirs = (SERVER, CLIENT) if tls else (None, None)
    server = ChannelServer(SmallService(), tokens=table(), clock=clock, identity=own)
    with ExitStack() as stack:
        idle = [stack.enter_context(calling(server, identity=theirs)).open("echo") for _ in range(3)]
        rude = stack.enter_context(bare(server, theirs))
        stalled = BareStream(rude, headers(identity=theirs), "flood")
        stalled.write(b"\0")
        kept = BareStream(rude, headers(identity=theirs))
        kept.write(b"\0")
        fetched = rude.do_get(fl.Ticket(b"flood"), headers(identity=theirs))
        fetched.read_chunk()
        began_us = clock.monotonic_us()
        assert server.close(SECOND // 2)
        assert clock.monotonic_us() - began_us < 3 * SECOND
        assert server.close(0)
        for stream in idle:
            assert str(raised(lambda stream=stream: stream.receive(SOON))) == "the server is closing."
        with pytest.raises(FeedError, match="no connection"):
            stack.enter_context(calling(server, identity=theirs)).open("echo")
        stalled.close()
        kept.close()
    until(lambda: not [one for one in threading.enumerate() if one.name.startswith("barstep-channel")])


@pytest.mark.parametrize("tls", [False, True])
def test_a_process_with_stalled_readers_ends(tls: bool, tmp_path: Path) -> None:
    """It closes its server and leaves in the usual way, in less than 5 seconds."""
    theirs = CLIENT if tls else None
    with process(folder_of(SERVER, tmp_path) if tls else "") as server, bare(server, theirs) as client:
        stalled = BareStream(client, headers(identity=theirs), "flood")
        stalled.write(b"\0")
        fetched = client.do_get(fl.Ticket(b"flood"), headers(identity=theirs))
        fetched.read_chunk()
        assert server.end() == 0
        with pytest.raises(fl.FlightError):
            while True:
                fetched.read_chunk()
        stalled.close()


def test_no_secret_shows_in_what_can_be_printed() -> None:
    """Neither in a server's or a client's repr nor in a guard's."""
    with serving() as server, calling(server) as client:
        client.open("echo")
        shown = [repr(client), repr(server), repr(table()), *map(repr, [call.guard for call in server._calls._calls])]
        assert len(shown) == 4
        assert SECRET not in "".join(shown)
