"""Ways to tamper with a journal, each with the one verdict that it has to get.

A tamperer changes a `Case` in place, at places drawn at random, and returns where the first fault has to be told, or
None where several places are as good.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from plain_journal import PlainJournal, epoch_key, fill, head_line, root_id

OPEN, HEAD = "demo.jsonl", "demo.head.json"
Place = tuple[str, int] | None
Tamperer = Callable[["Case", np.random.Generator], Place]


@dataclass
class Case:
    """A journal's files, lines without their ends, and what else the tests need of it."""

    files: dict[str, list[bytes]]
    head: bytes | None
    witness: bytes
    root: bytes
    other: dict[str, list[bytes]]
    tails: dict[str, bytes] = field(default_factory=dict)

    @property
    def sealed(self) -> list[str]:
        return sorted(name for name in self.files if name != OPEN)

    @property
    def in_order(self) -> list[str]:
        return [*self.sealed, OPEN] if OPEN in self.files else self.sealed

    def any_line(self, rng: np.random.Generator, *, but_last: bool = False) -> tuple[str, int]:
        """A line of any file; on request not the journal's last one."""
        places = [(name, line) for name in self.in_order for line in range(len(self.files[name]))]
        return places[int(rng.integers(len(places) - but_last))]

    def write(self, folder: Path) -> None:
        """All of it onto the disk, in a folder that holds nothing else of it."""
        for name, lines in self.files.items():
            _put(folder / name, b"".join(line + b"\n" for line in lines) + self.tails.get(name, b""))
        if self.head is not None:
            _put(folder / HEAD, self.head)
        _put(folder / "witness.json", self.witness)


def make_case(folder: Path, rng: np.random.Generator) -> Case:
    """A journal of several segments and another one beside it, which is not related or is signed with the same root."""
    root = rng.bytes(32)
    other_root = root if rng.random() < 0.5 else rng.bytes(32)
    journal = fill(PlainJournal(folder / "one", root, log=rng.bytes(16).hex()), int(rng.integers(4, 9)), 3, rng)
    fill(PlainJournal(folder / "two", other_root, log=rng.bytes(16).hex()), 8, 3, rng)
    return Case(_lines(folder / "one"), journal.head(), journal.head(), root, _lines(folder / "two"))


def _lines(folder: Path) -> dict[str, list[bytes]]:
    return {path.name: path.read_bytes().split(b"\n")[:-1] for path in sorted(folder.glob("*.jsonl"))}


