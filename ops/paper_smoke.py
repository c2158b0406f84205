"""The paper pipeline, tried as it will run: a venue, a live loop, orders, an operator, a lost connection, and an end.

Venue and loop are processes of their own that speak over mTLS. Nothing is written where the user's runs are.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..config.core import CoreConfig
from ..engine.bars import MICROSECONDS
from ..engine.configured import load_core_config
from ..engine.scheduler.live_setup import LivePlan, plan_live
from ..errors import BarstepError, UsageError
from ..replay.certificates import MTLS, load_identity
from ..replay.channel.client import ChannelClient
from ..replay.clock import Clock, SystemClock
from ..replay.control.client import ControlClient
from ..replay.journal.record import at_text
from ..replay.live.greeting import legs_of
from ..replay.replaying import SECRETS
from ..replay.stub.market import Market
from .live_place import LivePlace, make_place, with_venue_of
from .live_processes import LiveProcess, live_process
from .paper_smoke_checks import Evidence, checks_of
from .paper_smoke_report import Check, PaperSmokeReport

CYCLES = 240
WITHIN_SECONDS = 120.0

_LEDGER = "ledger"
_STARTS_SECONDS = 60.0
_QUIET_US = 400_000
"""A loop that has written nothing for so long has done what its venue told."""
_LOOK_US = 5_000

Told = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is to be tried.

    Attributes:
        plan: What the loop trades.
        cycles: Instants.
        datasets: What the venue serves.
        address: Of a venue that runs already; None: one is started.
        within_seconds: How long the instants may take.
        span_us: From when to when a venue that is started here tells instants.
    """

    plan: LivePlan
    cycles: int
    datasets: Sequence[str]
    address: str | None
    within_seconds: float
    span_us: tuple[int, int]


def paper_smoke(
    config: CoreConfig | str | Path,
    environment: str = "binance_paper",
    scheduler: str | None = None,
    *,
    cycles: int = CYCLES,
    datasets: Sequence[str] = ("embedded",),
    address: str | None = None,
    within_seconds: float = WITHIN_SECONDS,
    clock: Clock | None = None,
    told: Told = lambda _: None,
) -> PaperSmokeReport:
    """Run an environment's paper pipeline and check all that must come of it.

    Args:
        config: A configuration, or its file.
        environment: A name, an alias or a type of one that trades on paper.
        scheduler: A scheduler of it; None: the environment's.
        cycles: Instants that the loop does.
        datasets: Recorded bars that the venue serves.
        address: Of a venue that runs already, with the user's certificates and token; None: one is started here.
        within_seconds: How long the instants may take.
        clock: The time.
        told: Is told of each step.

    Raises:
        ConfigError: The configuration is refused.
        UsageError: A name is unknown, the environment does not trade on paper, or there are too few bars.
        DataError, JournalError: The secrets for `address` are not there, or not private.
    """
    core = config if isinstance(config, CoreConfig) else load_core_config(config)
    plan = plan_live(core, environment, scheduler)
    _refuse(plan, cycles)
    span_us = (0, 0) if address is not None else _span(plan, cycles, datasets)
    asked = _Asked(
        plan=plan, cycles=cycles, datasets=datasets, address=address, within_seconds=within_seconds, span_us=span_us
    )
    clock = clock or SystemClock()
    began_us = clock.monotonic_us()
    with tempfile.TemporaryDirectory(prefix="barstep-paper-smoke-") as name:
        place = make_place(Path(name), core, plan.environment, plan.scheduler, clock)
        if address is not None:
            place = with_venue_of(place, address, SECRETS, os.environ)
        evidence = Evidence(place=place, plan=plan, cycles=cycles, is_own_venue=address is None)
        stopped_by = None
        try:
            _run(asked, evidence, clock, told)
        except BarstepError as error:
            stopped_by = str(error)
        told("checking")
        checks = checks_of(evidence)
        if stopped_by is not None:
            checks = [Check(name="pipeline", status="FAIL", detail=stopped_by), *checks]
    return PaperSmokeReport(
        environment=plan.environment,
        scheduler=plan.scheduler,
        cycles=cycles,
        checks=tuple(checks),
        counts=evidence.counts,
        seconds=(clock.monotonic_us() - began_us) / MICROSECONDS,
    )


def _refuse(plan: LivePlan, cycles: int) -> None:
    own = plan.config.environments[plan.environment]
    if own.type != "paper" or own.feed is not None:
        bars = "" if own.feed is None else " over recorded bars"
        raise UsageError(
            f"environment {plan.environment!r}: is of type {own.type}{bars}; what is tried here is of type paper and "
            "trades at a venue. Recorded bars have `barstep smoke`."
        )
    if cycles < 24:
        raise UsageError(f"cycles is {cycles!r}; allowed is 24 or more: a schedule is suspended and resumed meanwhile.")


