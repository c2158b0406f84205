"""Figures of a case, and the table of them."""

from __future__ import annotations

from statistics import median
from typing import Any

from cases import Case, Peer
from rich.table import Table


def figures(case: Case, measured: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a peer: medians over the rounds, and medians of the ratios of times of the same round."""
    rows = []
    for place, peer in enumerate(case.everyone):
        seconds = [row[place] for row in measured["seconds"]]
        beside = [row[place] for row in measured["yardstick"]]
        ours = [row[0] for row in measured["seconds"]]
        ns = median(seconds) / case.bars * 1e9
        ratio = median(mine / theirs for mine, theirs in zip(ours, seconds, strict=True))
        rows.append(
            {
                "case": case.title,
                "peer": peer.label,
                "bars": case.bars,
                "ns_per_bar": ns,
                "least_ns_per_bar": min(seconds) / case.bars * 1e9,
                "times_yardstick": median(s / y for s, y in zip(seconds, beside, strict=True)),
                "barstep_over_peer": ratio if place else None,
                "memory_growth_mib": measured["memory"][place]["growth_mib"],
                "greatest_difference": measured["differences"][place],
                **_judge(case, peer, ns, ratio),
            }
        )
    return rows


def _judge(case: Case, peer: Peer, ns: float, ratio: float) -> dict[str, Any]:
    """What is aimed at, and whether it is reached."""
    if peer is case.first and case.most_ns is not None:
        return {"target": f"≤ {case.most_ns:g} ns", "reached": ns <= case.most_ns}
    if peer.limit is not None:
        return {"target": f"≤ {peer.limit:g} ×", "reached": ratio <= peer.limit}
    return {"target": None, "reached": None}


def table(rows: list[dict[str, Any]]) -> Table:
    """The rows as people read them."""
    shown = Table("case", "peer", title="Median over rounds; ratios of times of the same round")
    for heading in ("ns/bar", "least", "× yardstick", "memory MiB", "difference", "barstep / peer", "target", ""):
        shown.add_column(heading, justify="right")
    before = None
    for row in rows:
        ratio, reached = row["barstep_over_peer"], row["reached"]
        shown.add_row(
            row["case"] if row["case"] != before else "",
            row["peer"],
            f"{row['ns_per_bar']:.4g}",
            f"{row['least_ns_per_bar']:.4g}",
            f"{row['times_yardstick']:.3g}",
            f"{row['memory_growth_mib']:.0f}",
            f"{row['greatest_difference']:.0e}" if ratio else "",
            f"{ratio:.3g}" if ratio else "",
            row["target"] or "",
            "" if reached is None else ("reached" if reached else "missed"),
        )
        before = row["case"]
    return shown
