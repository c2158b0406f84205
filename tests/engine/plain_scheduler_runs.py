"""One run of one schedule in the slow reference: its signals, the reasons that refuse them, and its orders."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from barstep.config.risk import RiskProfile
from barstep.engine.configured import ResolvedSchedule
from plain_scheduler_fills import Account, Cell
from plain_scheduler_market import Seen, Voice
from plain_scheduler_telemetry import SILENT, Telemetry, measured

LEAST_MOVE = 1e-9
"""What is less than this part of a schedule's capital moves nothing."""

Decision = tuple[int, str, str, int, float, float, str, str, float]
"""Due time, schedule, instrument, side, exposure, confidence, status, reason, weight."""

OrderRow = tuple[int, str, str, float, str]
"""Decided, schedule, instrument, quantity, and whether it was a signal, a move or a flattening."""


@dataclass(eq=False)
class Actor:
    """A schedule with all that belongs to it: cells of the portfolio, and a unit account of its own."""

    plan: ResolvedSchedule
    profile: RiskProfile
    cadence_us: int
    voices: dict[str, Voice]
    cells: list[Cell]
    unit: Account
    telemetry: Telemetry
    weight: float = 0.0
    set_by: tuple[float, float] = (math.nan, math.nan)
    unit_set_by: float = math.nan

    @property
    def name(self) -> str:
        return self.plan.name

    def is_due(self, now_us: int) -> bool:
        return now_us % self.cadence_us == 0

    def is_warm(self, now_us: int) -> bool:
        return any(voice.bars(now_us) >= self.plan.schedule.warmup_bars for voice in self.voices.values())

    @property
    def wished(self) -> float:
        """Sum of the sizes of its accepted wishes."""
        return sum(abs(cell.standing) for cell in self.cells)


@dataclass(eq=False)
class Signal:
    """A wish that asks for something new; `reason` is empty while nothing refuses it.

    `before` is the wish that stood until now; `was` the accepted one, and whether its side was closed.
    """

    cell: Cell
    wish: float
    confidence: float
    before: float
    was: tuple[float, bool]
    reason: str = ""
    accepted: bool = True

    @property
    def lowers(self) -> bool:
        return self.wish == 0.0 or (self.wish * self.before > 0.0 and abs(self.wish) < abs(self.before))

    def refuse(self, reason: str, *, turns: bool = False) -> None:
        """Refuse it; one that would flip the side becomes a wish of 0 where it `turns`."""
        self.reason = reason
        if turns and self.wish * self.before < 0.0:
            self.wish = 0.0
        else:
            self.accepted = False


@dataclass(frozen=True)
class Limits:
    """What holds in a run: signals by limits and by the governor, and what may not grow."""

    held_back: str
    loop: str
    most: float
    governor: float
    profile_reducing: bool
    no_raises: bool


@dataclass(eq=False)
class Run:
    """What one run found."""

    actor: Actor
    now_us: int
    limits: Limits
    seen: list[Seen | None]
    signals: list[Signal]
    skipped: bool

    @property
    def is_silent(self) -> bool:
        """Held back as a whole: it has no orders, and counts with nothing."""
        return bool(self.limits.held_back) or self.limits.loop == "halted"


def start_run(actor: Actor, now_us: int, seen_us: int, limits: Limits, drift_seconds: float) -> Run:
    """Find the signals, refuse those for which there is a reason, and accept the others.

    seen_us: when a bar of any instrument closed last.
    """
    skipped = drift_seconds > actor.plan.schedule.max_drift_seconds
    seen = [actor.voices[cell.asset.name].at(seen_us) for cell in actor.cells]
    signals = _signals(actor, seen, may_release=not skipped)
    run = Run(actor, now_us, limits, seen, signals, skipped)
    for signal in signals:
        _refuse_one(run, signal)
    _refuse_over_limits(run)
    for signal in signals:
        if signal.accepted:
            signal.cell.accepted, signal.cell.closed = signal.wish, False
    return run


