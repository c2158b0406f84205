"""Which verbs of Flight there are, and that none of them is answered by default."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pyarrow.flight as fl
import pytest
from barstep.replay.channel.answers import Answers
from barstep.replay.channel.gate import ALLOWED_VERBS, Gate
from barstep.replay.channel.verbs import Verbs
from barstep.replay.clock import SystemClock
from channel_making import (
    SECRET,
    BareStream,
    SmallService,
    bare,
    calling,
    ending_of_call,
    headers,
    serving,
    table,
)

NO_VERBS = {"port", "run", "serve", "shutdown", "wait"}
"""What Flight's server has for its own process."""


def test_no_verb_is_left_to_flight() -> None:
    """Every public method of Flight's server that answers a call is defined here."""
    methods = {name for name in dir(fl.FlightServerBase) if not name.startswith("_")}
    assert methods > NO_VERBS
    assert methods - NO_VERBS <= set(vars(Verbs))


def test_a_verb_is_refused_until_it_is_listed() -> None:
    """The gate lets in two verbs; all others of Flight, and one that is yet to come, are refused with a good token."""
    gate = Gate(table(), SystemClock(), Answers())
    shown = {"authorization": [f"Bearer {SECRET}"]}
    for verb in [*fl.FlightMethod, "a verb of tomorrow"]:
        info = SimpleNamespace(method=verb)
        if verb in {fl.FlightMethod.DO_EXCHANGE, fl.FlightMethod.DO_GET}:
            assert gate.start_call(info, shown).token == SECRET
        else:
            with pytest.raises(fl.FlightUnauthenticatedError, match="no verb of Flight but DoExchange and DoGet"):
                gate.start_call(info, shown)
    assert set(fl.FlightMethod) > ALLOWED_VERBS


@pytest.mark.parametrize(
    "shown",
    [
        [],
        [SECRET],
        [f"bearer {SECRET}"],
        [f"Bearer {SECRET}"] * 2,
        ["Bearer "],
        ["Bearer unknown"],
        [f"Bearer {SECRET} "],
    ],
)
def test_the_gate_refuses_before_anything_is_read(shown: list[str]) -> None:
    """Without one good token in one header a call ends where only its headers were seen."""
    gate = Gate(table(), SystemClock(), Answers())
    with pytest.raises(fl.FlightUnauthenticatedError, match=r"no token is presented|the token is not known") as refused:
        gate.start_call(SimpleNamespace(method=fl.FlightMethod.DO_EXCHANGE), {"authorization": shown})
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "verb", sorted({"do_put", "do_action", "list_actions", "list_flights", "get_flight_info", "get_schema"})
)
def test_a_verb_that_passed_the_gate_would_still_be_refused(verb: str) -> None:
    """The handler itself refuses, too, and tells nothing of the inside."""
    with serving() as server, pytest.raises(fl.FlightUnauthorizedError, match=r"is not answered here") as refused:
        getattr(server._flight, verb)(None, None)
    assert "Traceback" not in str(refused.value)


def test_what_nobody_foresaw_is_told_as_a_number(caplog: pytest.LogCaptureFixture) -> None:
    """The log has the traceback under it; neither text nor path reaches the client, by a stream or a fetch."""
    with serving() as server, bare(server) as client, caplog.at_level(logging.ERROR, "barstep.channel"):
        stream = BareStream(client, headers(), "trouble")
        stream.write(b"\0")
        assert stream.read().startswith(b'\2{"channel":1,')
        assert stream.read() == b'\1{"code":"internal","message":"internal error, reference 1"}'
        stream.writer.done_writing()
        for number, call in enumerate((stream.read, *(_fetch(client, name) for name in ("trouble", "late")))):
            told = ending_of_call(call)
            assert told is not None
            assert (told.code, told.message) == ("internal", f"internal error, reference {number + 1}")
    assert caplog.text.count("ZeroDivisionError: a detail of the inside") == 3
    assert all(f"reference {number}" in caplog.text for number in (1, 2, 3))
    assert SECRET not in caplog.text


def _fetch(client: fl.FlightClient, name: str) -> object:
    return lambda: client.do_get(fl.Ticket(name.encode()), headers()).read_all()


def test_what_a_service_raises_on_purpose_is_told_in_its_words() -> None:
    """Code and text arrive in the stream, and with Flight's status."""
    with serving() as server, bare(server) as client:
        stream = BareStream(client, headers(), "foreseen")
        stream.write(b"\0")
        stream.read()
        words = b'{"code":"usage","message":"schedule \'x\' is none. Allowed: y."}'
        assert stream.read() == b"\1" + words
        stream.writer.done_writing()
        told = ending_of_call(stream.read)
        assert told is not None
        assert told.as_json == words


def test_a_ticket_is_a_name_a_zero_byte_and_what_the_service_reads() -> None:
    """The rest of it comes as it was sent, and the answer is a table."""
    service = SmallService()
    with serving(service) as server, calling(server) as client:
        assert client.fetch("numbers", b"42").to_pydict() == {"number": [42]}
        assert client.fetch("numbers", b"").to_pydict() == {"number": [0]}
    assert [one.token_id for one in service.callers] == ["desk", "desk"]
