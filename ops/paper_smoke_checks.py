"""What must have come of the paper pipeline, held against its journal, its venue's ledger and its replay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ..engine.scheduler.live_setup import LivePlan
from ..errors import BarstepError
from ..replay.channel.messages import FINAL
from ..replay.journal.disk import REAL_DISK
from ..replay.journal.reading import read_payloads
from ..replay.journal.record import fields_of
from ..replay.journal.verification import verify
from ..replay.journal_replay import live_journal_of
from ..replay.key_files import keys_at_hand
from ..replay.live.done_again import RECORDINGS, recording_path
from ..replay.live.parity import verify_live
from .live_place import OPERATOR, LivePlace
from .paper_smoke_report import Check

Record = Mapping[str, Any]


@dataclass(kw_only=True)
class Evidence:
    """What is left of a run, and what was seen meanwhile.

    Attributes:
        place: Where it ran.
        plan: What it traded.
        cycles: Instants that were asked for.
        is_own_venue: Whether the venue was started for it, and so loses the connection once.
        schedule: The one that was suspended and resumed.
        held: The suspensions that the loop told of meanwhile.
        held_after: Those after it was resumed.
        status: The last that the loop said of itself.
        loop_code: What the loop has exited with; None: it has not.
        venue_code: What the venue has.
        place_is_left: Whether the file that says where the loop listens is there after its end.
        ledger: The venue's orders; None where it does not tell.
        counts: Instants, records, orders, fills.
    """

    place: LivePlace
    plan: LivePlan
    cycles: int
    is_own_venue: bool
    schedule: str = ""
    held: Sequence[Record] = ()
    held_after: Sequence[Record] = ()
    status: Record = field(default_factory=dict)
    loop_code: int | None = None
    venue_code: int | None = None
    place_is_left: bool = False
    ledger: list[dict[str, Any]] | None = None
    counts: dict[str, int] = field(default_factory=dict)

    def records(self) -> list[dict[str, Any]]:
        """The journal's records, as far as it can be read."""
        return [fields_of(payload) for _, payload in read_payloads(self.place.files, REAL_DISK)]


class _NotHoldsError(Exception):
    """What was looked at is not as it must be."""


class _NotTriedError(Exception):
    """It cannot be looked at here."""


def checks_of(evidence: Evidence) -> list[Check]:
    """Look at everything; what cannot be looked at any more has failed."""
    return [_looked(name, look, evidence) for name, look in LOOKS.items()]


def _looked(name: str, look: Callable[[Evidence], str], evidence: Evidence) -> Check:
    try:
        return Check(name=name, status="PASS", detail=look(evidence))
    except _NotTriedError as error:
        return Check(name=name, status="SKIP", detail=str(error))
    except (_NotHoldsError, BarstepError, OSError) as error:
        return Check(name=name, status="FAIL", detail=str(error))


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise _NotHoldsError(text)


def _instants(evidence: Evidence) -> str:
    done = int(evidence.status.get("bars_done", 0))
    evidence.counts["instants"] = done
    runs = Counter(one["status"] for one in evidence.records() if one["kind"] == "run")
    text = f"{done:,} of {evidence.cycles:,} instants; runs: {_told(runs)}"
    _require(done >= evidence.cycles and runs["executed"] > 0, text)
    return text


def _orders(evidence: Evidence) -> str:
    records = evidence.records()
    sent = [one for one in records if one["kind"] == "order" and one["status"] == "accepted"]
    filled = [one for one in records if one["kind"] == "report" and one["fills"]]
    evidence.counts |= {"orders": len(sent), "fills": sum(len(one["fills"]) for one in filled)}
    text = f"{len(sent):,} orders were sent, {evidence.counts['fills']:,} fills came back"
    _require(bool(sent) and bool(filled), text)
    return text


def _suspension(evidence: Evidence) -> str:
    """Between both commands none of the schedule's signals is accepted, and the loop says why."""
    records = evidence.records()
    given = [
        (place, one["command"]["command"], one["by"]) for place, one in enumerate(records) if one["kind"] == "command"
    ]
    wanted = [("suspend_schedule", OPERATOR), ("resume_schedule", OPERATOR)]
    found = [(name, by) for _, name, by in given]
    _require(found == wanted, f"the journal's commands are {found}; two were given: {wanted}")
    names = [one["name"] for one in evidence.held]
    _require(names == [evidence.schedule], f"the loop told of suspensions of {names}, not of {evidence.schedule}")
    _require(not evidence.held_after, f"the loop told of {len(evidence.held_after)} suspensions after it was resumed")
    (begin, *_), (end, *_) = given
    own = [(place, one) for place, one in enumerate(records) if one.get("schedule") == evidence.schedule]
    runs = sum(begin < place < end and one["kind"] == "run" for place, one in own)
    decided = Counter(
        (one["status"], one["reason"]) for place, one in own if begin < place < end and one["kind"] == "decision"
    )
    after = sum(place > end and one["kind"] == "decision" and one["status"] == "accepted" for place, one in own)
    text = (
        f"{evidence.schedule}: {runs} runs meanwhile, {decided['dropped', 'suspended']} signals held back; "
        f"{after} accepted after it was resumed"
    )
    _require(runs > 0 and {reason for _, reason in decided} <= {"suspended"}, f"{text}; meanwhile {dict(decided)}")
    return text


