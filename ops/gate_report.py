"""What a gate found, as plain values, and the baseline that it leaves."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..data.whole_file import write_json
from .gate_rounds import Limits, Timed

_MEASURED = ("ns_per_bar", "times_arithmetic", "times_copy")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a case took, and what it may take.

    Attributes:
        case: Its name.
        unit: What is counted in the place of bars.
        timed: What it took.
        limits: What it may take.
        is_over: Whether it takes more.
    """

    case: str
    unit: str
    timed: Timed
    limits: Limits
    is_over: bool

    @property
    def verdict(self) -> str:
        """`ok`, `over`, or `no budget`."""
        if self.limits == Limits():
            return "no budget"
        return "over" if self.is_over else "ok"

    def to_dict(self) -> dict[str, Any]:
        """The row as plain values."""
        budget = {name: value for name, value in asdict(self.limits).items() if value is not None}
        measured = {name: asdict(getattr(self.timed, name)) for name in _MEASURED}
        return {
            "case": self.case,
            "unit": self.unit,
            "rounds": self.timed.rounds,
            **{name: estimate["middle"] for name, estimate in measured.items()},
            "bounds": {name: [estimate["low"], estimate["high"]] for name, estimate in measured.items()},
            "budget": budget,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, kw_only=True)
class GateReport:
    """What a gate found.

    Attributes:
        budgets: The file of budgets.
        baseline: The file of the baseline; None: there was none.
        rows: By case.
        arithmetic_ns: Nanoseconds a value of the yardstick of arithmetic.
        copy_ns: Nanoseconds a value of the yardstick of copying.
        software: What was timed.
        machine: On what.
    """

    budgets: str
    baseline: str | None
    rows: tuple[Row, ...]
    arithmetic_ns: float
    copy_ns: float
    software: dict[str, str]
    machine: str

    @property
    def over(self) -> tuple[Row, ...]:
        """The cases that are over their budgets."""
        return tuple(row for row in self.rows if row.is_over)

    def to_dict(self) -> dict[str, Any]:
        """The report as it is printed with `--json`."""
        return {
            "status": "fail" if self.over else "ok",
            "budgets": self.budgets,
            "baseline": self.baseline,
            "yardsticks_ns": {"arithmetic": self.arithmetic_ns, "copy": self.copy_ns},
            "cases": [row.to_dict() for row in self.rows],
            "software": self.software,
            "machine": self.machine,
        }

    def save_baseline(self, path: Path) -> None:
        """Write what the cases took, in full or not at all, in the place of a file that is there."""
        cases = {row.case: {name: getattr(row.timed, name).middle for name in _MEASURED} for row in self.rows}
        write_json(path, {"software": self.software, "machine": self.machine, "cases": cases})
