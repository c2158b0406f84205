"""Live, replayed and vectorised runs agree bit for bit, and no order is lost or doubled, whatever goes wrong.

Everything is drawn from a seed; `SEEDS` says of how many. What ran is printed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pytest
from barstep.config.commands import AnyCommand, UseFeed
from barstep.config.durations import instant_at, microseconds
from barstep.engine.bars import Bars
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.engine.scheduler.machine import SchedulerMachine
from barstep.engine.scheduler.setup import SchedulerSetup
from barstep.engine.scheduler.simulation import simulate
from barstep.errors import BarstepError, FeedError
from barstep.replay.channel.frames import NUMBER_BYTES
from barstep.replay.channel.messages import FromLoop, Order, Orders, read_from_loop
from barstep.replay.journal.reading import read_payloads
from barstep.replay.journal.record import fields_of
from barstep.replay.journal_tables import JournalTables
from barstep.replay.live.adapter import VenueAdapter
from barstep.replay.live.event_clock import EventClock
from barstep.replay.live.session import LiveSession
from order_checks import order_problems
from sim_world import CALM, LATE, ROUGH, Faults, KilledError, SimWorld, Wire
from twins import FILES, of_both, recorded_bars, records, twin_records
from world import Kept

SEEDS = int(os.environ.get("SEEDS", "1"))
FIRST = 4
"""Small schedulers stand here, so that the default is quick."""
A_LITTLE = Faults(late=0.6, most_late_seconds=29.0, disconnect=0.003, kill=0.003)
"""Less than the 30 seconds that a run may be late by default."""
Say = Callable[[str], None]


def seeds(number: int) -> Iterator[int]:
    yield from range(FIRST, FIRST + number * SEEDS)


def commands_of(world: SimWorld) -> list[AnyCommand]:
    """What operators order while it is live; which feed is read is not theirs to say of a venue."""
    given = msgspec.convert(world.drawn.given["commands"], list[AnyCommand])
    return [one for one in given if not isinstance(one, UseFeed) and microseconds(one.at) >= world.start_us]


def lived(world: SimWorld) -> LiveSession:
    """The world to its end, with its commands."""
    return world.live([(microseconds(one.at), one) for one in commands_of(world)])


def problems(world: SimWorld, session: LiveSession) -> list[str]:
    """What is wrong with the world's orders."""
    told = [
        {**fields_of(payload), "seq": place.seq, "mac": place.mac}
        for place, payload in read_payloads(FILES, world.disk)
    ]
    return order_problems(told, list(world.venue.ledger_entries()), session.loop.orders.all())


def checked(world: SimWorld) -> Counter[str]:
    """Live it, hold it against its twin and its orders against the ledger; counts of what there was."""
    session = lived(world)
    live = of_both(records(world.disk))
    assert live == twin_records(world), f"seed {world.seed}"
    assert problems(world, session) == [], f"seed {world.seed}"
    assert not any(one["came_again"] for one in world.venue.ledger_entries()), f"seed {world.seed}"
    return Counter(
        runs=1, records=len(live), orders=len(list(world.venue.ledger_entries())), kills=world.kills,
        connections=world.connections, skips=sum(b'"status":"skipped"' in one for one in live),
        commands=sum(one.startswith(b'"kind":"command"') for one in live),
    )  # fmt: skip


def twin_by_commands(world: SimWorld, bars: Mapping[str, Any] | None = None) -> SchedulerSetup:
    """The scheduler over the recorded bars with the commands at the instants at which they were given.

    bars: others, by instrument.
    """
    told = [fields_of(one) for one in records(world.disk) if one.startswith(b'"kind":"command"')]
    ordered = [one["command"] for one in told if one["by"] == "operator"]
    return set_up_scheduler(
        world.drawn.config, "s", environment="e", bars={**recorded_bars(world), **(bars or {})},
        start=instant_at(world.start_us), commands=msgspec.convert(ordered, list[AnyCommand]), **world.options,
    )  # fmt: skip


def folded(world: SimWorld, setup: SchedulerSetup) -> dict[str, str]:
    """Digests of the decisions, weights and equity that the live journal folds to."""
    tables, machine = JournalTables(setup), SchedulerMachine(setup, observed=True)
    for payload in of_both(records(world.disk)):
        tables.take(fields_of(payload))
    tables.put_into(machine)
    return machine.result().digests


