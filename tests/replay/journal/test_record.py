"""A record's bytes."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from barstep.replay.journal.record import (
    Chained,
    LineMaker,
    Signer,
    at_text,
    make_body,
    make_line,
    members,
    read_chained,
    sign,
)
from barstep.replay.keys import EpochKey

KEY = bytes(range(48))
PLACE = Chained(log="ab" * 16, seq=7, epoch=2, kid="0123456789abcdef", prev="c" * 96, kind="", mac="")


def _line(**record: object) -> bytes:
    return make_line(PLACE, members({"kind": "note", "at": "2024-01-01T00:00:00.000000Z", **record}), KEY)[0]


def test_a_line_is_json_that_ends_in_its_signature() -> None:
    """Any reader of JSON reads it, and the signature over the bytes before it is HMAC-SHA384 as RFC 2104 has it."""
    line = _line(message="zażółć \u2028 \n")
    read = json.loads(line)
    body = line[: line.index(b',"mac"')]
    signed = b"barstep/journal/v1\0" + b"ab" * 16 + b"\0" + body
    assert line.isascii() and line.count(b"\n") == 1 and line.endswith(b'"}\n')
    assert list(read)[:6] == ["v", "log", "seq", "epoch", "kid", "prev"] and list(read)[-1] == "mac"
    assert read["mac"] == hmac.new(KEY, signed, hashlib.sha384).hexdigest()
    assert read["message"] == "zażółć \u2028 \n"


def test_what_was_made_is_read_again() -> None:
    """Place, kind and signature come back, and the signed bytes are the line's."""
    line = _line(value=0.1)
    read = read_chained(line[:-1])
    assert read is not None
    place, body = read
    assert (place.log, place.seq, place.epoch, place.kid, place.prev, place.kind) == (
        PLACE.log, PLACE.seq, PLACE.epoch, PLACE.kid, PLACE.prev, "note",
    )  # fmt: skip
    assert line == body + b',"mac":"' + place.mac.encode() + b'"}\n'


@pytest.mark.parametrize("damage", [lambda s: s[:-1], lambda s: s + b" ", lambda s: s[1:], lambda s: s[:50]])
def test_what_is_no_record_is_told(damage: object) -> None:
    """A line that is cut, padded or empty is none."""
    assert read_chained(damage(_line()[:-1])) is None  # type: ignore[operator]


def test_numbers_that_json_cannot_hold_are_refused() -> None:
    """NaN never gets into a journal."""
    with pytest.raises(ValueError, match="JSON"):
        members({"kind": "note", "at": "", "value": float("nan")})


def test_a_signer_signs_record_after_record_as_sign_does() -> None:
    """Each signature is of its own body alone."""
    signer = Signer(PLACE.log, KEY)
    for number in range(3):
        body = make_body(PLACE, members({"kind": "note", "at": at_text(number), "value": number}))
        assert signer.sign(body) == sign(body, PLACE.log, KEY)


def test_a_line_maker_makes_the_lines_that_make_line_makes() -> None:
    """Place after place of one segment, byte for byte."""
    key = EpochKey(kid=PLACE.kid, epoch=PLACE.epoch, key=KEY)
    maker, prev = LineMaker(PLACE.log, key), PLACE.prev
    for seq in range(7, 10):
        payload = members({"kind": "note", "at": at_text(seq), "value": seq / 3})
        expected = make_line(PLACE._replace(seq=seq, prev=prev), payload, KEY)
        assert maker.line(seq, prev, payload) == expected
        prev = expected[1]


def test_a_time_is_written_with_its_microseconds() -> None:
    """Whole seconds too, and times before 1970."""
    assert at_text(1_704_067_200_000_000) == "2024-01-01T00:00:00.000000Z"
    assert at_text(-1) == "1969-12-31T23:59:59.999999Z"
