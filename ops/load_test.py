"""A load test: schedules run at the pace that is asked for, with their journal and their sinks, and are timed."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config.core import CoreConfig
from ..config.digest import content_sha384
from ..engine.configured import load_core_config
from ..errors import UsageError
from ..replay.builders import build_multi_strategy_runtime
from ..replay.clock import Clock, SystemClock, elapsed_ns
from ..replay.key_files import KeyFolder
from ..replay.multi_strategy_scheduler import MultiStrategyScheduler
from ..replay.resources import ResourceMonitor
from ..replay.sinks import StrategySignal, StrategySignalSink
from .load_test_report import LoadReport
from .load_test_scheduler import LoadedScheduler

UNCOUNTED = 3
"""Iterations before the first one that counts: they load kernels and open files."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much.

    Attributes:
        iterations: Runs of each schedule.
        schedules: Schedules that are due at each instant.
        signals: Signals of each run.
        interval_ms: From the beginning of an iteration to that of the next; 0: at once.
    """

    iterations: int = 30
    schedules: int = 3
    signals: int = 5
    interval_ms: float = 50.0

    def __post_init__(self) -> None:
        """Raises UsageError where a number is out of range."""
        for name, most in (("iterations", 1_000_000), ("schedules", 1_000), ("signals", 1_000)):
            if not 1 <= getattr(self, name) <= most:
                raise UsageError(f"{name} is {getattr(self, name)}; allowed is 1 to {most:,}.")
        if not 0.0 <= self.interval_ms <= 60_000.0:
            raise UsageError(f"interval_ms is {self.interval_ms:g}; allowed is 0 to 60,000.")


class CountingSink:
    """Counts signals by what became of them.

    Attributes:
        counts: By status.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def submit(self, signals: Sequence[StrategySignal]) -> None:
        """Count the signals of one run."""
        self.counts.update(signal.status for signal in signals)


def load_test(
    config: CoreConfig | str | Path,
    load: Load,
    folder: Path,
    *,
    environment: str = "demo",
    scheduler: str | None = None,
    sinks: Sequence[StrategySignalSink] = (),
    clock: Clock | None = None,
) -> LoadReport:
    """Run a scheduler under load in event time, and say how long an iteration takes and what the process uses.

    An iteration is an instant at which each schedule runs once with a signal of each instrument: a bar closes, wishes
    are made, capital is shared out, orders fill, all of it is durable in the journal, and the sinks are told.

    Args:
        config: A configuration, or its file: the scheduler's capital policy, and the limits of resources.
        load: How much.
        folder: On the disk that the journal is written to; it is made, and the journal is removed at the end.
        environment: A name, an alias or a type.
        scheduler: A scheduler of the configuration; None: the environment's.
        sinks: Who is told every signal besides; their time counts.
        clock: What paces the iterations and measures the use of resources; None: the machine's.

    Raises:
        ConfigError: The configuration is refused.
        UsageError: A name is unknown.
        AuthorizationError: The licence does not grant a strategy.
    """
    core, clock = config if isinstance(config, CoreConfig) else load_core_config(config), clock or SystemClock()
    count = UNCOUNTED + load.iterations
    loaded = LoadedScheduler(
        core, environment, scheduler, iterations=count, schedules=load.schedules, signals=load.signals
    )
    counting = CountingSink()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".load-test-") as name:
        keys = KeyFolder(Path(name) / "keys")
        keys.init()
        runtime = build_multi_strategy_runtime(
            loaded.config, loaded.environment, loaded.name, bars=loaded.bars, start=loaded.start,
            journal=Path(name) / "journal", keys=keys.path, sinks=(counting, *sinks),
        )  # fmt: skip
        with runtime:
            _iterate(runtime, UNCOUNTED, 0.0, clock)
            counting.counts.clear()
            monitor, began_us = ResourceMonitor(core.runtime.resource_limits, clock, every_us=1), clock.monotonic_us()
            latencies = _iterate(runtime, load.iterations, load.interval_ms, clock)
            monitor.sample()
            seconds = (clock.monotonic_us() - began_us) * 1e-6
    return LoadReport(
        environment=loaded.environment,
        scheduler=loaded.name,
        iterations=load.iterations,
        schedules=load.schedules,
        signals=load.signals,
        interval_ms=load.interval_ms,
        latencies_ms=tuple(latencies),
        signals_seen=dict(counting.counts),
        seconds=seconds,
        resources=monitor.use,
        config_sha384=content_sha384(core),
        finished_us=clock.now_us(),
    )


def _iterate(runtime: MultiStrategyScheduler, count: int, interval_ms: float, clock: Clock) -> list[float]:
    """Milliseconds of so many instants, each begun at its time or, where the one before took longer, at once."""
    loop, latencies = runtime.session.loop, []
    next_us = clock.monotonic_us()
    for _ in range(count):
        clock.sleep_us(next_us - clock.monotonic_us())
        next_us = max(next_us, clock.monotonic_us()) + round(interval_ms * 1_000)
        began = elapsed_ns()
        loop.step()
        latencies.append((elapsed_ns() - began) * 1e-6)
    return latencies
