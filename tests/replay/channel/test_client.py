"""Clients of the channel."""

from __future__ import annotations

import pytest
from barstep.config.durations import microseconds
from barstep.errors import AuthorizationError, FeedError, UsageError
from barstep.replay.channel.client import ChannelClient
from barstep.replay.clock import SimulatedClock, SystemClock
from certificate_making import AUTHORITY, CLIENT, DESK, SERVER, STRANGER, identity, made
from channel_making import SECOND, SECRET, SmallService, calling, serving
from cryptography import x509

SOON = 20 * SECOND
CLOCK = SystemClock()


@pytest.mark.parametrize("tls", [False, True])
def test_messages_go_there_and_back_in_order(tls: bool) -> None:
    """As they were sent, empty ones too, with certificates and without."""
    with (
        serving(identity=SERVER if tls else None) as server,
        calling(server, identity=CLIENT if tls else None) as client,
    ):
        stream = client.open("echo")
        sent = [b"", b"\0", b"\1{}", bytes(200_000), *(str(number).encode() for number in range(500))]
        for message in sent:
            stream.send(message)
        assert [stream.receive(SOON) for _ in sent] == sent


def test_receive_gives_up_in_time() -> None:
    """None comes where no message does, and a message that comes later is not lost."""
    with serving() as server, calling(server) as client:
        stream = client.open("echo")
        assert stream.receive(0) is None
        assert stream.receive(10_000) is None
        stream.send(b"late")
        assert stream.receive(SOON) == b"late"


def test_a_message_is_no_longer_than_the_server_says() -> None:
    """The client refuses to send it, and the stream goes on."""
    with serving(message_bytes=100) as server, calling(server) as client:
        stream = client.open("echo")
        with pytest.raises(UsageError, match=r"a message of 101 bytes; allowed are up to 100\."):
            stream.send(bytes(101))
        stream.send(bytes(100))
        assert stream.receive(SOON) == bytes(100)


def test_a_closed_stream_ends_at_both_sides() -> None:
    """The service is told; this side can neither send nor receive any more, and may close it again."""
    service = SmallService()
    with serving(service) as server, calling(server) as client:
        stream = client.open("echo")
        stream.close()
        stream.close()
        for work in (lambda: stream.send(b"x"), lambda: stream.receive(SOON)):
            with pytest.raises(FeedError, match="the stream was closed on this side"):
                work()
        assert service.ended.wait(20)
    assert service.endings == ["the other side has ended the stream."]


def test_a_client_that_closes_ends_its_streams() -> None:
    """All that are open."""
    service = SmallService()
    with serving(service) as server:
        with calling(server) as client:
            streams = [client.open("echo") for _ in range(3)]
        for stream in streams:
            with pytest.raises(FeedError):
                stream.receive(SOON)


def test_a_name_that_is_not_offered_is_refused_with_the_near_one() -> None:
    """Of streams and of fetches."""
    with serving() as server, calling(server) as client:
        with pytest.raises(UsageError, match=r"unknown stream 'ecko'\. Did you mean 'echo'\? Allowed: echo, "):
            client.open("ecko")
        with pytest.raises(UsageError, match=r"unknown fetch 'number'\. Did you mean 'numbers'\? Allowed: "):
            client.fetch("number", b"")


def test_errors_of_the_service_are_raised_here() -> None:
    """As what they were; what nobody foresaw as an error of the feed with its number."""
    with serving() as server, calling(server) as client:
        with pytest.raises(UsageError, match=r"^schedule 'x' is none\. Allowed: y\.$"):
            client.open("foreseen").receive(SOON)
        for work in (lambda: client.open("trouble").receive(SOON), lambda: client.fetch("late", b"")):
            with pytest.raises(FeedError, match=r"internal error, reference \d$"):
                work()


def test_a_token_that_opens_nothing_does_not_show() -> None:
    """A refusal names neither it nor what is near."""
    with serving() as server, calling(server, "not-the-token-of-anybody") as client:
        for work in (lambda: client.open("echo"), lambda: client.fetch("numbers", b"")):
            with pytest.raises(AuthorizationError, match=r"^the token is not known here, or was revoked\.$"):
                work()


