"""A journal written by the book: docs/journal.md in as few lines as it takes, and no line of barstep's own.

The tests' reference for what the verifier reads and what the writer writes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


def label_key(root: bytes, label: str) -> bytes:
    """The key of one purpose."""
    return hmac.new(root, b"barstep/" + label.encode() + b"/v1", hashlib.sha384).digest()


def epoch_key(root: bytes, epoch: int) -> bytes:
    """The key of one segment."""
    key = label_key(root, "journal")
    for _ in range(epoch):
        key = hmac.new(key, b"evolve", hashlib.sha384).digest()
    return key


def root_id(root: bytes) -> str:
    """The root's name."""
    return hashlib.sha384(label_key(root, "kid")).hexdigest()[:16]


def head_line(record: Mapping[str, object]) -> bytes:
    """The head that a record makes."""
    return json.dumps({key: record[key] for key in ("log", "seq", "mac")}, separators=(",", ":")).encode() + b"\n"


@dataclass
class PlainJournal:
    """A journal that is being written: `environment` in `folder`, signed from `root`."""

    folder: Path
    root: bytes
    environment: str = "demo"
    log: str = "0123456789abcdef" * 2
    epoch: int = 0
    seq: int = -1
    mac: str = "0" * 96
    lines: list[bytes] = field(default_factory=list)
    first: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, kind: str, **fields: object) -> None:
        """One more record."""
        self.seq += 1
        record = {
            "v": 1, "log": self.log, "seq": self.seq, "epoch": self.epoch, "kid": root_id(self.root), "prev": self.mac,
            "kind": kind, "at": f"2024-01-01T00:{self.seq // 60 % 60:02}:{self.seq % 60:02}.000000Z", **fields,
        }  # fmt: skip
        body = json.dumps(record, separators=(",", ":"))[:-1].encode("ascii")
        signed = b"barstep/journal/v1\0" + self.log.encode() + b"\0" + body
        self.mac = hmac.new(epoch_key(self.root, self.epoch), signed, hashlib.sha384).hexdigest()
        self.lines.append(body + b',"mac":"' + self.mac.encode() + b'"}\n')

    def seal(self, root: bytes | None = None) -> None:
        """End the segment and begin the next, with another root where one is given."""
        self.write("sealed", reason="full")
        self._put(f"{self.environment}.{self.first:012}.jsonl", b"".join(self.lines))
        self.lines, self.first = [], self.seq + 1
        self.root, self.epoch = (self.root, self.epoch + 1) if root is None else (root, 0)
        self.write("checkpoint", state={})

    def save(self) -> None:
        """Open segment, head and the machine's key onto the disk."""
        self._put(f"{self.environment}.jsonl", b"".join(self.lines))
        self._put(f"{self.environment}.head.json", self.head())

    def head(self) -> bytes:
        """How far it goes."""
        return head_line({"log": self.log, "seq": self.seq, "mac": self.mac})

    def _put(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(data)


KINDS = ("run", "decision", "weights", "bars", "fill", "note")


def fill(journal: PlainJournal, records: int, segments: int, rng: np.random.Generator) -> PlainJournal:
    """Some records of several kinds in so many segments, on the disk."""
    journal.write("genesis", environment=journal.environment, scheduler="s", parent=None)
    for segment in range(segments):
        for _ in range(records):
            kind = str(rng.choice(KINDS))
            journal.write(
                kind, schedule=f"s{rng.integers(3)}", value=float(rng.random()), text="ü\u2028" * int(rng.integers(3))
            )
        if segment + 1 < segments:
            journal.seal()
    journal.save()
    return journal
