"""Does anything that is known at a bar depend on what comes after it? The future is changed, the past must stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from ..errors import UsageError, in_one_line
from .bars import Bars, Integers
from .catalog import DEFAULT_STRATEGY_CATALOG, StrategyCatalog
from .cuts import cut_places
from .futures import CHANGES, Change, changed_from
from .outputs import EngineOutputs, pipeline_tracks
from .strategy import StrategyEngine
from .tracks import Moved, Track, first_moves

Progress = Callable[[int, int], None]
Retell = Callable[[Bars], Bars]
Run = Callable[[Retell], Sequence[Track]]
"""Gives the outputs over histories that are each told by a function first: as they were, or with another future."""

BAR_BY_BAR = "bar_by_bar"
"""The change that shows an engine one bar at a time, with another future behind it."""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """An output that moved when the future did.

    Attributes:
        track: What it belongs to: `outputs`, `decisions`, `fills` …
        column: Its name.
        row: The first row that moved, by its place.
        known: When that row is known, ISO 8601, UTC.
        cut: From when on bars were changed, likewise.
        before: Its value over the recorded bars.
        after: Its value with the other future.
        change: What was done to the future; `changes` names all that moved this output.
        changes: See `change`.
    """

    track: str
    column: str
    row: int
    known: str
    cut: str
    before: Any
    after: Any
    change: str
    changes: tuple[str, ...]

    @property
    def difference(self) -> float | None:
        """How far it moved; None where it is no number."""
        numbers = isinstance(self.before, int | float) and isinstance(self.after, int | float)
        return float(abs(self.after - self.before)) if numbers else None


@dataclass(frozen=True, kw_only=True)
class LookaheadReport:
    """What an audit found.

    Attributes:
        subject: What was audited.
        bars: How many bars it ran on.
        cuts: From how many places on the future was changed.
        runs: How often it was run.
        outputs: Names of the outputs that were compared, by track.
        leaks: Outputs that moved, the earliest first.
    """

    subject: str
    bars: int
    cuts: int
    runs: int
    outputs: Mapping[str, tuple[str, ...]]
    leaks: tuple[Leak, ...]

    @property
    def verdict(self) -> Literal["pass", "fail"]:
        """`pass` where no output moved."""
        return "fail" if self.leaks else "pass"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values."""
        leaks = [{**asdict(leak), "difference": leak.difference} for leak in self.leaks]
        return {"verdict": self.verdict, **asdict(self), "leaks": leaks}