def _put(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _replace(line: bytes, name: str, rng: np.random.Generator) -> bytes:
    """Another digit somewhere in the value of a field."""
    value = json.loads(line)[name]
    text = f'"{name}":{json.dumps(value)}'.encode()
    at = line.index(text) + len(text) - 1 - isinstance(value, str) - int(rng.integers(len(str(value))))
    digits = b"0123456789" if isinstance(value, int) else b"0123456789abcdef"
    return line[:at] + bytes([rng.choice([d for d in digits if d != line[at]])]) + line[at + 1 :]


def sign_again(line: bytes, key: bytes, **fields: object) -> bytes:
    """A record with other fields, signed with a key of one's choice."""
    import hashlib  # noqa: PLC0415
    import hmac  # noqa: PLC0415

    record = {**json.loads(line), **fields}
    record.pop("mac")
    body = json.dumps(record, separators=(",", ":"))[:-1].encode()
    mac = hmac.new(key, b"barstep/journal/v1\0" + record["log"].encode() + b"\0" + body, hashlib.sha384).hexdigest()
    return body + b',"mac":"' + mac.encode() + b'"}'


# EDITED


def any_byte(case: Case, rng: np.random.Generator) -> Place:
    """A byte of a line becomes another one, but no line end."""
    name, line = case.any_line(rng)
    old = case.files[name][line]
    at = int(rng.integers(len(old)))
    new = rng.choice([byte for byte in range(256) if byte not in (10, old[at])])
    case.files[name][line] = old[:at] + bytes([new]) + old[at + 1 :]
    return name, line


def edited_field(field_name: str) -> Tamperer:
    """A digit of a field becomes another one."""

    def tamper(case: Case, rng: np.random.Generator) -> Place:
        name, line = case.any_line(rng)
        case.files[name][line] = _replace(case.files[name][line], field_name, rng)
        return name, line

    tamper.__name__ = f"edited_{field_name}"
    return tamper


def joined_lines(case: Case, rng: np.random.Generator) -> Place:
    """A line's end becomes another byte."""
    name = str(rng.choice(case.in_order))
    lines = case.files[name]
    line = int(rng.integers(len(lines) - 1))
    lines[line : line + 2] = [lines[line] + b" " + lines[line + 1]]
    return name, line


def split_line(case: Case, rng: np.random.Generator) -> Place:
    """A byte of a line becomes a line's end."""
    name, line = case.any_line(rng)
    old = case.files[name][line]
    at = int(rng.integers(1, len(old)))
    case.files[name][line : line + 1] = [old[:at], old[at + 1 :]]
    return name, line


def inserted_text(case: Case, rng: np.random.Generator) -> Place:
    """A line that is no record is put between two."""
    name, line = case.any_line(rng)
    case.files[name].insert(line, rng.choice([b"", b"{}", b"not a record", b"\0" * 600]))
    return name, line


def padded_line(case: Case, rng: np.random.Generator) -> Place:
    """A blank before the line's end, or a carriage return."""
    name, line = case.any_line(rng)
    case.files[name][line] += rng.choice([b" ", b"\r"])
    return name, line


def sealed_without_end(case: Case, rng: np.random.Generator) -> Place:
    """The last line of a sealed segment loses its end, or some of its bytes too."""
    name = str(rng.choice(case.sealed))
    lines = case.files[name]
    last = lines.pop()
    case.tails[name] = last[: len(last) - int(rng.integers(0, 40))]
    return name, len(lines)


def edited_head(case: Case, rng: np.random.Generator) -> Place:
    """A digit of the head's signature, or its bytes."""
    assert case.head is not None
    case.head = (
        _replace(case.head, "mac", rng) if rng.random() < 0.7 else case.head[: int(rng.integers(len(case.head) - 2))]
    )
    return None


# GAP


def removed_lines(case: Case, rng: np.random.Generator) -> Place:
    """One or a few adjoining records are gone, from the genesis record to the last but one."""
    name, line = case.any_line(rng, but_last=True)
    most = len(case.files[name]) - line - (name == OPEN)
    del case.files[name][line : line + int(rng.integers(1, min(most, 4) + 1))]
    return None


def removed_segment(case: Case, rng: np.random.Generator) -> Place:
    """A sealed segment is gone."""
    del case.files[str(rng.choice(case.sealed))]
    return None


def cut_sealed_segment(case: Case, rng: np.random.Generator) -> Place:
    """The end of a sealed segment is gone."""
    lines = case.files[str(rng.choice(case.sealed))]
    del lines[int(rng.integers(1, len(lines))) :]
    return None


# REORDERED


def swapped_lines(case: Case, rng: np.random.Generator) -> Place:
    """Two records of one file have changed places."""
    name = str(rng.choice(case.in_order))
    lines = case.files[name]
    a, b = rng.choice(len(lines), 2, replace=False)
    lines[a], lines[b] = lines[b], lines[a]
    return None


def moved_lines(case: Case, rng: np.random.Generator) -> Place:
    """Some adjoining records stand elsewhere, in their file or in another."""
    name, line = case.any_line(rng, but_last=True)
    count = int(rng.integers(1, 4))
    moved = case.files[name][line : line + count]
    del case.files[name][line : line + count]
    while True:
        target = str(rng.choice(case.in_order))
        at = int(rng.integers(len(case.files[target]) + 1))
        neighbours = case.in_order.index(target) - case.in_order.index(name)
        same_place = (target == name and at == line) or (
            (neighbours == 1 and at == 0 and line == len(case.files[name]))
            or (neighbours == -1 and line == 0 and at == len(case.files[target]))
        )
        if not same_place:
            break
    case.files[target][at:at] = moved
    return None


def swapped_segments(case: Case, rng: np.random.Generator) -> Place:
    """Two sealed segments have each other's name."""
    a, b = case.sealed
    case.files[a], case.files[b] = case.files[b], case.files[a]
    return None


# DUPLICATE


def repeated_lines(case: Case, rng: np.random.Generator) -> Place:
    """Some adjoining records stand somewhere else too, before or after."""
    name, line = case.any_line(rng)
    copied = case.files[name][line : line + int(rng.integers(1, 4))]
    target = str(rng.choice(case.in_order))
    at = int(rng.integers(len(case.files[target]) + 1))
    case.files[target][at:at] = copied
    return None


def replayed_at_the_end(case: Case, rng: np.random.Generator) -> Place:
    """An old record is written once more, last."""
    name, line = case.any_line(rng)
    case.files[OPEN].append(case.files[name][line])
    return OPEN, len(case.files[OPEN]) - 1


def copied_segment(case: Case, rng: np.random.Generator) -> Place:
    """A sealed segment is there under two names."""
    name = str(rng.choice(case.sealed))
    first = json.loads(case.files[name][0])["seq"]
    copy = f"demo.{first + int(rng.integers(1, 3)):012}.jsonl"
    case.files[copy] = list(case.files[name])
    return None


# FOREIGN LOG


def foreign_line(case: Case, rng: np.random.Generator) -> Place:
    """A record gives way to one of another journal."""
    name, line = case.any_line(rng)
    case.files[name][line] = _foreign(case, rng)
    return name, line


def inserted_foreign_line(case: Case, rng: np.random.Generator) -> Place:
    """A record of another journal is put between two."""
    name, line = case.any_line(rng)
    case.files[name].insert(line, _foreign(case, rng))
    return name, line


def foreign_segment(case: Case, rng: np.random.Generator) -> Place:
    """A sealed segment gives way to one of another journal, which is as long."""
    name = str(rng.choice(case.sealed))
    lines = [line for each in case.other.values() for line in each][: len(case.files[name])]
    case.files[name] = lines
    return name, 0


def foreign_head(case: Case, rng: np.random.Generator) -> Place:
    """The head is another journal's."""
    last = json.loads(case.other[OPEN][-1])
    case.head = head_line(last)
    return None


def _foreign(case: Case, rng: np.random.Generator) -> bytes:
    lines = [line for each in case.other.values() for line in each]
    return lines[int(rng.integers(len(lines)))]


# WRONG KEY


def other_root(case: Case, rng: np.random.Generator) -> Place:
    """A record is written anew and signed with somebody's own root, whose name it says."""
    name, line = case.any_line(rng)
    root = rng.bytes(32)
    old = case.files[name][line]
    epoch = json.loads(old)["epoch"]
    case.files[name][line] = sign_again(old, epoch_key(root, epoch), kid=root_id(root), kind="note")
    return name, line


def newer_epoch(case: Case, rng: np.random.Generator) -> Place:
    """A record of the past is written anew with the key that is on the machine."""
    name = str(rng.choice(case.sealed))
    line = int(rng.integers(len(case.files[name])))
    case.files[name][line] = sign_again(case.files[name][line], epoch_key(case.root, 2), epoch=2, kind="note")
    return name, line


def segment_of_other_key(case: Case, rng: np.random.Generator) -> Place:
    """All of a segment is signed with another key under the old name, each record chained to the one before."""
    name = str(rng.choice(case.in_order))
    key, lines = rng.bytes(48), case.files[name]
    for place, line in enumerate(lines):
        prev = {"prev": json.loads(lines[place - 1])["mac"]} if place else {}
        lines[place] = sign_again(line, key, **prev)
    if name == OPEN:
        last = json.loads(lines[-1])
        case.head = head_line(last)
        case.witness = case.head
    return name, 0


def end_forged_with_newer_key(case: Case, rng: np.random.Generator) -> Place:
    """The end of a sealed segment is written anew with the machine's key."""
    name = str(rng.choice(case.sealed))
    lines, key = case.files[name], epoch_key(case.root, 2)
    begin = int(rng.integers(1, len(lines)))
    for place in range(begin, len(lines)):
        prev = json.loads(lines[place - 1])["mac"]
        lines[place] = sign_again(lines[place], key, prev=prev, epoch=2)
    return name, begin


# TRUNCATED


def cut_tail(case: Case, rng: np.random.Generator) -> Place:
    """Records that the head knows are gone from the end, up to all of the open segment."""
    lines = case.files[OPEN]
    del lines[int(rng.integers(0, len(lines))) :]
    return None


def cut_inside_last_line(case: Case, rng: np.random.Generator) -> Place:
    """The file ends somewhere inside a record that the head knows."""
    lines = case.files[OPEN]
    line = int(rng.integers(1, len(lines)))
    case.tails[OPEN] = lines[line][: int(rng.integers(1, len(lines[line]) + 1))]
    del lines[line:]
    return None


def removed_open_segment(case: Case, rng: np.random.Generator) -> Place:
    """The open segment is gone."""
    del case.files[OPEN]
    return None


def removed_head(case: Case, rng: np.random.Generator) -> Place:
    """There is no head."""
    case.head = None
    return None


# ROLLED BACK


def rolled_back(case: Case, rng: np.random.Generator) -> Place:
    """Journal and head are both as they were before."""
    lines = case.files[OPEN]
    del lines[int(rng.integers(1, len(lines))) :]
    last = json.loads(lines[-1])
    case.head = head_line(last)
    return None


def written_anew(case: Case, rng: np.random.Generator) -> Place:
    """The open segment's end is written anew with the machine's own key, as far as before, and the head with it."""
    lines = case.files[OPEN]
    for place in range(int(rng.integers(1, len(lines))), len(lines)):
        prev = json.loads(lines[place - 1])["mac"]
        lines[place] = sign_again(lines[place], epoch_key(case.root, 2), prev=prev, text="anew")
    last = json.loads(lines[-1])
    case.head = head_line(last)
    return None


def other_journal(case: Case, rng: np.random.Generator) -> Place:
    """All of it gives way to another journal of the same root, with its head."""
    for name, lines in case.files.items():
        case.files[name] = [sign_again(line, b"") for line in lines]
    log, mac = rng.bytes(16).hex(), "0" * 96
    for epoch, name in enumerate(case.in_order):
        for place, line in enumerate(case.files[name]):
            signed = sign_again(line, epoch_key(case.root, epoch), log=log, prev=mac)
            case.files[name][place], mac = signed, json.loads(signed)["mac"]
    last = json.loads(case.files[OPEN][-1])
    case.head = head_line(last)
    return None


# TORN


def torn(case: Case, rng: np.random.Generator) -> Place:
    """A crash cut off the line that was being written; some records before it may be past the head."""
    lines = case.files[OPEN]
    last = json.loads(lines[-1 - int(rng.integers(0, 2))])
    case.head = head_line(last)
    case.witness = case.head
    following = sign_again(lines[-1], epoch_key(case.root, 2), seq=last["seq"] + 1, prev=last["mac"])
    case.tails[OPEN] = following[: int(rng.integers(1, len(following) + 1))]
    return OPEN, len(lines)


TAMPERERS: dict[str, tuple[Tamperer, ...]] = {
    "EDITED": (
        any_byte, *map(edited_field, ("seq", "epoch", "kid", "log", "prev", "mac")), joined_lines, split_line,
        inserted_text, padded_line, sealed_without_end, edited_head,
    ),
    "GAP": (removed_lines, removed_segment, cut_sealed_segment),
    "REORDERED": (swapped_lines, moved_lines, swapped_segments),
    "DUPLICATE": (repeated_lines, replayed_at_the_end, copied_segment),
    "FOREIGN LOG": (foreign_line, inserted_foreign_line, foreign_segment, foreign_head),
    "WRONG KEY": (other_root, newer_epoch, segment_of_other_key, end_forged_with_newer_key),
    "TRUNCATED": (cut_tail, cut_inside_last_line, removed_open_segment, removed_head),
    "ROLLED BACK": (rolled_back, written_anew, other_journal),
    "TORN": (torn,),
}  # fmt: skip
SEEN_WITHOUT_KEY = (
    *map(edited_field, ("seq", "prev")), joined_lines, split_line, inserted_text, padded_line, sealed_without_end,
    edited_head, removed_lines, removed_segment, cut_sealed_segment, swapped_lines, moved_lines, swapped_segments,
    repeated_lines, replayed_at_the_end, copied_segment, foreign_line, inserted_foreign_line, foreign_segment,
    foreign_head, other_root, cut_tail, cut_inside_last_line, removed_open_segment, removed_head, rolled_back,
    written_anew, other_journal, torn,
)  # fmt: skip
"""What the chain, the head and a witness alone tell by the same verdict."""