def told(kind: str, counts: Counter[str]) -> str:
    return f"{kind}: {', '.join(f'{count:,} {what}' for what, count in counts.items())}"


@pytest.mark.parametrize(
    ("name", "faults", "number"), [("calm", CALM, 2), ("rough", ROUGH, 2), ("late", LATE, 2)], ids=lambda one: one
)
def test_a_live_run_is_its_replay(name: str, faults: Faults, number: int, say: Say) -> None:
    """Record by record, with the same commands and the same runs skipped; every order once at the venue."""
    counts = Counter[str]()
    for seed in seeds(number):
        counts += checked(SimWorld(seed, faults))
    say(told(name, counts))
    assert counts["orders"] > 0
    assert (counts["kills"] > 0) == (faults.kill > 0.0)
    assert (counts["skips"] > 0) or faults is not LATE


def test_a_live_run_is_its_vectorised_backtest(say: Say) -> None:
    """Decisions, weights and equity of a run at which nothing goes wrong, bit for bit."""
    decisions = 0
    for seed in seeds(2):
        world = SimWorld(seed)
        lived(world)
        setup = twin_by_commands(world)
        result = simulate(setup)
        assert folded(world, setup) == result.digests, f"seed {seed}"
        decisions += len(result.decisions)
    say(f"vectorised: {2 * SEEDS} runs, {decisions:,} decisions")
    assert decisions > 100


def test_lateness_that_is_allowed_changes_nothing_else() -> None:
    """Less than `max_drift_seconds` stands in `drift_seconds`, and all else is as if it had been on time."""

    def on_time(world: SimWorld) -> list[bytes]:
        plain = [fields_of(one) for one in of_both(records(world.disk)) if not one.startswith(b'"kind":"command"')]
        return [msgspec.json.encode({**one, "drift_seconds": 0.0} if one["kind"] == "run" else one) for one in plain]

    for seed in seeds(1):
        calm, late = SimWorld(seed), SimWorld(seed, A_LITTLE)
        calm.live()
        late.live()
        drifts = [fields_of(one)["drift_seconds"] for one in records(late.disk) if one.startswith(b'"kind":"run"')]
        assert 0.0 < max(drifts) < 30.0 and min(drifts) == 0.0
        assert on_time(calm) == on_time(late), f"seed {seed}"


def test_a_seed_repeats() -> None:
    """All that the loop says to its venue is the same again, with kills and a wire that misbehaves; not of another."""
    one, again, other = (SimWorld(seed, ROUGH) for seed in (FIRST, FIRST, FIRST + 2))
    for world in (one, again, other):
        lived(world)
    assert (one.trace, one.kills) == (again.trace, again.kills)
    assert one.trace != other.trace


class Losing(SimWorld):
    """Orders go out, and what the venue says of them does not come back: the line is cut, or the process dies."""

    def __init__(self, seed: int, where: str, *, dies: bool, share: float = 0.15) -> None:
        super().__init__(seed)
        self.where, self.dies, self.share, self.lost = where, dies, share, 0

    def connect(self) -> Wire:  # type: ignore[override]
        """A connection that is lost with some orders."""
        self.connections += 1
        return _LosingWire(self)

    def lose(self, wire: Wire, message: FromLoop) -> None:
        """Lose the answer to some orders."""
        if not (isinstance(message, Orders) and message.orders and self.chance(self.share)):
            return
        self.lost += 1
        session = wire.session
        assert session is not None
        if self.where != "sent":
            session.hear(message, self.clock.wall_us)
        if self.where == "filled":
            session.due(self.clock.wall_us)
        wire.end()
        if self.dies:
            raise KilledError
        raise FeedError("the stream has ended.")


class _LosingWire(Wire):
    world: Losing

    def send(self, frame: bytes) -> None:
        """As ever, but that the frame may be the last one."""
        if not self.is_dead:
            self.world.lose(self, read_from_loop(frame[NUMBER_BYTES:]))
        super().send(frame)


@pytest.mark.parametrize("dies", [False, True], ids=["cut", "restarted"])
@pytest.mark.parametrize("where", ["sent", "accepted", "filled"])
def test_a_lost_acknowledgement_doubles_nothing(where: str, dies: bool, say: Say) -> None:
    """Before an order reaches the venue, after it was taken, after it was filled: one order each, and the same run."""
    counts = Counter[str]()
    for seed in seeds(1):
        world = Losing(seed, where, dies=dies)
        counts += checked(world)
        counts["lost"] += world.lost
    say(told(f"lost acknowledgements, {where}, {'restarted' if dies else 'cut'}", counts))
    assert counts["lost"] > 3


