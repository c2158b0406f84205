"""Streams that end in every way while both sides send: nothing breaks, and the next one opens."""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Thread

import numpy as np
import pytest
from barstep.errors import AuthorizationError, BarstepError, FeedError
from barstep.replay.channel.client import ChannelClient
from barstep.replay.channel.connections import cut_connections
from barstep.replay.channel.server import ChannelServer
from barstep.replay.channel.service import Stream
from barstep.replay.clock import SystemClock
from certificate_making import CLIENT, SERVER
from channel_making import SECOND, calling, entry, serving, table

ROUNDS = 15 * int(os.environ.get("SEEDS", "1"))
CLOCK = SystemClock()


def busy(stream: Stream, ended: list[BarstepError]) -> list[Thread]:
    """Two threads that send and receive on a stream until it ends."""

    def work(step: object) -> None:
        try:
            while True:
                step()  # type: ignore[operator]
        except BarstepError as error:
            ended.append(error)

    threads = [Thread(target=work, args=(step,)) for step in (lambda: stream.send(bytes(700)), stream.receive)]
    for thread in threads:
        thread.start()
    return threads


def opened(client: ChannelClient, name: str) -> Stream:
    """A stream, as soon as one opens."""
    for _ in range(500):
        with suppress(FeedError):
            return client.open(name)
        CLOCK.sleep_us(10_000)
    raise AssertionError("no stream opens any more")


@pytest.mark.parametrize("tls", [False, True])
def test_a_stream_ends_in_any_way_while_both_sides_send(tls: bool) -> None:
    """Cut, revoked, closed here: both threads are told, for the reason that it was, and the server stays whole."""
    draws, tokens = np.random.default_rng(7), table()
    with serving(tokens=tokens, identity=SERVER if tls else None) as server:
        with calling(server, identity=CLIENT if tls else None) as client:
            for _ in range(ROUNDS):
                stream, ended = opened(client, str(draws.choice(["echo", "flood"]))), []
                threads = busy(stream, ended)
                CLOCK.sleep_us(int(draws.integers(0, 4_000)))
                how = str(draws.choice(["cut", "revoke", "close"]))
                end(how, server, stream, tokens)
                for thread in threads:
                    thread.join(20)
                assert len(ended) == 2
                kind = AuthorizationError if how == "revoke" else FeedError
                assert {type(one) for one in ended} == {kind}, (how, ended)
                stream.close()
        until_free(server)


def end(how: str, server: ChannelServer, stream: Stream, tokens: object) -> None:
    """End a stream in one of the ways."""
    if how == "cut":
        assert cut_connections(server.port) > 0
    elif how == "close":
        stream.close()
    else:
        tokens.replace([])  # type: ignore[attr-defined]
        with pytest.raises(AuthorizationError):
            while True:
                stream.receive(20 * SECOND)
        tokens.replace([entry()])  # type: ignore[attr-defined]


def until_free(server: ChannelServer) -> None:
    """Wait until no call is counted any more."""
    for _ in range(1_000):
        if not len(server._calls):
            return
        CLOCK.sleep_us(10_000)
    raise AssertionError(f"{len(server._calls)} calls are still counted")
