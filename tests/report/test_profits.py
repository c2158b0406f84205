"""Profit over time by schedule, and by what schedules have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from barstep.engine.scheduler.result import SchedulerResult
from barstep.report.capital import shares
from barstep.report.profits import profits
from barstep.report.sheet import Sheet, sheet_of


def drawn(sheet: Sheet) -> dict[str, dict[str, Any]]:
    assert sheet.governed is not None
    return profits(sheet, sheet.governed)


def test_each_grouping_adds_up_to_the_profit(core: SchedulerResult) -> None:
    """By schedule, profile and tag the profits add up to the account's at every close."""
    found = drawn(sheet_of(core))
    assert {"schedule", "risk_profile", "tag"} <= found.keys()
    assert found["risk_profile"].keys() == {"balanced", "aggressive"}
    for curves in found.values():
        total = np.sum(list(curves.values()), axis=0)
        np.testing.assert_allclose(total, core.equity_values - core.execution.capital, atol=1e-6)


def test_a_tag_is_the_primary_one(core: SchedulerResult) -> None:
    """Profits by tag are those that the result gives by tag."""
    found, expected = drawn(sheet_of(core))["tag"], core.equity_by("tag")
    assert found.keys() == set(expected.columns[1:])
    for name, curve in found.items():
        np.testing.assert_allclose(curve, expected[name].to_numpy(), atol=1e-6)


def test_schedules_stand_as_in_the_shares_of_capital(core: SchedulerResult) -> None:
    """A place is a colour: it is the same schedule's in both charts."""
    sheet = sheet_of(core)
    names = shares(sheet, core.capital_weights, 100).names
    assert list(drawn(sheet)["schedule"]) == names[:-1]


def test_a_grouping_of_the_same_lines_is_left_out(core: SchedulerResult) -> None:
    """Where each schedule has a strategy of its own there is no choice by strategy; where two share one there is."""
    sheet = sheet_of(core)
    assert "strategy" not in drawn(sheet)
    shared = [{**one, "strategy": "one"} for one in sheet.document["schedules"]]
    again = replace(sheet, document={**sheet.document, "schedules": shared})
    assert list(drawn(again)["strategy"]) == ["one"]


def test_what_has_no_tag_has_a_dash(core: SchedulerResult) -> None:
    """Schedules without tags are one group."""
    sheet = sheet_of(core)
    first, *others = sheet.document["schedules"]
    again = replace(sheet, document={**sheet.document, "schedules": [{**first, "tags": []}, *others]})
    assert "–" in drawn(again)["tag"]
