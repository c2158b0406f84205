"""Hold stops, take-profits, limits and trailing stops to backtesting.py's and vectorbt's, trade by trade.

Run it as `python benchmarks/fills/run.py`. Each trade of either side is held to stated rules; a difference is put down
to one of them and counted. The exit code is 1 where a trade does not end as the rules of its engine say, where final
equity differs though all trades agree, where a situation does not come out as expected, or where a rule met no trade.
"""

from __future__ import annotations

import sys
from dataclasses import fields
from types import ModuleType

import histories
import with_backtesting
import with_vectorbt
from compare import AGREED, LOST_FLIP, Comparison
from rich.console import Console
from rich.table import Table
from rules import Rules
from situations import SITUATIONS
from trades import History, Setting

MOST_FAULTS = 20
LEVELS = (
    Setting(name="stop 1 %", stop_pct=1),
    Setting(name="target 1 %", target_pct=1),
    Setting(name="stop 1 %, target 2 %", stop_pct=1, target_pct=2),
    Setting(name="stop 4 %, target 3 %", stop_pct=4, target_pct=3),
    Setting(name="trail 1.5 %", trail_pct=1.5),
)
"""What vectorbt has too: one stop, fixed or trailing, and no limits."""
MORE = (
    Setting(name="stop 2 %, target 2 %, trail 1 %", stop_pct=2, target_pct=2, trail_pct=1),
    Setting(name="limit 0.3 %", limit_pct=0.3),
    Setting(name="limit 0.3 %, stop 1 %, target 1 %", limit_pct=0.3, stop_pct=1, target_pct=1),
    Setting(name="limit 0.3 %, stop 2 %, target 2 %, trail 1 %", limit_pct=0.3, stop_pct=2, target_pct=2, trail_pct=1),
)
PEERS = {"backtesting.py": (with_backtesting, (*LEVELS, *MORE)), "vectorbt": (with_vectorbt, LEVELS)}
HEADINGS = {
    "market_entry_bar": "entry's bar",
    "gapped_entry_bar": "entry after a gap",
    "limit_entry_bar": "limit's bar",
    "order_first": "order at open",
    "target_at_open": "target at open",
    "trail_counts_entry_bar": "trail, entry's best",
    "trail_inside_bar": "trail inside bar",
    LOST_FLIP: "flip lost",
}


def _histories() -> dict[str, list[History]]:
    rough = [histories.rough(seed) for seed in range(histories.RANDOM_HISTORIES)]
    return {
        f"{len(rough)} × {histories.RANDOM_BARS} bars": rough,
        f"walk, {histories.WALK_BARS:,} bars": [histories.walk(0)],
        **{name: [history] for name, history in histories.datasets()},
    }


def _rules_of(peer: ModuleType) -> list[str]:
    """The rules by which a peer may differ."""
    names = [each.name for each in fields(Rules) if not getattr(peer.RULES, each.name)]
    return names if peer.RULES.order_first else [*names, LOST_FLIP]


def _cells(found: Comparison, rules: list[str]) -> list[str]:
    numbers = (found.trades, found.agreed.total(), *(found.differences[rule] for rule in rules))
    return [*(f"{number:,}" if number else "" for number in numbers), str(len(found.unexplained))]


def _compare(name: str, console: Console) -> Comparison:
    """Compare one peer in all its cases, and print a row for each."""
    peer, settings = PEERS[name]
    rules = _rules_of(peer)
    table = Table(title=f"Trades beside {name}'s; of those that differ, how many by which rule")
    table.add_column("history", no_wrap=True)
    table.add_column("setting", no_wrap=True)
    for heading in ("trades", "agree", *(HEADINGS[rule] for rule in rules), "unexplained"):
        table.add_column(heading, justify="right")
    total = Comparison()
    for kind, those in _histories().items():
        for setting in settings:
            found = Comparison()
            for history in those:
                asked = histories.through_zero(history, setting)
                found.add(asked, setting, peer.run(asked, setting), peer.RULES)
            table.add_row(kind if setting is settings[0] else "", setting.name, *_cells(found, rules))
            total.join(found)
    table.add_section()
    table.add_row("all", "", *_cells(total, rules))
    console.print(table)
    console.print(
        f"Final equity of the {total.same_runs} runs in which all trades agree: greatest difference "
        f"{total.equity_gap:.0e} of it.\n"
    )
    return total


def _not_met(name: str, total: Comparison) -> list[str]:
    """Rules and situations that no trade was about: nothing would have been found out about them."""
    lacking = [rule for rule in _rules_of(PEERS[name][0]) if not total.differences[rule]]
    return [f"{name}: no trade was about {rule}" for rule in (*lacking, *(n for n in AGREED if not total.agreed[n]))]


def main() -> int:
    """Compare, print, and say whether everything is explained."""
    console = Console(width=None if sys.stdout.isatty() else 165)
    totals = {name: _compare(name, console) for name in PEERS}
    table = Table("agree", *totals)
    for key, words in AGREED.items():
        table.add_row(words, *(f"{total.agreed[key]:,}" for total in totals.values()))
    console.print(table)
    faults = [line for name, total in totals.items() for line in (*total.unexplained, *_not_met(name, total))]
    faults += [line for situation in SITUATIONS for line in situation.differences()]
    console.print(f"{len(SITUATIONS)} situations by hand. Faults: {len(faults)}")
    for fault in faults[:MOST_FAULTS]:
        console.print(fault, style="red")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
