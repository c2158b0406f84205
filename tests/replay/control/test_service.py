"""Questions on a stream, by what the token allows."""

from __future__ import annotations

import logging

import msgspec
import pytest
from barstep.config.tokens import Token
from barstep.errors import AuthorizationError, ConfigError, HeldError, UsageError
from barstep.replay.authorization import READ
from barstep.replay.control.client import ControlClient
from barstep.replay.control.hand import Hand
from barstep.replay.control.service import ControlService
from barstep.replay.control.verbs import COMMANDS, OTHERS, READING, STREAM
from barstep.replay.control.wire import Answer, Question, encode, read_answer
from control_making import ANN, BOB, pipe, served, small_desk, small_run


def test_who_may_write_changes_and_reads() -> None:
    """Errors come back as what they are, line by line."""
    run = small_run()
    with served(small_desk(run)) as client:
        client.ask("suspend_schedule", schedule="fast", reason="news")
        (row,) = client.ask("suspensions")
        assert (row["name"], row["reason"], row["active"]) == ("fast", "news", True)
        with pytest.raises(ConfigError, match="Did you mean 'fast'"):
            client.ask("suspend_schedule", schedule="fsat")
        with pytest.raises(UsageError, match="unknown verb"):
            client.ask("explode")
        assert len(client.ask("suspensions")) == 1


@pytest.mark.parametrize("verb", [*COMMANDS, *OTHERS])
def test_who_may_only_read_changes_nothing(verb: str) -> None:
    """Every verb that changes something is refused, whatever it says."""
    run = small_run()
    with served(small_desk(run), BOB) as client, pytest.raises(AuthorizationError, match="lacks the scope"):
        client.ask(verb)
    assert run.scheduler.suspension_snapshot() == [] and run.scheduler.mode.name == "running"


def test_who_may_only_read_reads_everything() -> None:
    """All that is listed as reading."""
    with served(small_desk(small_run()), BOB) as client:
        for verb in READING:
            assert client.ask(verb) is not None


def test_a_token_that_lost_a_scope_has_lost_it_on_open_streams_too() -> None:
    """Also one whose entry is gone, and one that was never there."""
    hand = Hand()
    service = ControlService(small_desk(small_run()), hand, [])
    near, far = pipe()
    for tokens in ([], [Token(id="ann", scopes=[READ], sha384="0" * 96)]):
        service.take(tokens)
        near.send(encode(Question(id=1, verb="halt")))
        near.close()
        with pytest.raises(Exception, match="has ended"):
            service.serve(STREAM, ANN, far)
        answer = read_answer(near.receive() or b"")
        assert (answer.ok, answer.code) == (False, "authorization")


def test_what_is_no_question_is_answered_and_the_stream_goes_on() -> None:
    """Bytes that are none, an unknown member, and then a good one."""
    desk = small_desk(small_run())
    with served(desk) as client:
        stream = client._stream
        for wrong in (b"", b"\xff", msgspec.msgpack.encode({"id": 1, "verb": "mode", "by": "eve"})):
            stream.send(wrong)
            answer = read_answer(stream.receive() or b"")
            assert (answer.id, answer.ok, answer.code) == (0, False, "usage")
        assert client.ask("mode")["name"] == "running"


def test_a_failure_that_nobody_foresaw_is_told_by_a_number_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the rest."""
    desk = small_desk(small_run())

    def fails(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(desk, "answer", fails)
    with caplog.at_level(logging.ERROR), served(desk) as client, pytest.raises(Exception, match="failure 1") as caught:
        client.ask("mode")
    assert "secret" not in str(caught.value)
    assert "secret detail" in caplog.text


def test_a_loop_that_does_not_look_is_told() -> None:
    """After the wait; nothing was done."""
    run = small_run()
    with served(small_desk(run), works=False) as client, pytest.raises(HeldError, match="did not get to it"):
        client.ask("halt")
    assert run.scheduler.mode.name == "running"


def test_there_is_nothing_to_fetch() -> None:
    """And one stream, which needs the scope to read."""
    service = ControlService(small_desk(small_run()), Hand(), [])
    assert (service.streams, service.fetches) == ({STREAM: READ}, {})
    with pytest.raises(UsageError, match="only"):
        service.fetch("bars", ANN, b"")


def test_an_answer_that_nobody_waits_for_any_more_is_passed_over() -> None:
    """The next question gets its own."""
    near, far = pipe()
    client = ControlClient(near, answer_us=1_000)
    with pytest.raises(HeldError, match="has not answered 'mode'"):
        client.ask("mode")
    far.send(encode(Answer(id=1, ok=True, body="late")))
    far.send(encode(Answer(id=2, ok=True, body="now")))
    assert client.ask("mode") == "now"
    far.send(b"\xc1")
    with pytest.raises(HeldError, match="is no answer"):
        client.ask("mode")
    far.close()
    with pytest.raises(HeldError, match="the loop is gone"):
        client.ask("mode")
