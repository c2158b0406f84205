"""Profit over time by schedule, and by what schedules have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..engine.bars import Floats
from .sheet import Governed, Sheet
from .stack import largest, mean_size
from .texts import NOTHING

GROUPINGS = ("schedule", "strategy", "risk_profile", "tag")


def profits(sheet: Sheet, governed: Governed) -> dict[str, dict[str, Floats]]:
    """By grouping and name, float64[bar]: the profit so far; those with most capital first, then the rest together.

    By schedule they stand in the order of the shares of capital, so that each has one colour in both charts. A tag is
    the primary one. A grouping that would draw the same lines as one before it is left out.
    """
    weights, curves = governed.capital_weights, governed.profits
    sizes = {name: mean_size(weights[name].to_numpy()) for name in weights.columns[1:]}
    found, groups = {}, []
    for by in GROUPINGS:
        members = _members(sheet.document["schedules"], by)
        if list(members.values()) in groups:
            continue
        groups.append(list(members.values()))
        sums = {
            name: np.sum([curves[one].to_numpy() for one in schedules], axis=0) for name, schedules in members.items()
        }
        found[by] = largest(sums, {name: sum(sizes[one] for one in schedules) for name, schedules in members.items()})
    return found


def _members(schedules: list[Mapping[str, Any]], by: str) -> dict[str, list[str]]:
    """The schedules of each name."""
    members: dict[str, list[str]] = {}
    for one in schedules:
        name = (one["tags"] or [NOTHING])[0] if by == "tag" else one[by]
        members.setdefault(name, []).append(one["schedule"])
    return members
