"""The venue and the loop as processes of their own: started in a folder, waited for, and stopped in order."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import FeedError, HeldError
from ..replay.clock import Clock

LONGEST_END_US = 10_000_000
"""How long a process may take to end after SIGTERM; a loop says that it needs five seconds at most."""

_LOOK_US = 20_000
_TOLD_LINES = 8


class LiveProcess:
    """A `barstep` command that runs beside this one.

    Attributes:
        name: What it is called.
        output: The file of what it prints; it is empty where that is shown.
    """

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        folder: Path,
        environ: Mapping[str, str],
        clock: Clock,
        *,
        is_shown: bool = False,
    ) -> None:
        """Start it.

        Args:
            name: What it is called.
            words: What stands after `barstep`.
            folder: Where it works.
            environ: Its environment variables.
            clock: The time.
            is_shown: Whether it prints to where this process does.
        """
        self.name, self._clock = name, clock
        self.output = folder / f"{name}.out"
        with self.output.open("wb") as output:
            # A session of its own: Ctrl-C is for this process, which stops the others in order.
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter and this package
                [sys.executable, "-m", "barstep", *words],
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=None if is_shown else output,
                stderr=None if is_shown else subprocess.STDOUT,
                start_new_session=True,
            )

    def told(self) -> str:
        """What it has printed so far."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait until something holds.

        Raises:
            FeedError: It does not within this time, or the process has ended.
        """
        ends_us = self._clock.monotonic_us() + round(seconds * 1e6)
        while not holds():
            code = self._process.poll()
            if code is not None:
                raise FeedError(f"{self.name} has ended with exit code {code} before {what}: {self._last_lines()}")
            if self._clock.monotonic_us() > ends_us:
                raise FeedError(f"{self.name}: {what} has not come within {seconds:g} seconds: {self._last_lines()}")
            self._clock.sleep_us(_LOOK_US)

    def stop(self) -> int:
        """End it by SIGTERM; gives its exit code.

        Raises:
            HeldError: It did not end, and was killed.
        """
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(LONGEST_END_US / 1e6)
        except subprocess.TimeoutExpired:
            self.kill()
            raise HeldError(
                f"{self.name} has not ended within {LONGEST_END_US // 1_000_000} seconds after SIGTERM, and was killed."
            ) from None

    def wait(self) -> int:
        """Wait for its end; gives its exit code."""
        return self._process.wait()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """End it where it has not ended, in order if it can be."""
        try:
            with suppress(HeldError):
                self.stop()
        except BaseException:  # interrupted once more: whoever did that does not want to wait
            self.kill()
            raise

    @property
    def address(self) -> str:
        """Where a venue that was started with `--json` listens; empty before it says so."""
        lines = [json.loads(line) for line in self.told().splitlines() if line.startswith('{"address"')]
        return str(lines[0]["address"]) if lines else ""

    def _last_lines(self) -> str:
        return " | ".join(self.told().splitlines()[-_TOLD_LINES:]) or "it has printed nothing"


@contextmanager
def live_process(
    name: str, words: Sequence[str], folder: Path, environ: Mapping[str, str], clock: Clock, *, is_shown: bool = False
) -> Iterator[LiveProcess]:
    """Start a process; where it still runs at the end it is stopped, whatever has happened."""
    process = LiveProcess(name, words, folder, environ, clock, is_shown=is_shown)
    try:
        yield process
    finally:
        process.end()
