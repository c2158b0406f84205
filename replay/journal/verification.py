"""Verification of a whole journal: every segment, its head and a witness, in constant memory.

What each verdict means, and which one is told where several could be, stands in docs/journal.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import DataError
from ..key_files import KeyRing
from ..private_files import read_private
from .faults import LENIENT, MOST_FAULTS, Fault, Verdict
from .files import Head, JournalFiles, parse_head
from .lines import LONGEST_LINE, batches_of_lines, open_segments, reopened
from .runs import judge
from .scan import Scan
from .witness import read_witness

_BEGINNING = re.compile(rb'\{"v":1,"log":"([0-9a-f]{32})","seq":[0-9]+,"epoch":[0-9]+,"kid":"([0-9a-f]{16})"')
_BEGINNING_BYTES = 512


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What verifying found.

    Attributes:
        environment: Whose journal it is.
        log: Its id.
        segments: How many files it is in.
        records: How many lines there are.
        signed: How many of them bear a good signature.
        last_seq: Number of the last record.
        head_seq: Which one the head names; None where there is none.
        witness_seq: Which one the witness names; None where there is none.
        faults: What was found, in the order of the files.
        left_out: How many more findings there are.
    """

    environment: str
    log: str
    segments: int
    records: int
    signed: int
    last_seq: int
    head_seq: int | None
    witness_seq: int | None
    faults: tuple[Fault, ...]
    left_out: int

    def is_good(self, *, strict: bool) -> bool:
        """Whether the journal may be believed; with `strict`, also whether nothing was left unverified."""
        return not self.left_out and not any(strict or fault.verdict not in LENIENT for fault in self.faults)

    def as_json(self, *, strict: bool) -> dict[str, Any]:
        """All of it as JSON values."""
        faults = [asdict(fault) for fault in self.faults]
        return {"ok": self.is_good(strict=strict), "strict": strict, **asdict(self), "faults": faults}


def verify(files: JournalFiles, ring: KeyRing, *, witness: Path | None = None) -> Verification:
    """Verify a journal.

    Args:
        files: Where it is.
        ring: The keys at hand.
        witness: A copy of its head that was kept elsewhere; None where there is none.

    Raises:
        DataError: There is no journal, or no such witness.
        JournalError: A file is not private, or the journal is in such disorder that it is not worth reading on.
    """
    witnessed = None if witness is None else read_witness(witness)
    head_data = _read_if_there(files.head)  # before the records: whoever writes meanwhile writes them first
    head = None if head_data is None else parse_head(head_data)
    records = signed = 0
    torn: Fault | None = None
    with open_segments(files) as segments:
        who = _identify(segments, head, ring)
        log = who.log
        scan = Scan(log, ring, who.kid, who.kids, [one.seq for one in (head, witnessed) if one is not None])
        for path, file in segments:
            torn = _read_segment(scan, path, file)
            scan.end_segment()
            is_newest = path is segments[-1][0]
            if is_newest and scan.is_sealed and path != files.next_segment and files.next_segment.exists():
                segments.append((files.next_segment, None))  # a crash came before it got its name
            records, signed = records + scan.count.lines, signed + scan.count.signed
    scan.finish()
    order, last = judge(scan.runs.closed)
    keys = _judge_keys(scan, newest_must_be_signed=bool(ring))
    faults = _sorted([*scan.faults.kept, *order, *keys], [path.name for path, _ in segments])
    faults += _judge_head(files, head_data, head, scan.macs, log=log, last=last)
    if scan.is_sealed and scan.expected > last and (head is None or head.seq <= last):
        text = "the journal ends with a sealed segment, and the next one, which was there before that, is not."
        faults.append(Fault(verdict=Verdict.TRUNCATED, file=files.open_segment.name, seq=last + 1, text=text))
    if torn is not None and (head is None or head.seq <= last):
        faults.append(torn)
    known = last if head is None else max(last, head.seq)
    faults += _judge_witness(witness, witnessed, scan.macs, log=log, known=known)
    return Verification(
        environment=files.environment,
        log=log,
        segments=len(segments),
        records=records,
        signed=signed,
        last_seq=last,
        head_seq=None if head is None else head.seq,
        witness_seq=None if witnessed is None else witnessed.seq,
        faults=tuple(faults[:MOST_FAULTS]),
        left_out=scan.faults.left_out + max(len(faults) - MOST_FAULTS, 0),
    )


def _read_if_there(path: Path) -> bytes | None:
    try:
        return read_private(path)
    except DataError:
        return None


@dataclass(frozen=True, kw_only=True)
class _Identity:
    """Who a journal is: its id, the root of its first segment, and all roots."""

    log: str
    kid: str
    kids: frozenset[str]


