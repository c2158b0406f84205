"""One record of the journal as bytes: how it begins, how it ends, and what its signature covers.

The layout stands in docs/journal.md. The bytes are signed as they are written, so that checking them never has to
write them again.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

VERSION = 1
GENESIS_PREV = "0" * 96
"""What the first record names in place of a record before it."""

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_TAIL = b',"mac":"'
_MAC = re.compile(rb"[0-9a-f]{96}\"\}\Z")
_BEGINNING = re.compile(
    rb'\{"v":1,"log":"([0-9a-f]{32})","seq":(0|[1-9][0-9]{0,17}),"epoch":(0|[1-9][0-9]{0,17}),'
    rb'"kid":"([0-9a-f]{16})","prev":"([0-9a-f]{96})","kind":"([a-z_]+)","at":"'
)


@dataclass(frozen=True, slots=True)
class Chained:
    """What a record says of its place.

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


def signing_prefix(log: str) -> bytes:
    """What stands before a record's bytes in everything that is signed for one journal."""
    return f"barstep/journal/v{VERSION}\0{log}\0".encode("ascii")


def sign(body: bytes, log: str, key: bytes) -> str:
    """The signature over a line up to `,"mac"`."""
    return hmac.digest(key, signing_prefix(log) + body, "sha384").hex()


def make_line(place: Chained, payload: bytes, key: bytes) -> tuple[bytes, str]:
    """A signed line with its end, and its signature.

    Args:
        place: Where it stands; its `kind` and `mac` are not looked at.
        payload: Its `members`.
        key: What signs it.
    """
    body = (
        f'{{"v":{VERSION},"log":"{place.log}","seq":{place.seq},"epoch":{place.epoch},"kid":"{place.kid}",'
        f'"prev":"{place.prev}",'
    ).encode("ascii") + payload
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
