"""What came of trying the paper pipeline, and its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ..data.whole_file import write_json
from ..engine.provenance import software

Verdict = Literal["PASS", "FAIL", "SKIP"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it is called.
        status: `SKIP` is what cannot be tried at a venue that was not started here.
        detail: What was seen.
    """

    name: str
    status: Verdict
    detail: str


@dataclass(frozen=True, kw_only=True)
class PaperSmokeReport:
    """What came of it.

    Attributes:
        environment: Where it ran.
        scheduler: What ran.
        cycles: Instants that were asked for.
        checks: All that was looked at, in order.
        counts: Instants, records, orders, fills.
        seconds: How long it took on the clock.
    """

    environment: str
    scheduler: str
    cycles: int
    checks: tuple[Check, ...]
    counts: Mapping[str, int]
    seconds: float

    @property
    def passes(self) -> bool:
        """Whether nothing has failed."""
        return all(check.status != "FAIL" for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "status": "pass" if self.passes else "fail",
            "environment": self.environment,
            "scheduler": self.scheduler,
            "cycles": self.cycles,
            "seconds": round(self.seconds, 3),
            "checks": [asdict(check) for check in self.checks],
            "counts": dict(self.counts),
            "software": software(),
        }


def write_report(report: PaperSmokeReport, path: Path) -> None:
    """Write the report in full or not at all, in the place of one that is there; folders are made."""
    write_json(path, report.to_dict())