def _signals(actor: Actor, seen: Iterable[Seen | None], *, may_release: bool) -> list[Signal]:
    found = []
    for cell, said in zip(actor.cells, seen, strict=True):
        if said is None or math.isnan(said.wish) or said.wish * cell.stopped > 0.0:
            continue
        if may_release:
            cell.stopped = 0
        if cell.again or abs(said.wish - cell.accepted) > cell.rules.rebalance_threshold:
            found.append(Signal(cell, said.wish, said.confidence, cell.standing, (cell.accepted, cell.closed)))
    return found


def _refuse_one(run: Run, signal: Signal) -> None:
    """The first of the reasons that need no other signal to be known."""
    limits, actor = run.limits, run.actor
    closed = actor.voices[signal.cell.asset.name].bars(run.now_us)
    if run.skipped:
        signal.refuse("drift")
    elif limits.held_back:
        signal.refuse(limits.held_back)
    elif limits.loop == "halted":
        signal.refuse("halted")
    elif limits.loop == "reducing" and not signal.lowers:
        signal.refuse("halted", turns=True)
    elif closed < actor.plan.schedule.warmup_bars:
        signal.refuse("warmup")
    elif limits.profile_reducing and not signal.lowers:
        signal.refuse("risk", turns=True)


def _refuse_over_limits(run: Run) -> None:
    """The surest go first; the sort keeps the order of the universe among equals."""
    asking = [signal for signal in run.signals if not signal.reason and not signal.lowers]
    for rank, signal in enumerate(sorted(asking, key=lambda each: -each.confidence)):
        if rank >= run.limits.most:
            signal.refuse("limit", turns=True)
        elif rank >= run.limits.governor:
            signal.refuse("governor", turns=True)


def make_orders(
    run: Run, account: Account, same_profile: list[Cell], scale: float
) -> tuple[list[Decision], list[OrderRow]]:
    """Orders of the run's signals and of what else its weight, scale and divisor move; then all is written down."""
    actor, orders = run.actor, []
    by_cell = {signal.cell: signal for signal in run.signals if signal.accepted}
    set_by = (actor.weight * scale, max(1.0, actor.wished))
    same = all(math.isclose(one, other, rel_tol=LEAST_MOVE) for one, other in zip(set_by, actor.set_by, strict=True))
    looks = bool(by_cell) or not same or any(cell.unset for cell in actor.cells)
    if looks and not (run.skipped or run.is_silent):
        actor.set_by, factor = set_by, set_by[0] / set_by[1]
        for cell in actor.cells:
            cell.unset = False
        for cell in actor.cells:
            was, kind = cell.order, "signal"
            if cell in by_cell:
                _order_signal(run, by_cell[cell], account, same_profile, factor)
            else:
                kind = "move"
                _order_move(run, cell, account, same_profile, factor)
            if cell.order is not None and cell.order is not was:
                quantity = cell.order.lots * cell.rules.lot
                orders.append((run.now_us, actor.name, cell.asset.name, quantity, kind))
    _count(run, any_accepted=bool(by_cell))
    return [_row(run, signal) for signal in run.signals], orders


def _order_signal(run: Run, signal: Signal, account: Account, same_profile: list[Cell], factor: float) -> None:
    cell = signal.cell
    share = cell.accepted * factor
    lots = account.wanted(cell, share)
    if _raises(cell, lots):
        if signal.lowers and (run.limits.profile_reducing or run.limits.loop == "reducing" or run.limits.no_raises):
            cell.again, cell.unset = False, True
            return  # the wish is accepted; its order would raise, and waits as a move does
        room = cut_to_room(run.actor.profile, account, cell, lots, same_profile)
        if not _raises(cell, room) and not signal.lowers:
            signal.refuse("risk", turns=True)
            cell.unset = True
            if not signal.accepted:
                cell.accepted, cell.closed = signal.was
                return
            cell.accepted = share = 0.0
            room = 0
        lots = room
    account.put_on_order(cell, signal.was[0], share, lots, run.now_us, asked=True)


