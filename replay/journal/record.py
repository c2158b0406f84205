"""One record of the journal as bytes: how it begins, how it ends, and what its signature covers.

The layout stands in docs/journal.md. The bytes are signed as they are written, so that checking them never has to
write them again.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.hmac import HMAC

from ...errors import UsageError
from ..keys import EpochKey

VERSION = 1
GENESIS_PREV = "0" * 96
"""What the first record names in place of a record before it."""

_TIME = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
_PAYLOAD = re.compile(rb'"kind":"([a-z_]+)","at":"(' + _TIME + rb')"(?:,|\Z)')
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_TAIL = b',"mac":"'
_MAC = re.compile(rb"[0-9a-f]{96}\"\}\Z")
_BEGINNING = re.compile(
    rb'\{"v":1,"log":"([0-9a-f]{32})","seq":(0|[1-9][0-9]{0,17}),"epoch":(0|[1-9][0-9]{0,17}),'
    rb'"kid":"([0-9a-f]{16})","prev":"([0-9a-f]{96})","kind":"([a-z_]+)","at":"'
)


class Chained(NamedTuple):
    """What a record says of its place: a tuple, since one is made for each record that is written or read.

    Attributes:
        log: The journal's id.
        seq: Its number.
        epoch: Which key signed it.
        kid: Which root that key comes from.
        prev: `mac` of the record before.
        kind: What it records.
        mac: Its signature.
    """

    log: str
    seq: int
    epoch: int
    kid: str
    prev: str
    kind: str
    mac: str


def at_text(ts_us: int) -> str:
    """A record's `at`, of microseconds since the epoch, UTC."""
    return f"{(_EPOCH + timedelta(microseconds=ts_us)).isoformat(timespec='microseconds')}Z"


def at_us(text: str) -> int:
    """The microseconds since the epoch that an `at` says."""
    return (datetime.fromisoformat(text[:-1]) - _EPOCH) // _MICROSECOND


def members(record: Mapping[str, Any]) -> bytes:
    """The members of a record, `kind` and `at` first, as they stand in its line.

    Raises:
        ValueError: A number is NaN or infinite: JSON has no word for it.
    """
    return json.dumps(record, allow_nan=False, separators=(",", ":"))[1:-1].encode("ascii")


def fields_of(payload: bytes) -> dict[str, Any]:
    """The fields that `members` wrote."""
    fields: dict[str, Any] = json.loads(b"{" + payload + b"}")
    return fields


def time_of(payload: bytes, kind: str) -> str:
    """The `at` of a record's members.

    Raises:
        UsageError: They do not begin like a record of that kind, or are no line of ASCII.
    """
    match = check_payload(payload)
    if match[1] != kind.encode("ascii"):
        raise UsageError(f"a record of kind {match[1].decode()!r} cannot stand here; allowed is {kind!r}.")
    return match[2].decode("ascii")


def check_payload(payload: bytes) -> re.Match[bytes]:
    """The kind and time that a record's members begin with.

    Raises:
        UsageError: They do not, or are no line of ASCII.
    """
    match = _PAYLOAD.match(payload)
    if match is None or b"\n" in payload or not payload.isascii():
        raise UsageError(f"{payload[:80]!r}: a record's members begin with kind and at, and are one line of ASCII.")
    return match


def signing_prefix(log: str) -> bytes:
    """What stands before a record's bytes in everything that is signed for one journal."""
    return f"barstep/journal/v{VERSION}\0{log}\0".encode("ascii")


def sign(body: bytes, log: str, key: bytes) -> str:
    """The signature over a line up to `,"mac"`."""
    return hmac.digest(key, signing_prefix(log) + body, "sha384").hex()


class Signer:
    """Signs record after record of one log with one key.

    The key and the prefix are hashed once; `sign` does that anew each time, and sets the hash up besides, which takes
    nearly twice as long.
    """

    def __init__(self, log: str, key: bytes) -> None:
        self._begun = HMAC(key, SHA384())
        self._begun.update(signing_prefix(log))

    def sign(self, body: bytes) -> str:
        """The signature over a line up to `,"mac"`."""
        signature = self._begun.copy()
        signature.update(body)
        return signature.finalize().hex()


class LineMaker:
    """Makes signed lines of one segment: what stays the same in all of them is put together once."""

    def __init__(self, log: str, key: EpochKey) -> None:
        self._sign = Signer(log, key.key).sign
        self._log = f'{{"v":{VERSION},"log":"{log}","seq":'.encode("ascii")
        self._key = f',"epoch":{key.epoch},"kid":"{key.kid}","prev":"'.encode("ascii")

    def line(self, seq: int, prev: str, payload: bytes) -> tuple[bytes, str]:
        """A line with its end, and its signature. prev: the signature of the record before; payload: `members`."""
        body = b"".join((self._log, b"%d" % seq, self._key, prev.encode("ascii"), b'",', payload))
        mac = self._sign(body)
        return b"".join((body, _TAIL, mac.encode("ascii"), b'"}\n')), mac


def make_body(place: Chained, payload: bytes) -> bytes:
    """A line up to `,"mac"`: what is signed.

    Args:
        place: Where it stands; its `kind` and `mac` are not looked at.
        payload: Its `members`.
    """
    return (
        f'{{"v":{VERSION},"log":"{place.log}","seq":{place.seq},"epoch":{place.epoch},"kid":"{place.kid}",'
        f'"prev":"{place.prev}",'
    ).encode("ascii") + payload


def make_line(place: Chained, payload: bytes, key: bytes) -> tuple[bytes, str]:
    """A signed line with its end, and its signature; `LineMaker` makes many."""
    body = make_body(place, payload)
    mac = sign(body, place.log, key)
    return body + _TAIL + mac.encode("ascii") + b'"}\n', mac


def read_chained(line: bytes) -> tuple[Chained, bytes] | None:
    """What a line without its end says of its place, and the bytes that are signed; None where it is no record."""
    beginning, cut = _BEGINNING.match(line), len(line) - 106
    if beginning is None or cut < 0 or line[cut : cut + 8] != _TAIL or _MAC.match(line, cut + 8) is None:
        return None
    log, seq, epoch, kid, prev, kind = beginning.groups()
    mac = line[cut + 8 : cut + 104].decode("ascii")
    place = Chained(log.decode(), int(seq), int(epoch), kid.decode(), prev.decode(), kind.decode(), mac)
    return place, line[:cut]
