"""Two engines' trades side by side, each difference put down to a rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import with_barstep
from rules import BARSTEP, Rules, exit_by, responsible
from trades import TOLERANCE, History, Run, Setting, Trade, equity_of, same_exit

AGREED = {
    "order": "left by an order at the open",
    "inside": "left by a level inside the bar",
    "touched": "left by a level that is the bar's low or high itself",
    "both": "left by the stop, in a bar that has the target too",
    "open": "left by a level at an open that is beyond it",
    "held": "held to the end",
}
"""Situations in which trades agree; each trade counts in one."""

LOST_FLIP = "lost_flip"


@dataclass
class Comparison:
    """What was counted over one or many histories."""

    trades: int = 0
    agreed: Counter[str] = field(default_factory=Counter)
    differences: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)
    same_runs: int = 0
    equity_gap: float = 0.0
    """Greatest difference of final equity where every trade agrees, as a share of it."""

    def add(self, history: History, setting: Setting, theirs: Run, rules: Rules) -> None:
        """Compare one run of a peer with barstep's."""
        ours = with_barstep.run(history, setting)
        for name, run in (("barstep", ours), ("the peer", theirs)):
            by_trades = equity_of(run.trades, history)
            if abs(by_trades - run.final_equity) > TOLERANCE * by_trades:
                self.unexplained.append(f"{name} ends with {run.final_equity}; its trades make {by_trades}")
        agreed = self.agreed.total()
        self._pair(history, setting, ours.trades, theirs.trades, rules)
        self.trades += len(ours.trades)
        if self.agreed.total() - agreed == len(ours.trades) == len(theirs.trades):
            self.same_runs += 1
            gap = abs(ours.final_equity - theirs.final_equity) / ours.final_equity
            self.equity_gap = max(self.equity_gap, gap)
            if gap > TOLERANCE:
                self.unexplained.append(f"all trades agree, final equity differs by {gap:.2g}")

    def join(self, other: Comparison) -> None:
        """Take in what was counted elsewhere."""
        self.trades += other.trades
        self.agreed += other.agreed
        self.differences += other.differences
        self.unexplained += other.unexplained
        self.same_runs += other.same_runs
        self.equity_gap = max(self.equity_gap, other.equity_gap)

    def _pair(self, history: History, setting: Setting, ours: list[Trade], theirs: list[Trade], rules: Rules) -> None:
        by_bar = {trade.bar: trade for trade in theirs}
        ends = {trade.exit.bar for trade in theirs if trade.exit}
        for mine in ours:
            other = by_bar.pop(mine.bar, None)
            self._hold(history, setting, mine, BARSTEP, "barstep")
            if other is None and mine.bar in ends and not rules.order_first:
                self.differences[LOST_FLIP] += 1
            elif other is None or other.side != mine.side or abs(other.price - mine.price) > TOLERANCE * mine.price:
                self.unexplained.append(f"{setting.name}: barstep entered {mine}, the peer {other}")
            else:
                self._hold(history, setting, other, rules, "the peer")
                if same_exit(mine.exit, other.exit):
                    self.agreed[_situation(history, setting, mine)] += 1
                else:
                    self.differences[responsible(rules, history, mine, setting)] += 1
        self.unexplained += [f"{setting.name}: the peer alone entered {trade}" for trade in by_bar.values()]

    def _hold(self, history: History, setting: Setting, trade: Trade, rules: Rules, name: str) -> None:
        """A trade that does not end as its engine's rules say is unexplained."""
        expected = exit_by(rules, history, trade, setting)
        if not same_exit(expected, trade.exit):
            self.unexplained.append(f"{setting.name}: {name} has {trade}; by its rules it ends {expected}")


def _situation(history: History, setting: Setting, trade: Trade) -> str:
    if trade.exit is None:
        return "held"
    bar, price, reason = trade.exit.bar, trade.exit.price, trade.exit.reason
    if reason == "order":
        return "order"
    if price == history.opens[bar]:
        return "open"
    target_alone = Setting(name="target alone", target_pct=setting.target_pct, limit_pct=setting.limit_pct)
    target = exit_by(BARSTEP, history, trade, target_alone)
    if reason == "stop" and target and target.bar == bar and target.reason == "target":
        return "both"
    return "touched" if price in (history.lows[bar], history.highs[bar]) else "inside"
