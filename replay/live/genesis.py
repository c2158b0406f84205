"""The first record of a live run's journal: all that the run depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...config.digest import content_sha384
from ...engine.bars import Bars
from ...engine.provenance import software
from ...engine.scheduler.live_setup import LivePlan
from ...errors import JournalError
from ..journal.disk import Disk
from ..journal.files import JournalFiles
from ..journal.reading import read_segment
from ..journal.record import at_text, at_us, fields_of, members
from .greeting import legs_of

LIVE = "live"
"""What `driver` says in the genesis record of a live run."""


def start_of(files: JournalFiles, disk: Disk, start_us: int) -> int:
    """When a run that there is a journal of has started; else the start that is wanted.

    A kill may have come before the open segment had its name.
    """
    names = disk.names(files.folder)
    if not has_begun(files, disk):
        return start_us
    for path in (*files.sealed_segments(disk), files.open_segment, files.next_segment):
        if path.name in names:
            with disk.read(path) as file:
                first = next(read_segment(file, path, may_be_torn=True), None)
            if first is None or first[0].kind != "genesis":
                return start_us
            return at_us(fields_of(first[1][first[1].index(b'"kind":') :])["at"])
    return start_us


def has_begun(files: JournalFiles, disk: Disk) -> bool:
    """Whether there is a journal."""
    return files.head.name in disk.names(files.folder)


def genesis_of(plan: LivePlan, start_us: int, options: Mapping[str, Any], bars: Sequence[Bars]) -> bytes:
    """The first record of a run's journal: all that the run depends on. bars: by leg those of its recording."""
    scheduler = plan.config.runtime.multi_strategy_schedulers[plan.scheduler]
    return members(
        {
            "kind": "genesis",
            "at": at_text(start_us),
            "driver": LIVE,
            "environment": plan.environment,
            "scheduler": plan.scheduler,
            "telemetry_namespace": scheduler.telemetry_namespace or f"runtime.{plan.scheduler}",
            "config": content_sha384(plan.config),
            "software": software(),
            "parent": None,
            "end": None,
            "without": [],
            "drift_seconds": 0.0,
            "execution": dict(options),
            "bars": [
                {"instrument": leg.name, "venue": leg.venue, "first": _first(own, start_us)}
                for leg, own in zip(legs_of(plan), bars, strict=True)
            ],
        }
    )


def _first(bars: Bars, start_us: int) -> str | None:
    """When the first bar opened that was closed at the start; None where there was none."""
    return at_text(int(bars.ts_us[0])) if len(bars) and int(bars.closes_us[0]) <= start_us else None


def refuse_another_run(files: JournalFiles, written: bytes, wanted: bytes) -> None:
    """Hold what a journal was begun with against what a run is begun with.

    Raises:
        JournalError: They differ.
    """
    old, new = fields_of(written), fields_of(wanted)
    for name in sorted({*old, *new} - {"parent"}):
        if old.get(name) != new.get(name):
            raise JournalError(
                f"{files.open_segment}: the journal was begun with {name} = {old.get(name)}, this run has "
                f"{new.get(name)}. Go on with it as it was begun, or give another run its own folder and keys."
            )