def _order_move(run: Run, cell: Cell, account: Account, same_profile: list[Cell], factor: float) -> None:
    share = cell.standing * factor
    if not abs(share - cell.target) > max(cell.rules.rebalance_threshold, LEAST_MOVE) * run.actor.weight:
        return
    lots, limits = account.wanted(cell, share), run.limits
    if _raises(cell, lots):
        if limits.profile_reducing or limits.loop == "reducing" or limits.no_raises:
            cell.unset = True
            return
        lots = cut_to_room(run.actor.profile, account, cell, lots, same_profile)
    account.put_on_order(cell, cell.accepted, share, lots, run.now_us, asked=False)


def _raises(cell: Cell, lots: int) -> bool:
    """Whether a position of `lots` is larger than what is held, or on another side."""
    return lots != 0 and (lots * cell.lots <= 0 or abs(lots) > abs(cell.lots))


def cut_to_room(profile: RiskProfile, account: Account, cell: Cell, lots: int, same_profile: list[Cell]) -> int:
    """A larger position, cut to what the profile allows beside its other ones; what is held is not cut."""
    gross = cell.rules.lot * cell.asset.gross
    others = [each for each in same_profile if each is not cell]
    here = [each for each in others if each.asset.name == cell.asset.name]
    allowed = [float(abs(lots))]
    if profile.max_position_pct is not None:
        allowed.append((profile.max_position_pct / 100.0 * account.equity - _sizes(here)) / gross)
    if profile.max_leverage is not None:
        allowed.append((profile.max_leverage * account.equity - _sizes(others)) / gross)
    kept = abs(cell.lots) if lots * cell.lots > 0 else 0
    size = max(kept, math.floor(max(min(allowed), 0.0) * (1.0 + 1e-15)))
    return int(math.copysign(min(size, abs(lots)), lots))


def _sizes(cells: Iterable[Cell]) -> float:
    """Value of positions at their last closes, orders on hand included."""
    return sum(abs(cell.projected) * cell.rules.lot * cell.asset.gross for cell in cells)


def _count(run: Run, *, any_accepted: bool) -> None:
    """The run as telemetry has it, and the unit account after it."""
    actor = run.actor
    if run.skipped:
        return
    if run.is_silent:
        actor.telemetry.runs.append(SILENT)
        return
    signals = sum(signal.accepted for signal in run.signals)
    actor.telemetry.runs.append(measured(signals, run.seen, actor.unit.equity))
    pairs = list(zip(actor.cells, actor.unit.cells, strict=True))
    divisor = max(1.0, sum(abs(real.known) for real, cell in pairs if real.known * cell.stopped <= 0.0))
    looks = any(cell.unset or cell.accepted != real.known for real, cell in pairs)
    if any_accepted or looks or divisor != actor.unit_set_by:
        actor.unit_set_by = divisor
        follow(actor, run.now_us, divisor, {signal.cell for signal in run.signals if signal.accepted})


def follow(actor: Actor, now_us: int, divisor: float, asked: set[Cell]) -> None:
    """The unit account goes after the accepted wishes: a weight of 1, no limits, and levels of its own."""
    for leader, cell in zip(actor.cells, actor.unit.cells, strict=True):
        cell.unset = False
        before, cell.accepted = cell.accepted, leader.known
        share, is_asked = leader.known / divisor, leader in asked
        if share * cell.stopped > 0.0:
            continue
        cell.stopped = 0
        if is_asked or abs(share - cell.target) > max(cell.rules.rebalance_threshold, LEAST_MOVE):
            actor.unit.put_on_order(cell, before, share, actor.unit.wanted(cell, share), now_us, asked=is_asked)


def _row(run: Run, signal: Signal) -> Decision:
    side = (signal.wish > 0.0) - (signal.wish < 0.0)
    status = "accepted" if signal.accepted else "refused"
    return (
        run.now_us, run.actor.name, signal.cell.asset.name, side, abs(signal.wish), signal.confidence, status,
        signal.reason, run.actor.weight,
    )  # fmt: skip
