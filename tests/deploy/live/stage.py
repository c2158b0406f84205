"""A venue and a loop as processes of their own, in a folder and with a configuration that are thrown away."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from barstep.data.dataset import read_dataset, write_dataset
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.configured import load_core_config
from barstep.engine.scheduler.live_setup import plan_live
from barstep.ops.live_place import LivePlace, make_place
from barstep.ops.live_processes import LiveProcess, live_process
from barstep.replay.private_files import make_private_folder
from monitors import CLOCK, Monitors, free_port

CORE = Path(__file__).resolve().parents[3] / "config/core.yaml"
ENVIRONMENT = "binance_paper"
SCHEDULER = "core_multi"
_STARTS_SECONDS = 90.0
_LOOK_US = 200_000


@dataclass
class Stage:
    """A loop that runs, and what watches it.

    Attributes:
        place: Where it works.
        venue: The process of the venue.
        loop: The process of the loop.
        instance: Where its metrics are.
        monitors: What watches it.
        began_us: When it was started.
        seen: Alerts that Alertmanager had, and after how many seconds.
    """

    place: LivePlace
    venue: LiveProcess
    loop: LiveProcess
    instance: str
    monitors: Monitors
    began_us: int
    seen: dict[str, float]

    def wait_for(self, alerts: Sequence[str], seconds: float) -> bool:
        """Look at Alertmanager until it has had all of these; False where it has not within the time."""
        until_us = CLOCK.monotonic_us() + round(seconds * 1e6)
        while True:
            now_us = CLOCK.monotonic_us()
            for name in self.monitors.alerts(self.instance):
                self.seen.setdefault(name, (now_us - self.began_us) / 1e6)
            if set(alerts) <= self.seen.keys():
                return True
            if now_us > until_us:
                return False
            CLOCK.sleep_us(_LOOK_US)

    def typed(self, *words: str) -> None:
        """Type a command in another terminal of the loop's folder."""
        own = ["--environment", ENVIRONMENT, "--token-file", str(self.place.token_file.relative_to(self.place.folder))]
        with live_process(
            "typed", [*words, *own, "--connect"], self.place.folder, self.place.environ, CLOCK
        ) as process:
            code = process.wait()
            assert code == 0, process.told()

    @property
    def pid(self) -> int:
        """The loop's."""
        return int(json.loads((self.place.folder / f"var/run/{ENVIRONMENT}.json").read_text())["pid"])

    def starve(self, seconds: float) -> None:
        """Give the loop no processor for 2.5 seconds, and then for 20 milliseconds, again and again."""
        until_us = CLOCK.monotonic_us() + round(seconds * 1e6)
        try:
            while CLOCK.monotonic_us() < until_us:
                os.kill(self.pid, signal.SIGSTOP)
                CLOCK.sleep_us(2_500_000)
                os.kill(self.pid, signal.SIGCONT)
                CLOCK.sleep_us(20_000)
        finally:
            os.kill(self.pid, signal.SIGCONT)


def changed_core(change: Callable[[dict[str, Any]], object], folder: Path) -> Path:
    """The shipped configuration, changed."""
    core = yaml.safe_load(CORE.read_text())
    change(core)
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump(core, sort_keys=False))
    return path


def hours_with_a_silent_feed(folder: Path, until: str) -> Path:
    """The embedded hours, those of ETHUSDT at binance up to an instant only."""
    import polars as pl  # noqa: PLC0415 - one scenario wants it

    for path in Path(EMBEDDED_FOLDER).glob("*_1h.parquet"):
        one = read_dataset(path)
        frame = one.frame
        if path.name.startswith("binance_ETHUSDT"):
            at = pl.lit(until).str.to_datetime("%Y-%m-%d", time_unit="us", time_zone="UTC")
            frame = frame.filter(pl.col("timestamp") < at)
        write_dataset(frame, one.info, folder / path.name)
    return folder


@contextmanager
def on_stage(
    monitors: Monitors, folder: Path, change: Callable[[dict[str, Any]], object], venue_words: Sequence[str]
) -> Iterator[Stage]:
    """Start a venue and a loop, and have them watched.

    monitors: what watches them. folder: where they work. change: of the shipped configuration. venue_words: of the stub
    venue.
    """
    make_private_folder(folder)
    core = load_core_config(changed_core(change, folder))
    plan = plan_live(core, ENVIRONMENT)
    place = make_place(folder, core, plan.environment, plan.scheduler, CLOCK)
    words = ["stub-server", "--address", "grpc+tls://localhost:0", "--mtls-bundle", str(place.bundle),
             "--history", str(plan.history_bars + 1), "--json", *venue_words]  # fmt: skip
    with ExitStack() as stack:
        venue = stack.enter_context(live_process("venue", words, folder, place.environ, CLOCK))
        venue.wait_until(lambda: venue.address != "", "its address", _STARTS_SECONDS)
        place = place.at(venue.address)
        instance = f"127.0.0.1:{free_port()}"
        words = ["scheduler", "run", "--environment", ENVIRONMENT, "--run-forever",
                 "--metrics-port", instance.rpartition(":")[2]]  # fmt: skip
        loop = stack.enter_context(live_process("loop", words, folder, place.environ, CLOCK))
        loop.wait_until(place.loop_is_there, "its address", _STARTS_SECONDS)
        monitors.watch(instance)
        stack.callback(monitors.watch)
        yield Stage(place, venue, loop, instance, monitors, CLOCK.monotonic_us(), {})


def scheduler_of(core: dict[str, Any]) -> dict[str, Any]:
    """The scheduler that runs."""
    return core["runtime"]["multi_strategy_schedulers"][SCHEDULER]
