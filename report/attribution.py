"""What each schedule, instrument and tag of a portfolio had in its result."""

from __future__ import annotations

from .sheet import Sheet
from .tables import Table
from .texts import NOTHING, decimals, signed

_HEADINGS = ("profit", "of capital, %", "fees, borrow", "slippage", "traded value", "trades", "win rate, %")


def attribution(sheet: Sheet) -> list[Table]:
    """Tables by schedule, by instrument and, where there are any, by tag; of a scheduler by strategy and profile."""
    tables = []
    for by, rows in sheet.document["attribution"].items():
        if by == "tag" and not any(row["tag"] for row in rows):
            continue
        told = [
            [
                row[by] or NOTHING,
                signed(row["profit"]),
                signed(row["contribution_pct"]),
                decimals(row["fees"], 2),
                decimals(row["slippage"], 2),
                decimals(row["traded_value"], 0),
                decimals(row["trades"], 0),
                decimals(row["win_rate_pct"], 1),
            ]
            for row in rows
        ]
        name = by.replace("_", " ")
        tables.append(Table(f"By {name}", (name, *_HEADINGS), told, texts=(name,)))
    return tables