@pytest.mark.parametrize("legs", [0, 1, 2])
def test_a_kill_while_the_history_comes_leaves_no_part_of_it(legs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only some instruments have theirs, the next start has the rest come, too."""
    world = SimWorld(FIRST)

    def fetch(self: Kept, from_us: int, to_us: int) -> Sequence[Bars]:
        plain(self, from_us, to_us)
        for rows in self.rows[legs:]:
            rows.clear()
        raise KilledError

    plain = Kept.fetch
    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(Kept, "fetch", fetch)
        world.open()
    world.disk = world.disk.after_kill()
    checked(world)
    calm = SimWorld(FIRST)
    lived(calm)
    assert of_both(records(world.disk)) == of_both(records(calm.disk))


def test_a_kill_before_the_journal_has_its_name_keeps_the_start() -> None:
    """The next start, which does not ask the venue where it stands, finds it in the genesis record."""
    world = SimWorld(FIRST)
    start_us = world.start_us
    world.open()
    world.disk = world.disk.after_kill()
    world.disk.replace(FILES.open_segment, FILES.next_segment)
    world.start_us = 0
    assert world.open().machine.setup.start_us == start_us


# What must turn these tests red: each is planted once.


def _resent_under_new_ids(plain: Callable[..., Any]) -> Callable[..., Any]:
    """As a loop would whose ids are new with each start."""

    def welcome(self: VenueAdapter, message: Any) -> Any:
        answer = plain(self, msgspec.structs.replace(message, known=[]))
        orders: list[Order] = [msgspec.structs.replace(one, order_id=f"{one.order_id}0") for one in answer.orders]
        return msgspec.structs.replace(answer, orders=orders)

    return welcome


def _never_resent(plain: Callable[..., Any]) -> Callable[..., Any]:
    """As a loop would that takes what is durable for sent."""

    def welcome(self: VenueAdapter, message: Any) -> Any:
        return msgspec.structs.replace(plain(self, message), orders=[])

    return welcome


@pytest.mark.parametrize("defect", [_resent_under_new_ids, _never_resent])
def test_an_order_that_is_doubled_or_forgotten_is_found(defect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new id after a restart, and an order that is never sent again, are said by the oracle."""
    monkeypatch.setattr(VenueAdapter, "_welcome", defect(VenueAdapter._welcome))
    found: list[str] = []
    for seed in range(FIRST, FIRST + 3):
        world = Losing(seed, "sent" if defect is _never_resent else "accepted", dies=True)
        try:
            found += problems(world, lived(world))
        except BarstepError as error:
            found.append(str(error))
    assert found
    wanted = "in limbo" if defect is _never_resent else "not in the journal"
    assert any(wanted in one for one in found), found[:3]


def test_a_run_that_was_skipped_makes_another_run() -> None:
    """The twin that is not given the journalled skips is found to be another one."""
    world = SimWorld(FIRST, LATE)
    lived(world)
    on_time = [one.replace(b'"status":"skipped"', b'"status":"executed"') for one in records(world.disk)]
    assert of_both(on_time) != twin_records(world)


def test_a_price_that_differs_a_little_is_found() -> None:
    """Closes of the bars that the backtest is given lie a millionth of the way nearer to their lows."""
    world = SimWorld(FIRST)
    lived(world)
    changed = {}
    for name, given in recorded_bars(world).items():
        own, *others = given if isinstance(given, tuple) else (given,)
        values = own.values.copy()
        values[3] -= (values[3] - values[2]) * 1e-6
        bars = Bars(own.symbol, own.venue, own.interval_seconds, own.ts_us, values)
        changed[name] = (bars, *others) if others else bars
    setup = twin_by_commands(world)
    assert folded(world, setup) == simulate(setup).digests
    assert folded(world, setup) != simulate(twin_by_commands(world, changed)).digests


def test_a_clock_that_is_not_given_changes_the_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lateness by another clock than the world's makes other skips, and another trace."""
    plain = SimWorld(FIRST, LATE)
    lived(plain)
    monkeypatch.setattr(EventClock, "drift_us", lambda _self, _now_us: 1e9)
    other = SimWorld(FIRST, LATE)
    lived(other)
    assert plain.trace != other.trace