def _identify(segments: Sequence[tuple[Path, BinaryIO | None]], head: Head | None, ring: KeyRing) -> _Identity:
    """What most of its first lines, its segments' first lines and its head say, since any one of them may be wrong."""
    logs, first_kids, kids = Counter[str](), Counter[str](), set()
    for number, (path, file) in enumerate(segments):
        with reopened(path, file) as again:
            lines = [again.readline(LONGEST_LINE)[:_BEGINNING_BYTES] for _ in range(1 if number else 3)]
        for place, found in enumerate(map(_BEGINNING.match, lines)):
            if found is not None:
                log, kid = found[1].decode(), found[2].decode()
                logs[log] += place < 2
                kids.add(kid)
                first_kids[kid] += number == 0
    if head is not None:
        logs[head.log] += 2  # so that a first segment of another journal is outvoted by the head and a second one
    kid = max(first_kids, key=lambda kid: (first_kids[kid], ring.has_root(kid)), default="")
    return _Identity(log=max(logs, key=lambda log: logs[log], default=""), kid=kid, kids=frozenset(kids))


def _read_segment(scan: Scan, path: Path, file: BinaryIO | None) -> Fault | None:
    """Scan a segment; a last line without its end is given back where it is the open one, which may be torn."""
    scan.begin_segment(path.name)
    torn = None
    with reopened(path, file) as lines_of:
        for lines, ended in batches_of_lines(lines_of):
            if ended:
                scan.read(lines)
            elif file is None:
                scan.read_without_end(lines[0])
            else:
                text = "has no end: a crash cut it off, and nobody was told of it; the next start sets it aside."
                line = scan.count.lines + 1
                torn = Fault(verdict=Verdict.TORN, file=path.name, line=line, seq=scan.expected, text=text)
    return torn


def _judge_keys(scan: Scan, *, newest_must_be_signed: bool) -> Iterator[Fault]:
    """What was signed by keys that are not at hand."""
    for (kid, epoch), found in scan.unsigned.items():
        is_wrong = newest_must_be_signed and (kid, epoch) == scan.newest_key
        yield Fault(
            verdict=Verdict.WRONG_KEY if is_wrong else Verdict.UNVERIFIED,
            file=found.file,
            line=found.line,
            seq=found.seq,
            records=found.records,
            text=f"the key of root {kid}, epoch {epoch} is not at hand; only the chain was checked.",
        )


def _sorted(faults: Sequence[Fault], files: Sequence[str]) -> list[Fault]:
    places = {name: place for place, name in enumerate(files)}
    return sorted(faults, key=lambda fault: (places[fault.file], fault.line or 0))


def _judge_head(
    files: JournalFiles, data: bytes | None, head: Head | None, macs: Mapping[int, str], *, log: str, last: int
) -> Iterator[Fault]:
    """Whether the journal goes as far as its head, and the head says what stands there."""
    file = files.head.name
    if data is None:
        if last >= 0:
            text = "there is no head, so that nobody can tell whether the last record is the last."
            yield Fault(verdict=Verdict.TRUNCATED, file=file, seq=last + 1, text=text)
    elif head is None:
        yield Fault(verdict=Verdict.EDITED, file=file, text="no head stands in it: log, seq and mac.")
    elif head.log != log:
        yield Fault(verdict=Verdict.FOREIGN_LOG, file=file, seq=head.seq, text=f"is of journal {head.log}.")
    elif head.seq > last:
        missing = head.seq - last
        text = f"the journal ends with record {last}, and its head says {head.seq}."
        name = files.open_segment.name
        yield Fault(verdict=Verdict.TRUNCATED, file=name, seq=last + 1, records=missing, text=text)
    elif macs.get(head.seq, head.mac) != head.mac:
        yield Fault(
            verdict=Verdict.EDITED, file=file, seq=head.seq, text="says another signature than that record has."
        )


def _judge_witness(
    path: Path | None, witness: Head | None, macs: Mapping[int, str], *, log: str, known: int
) -> Iterator[Fault]:
    """Whether the journal and its head go as far as a witness says, and say the same there."""
    if path is None or witness is None:
        text = "no witness was given or found; journal and head rolled back together would not be seen."
        yield Fault(verdict=Verdict.UNWITNESSED, file="", text=text)
        return
    text = ""
    if witness.log != log:
        text = f"it has seen journal {witness.log}; this one is {log}."
    elif witness.seq > known:
        text = f"it has seen record {witness.seq}; journal and head end before it."
    elif macs.get(witness.seq, witness.mac) != witness.mac:
        text = "it has seen another record of this number."
    if text:
        yield Fault(verdict=Verdict.ROLLED_BACK, file=path.name, seq=witness.seq, text=text)
