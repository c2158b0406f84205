"""Every kernel of the table keeps the contract, on every nasty input; and the checks themselves can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from cases import CASES
from contract import (
    POISON,
    Case,
    assert_close,
    assert_same_bits,
    check_causality,
    check_partition,
    check_reach,
    check_reference,
)
from hypothesis import given
from hypothesis import strategies as st
from inputs import Columns, Floats, nan_at_each_position, nasty, walk

pytestmark = pytest.mark.unit_kernel

NASTY = nasty() | nan_at_each_position()
BARS = max(map(len, NASTY.values()))

every_case = pytest.mark.parametrize("case", CASES, ids=str)
some_input = st.sampled_from(sorted(NASTY)).map(NASTY.__getitem__)
some_bar = st.integers(0, BARS)


@every_case
def test_agrees_with_its_reference(case: Case) -> None:
    """The output is the reference's on every nasty input, is written in full, and nothing else is written."""
    for name, columns in NASTY.items():
        if name not in case.skip:
            try:
                check_reference(case, columns)
            except AssertionError as problem:
                raise AssertionError(f"on {name}: {problem}") from None


@every_case
@given(columns=some_input, cuts=st.lists(some_bar, max_size=6))
def test_any_cut_gives_the_same_bits(case: Case, columns: Columns, cuts: list[int]) -> None:
    """Cutting the bars anywhere, empty calls included, gives the bits of one call."""
    check_partition(case, columns, [min(cut, len(columns)) for cut in cuts])


@every_case
@pytest.mark.parametrize("name", ["walk", "nan_every_ninth", "gaps"])
def test_one_bar_a_call_gives_the_same_bits(case: Case, name: str) -> None:
    """The live loop's calls, one for each bar, give the bits of the backtest's single call."""
    check_partition(case, NASTY[name], range(len(NASTY[name])))


@every_case
@given(columns=some_input, stop=some_bar)
def test_the_future_changes_nothing(case: Case, columns: Columns, stop: int) -> None:
    """No output depends on a bar that comes after it."""
    check_causality(case, columns, min(stop, len(columns)))


@every_case
@given(columns=some_input, start=some_bar)
def test_the_past_is_read_no_further_than_promised(case: Case, columns: Columns, start: int) -> None:
    """A call with a carry reads at most `reach` bars before its start."""
    check_reach(case, columns, min(start, len(columns)))


def test_no_case_is_named_twice() -> None:
    """Each row of the table can be told from the others."""
    assert len({case.name for case in CASES}) == len(CASES)


def _copy(columns: Columns, carry: Floats, out: Floats, start: int, stop: int) -> None:
    out[0, start:stop] = columns.close[start:stop] + carry[0]
    carry[0] += stop - start


TRUTHFUL = Case(name="close plus bars seen before the call", run=_copy, reference=lambda c: c.close, reach=0, carry=1)


def test_partition_check_can_fail() -> None:
    """A kernel whose output depends on where it was cut is caught."""
    check_reference(TRUTHFUL, walk(9))
    with pytest.raises(AssertionError, match="cut at"):
        check_partition(TRUTHFUL, walk(9), [4])


def test_causality_check_can_fail() -> None:
    """A kernel that looks one bar ahead is caught."""

    def peek(columns: Columns, _: Floats, out: Floats, start: int, stop: int) -> None:
        out[0, start:stop] = np.append(columns.close, 0.0)[start + 1 : stop + 1]

    with pytest.raises(AssertionError, match="bars from 4 on"):
        check_causality(replace(TRUTHFUL, run=peek), walk(9), 4)


def test_reach_check_can_fail() -> None:
    """A kernel that reads further back than it says is caught."""

    def behind(columns: Columns, _: Floats, out: Floats, start: int, stop: int) -> None:
        for bar in range(start, stop):
            out[0, bar] = columns.close[max(bar - 2, 0)]

    check_reach(replace(TRUTHFUL, run=behind, reach=2), walk(9), 5)
    with pytest.raises(AssertionError, match="forgotten"):
        check_reach(replace(TRUTHFUL, run=behind, reach=1), walk(9), 5)


FAULTS: dict[str, Callable[[Columns, Floats, Floats, int, int], object]] = {
    "not all of": lambda c, _, out, start, stop: np.copyto(out[0, start : stop - 1], c.close[start : stop - 1]),
    "beyond stop": lambda c, _, out, *_range: np.copyto(out[0], np.append(c.close, [1.0, 1.0])),
    "beyond the carry": lambda c, carry, out, start, stop: (_copy(c, carry, out, start, stop), carry.fill(0.0)),
    "input low": lambda c, carry, out, start, stop: (_copy(c, carry, out, start, stop), c.low.fill(0.0)),
    "was in out": lambda c, _, out, start, stop: np.copyto(
        out[0, start:stop], np.where(np.isnan(out[0, start:stop]), c.close[start:stop], 0.0)
    ),
    "9 of 9 differ": lambda c, _, out, start, stop: np.copyto(out[0, start:stop], c.high[start:stop]),
}


@pytest.mark.parametrize("message", FAULTS)
def test_reference_check_can_fail(message: str) -> None:
    """A gap in the output, a write outside it, a wrong number: each is caught and named."""
    with pytest.raises(AssertionError, match=message):
        check_reference(replace(TRUTHFUL, run=FAULTS[message]), walk(9))


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (1.0 + 1e-9, 1.0),
        (np.nan, 1.0),
        (1.0, np.nan),
        (np.inf, 1.0),
        (1.0, np.inf),
        (-np.inf, np.inf),
        (POISON, 1.0),
        (1e-300, 0.0),
    ],
)
def test_comparison_can_fail(got: float, expected: float) -> None:
    """Numbers, NaNs and infinities that differ are told apart, wherever they stand."""
    assert_close(np.array([2.0, 1.0]), np.array([2.0, 1.0]), 0.0)
    with pytest.raises(AssertionError, match="1 of 2 differ, first at \\[1\\]"):
        assert_close(np.array([2.0, got]), np.array([2.0, expected]), 1e-12)


def test_comparison_of_bits_can_fail() -> None:
    """Zeros of two signs and NaNs of two payloads differ in their bits."""
    for one, other in [(0.0, -0.0), (np.nan, POISON), (1.0, np.nextafter(1.0, 2.0))]:
        assert_same_bits(np.array([one]), np.array([one]), "same")
        with pytest.raises(AssertionError, match="different"):
            assert_same_bits(np.array([one]), np.array([other]), "different")


def test_comparison_wants_the_same_shape() -> None:
    """An empty output is not equal to a full one by broadcasting."""
    for compare in (lambda a, b: assert_close(a, b, 1.0), lambda a, b: assert_same_bits(a, b, "x")):
        with pytest.raises(AssertionError, match="shapes"):
            compare(np.zeros(1), np.zeros(3))
