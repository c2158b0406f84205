"""Records in the order of the files, each held to the one before it and to its signature.

A record is looked at in two ways. One that says exactly what the next record has to say costs a signature and two
comparisons; any other is taken apart, and where it belongs and what is wrong with it is found out.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from ..key_files import KeyRing
from .faults import Faults, Verdict
from .record import GENESIS_PREV, Chained, Signer, make_body, read_chained, sign
from .runs import Runs

_TAIL_BYTES = 106  # ,"mac":"…"}
_KIND = re.compile(rb'"prev":"[0-9a-f]{96}","kind":"([a-z_]+)"')
_JOINED = re.compile(rb'"\}[^,]?\{"v":1,"log":"')
_NO_RECORD = "is no record."
_OTHER_BYTES = "is not what was signed."


@dataclass(kw_only=True, slots=True)
class SegmentCount:
    """What a segment's lines have come to.

    Attributes:
        lines: All of them.
        signed: Those whose signature is good.
        forged: Those whose key is at hand, and did not sign them.
    """

    lines: int = 0
    signed: int = 0
    forged: int = 0


@dataclass(kw_only=True, slots=True)
class Unsigned:
    """Records of one key that is not at hand, all of which stand where they may.

    Attributes:
        file: Where the first one is.
        line: Its line.
        seq: Its number.
        records: How many there are.
    """

    file: str
    line: int
    seq: int
    records: int = 0


class Scan:
    """Where the reading of a journal stands.

    Args:
        log: The journal's id.
        ring: The keys at hand.
        kid: The root of its first segment.
        kids: Roots that segments begin with.
        watched: Records whose signatures are asked for later.
    """

    def __init__(self, log: str, ring: KeyRing, kid: str, kids: Collection[str], watched: Iterable[int]) -> None:
        self.faults, self.runs = Faults(), Runs()
        self.macs: dict[int, str] = {}
        self.count = SegmentCount()
        self.unsigned: dict[tuple[str, int], Unsigned] = {}
        self.newest_key = (kid, 0)  # root and epoch of the record with the highest number
        self._log, self._ring, self._kids = log, ring, frozenset(kids)
        self._watched = sorted(set(watched))
        self._file, self._line, self._before_segment = "", 0, 0
        # The last record: its number, its signature where it is known, its bytes, and the key it was signed with.
        self._seq = -1
        self._mac: str | None = GENESIS_PREV
        self._last = b""
        self._left: set[str] = set()  # roots that have given way to another
        self._unread = 0  # lines since the last record that may have been records
        self._in_run = False
        self._top = -1  # the highest number so far
        self._anchored = False  # whether a record of this file is known to be in its place
        self._stop = -1  # the next number that is watched or where another run had an edge
        self._use_key(kid, 0)

    @property
    def expected(self) -> int:
        """The number that the next record has to have."""
        return self._seq + 1

    @property
    def is_sealed(self) -> bool:
        """Whether the last record says that its segment ends."""
        kind = _KIND.search(self._last)
        return kind is not None and kind[1] == b"sealed"

    def begin_segment(self, file: str) -> None:
        """Lines of another file follow."""
        self._file, self._line = file, 0
        self._before_segment = len(self.faults.kept)
        self.count = SegmentCount()
        self._anchored = False

    def read(self, lines: Sequence[bytes]) -> None:
        """Take lines without their ends."""
        place = 0
        while place < len(lines):
            followed = self._follow(lines, place)
            self._line += followed
            place += followed
            if place < len(lines):
                self._line += 1
                self._look_at(lines[place])
                place += 1

    def read_without_end(self, line: bytes) -> None:
        """Take the last line of a sealed segment, which lacks its end."""
        before = (self.faults.count, self._unread)
        self.read([line])
        if before == (self.faults.count, self._unread):
            self._fault(Verdict.EDITED, self._seq, "has no end.")

    def end_segment(self) -> None:
        """There are no more lines of this file: where none is signed by the key that it names, that is one finding."""
        if self.count.lines > 1 and self.count.forged == self.count.lines:
            text = "is signed with another key than its root and epoch say, as all of its segment."
            self.faults.replace_from(self._before_segment, Verdict.WRONG_KEY, self._file, self.count.lines, text)

    def finish(self) -> None:
        """There are no more lines."""
        self.runs.end(self._seq, self._unread)

    def _follow(self, lines: Sequence[bytes], place: int) -> int:
        """How many lines from this place on are signed and follow one another."""
        signer, mac = self._signer, self._mac
        if signer is None or mac is None or self._unread or not self._in_run:
            return 0
        opening, middle, seq, stop = self._opening, self._middle, self._seq + 1, self._stop
        sign_line = signer.sign
        index = place
        for index in range(place, len(lines)):
            line = lines[index]
            if seq == stop or not line.startswith(f'{opening}{seq}{middle}{mac}"'.encode()):
                break
            made = sign_line(line[:-_TAIL_BYTES])
            if line[-_TAIL_BYTES:] != f',"mac":"{made}"}}'.encode():
                break
            mac, seq = made, seq + 1
        else:
            index = len(lines)
        followed = index - place
        if followed:
            self._mac, self._seq, self._last = mac, seq - 1, lines[index - 1]
            self._top = max(self._top, self._seq)
            self.count.signed += followed
            self.count.lines += followed
        return followed

    def _look_at(self, line: bytes) -> None:
        self.count.lines += 1
        read, joined = read_chained(line), len(_JOINED.findall(line))
        if read is None or joined:
            self._fault(Verdict.EDITED, None, _NO_RECORD)
            self._unread += 1 + joined
            return
        place, body = read
        signed = self._is_signed(place, body)
        if place.log != self._log:
            self._of_another_log(place, body)
        elif signed is False:
            self._forged(place, body)
        elif signed is None:
            self._without_key(place, body, line)
        else:
            self._signed(place, line)

    def _of_another_log(self, place: Chained, body: bytes) -> None:
        if self._belongs_here(place, body):
            self._edited_at(self._seq + 1)
        else:
            self._fault(Verdict.FOREIGN_LOG, place.seq, f"is of journal {place.log}.")
            self._unread += 1

    def _forged(self, place: Chained, body: bytes) -> None:
        """Its key is at hand and did not sign it."""
        self.count.forged += 1
        if place.seq > self._top:
            self.newest_key = (place.kid, place.epoch)
        if self._follows(place.seq):
            self._edited_at(place.seq)
        elif self._belongs_here(place, body):
            self._edited_at(self._seq + 1)
        else:
            self._fault(Verdict.EDITED, place.seq, _OTHER_BYTES)
            self._unread += 1

    def _without_key(self, place: Chained, body: bytes, line: bytes) -> None:
        """Its key is not at hand: only its place can tell."""
        own = (place.kid, place.epoch) == (self._kid, self._epoch) or self._may_change_to(place)
        after = not self._unread and self._names_last(place)
        if (own and after and not self._follows(place.seq)) or (not own and self._bears_signature_of_next(place, body)):
            self._edited_at(self._seq + 1)
        elif not own and (after or self._follows(place.seq)):
            self._other_key(place)
            self._stand_at(place.seq if self._follows(place.seq) else self._seq + 1, None, b"")
        elif not own and place.kid not in self._kids:
            self._other_key(place)
            self._unread += 1
        else:
            first = Unsigned(file=self._file, line=self._line, seq=place.seq)
            self.unsigned.setdefault((place.kid, place.epoch), first).records += 1
            self._chained(place, line)

    def _signed(self, place: Chained, line: bytes) -> None:
        self.count.signed += 1
        changes = (place.kid, place.epoch) != (self._kid, self._epoch)
        if changes and not self._may_change_to(place):
            self._other_key(place)
            self._stand_at(place.seq, None, b"")
            return
        self._chained(place, line)

    def _chained(self, place: Chained, line: bytes) -> None:
        """A record of this journal: it follows the one before, or another run begins with it."""
        if not self._follows(place.seq):
            self.runs.end(self._seq, self._unread)
            self._in_run = False
        elif self._mac is not None and not self._unread and place.prev != self._mac:
            self._fault(
                Verdict.EDITED, place.seq, "does not follow the record before it: one of the two was exchanged."
            )
        if (place.kid, place.epoch) != (self._kid, self._epoch):
            if place.kid != self._kid and self._follows(place.seq):
                self._left.add(self._kid)
            self._use_key(place.kid, place.epoch)
        if place.seq > self._top:  # a copy of an earlier one says nothing of this file
            self._anchored, self._top, self.newest_key = True, place.seq, (place.kid, place.epoch)
        self._stand_at(place.seq, place.mac, line)
        if place.seq in self._watched:
            self.macs.setdefault(place.seq, place.mac)

    def _edited_at(self, seq: int) -> None:
        """A record of this place, whatever it says of itself now."""
        self._fault(Verdict.EDITED, seq, _OTHER_BYTES)
        self._stand_at(seq, None, b"")

    def _stand_at(self, seq: int, mac: str | None, line: bytes) -> None:
        if self._in_run and self._stop == seq and self.runs.next_edge(seq - 1) == seq:
            self.runs.end(self._seq, self._unread)
            self._in_run = False
        if not self._in_run:
            begins = 0 if self._seq < 0 and self._follows(seq) else seq  # lines before it may have been its first ones
            self.runs.begin(begins, self._file, self._line)
            self._in_run = True
        self._seq, self._mac, self._last, self._unread = seq, mac, line, 0
        stops = [one for one in (self.runs.next_edge(seq), *self._watched) if one is not None and one > seq]
        self._stop = min(stops, default=-1)

    def _use_key(self, kid: str, epoch: int) -> None:
        self._kid, self._epoch = kid, epoch
        key = self._ring.key_of(kid, epoch)
        self._signer = None if key is None else Signer(self._log, key)
        self._opening = f'{{"v":1,"log":"{self._log}","seq":'
        self._middle = f',"epoch":{epoch},"kid":"{kid}","prev":"'

    def _is_signed(self, place: Chained, body: bytes) -> bool | None:
        """Whether the key that it names signed it; None where that is not at hand."""
        key = self._ring.key_of(place.kid, place.epoch)
        return None if key is None else hmac.compare_digest(sign(body, place.log, key), place.mac)

    def _follows(self, seq: int) -> bool:
        """Whether it is the next one, lines that could not be read counted as records or not."""
        return self._seq < seq <= self._seq + 1 + self._unread

    def _names_last(self, place: Chained) -> bool:
        """Whether it says that it follows the last record; of two genesis records, each says so of nothing."""
        return place.prev == self._mac and (self._seq >= 0 or place.seq != 0)

    def _belongs_here(self, place: Chained, body: bytes) -> bool:
        """Whether it is the next record, with other digits before its content than were signed."""
        if self._mac is None or self._unread:
            return False
        return self._names_last(place) or self._bears_signature_of_next(place, body)

    def _bears_signature_of_next(self, place: Chained, body: bytes) -> bool:
        """Whether its signature is good once what stands before its content is written as it has to be."""
        if self._mac is None or self._unread:
            return False
        payload = body[body.index(b'","kind":"') + 2 :]
        for kid, epoch in ((self._kid, self._epoch), (self._kid, self._epoch + 1), (place.kid, place.epoch)):
            key = self._ring.key_of(kid, epoch)
            here = Chained(self._log, self._seq + 1, epoch, kid, self._mac, "", "")
            if key is not None and hmac.compare_digest(sign(make_body(here, payload), self._log, key), place.mac):
                return True
        return False

    def _may_change_to(self, place: Chained) -> bool:
        """Whether a record may be signed with another key than the one before it."""
        if not self._follows(place.seq):
            return True  # what stands before it is not there
        if place.kid in self._left:
            return False  # a root that gave way to another is not gone back to
        is_next_key = place.epoch == (self._epoch + 1 if place.kid == self._kid else 0)
        if self._mac is None or self._unread:
            return not self._anchored and (is_next_key or self._unread > 0)
        return is_next_key and self.is_sealed and place.kind == "checkpoint"

    def _other_key(self, place: Chained) -> None:
        text = f"names the key of root {place.kid}, epoch {place.epoch}, which is not its segment's."
        self._fault(Verdict.WRONG_KEY, place.seq, text)

    def _fault(self, verdict: Verdict, seq: int | None, text: str) -> None:
        self.faults.add(verdict, self._file, self._line, seq, text)
