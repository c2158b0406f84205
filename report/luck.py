"""How much of a walk forward may be luck, in figures and words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .sheet import Sheet
from .texts import NOTHING, counted, decimals


def luck(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """What tells skill from luck, of the document of a walk forward: `label`, `value`, `formula`."""
    told = document["walk_forward"]
    sure, over, year = told["significance"], told["overfitting"] or {}, document["bars_per_year"]
    expected = sure["expected_maximum_sharpe"]
    least = _number(None if expected is None else expected * math.sqrt(year))
    split, sets = "share of splits in which the set that was best in one half", counted(sure["trials"], "set")
    found = (
        (
            "Probability of backtest overfitting",
            _share(over.get("probability_of_backtest_overfitting")),
            f"{split} was no better than the middle in the other",
        ),
        ("Probability of loss", _share(over.get("probability_of_loss")), f"{split} lost in the other"),
        (
            "Deflated Sharpe ratio",
            _share(sure["deflated_sharpe_ratio"]),
            f"probability of a true annual ratio over {least}, which the best of {sets} would have without an edge",
        ),
        (
            "Probabilistic Sharpe ratio",
            _share(sure["probabilistic_sharpe_ratio"]),
            "probability of a true ratio over 0",
        ),
        (
            "Minimum track record",
            _bars(sure["minimum_track_record_bars"]),
            f"until the ratio is over 0 at 95 %; there are {counted(sure['track_record_bars'], 'bar')}",
        ),
        (
            "Efficiency",
            _share(told["efficiency"]),
            "earned per bar in the tests, over what the chosen sets had earned per bar in their trainings",
        ),
        (
            "Degradation",
            _number(over.get("degradation_slope")),
            "slope of the best set's Sharpe ratio in one half over that in the other",
        ),
    )
    return [{"label": label, "value": value, "formula": formula} for label, value, formula in found]


def luck_in_a_line(sheet: Sheet) -> str:
    """The same as one line; empty of what is no walk forward."""
    if sheet.walked is None:
        return ""
    return "  ".join(f"{each['label']}: {each['value']}." for each in luck(sheet.document))


def split_words(sheet: Sheet) -> str:
    """What the histogram of logits shows; empty where there is none."""
    over = sheet.document["walk_forward"]["overfitting"]
    if over is None:
        return ""
    return (
        f"{over['blocks']} blocks of the whole span can be halved in {over['splits']:,} ways. In each the best of "
        f"{counted(over['rows'], 'set')} in one half is ranked in the other: under 0 it was worse than the middle."
    )


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{decimals(value * 100.0, 1)} %"


def _number(value: float | None) -> str:
    return NOTHING if value is None else decimals(value, 2)


def _bars(count: float | None) -> str:
    return NOTHING if count is None else counted(math.ceil(count), "bar")