def _run(asked: _Asked, evidence: Evidence, clock: Clock, told: Told) -> None:
    """Everything that happens; what is seen of it goes into the evidence."""
    with _venue(asked, evidence.place, clock, told) as (place, venue):
        evidence.place = place
        words = ["scheduler", "run", "--environment", place.environment, "--scheduler", place.scheduler,
                 "--run-forever"]  # fmt: skip
        with live_process("loop", words, place.folder, place.environ, clock) as loop:
            loop.wait_until(place.loop_is_there, "its address", _STARTS_SECONDS)
            told("the loop runs")
            with place.managed(clock) as client:
                _manage(asked, client, loop, evidence, clock, told)
            evidence.loop_code = loop.stop()
            told("the loop has ended")
        evidence.place_is_left = place.loop_is_there()
        evidence.ledger = _ledger(place, clock)
        if venue is not None:
            evidence.venue_code = venue.stop()


@contextmanager
def _venue(asked: _Asked, place: LivePlace, clock: Clock, told: Told) -> Iterator[tuple[LivePlace, LiveProcess | None]]:
    """The place with its venue's address, and the venue where it is started here."""
    if asked.address is not None:
        yield place, None
        return
    start_us, end_us = asked.span_us
    span_seconds = (end_us - start_us) // MICROSECONDS
    words = ["stub-server", "--address", "grpc+tls://localhost:0", "--mtls-bundle", str(place.bundle), "--json",
             "--start", at_text(start_us), "--end", at_text(end_us),
             "--fault", f"disconnect:{span_seconds * 3 // 5}s"]  # fmt: skip
    for dataset in asked.datasets:
        words += ["--dataset", dataset if dataset == "embedded" else str(Path(dataset).resolve())]
    with live_process("venue", words, place.folder, place.environ, clock) as venue:
        venue.wait_until(lambda: venue.address != "", "its address", _STARTS_SECONDS)
        told(f"the venue listens at {venue.address}")
        yield place.at(venue.address), venue


def _span(plan: LivePlan, cycles: int, datasets: Sequence[str]) -> tuple[int, int]:
    """From when to when the venue tells instants: as soon as all is warm, a bar each.

    Raises:
        UsageError: There are too few bars.
    """
    market = Market(datasets=datasets)
    interval_us = plan.interval_seconds * MICROSECONDS
    legs = [market.bars(leg.venue, leg.symbol, plan.interval_seconds) for leg in legs_of(plan)]
    first_us, last_us = max(int(bars.ts_us[0]) for bars in legs), min(int(bars.closes_us[-1]) for bars in legs)
    start_us = first_us + (plan.history_bars + 1) * interval_us
    end_us = start_us + cycles * interval_us
    if end_us > last_us:
        most = max(int(np.floor((last_us - start_us) / interval_us)), 0)
        raise UsageError(f"cycles is {cycles:,}; after warm-up the bars of all instruments hold {most:,}.")
    return start_us, end_us


def _manage(
    asked: _Asked, client: ControlClient, loop: LiveProcess, evidence: Evidence, clock: Clock, told: Told
) -> None:
    """Suspend a schedule, resume it, and wait until all instants are done and nothing more comes."""

    def wait_for(holds: Callable[[Mapping[str, Any]], bool], what: str) -> None:
        def is_there() -> bool:
            clock.sleep_us(_LOOK_US)
            evidence.status = client.ask("status")
            return holds(evidence.status)

        loop.wait_until(is_there, what, asked.within_seconds)

    wait_for(lambda status: _trading(status) is not None or status["bars_done"] >= asked.cycles // 4, "a signal")
    evidence.schedule = name = _trading(evidence.status) or asked.plan.resolved[0].name
    client.ask("suspend_schedule", schedule=name, reason="paper smoke")
    evidence.held = client.ask("suspensions")
    told(f"suspended {name}")
    until = int(client.ask("status")["bars_done"]) + asked.cycles // 4
    wait_for(lambda status: status["bars_done"] >= until, "the end of the suspension")
    client.ask("resume_schedule", schedule=name)
    evidence.held_after = client.ask("suspensions")
    told(f"resumed {name}")
    wait_for(lambda status: status["bars_done"] >= asked.cycles, f"instant {asked.cycles}")
    seen: tuple[Any, int] = (None, 0)

    def is_quiet(status: Mapping[str, Any]) -> bool:
        nonlocal seen
        now_us = clock.monotonic_us()
        if seen[0] != status["journal_seq"]:
            seen = (status["journal_seq"], now_us)
        return now_us - seen[1] > _QUIET_US or asked.address is not None

    wait_for(is_quiet, "the last report")


def _trading(status: Mapping[str, Any]) -> str | None:
    """A schedule whose last run gave signals; None where there is none."""
    runs = {one["schedule"]: one["last_run"] or {} for one in status["schedules"]}
    return next((name for name, run in runs.items() if run.get("signals")), None)


def _ledger(place: LivePlace, clock: Clock) -> list[dict[str, Any]] | None:
    """All orders that the venue knows of; None where it does not tell."""
    own = place.config.environments[place.environment]
    identity = None
    if place.bundle is not None:
        identity = load_identity(place.secrets / MTLS, place.bundle, "client", now_us=clock.now_us())
    client = ChannelClient(str(own.adapter_address), place.venue_token, identity=identity, clock=clock)
    try:
        return [json.loads(line) for line in client.fetch(_LEDGER, b"")["entry"].to_pylist()]
    except UsageError:
        return None
    finally:
        client.close()
