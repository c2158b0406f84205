"""The live demonstration: a venue and a loop as processes of their own, watched, managed, stopped and verified."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ..config.core import CoreConfig
from ..engine.configured import load_core_config
from ..engine.scheduler.live_setup import plan_live
from ..errors import FeedError, UsageError
from ..replay.clock import Clock
from ..replay.private_files import make_private_folder
from .live_place import LivePlace, make_place
from .live_processes import live_process

ENVIRONMENT = "binance_paper"
SCHEDULE = "grid_schedule"
SPEED = "7200x"
"""Two hours of event time in a second: a bar of an hour closes twice a second."""

_MARKER = ".live-demo"
_STARTS_SECONDS = 60.0

Say = Callable[[str], object]


def live_demo(config: CoreConfig | str | Path, folder: Path, *, seconds: float, clock: Clock, say: Say) -> bool:
    """Run it; gives whether everything has ended well.

    Args:
        config: A configuration, or its file.
        folder: Where it works; what an earlier demonstration left there is removed.
        seconds: How long the live view is open.
        clock: The time.
        say: Is told what is done, and what came of it.

    Raises:
        UsageError: The folder holds something else.
        FeedError: The venue or the loop does not start.
    """
    core = config if isinstance(config, CoreConfig) else load_core_config(config)
    plan = plan_live(core, ENVIRONMENT)
    place = make_place(_cleared(folder), core, plan.environment, plan.scheduler, clock)
    demo = _Demo(place, clock, say)
    words = ["stub-server", "--dataset", "embedded", "--address", "grpc+tls://localhost:0", "--mtls-bundle",
             str(place.bundle), "--history", str(plan.history_bars + 1), "--speed", SPEED, "--exact",
             "--ledger", "ledger.jsonl", "--json"]  # fmt: skip
    with live_process("venue", words, folder, place.environ, clock) as venue:
        venue.wait_until(lambda: venue.address != "", "its address", _STARTS_SECONDS)
        say(f"a venue with recorded bars listens at {venue.address}: {SPEED} the clock, mTLS")
        place = place.at(venue.address)
        words = ["scheduler", "run", "--environment", place.environment, "--run-forever"]
        with live_process("loop", words, folder, place.environ, clock) as loop:
            loop.wait_until(place.loop_is_there, "its address", _STARTS_SECONDS)
            say(f"the loop {place.scheduler} runs in {place.environment}\n")
            demo.watch_and_manage(seconds)
            codes = {"loop": loop.stop()}
        codes["venue"] = venue.stop()
    say("stopped by SIGTERM: " + ", ".join(f"{name} exit code {code}" for name, code in codes.items()))
    verified = demo.typed("decision-log", "verify", "--environment", place.environment)
    same = demo.typed("verify", "parity", "--live", str(place.files.open_segment.relative_to(folder)))
    return not any(codes.values()) and verified and same


class _Demo:
    """What is typed in other terminals of the folder."""

    def __init__(self, place: LivePlace, clock: Clock, say: Say) -> None:
        self._place, self._clock, self._say = place, clock, say
        self._own = ["--environment", place.environment, "--token-file",
                     str(place.token_file.relative_to(place.folder))]  # fmt: skip

    def watch_and_manage(self, seconds: float) -> None:
        """Open the live view, and meanwhile suspend a schedule, look, and resume it; then say what was typed."""
        managing = ["scheduler", "run", *self._own, "--connect"]
        asked = [
            [*managing, "--suspend-schedule", SCHEDULE, "--suspension-reason", "demonstration", "--list-suspensions"],
            ["scheduler", "top", *self._own, "--once"],
            [*managing, "--resume-schedule", SCHEDULE, "--list-suspensions"],
        ]
        part_us = round(seconds * 1e6 / (len(asked) + 1))
        told: list[tuple[Sequence[str], str]] = []
        watching: Sequence[str] = ["scheduler", "top", *self._own]
        self._say(_prompt(watching))
        with live_process("top", watching, self._place.folder, self._place.environ, self._clock, is_shown=True) as top:
            for words in asked:
                self._clock.sleep_us(part_us)
                told.append((words, self._output(words)))
            self._clock.sleep_us(part_us)
            top.stop()
        self._say("\nmeanwhile, in a second terminal:\n")
        for line, output in told:
            self._say(f"{_prompt(line)}\n{output}")

    def typed(self, *words: str) -> bool:
        """Type a command and show what it prints; gives whether it exits with 0."""
        with live_process("typed", words, self._place.folder, self._place.environ, self._clock) as process:
            code = process.wait()
            self._say(f"\n{_prompt(words)}\n{process.told().rstrip()}")
        return code == 0

    def _output(self, words: Sequence[str]) -> str:
        with live_process("typed", words, self._place.folder, self._place.environ, self._clock) as process:
            code, told = process.wait(), process.told()
        if code != 0:
            raise FeedError(f"{_prompt(words)}: exit code {code}: {told.strip()}")
        return told


def _prompt(words: Sequence[str]) -> str:
    return f"$ barstep {' '.join(words)}"


def _cleared(folder: Path) -> Path:
    """The folder, empty but for a mark that says whose it is."""
    marker = folder / _MARKER
    if folder.exists():
        if not marker.exists() and any(folder.iterdir()):
            raise UsageError(f"{folder}: holds something else than an earlier live demonstration; name another folder.")
        shutil.rmtree(folder)
    make_private_folder(folder)
    marker.touch()
    return folder