@pytest.mark.parametrize("token", ["", " x", "a\nb: c", "é", "a\0b"])
def test_a_token_that_no_header_carries_is_refused(token: str) -> None:
    """It cannot bring in a header of its own, and does not show."""
    with pytest.raises(AuthorizationError, match=r"^the token cannot be sent: allowed are printable ASCII signs"):
        ChannelClient("grpc://127.0.0.1:7001", token, clock=CLOCK)


def test_certificates_and_the_address_go_together() -> None:
    """With TLS there are some, without there are none."""
    with pytest.raises(UsageError, match=r"grpc\+tls://127\.0\.0\.1:7001: certificates are needed, and there are none"):
        ChannelClient("grpc+tls://127.0.0.1:7001", SECRET, clock=CLOCK)
    with pytest.raises(UsageError, match="is without TLS, and certificates are given"):
        ChannelClient("grpc://127.0.0.1:7001", SECRET, clock=CLOCK, identity=CLIENT)


@pytest.mark.parametrize(
    ("faulty", "text"),
    [
        (identity(made(DESK, issuer=AUTHORITY, days=(-3, -1)), AUTHORITY), "expired at"),
        (identity(made(DESK, issuer=STRANGER), AUTHORITY), "was issued by CN=a stranger, not by the authority"),
        (identity(made(DESK, "b.example", issuer=AUTHORITY), AUTHORITY), "has 2 names"),
    ],
)
def test_its_own_certificate_is_looked_at_before_the_network_is_blamed(faulty: object, text: str) -> None:
    """It is told plainly, before anything is sent."""
    with pytest.raises(AuthorizationError, match=f"the certificate of this side, {DESK}, {text}"):
        ChannelClient("grpc+tls://127.0.0.1:7001", SECRET, clock=CLOCK, identity=faulty)  # type: ignore[arg-type]


def test_a_certificate_that_has_expired_since_is_told_when_a_call_fails() -> None:
    """Not that there is no connection."""
    clock = SimulatedClock(CLOCK.now_us())
    client = ChannelClient("grpc+tls://127.0.0.1:1", SECRET, clock=clock, identity=CLIENT)
    for work in (lambda: client.open("echo"), lambda: client.fetch("numbers", b"")):
        with pytest.raises(FeedError, match=r"^grpc\+tls://127\.0\.0\.1:1: no connection: "):
            work()
    (leaf,) = x509.load_pem_x509_certificates(CLIENT.certificate)
    clock.jump_us(microseconds(leaf.not_valid_after_utc) - clock.now_us())
    for work in (lambda: client.open("echo"), lambda: client.fetch("numbers", b"")):
        with pytest.raises(AuthorizationError, match=r"the certificate of this side, .*, expired at"):
            work()
    client.close()


def test_a_server_of_another_authority_is_not_believed() -> None:
    """Nor one that shows another name than the address."""
    other = identity(made("127.0.0.1", issuer=STRANGER), STRANGER, name="127.0.0.1")
    named = identity(made("venue.example", issuer=AUTHORITY), AUTHORITY, name="venue.example")
    for shows in (other, named):
        refused = pytest.raises(FeedError, match="no connection")
        with serving(identity=shows) as server, calling(server, identity=CLIENT) as client, refused:
            client.fetch("numbers", b"")


def test_the_same_client_connects_again_after_a_loss() -> None:
    """A server that comes back at the same address is found."""
    with serving() as server, calling(server) as client:
        stream, port = client.open("echo"), server.port
        assert server.close(SECOND)
        with pytest.raises(FeedError, match="the server is closing"):
            stream.receive(SOON)
        with serving(port=port):
            for _ in range(200):
                try:
                    again = client.open("echo")
                    break
                except FeedError:
                    CLOCK.sleep_us(50_000)
            again.send(b"back")
            assert again.receive(SOON) == b"back"
