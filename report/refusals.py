"""How often which schedule's signals were refused, and why."""

from __future__ import annotations

from ..engine.reasons import DECISION_TEXTS
from .sheet import Sheet
from .tables import Table
from .texts import counted, decimals


def by_schedule(sheet: Sheet) -> Table:
    """A row a schedule: signals, how many were accepted, and how many met each reason that came about."""
    reasons = _reasons(sheet)
    rows = [
        [row["schedule"], *(decimals(row[name], 0) for name in ("seen", "accepted", *reasons))]
        for row in sheet.document["signals_by_schedule"]
    ]
    return Table("Signals by schedule", ("schedule", "signals", "accepted", *reasons), rows, texts=("schedule",))


def refusals(sheet: Sheet) -> str:
    """What became of all signals, in a sentence."""
    counts, reasons = sheet.document["signals"], _reasons(sheet)
    told = f"{decimals(counts['accepted'], 0)} of {counted(counts['seen'], 'signal')} accepted"
    met = ", ".join(f"{name} {decimals(counts[name], 0)}" for name in reasons)
    return f"{told}; refused or cut: {met}." if met else f"{told}."


def _reasons(sheet: Sheet) -> list[str]:
    """Those that came about."""
    return [name for name in DECISION_TEXTS if sheet.document["signals"][name]]
