"""Trading at a venue with rules: every case of the tables, in one call and in many, and with a table that grows."""

from __future__ import annotations

import numpy as np
import pytest
import venue_holding_cases
import venue_level_cases
import venue_order_cases
import venue_trailing_cases
from contract import assert_same_bits
from venues import Case

pytestmark = pytest.mark.unit_kernel

TABLES = [venue_level_cases, venue_trailing_cases, venue_order_cases, venue_holding_cases]
CASES: list[Case] = [case for table in TABLES for case in table.CASES]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_by_hand(case: Case) -> None:
    """Fills, equity and counts are those of the arithmetic in the case's words."""
    got = case.run()
    expected = np.array(case.fills, dtype=float).reshape(-1, 4)
    assert [row[0] for row in got.rows] == expected[:, 0].tolist(), got.rows
    np.testing.assert_allclose(np.array(got.rows).reshape(-1, 4), expected, rtol=1e-12, atol=0)
    assert got.equity == pytest.approx(case.equity, rel=1e-12)
    assert {slot: got[slot] for slot in case.counts} == pytest.approx(dict(case.counts))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_may_be_cut_anywhere(case: Case) -> None:
    """A bar a call, and a table of fills that is full from the start, give the same bits."""
    whole = case.run()
    for resumed in (case.run(cuts=range(len(case.bars))), case.run(capacity=0)):
        assert_same_bits(resumed.fills, whole.fills, "fills")
        assert_same_bits(resumed.carry, whole.carry, "account")


def test_there_are_cases_enough() -> None:
    """Every case says something else, and there are at least sixty."""
    words = [case.words for case in CASES]
    assert len(set(words)) == len(words) >= 60
