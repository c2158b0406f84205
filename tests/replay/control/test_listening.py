"""A loop that is managed over the channel: real sockets on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from barstep.config.tokens import Token
from barstep.errors import AuthorizationError, HeldError, UsageError
from barstep.replay.authorization import READ, WRITE, Authorizer, token_sha384
from barstep.replay.certificate_files import BundleFolder
from barstep.replay.certificates import init_bundle, load_identity
from barstep.replay.channel.client import ChannelClient
from barstep.replay.channel.identity import Identity
from barstep.replay.clock import SystemClock
from barstep.replay.control.connecting import connect_control, control_address, needs_identity
from barstep.replay.control.listening import Listening
from barstep.replay.control.place import find_place
from barstep.replay.control.run import RecordedRun
from barstep.replay.control.verbs import STREAM
from barstep.replay.control.wire import Question, encode
from barstep.replay.issuing import ROLES
from control_making import small_desk, small_run

CLOCK = SystemClock()
ANN, BOB = "a" * 64, "b" * 64
TOKENS = [
    Token(id="ann", scopes=[READ, WRITE], sha384=token_sha384(ANN)),
    Token(id="bob", scopes=[READ], sha384=token_sha384(BOB)),
]


@contextmanager
def running(run: RecordedRun, identity: Identity | None = None) -> Iterator[tuple[Listening, str]]:
    """A loop in a thread that listens; gives it and its address."""
    listening = Listening(small_desk(run), lambda tokens: Authorizer("s", tokens, environ={}), TOKENS, CLOCK)
    stop = threading.Event()
    with listening.at("127.0.0.1:0", "e", "s", identity) as address:
        thread = threading.Thread(target=run.run, args=(stop.is_set, listening.hand.work))
        thread.start()
        try:
            yield listening, address
        finally:
            stop.set()
            thread.join(10)
    assert listening.has_ended


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the place of a loop is told."""
    monkeypatch.chdir(tmp_path)


def test_a_command_reaches_the_loop_and_its_answer_comes_back() -> None:
    """Under the token's id; who may only read may not, and who is unknown does not come in."""
    run = small_run(speed=1.0, clock=CLOCK)
    with running(run) as (_, address):
        assert find_place("e").address == address
        client = connect_control(control_address(address.removeprefix("grpc://")), ANN, CLOCK)
        client.ask("suspend_schedule", schedule="fast")
        assert [row["name"] for row in client.ask("suspensions")] == ["fast"]
        client.close()
        reader = connect_control(address, BOB, CLOCK)
        with pytest.raises(AuthorizationError, match=r"'bob' lacks the scope runtime\.schedule\.write"):
            reader.ask("resume_schedule", schedule="fast")
        assert len(reader.ask("schedules")) == 2
        reader.close()
        with pytest.raises(AuthorizationError):
            connect_control(address, "c" * 64, CLOCK)
    with pytest.raises(HeldError, match="Is the loop running"):
        connect_control(address, ANN, CLOCK)


def test_with_certificates_both_ends_show_them(tmp_path: Path) -> None:
    """As they do between machines; without one nobody comes in."""
    now_us = CLOCK.now_us()
    init_bundle(BundleFolder(tmp_path / "mtls", "desk"), host="localhost", client="ann", now_us=now_us)
    ours, theirs = (load_identity(tmp_path / "mtls", "desk", role, now_us=now_us) for role in ROLES)
    with running(small_run(speed=1.0, clock=CLOCK), ours) as (_, address):
        assert needs_identity(address) and not needs_identity("grpc://127.0.0.1:1")
        named = address.replace("127.0.0.1", "localhost")
        client = connect_control(named, ANN, CLOCK, theirs)
        assert client.ask("mode")["name"] == "running"
        client.close()
        with pytest.raises(UsageError, match="certificates are needed"):
            connect_control(named, ANN, CLOCK)


def test_a_token_that_is_revoked_loses_its_open_stream() -> None:
    """The others keep theirs."""
    with running(small_run(speed=1.0, clock=CLOCK)) as (listening, address):
        ann, bob = (connect_control(address, token, CLOCK) for token in (ANN, BOB))
        assert bob.ask("mode")["name"] == "running"
        listening.take(TOKENS[:1])
        with pytest.raises((AuthorizationError, HeldError)):
            bob.ask("mode")
        assert ann.ask("mode")["name"] == "running"
        for client in (ann, bob):
            client.close()


def test_a_client_that_asks_and_never_reads_does_not_hold_the_loop_s_end_up() -> None:
    """Its connection is cut within the bound."""
    began = CLOCK.monotonic_us()
    with running(small_run(speed=1.0, clock=CLOCK)) as (_, address):
        client = ChannelClient(address, ANN, clock=CLOCK)
        stream = client.open(STREAM)
        for number in range(500):
            stream.send(encode(Question(id=number, verb="status")))
        began = CLOCK.monotonic_us()
    assert CLOCK.monotonic_us() - began < 4_000_000
    client.close()