def audit_lookahead(
    subject: str | StrategyEngine | Callable[..., Any],
    bars: Bars,
    *,
    secondary: Bars | None = None,
    at_open: Sequence[str] = (),
    cuts: int = 60,
    seed: int | np.random.Generator = 0,
    catalog: StrategyCatalog = DEFAULT_STRATEGY_CATALOG,
    progress: Progress | None = None,
    **parameters: Any,
) -> LookaheadReport:
    """Change the future after many bars in many ways, and find outputs up to there that moved.

    An engine is also shown its bars one at a time, at every bar: what it gives then must be what it gives in one go.
    The fills of its plain backtest are settled by their bar's open.

    Args:
        subject: An engine's name, an engine, or a function of bars (and of the second venue's, where they are given)
            that returns one value a bar by name, as a mapping or a table; or other bars, each known at its close.
        bars: The history to run on.
        secondary: The second venue's history, for what reads two.
        at_open: Outputs of a function that are settled by the open of their bar, such as the prices of fills: they may
            read that open and the bars before, not the close.
        cuts: From how many places on the future is changed; as many as there are bars changes it after each.
        seed: What the places and the other futures are drawn by, or a generator.
        catalog: Where names are looked up.
        progress: Called with the cuts that are done and all of them.
        **parameters: The engine's.

    Raises:
        UsageError: A name is unknown, a value is out of range, or what was given cannot be audited.
    """
    if cuts < 1:
        raise UsageError(f"cuts is {cuts}; allowed is 1 or more")
    if len(bars) < 2:
        raise UsageError(f"{bars!r} has no bar after another; there is no future to change")
    rng = np.random.default_rng(seed)
    if isinstance(subject, str | StrategyEngine):
        engine = catalog[subject] if isinstance(subject, str) else subject
        if at_open:
            raise UsageError("at_open is for functions: an engine's rows are known at the close of their bar")
        outputs = EngineOutputs(engine, parameters, bars, secondary)
        audit = Audit(engine.name, _over(outputs.tracks, bars, secondary), bars, progress)
        first = 1 if secondary is None else int(np.searchsorted(bars.ts_us, secondary.closes_us[0])) + 1
        audit.run(cut_places(bars, audit.recorded, cuts, first, rng), rng)
        audit.note_each(outputs.bar_by_bar(rng))
        return audit.report()
    if parameters:
        raise UsageError(f"{', '.join(parameters)}: parameters are for engines; a function has its own")
    name = getattr(subject, "__name__", type(subject).__name__)
    audit = Audit(name, _over(pipeline_tracks(subject, tuple(at_open)), bars, secondary), bars, progress)
    audit.run(cut_places(bars, audit.recorded, cuts, min(max(2, len(bars) // 50), len(bars) - 1), rng), rng)
    return audit.report()


class Audit:
    """Runs one subject over many futures and keeps what moved.

    Attributes:
        recorded: What it gives over the recorded bars.
    """

    def __init__(self, subject: str, run: Run, bars: Bars, progress: Progress | None = None) -> None:
        self._subject, self._run, self._bars, self._progress = subject, run, bars, progress
        self._leaks: dict[tuple[str, str], Leak] = {}
        self._cuts = 0
        self._runs = 2
        self.recorded = run(_as_it_was)
        self._note(run(_as_it_was), "nothing", int(bars.closes_us[-1]) + 1, open_is_known=True)

    def run(self, places: Integers, rng: np.random.Generator) -> None:
        """Change the future from the bars at these places on, in every way.

        Raises:
            UsageError: There is no place, or the subject fails on another future.
        """
        if not len(places):
            raise UsageError(f"{self._subject}: {self._bars!r} leaves no place to change the future from")
        self._cuts = len(places)
        for done, cut_us in enumerate(self._bars.ts_us[places].tolist()):
            for change in CHANGES:
                tracks = self._over_another_future(cut_us, change, rng)
                self._note(tracks, change.name, cut_us, open_is_known=change.keeps_open)
                self._runs += 1
            if self._progress is not None:
                self._progress(done + 1, len(places))

    def _over_another_future(self, cut_us: int, change: Change, rng: np.random.Generator) -> Sequence[Track]:
        try:
            return self._run(lambda bars: changed_from(bars, cut_us, change, rng))
        except Exception as error:
            raise UsageError(
                f"{self._subject} gives an answer over {self._bars!r}, and fails where of the bars from {iso(cut_us)} "
                f"on {change.text}: {in_one_line(error)}"
            ) from error

    def note_each(self, moves: Iterator[tuple[int, Moved]]) -> None:
        """Keep what moved when bars were shown one at a time: (cut, move)."""
        for cut_us, moved in moves:
            self._keep(moved, BAR_BY_BAR, cut_us)
        self._runs += 1

    def report(self) -> LookaheadReport:
        """What was found."""
        ordered = sorted(self._leaks.values(), key=lambda leak: (leak.known, leak.track, leak.column))
        return LookaheadReport(
            subject=self._subject,
            bars=len(self._bars),
            cuts=self._cuts,
            runs=self._runs,
            outputs={track.name: tuple(track.columns) for track in self.recorded},
            leaks=tuple(ordered),
        )

    def _note(self, tracks: Sequence[Track], change: str, cut_us: int, *, open_is_known: bool) -> None:
        for one, other in zip(self.recorded, tracks, strict=True):
            for moved in first_moves(one, other, cut_us, open_is_known=open_is_known):
                self._keep(moved, change, cut_us)

    def _keep(self, moved: Moved, change: str, cut_us: int) -> None:
        key = (moved.track, moved.column)
        before = self._leaks.get(key)
        changes = tuple(dict.fromkeys((*(before.changes if before else ()), change)))
        if before is not None and before.row <= moved.row:
            self._leaks[key] = replace(before, changes=changes)
            return
        self._leaks[key] = Leak(
            track=moved.track,
            column=moved.column,
            row=moved.row,
            known=iso(moved.known_us),
            cut=iso(cut_us),
            before=moved.before,
            after=moved.after,
            change=change,
            changes=changes,
        )


def _as_it_was(bars: Bars) -> Bars:
    return bars


def _over(
    tracks: Callable[[Bars, Bars | None], Sequence[Track]], bars: Bars, secondary: Bars | None
) -> Callable[[Retell], Sequence[Track]]:
    """What runs over bars, and the second venue's where there are any."""
    return lambda retell: tracks(retell(bars), None if secondary is None else retell(secondary))


def iso(moment_us: int) -> str:
    """An instant as text: `2024-01-01T00:00:00Z`."""
    return f"{np.datetime_as_string(np.datetime64(moment_us, 'us'), unit='s')}Z"
