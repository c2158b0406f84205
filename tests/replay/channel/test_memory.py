"""What strangers can make a server read: its peak memory, in a process of its own."""

from __future__ import annotations

import resource
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pyarrow as pa
import pyarrow.flight as fl
import pytest
from barstep.errors import UsageError
from barstep.replay.channel.memory_limit import limit_memory
from barstep.replay.clock import SystemClock
from certificate_making import AUTHORITY, CLIENT, DESK, SERVER, STRANGER, identity, made
from channel_making import BareStream, bare, calling, ending_of_call, headers
from own_process import Process, folder_of, process

MEGABYTE = 1_000_000
BODY = 300 * MEGABYTE
MOST_MOVED = 20 * MEGABYTE

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")


def put(client: fl.FlightClient, options: fl.FlightCallOptions) -> None:
    schema = pa.schema([("x", pa.uint8())])
    batch = pa.record_batch([pa.array(np.zeros(BODY, np.uint8))], schema=schema)
    writer, reader = client.do_put(fl.FlightDescriptor.for_command("x"), schema, options)
    writer.write_batch(batch)
    writer.done_writing()
    reader.read()
    writer.close()


def exchange(client: fl.FlightClient, options: fl.FlightCallOptions) -> None:
    stream = BareStream(client, options)
    try:
        stream.write(bytes(BODY))
        stream.read()
    finally:
        stream.close()


def action(client: fl.FlightClient, options: fl.FlightCallOptions) -> None:
    list(client.do_action(fl.Action("x", bytes(BODY)), options))


def ticket(client: fl.FlightClient, options: fl.FlightCallOptions) -> None:
    client.do_get(fl.Ticket(bytes(BODY)), options).read_all()


@pytest.mark.parametrize("token", [None, "x" * 64])
@pytest.mark.parametrize("call", [put, exchange])
def test_a_stranger_s_body_is_not_read(call: Callable[..., None], token: str | None) -> None:
    """300 MB by DoPut or DoExchange without a good token move the peak by no more than 20 MB."""
    with process() as server:
        with calling(server) as client:  # type: ignore[arg-type]
            client.fetch("numbers", b"")
        before = server.peak
        with bare(server) as client:  # type: ignore[arg-type]
            told = ending_of_call(lambda: call(client, headers(token)))
        assert told is not None
        assert told.code == "authorization"
        assert server.peak - before <= MOST_MOVED


STRANGERS = {
    "no certificate": replace(CLIENT, certificate=b""),
    "another authority": identity(made(DESK, issuer=STRANGER), AUTHORITY),
    "expired": identity(made(DESK, issuer=AUTHORITY, days=(-3, -1)), AUTHORITY),
}


def test_without_our_certificate_nothing_is_read_at_all(tmp_path: Path) -> None:
    """Under mTLS not even the body of an action or a ticket, though a good token stands before it."""
    with process(folder_of(SERVER, tmp_path)) as server:
        with calling(server, identity=CLIENT) as client:  # type: ignore[arg-type]
            client.fetch("numbers", b"")
        before = server.peak
        for stranger in STRANGERS.values():
            for call in (put, exchange, action, ticket):
                with bare(server, stranger) as client:  # type: ignore[arg-type]
                    told = ending_of_call(lambda call=call, client=client: call(client, headers()))
                assert told is not None
                assert told.code == "no connection"
        with bare(server, location=f"grpc://127.0.0.1:{server.port}") as client:  # type: ignore[arg-type]
            assert ending_of_call(lambda: action(client, headers())) is not None
        assert server.peak - before <= MOST_MOVED


def test_an_action_s_body_is_read_by_flight_itself() -> None:
    """Which is why there is a limit of memory, and shows that the other tests would see it."""
    with process() as server:
        before = server.peak
        with bare(server) as client:  # type: ignore[arg-type]
            told = ending_of_call(lambda: action(client, headers(None)))
        assert told is not None
        assert told.code == "authorization"
        assert server.peak - before >= BODY


@pytest.mark.parametrize("call", [action, ticket])
def test_a_limit_of_memory_ends_the_process_and_not_the_machine(call: Callable[..., None]) -> None:
    """What asks for more than it ends the server, whose memory stays below the limit all the time."""
    with process("", str(100 * MEGABYTE)) as server:
        with calling(server) as client:  # type: ignore[arg-type]
            assert client.fetch("numbers", b"3").to_pydict() == {"number": [3]}
        peaks = [server.peak]
        watching = Thread(target=watch, args=(server, peaks))
        watching.start()
        with bare(server) as client:  # type: ignore[arg-type]
            told = ending_of_call(lambda: call(client, headers(None)))
        assert told is not None
        assert told.code == "no connection"
        assert server.process.wait(20) < 0  # a signal
        watching.join()
        assert max(peaks) - peaks[0] <= 110 * MEGABYTE


def watch(server: Process, peaks: list[int]) -> None:
    """Keep the peak of a process as long as it lives."""
    with suppress(OSError, StopIteration):
        while True:
            peaks.append(server.peak)
            SystemClock().sleep_us(1_000)


@pytest.mark.parametrize("most_bytes", [0, -1])
def test_a_limit_that_cannot_be_set_is_refused(most_bytes: int) -> None:
    """Nothing is set."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(UsageError, match=f"a limit of {most_bytes} bytes of memory cannot be set; allowed is"):
        limit_memory(most_bytes)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