def _connection(evidence: Evidence) -> str:
    states = [one["status"] for one in evidence.records() if one["kind"] == "connection"]
    text = ", ".join(states) or "never connected"
    if not evidence.is_own_venue:
        _require(states[:1] == ["connected"], text)
        raise _NotTriedError(f"{text}; a venue that was not started here is not made to hang up")
    _require(states == ["connected", "lost", "connected"], text)
    return text


def _end(evidence: Evidence) -> str:
    codes = {"loop": evidence.loop_code}
    if evidence.is_own_venue:
        codes["venue"] = evidence.venue_code
    text = ", ".join(f"{name} {'still ran' if code is None else f'exit code {code}'}" for name, code in codes.items())
    _require(all(code == 0 for code in codes.values()), f"after SIGTERM: {text}")
    _require(not evidence.place_is_left, "the loop's address is told after its end")
    return f"after SIGTERM: {text}"


def _journal(evidence: Evidence) -> str:
    found = verify(evidence.place.files, keys_at_hand(evidence.place.keys, []))
    evidence.counts["records"] = found.records
    faults = "; ".join(str(fault) for fault in found.faults)
    text = f"{found.records:,} records, {found.signed:,} with a good signature"
    _require(found.is_good(strict=False) and found.signed == found.records > 0, f"{text}: {faults}")
    return text


def _ledger(evidence: Evidence) -> str:
    """The venue knows each order of the journal once, and both tell the same of it, report by report."""
    if evidence.ledger is None:
        if not evidence.is_own_venue:
            raise _NotTriedError("this venue does not tell its ledger")
        raise _NotHoldsError("the venue's ledger could not be read")
    records = evidence.records()
    log_id = next(place.log for place, _ in read_payloads(evidence.place.files, REAL_DISK))
    own = [one for one in evidence.ledger if one["run"] == log_id]
    sent = Counter(one["order_id"] for one in records if one["kind"] == "order" and one["status"] == "accepted")
    reports = [one for one in records if one["kind"] == "report"]
    never_out = {one["order_id"] for one in reports if one["number"] == 0}
    known, told = {one["order_id"] for one in own}, {*map(_of_journal, reports)} - {None}
    _refuse_more("orders", "venue", known - {*sent})
    _refuse_more("reports", "journal", told - {*_of_ledger(own)})
    if evidence.is_own_venue:  # the loop may leave another in the middle of an instant
        _refuse_more("orders", "journal", {*sent} - never_out - known)
        _refuse_more("reports", "venue", {*_of_ledger(own)} - told)
    twice = [name for name, count in sent.items() if count > 1]
    traded = [one["order_id"] for one in own if abs(one["filled_lots"]) > abs(one["lots"])]
    ordered = Counter((one["schedule"], one["leg"], one["sent_us"]) for one in own if not one["replaces"])
    again = [str(key) for key, count in ordered.items() if count > 1]
    _require(not twice and not traded and not again, f"more than once: {', '.join([*twice, *traded, *again])}")
    last = evidence.status.get("at", "")  # orders of the last instant wait for an open that does not come
    waiting = [one["order_id"] for one in own if one["status"] not in FINAL and one["taken"] < last]
    if evidence.is_own_venue:
        _require(not waiting, f"no final word of {', '.join(waiting)}")
    states = Counter(one["status"] or "open" for one in own)
    came_again = sum(one["came_again"] for one in own)
    return f"{len(own):,} orders, the same on both sides: {_told(states)}; {came_again} sent again, none taken twice"


def _refuse_more(what: str, who: str, more: set[Any]) -> None:
    _require(not more, f"only the {who} knows {len(more)} {what}, such as {min(map(str, more), default='')}")


def _of_journal(report: Record) -> tuple[Any, ...] | None:
    if report["number"] == 0:  # the loop's own word
        return None
    fills = tuple(map(tuple, report["fills"]))
    return report["number"], report["order_id"], report["status"], report["left"], report["reason"], fills


def _of_ledger(entries: Sequence[Record]) -> list[tuple[Any, ...]]:
    return [
        (
            one["number"], entry["order_id"], one["status"], one["left"], one["reason"],
            tuple((fill["leg"], fill["lots"], fill["price"], fill["fee"], fill["reference"]) for fill in one["fills"]),
        )
        for entry in entries
        for one in entry["reports"]
    ]  # fmt: skip


def _replay(evidence: Evidence) -> str:
    """Done again from its journal and its recording, and at an exact venue the same as a backtest of those bars."""
    files, place = evidence.place.files, evidence.place
    log_id = next(place.log for place, _ in read_payloads(files, REAL_DISK))
    recording = recording_path(place.folder / RECORDINGS, place.environment, log_id)
    session = live_journal_of(files, place.config, recording)
    if session is None:
        raise _NotHoldsError("the journal is not one of a live session")
    parity = verify_live(session)
    _require(parity.diverged is None, f"done again: {parity.diverged}")
    _require(parity.divergence is None, f"the drivers differ: {parity.divergence}")
    _require(parity.exact or not evidence.is_own_venue, "the venue has filled otherwise than a backtest does")
    same = "the backtest of the recording is the same, bit for bit" if parity.exact else "this venue fills by itself"
    return f"{parity.counts['records']:,} records done again, all the same; {same}"


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items())) or "none"


LOOKS: Mapping[str, Callable[[Evidence], str]] = MappingProxyType(
    {
        "instants": _instants,
        "orders": _orders,
        "suspension": _suspension,
        "connection": _connection,
        "end": _end,
        "journal": _journal,
        "ledger": _ledger,
        "replay": _replay,
    }
)
"""By name, in order, what looks at the evidence: it gives what it saw, or raises."""
