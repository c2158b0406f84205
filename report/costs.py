"""What trading took, what became of signals, and what bars did not tell."""

from __future__ import annotations

from ..engine.reasons import DECISION_TEXTS, REFUSALS
from .sheet import Sheet
from .texts import counted, decimals, label, metric, setting

_SIGNALS = {
    "warm_up_bars": ("Bars of warming up", "an engine had seen too few to wish for anything"),
    "seen": ("Signals", "wishes that differed from the one before, or asked again"),
    "accepted": ("Signals accepted", "wishes that count from then on"),
    **{name: (f"Signals refused: {name}", text) for name, text in DECISION_TEXTS.items()},
    "fills": ("Fills", "of orders and of levels, in parts or whole"),
    "without_a_whole_lot": ("Orders of no whole lot", ""),
    "below_minimum": ("Orders under the least value", ""),
    "cut_by_cash": ("Orders cut by cash", ""),
    "cut_by_margin": ("Orders cut by margin", ""),
    "cut_by_volume": ("Orders cut by volume", ""),
    "too_old": ("Orders that grew too old", ""),
    "end_of_data": ("Orders left at the end", "they were on hand when the data ended"),
}


def costs(sheet: Sheet) -> list[tuple[str, str]]:
    """What trading took, and how much of it there was."""
    execution = sheet.document["execution"]
    told = {name: paid for name, paid in sheet.document["costs"].items() if name != "fees"}
    return [
        ("Fees paid", metric("fees_paid", sheet.metrics["fees_paid"])),
        ("Fee", f"{setting('fee_bps', execution['fee_bps'])} bps"),
        ("Slippage", f"{setting('slippage_bps', execution['slippage_bps'])} bps"),
        ("Turnover", f"{metric('turnover', sheet.metrics['turnover'])} × mean equity"),
        *((f"{label(name)} cost", decimals(paid, 2)) for name, paid in told.items() if paid),
    ]


def signals(sheet: Sheet) -> list[tuple[str, str, str]]:
    """Where signals went: a name, how many, and what it means; what never came about is left out."""
    counts = sheet.document["signals"]
    return [
        (title, decimals(counts[name], 0), meaning or REFUSALS[name])
        for name, (title, meaning) in _SIGNALS.items()
        if counts.get(name)
    ]


def band_words(sheet: Sheet) -> str:
    """What the band around equity is; empty where no bar was ambiguous."""
    found = sheet.ambiguity
    if found is None:
        return ""
    worse, better = (decimals(found[f"{name}_equity"], 2) for name in ("pessimistic", "optimistic"))
    return (
        f"In {counted(found['bars'], 'bar')} ({found['share_pct']:.2g} %) the order of prices, which nobody recorded, "
        f"decides what filled. With the worse order in each of them final equity is {worse}, with the better one "
        f"{better}; the {sheet.own_order} one was taken."
    )
