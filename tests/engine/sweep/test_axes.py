"""What is varied: lists, spans and conditions, and what is refused of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from barstep.engine.sweep.axes import Axis, Span, When, read_axes
from barstep.errors import UsageError
from hypothesis import given
from hypothesis import strategies as st


def read(axes: dict[str, Any], whole: str = "") -> dict[str, Axis]:
    """The axes by name; every value is allowed but a negative number."""

    def value(name: str, each: Any) -> Any:
        if isinstance(each, int | float) and each < 0:
            raise UsageError(f"{name} is {each}; allowed is 0 and more")
        return each

    return {axis.name: axis for axis in read_axes(axes, value, lambda name: name == whole)}


def test_values_keep_their_order() -> None:
    """Of lists, ranges, arrays, and what can be gone over once only."""
    for given_values in ([3, 1, 2], (3, 1, 2), np.array([3, 1, 2]), iter([3, 1, 2])):
        assert read({"a": given_values})["a"].values == (3, 1, 2)
    assert read({"a": range(4, 9, 2)})["a"].describe() == {"values": [4, 6, 8]}


def test_a_span_is_told_by_its_ends() -> None:
    """Both are checked as values are; `whole` is as the parameter says."""
    axis = read({"a": Span(1, 9, log=True)}, whole="a")["a"]
    assert axis.describe() == {"low": 1, "high": 9, "log": True}
    assert (axis.values, axis.whole) == ((), True)


def test_conditions_are_told() -> None:
    """With the values or the span that they are for."""
    axes = read({"a": When([1, 2], b=True), "b": [True, False], "c": When(Span(0, 1), a=2, b=True)})
    assert axes["a"].describe() == {"values": [1, 2], "when": {"b": True}}
    assert axes["c"].describe() == {"low": 0, "high": 1, "log": False, "when": {"a": 2, "b": True}}


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: read({}), "nothing is varied; give at least one axis: a parameter with its values"),
        (lambda: read({"a": []}), "a: there are no values to vary it over"),
        (lambda: read({"a": 5}), "a: the values are 5; they must be a list, a range, a Span or a When"),
        (lambda: read({"a": "abc"}), "a: the values are 'abc'; they must be a list, a range, a Span or a When"),
        (lambda: read({"a": [1, 2, 1]}), "a: the value 1 is there twice"),
        (lambda: read({"a": [1, -2]}), "a is -2; allowed is 0 and more"),
        (lambda: read({"a": Span(-1, 2)}), "a is -1; allowed is 0 and more"),
        (lambda: read({"a": When([1], b=-1), "b": [1]}), "b is -1; allowed is 0 and more"),
        (lambda: read({"a": When([1], c=1), "b": [1]}), "a varies only by c, which is not another axis; there is b"),
        (lambda: read({"a": When([1], a=1)}), "a varies only by a, which is not another axis; there is none"),
        (lambda: When([1, 2]), r"When needs a condition: When\(\[1, 2\], allow_short=True\)"),
        (lambda: read({"a": When(7, b=1), "b": [1]}), "a: the values are 7; they must be a list"),
        (lambda: read({"a": When("xyz", b=1), "b": [1]}), "a: the values are 'xyz'; they must be a list"),
        (lambda: Span(2, 2), "a span goes from 2 to 2; the first must be less than the second"),
        (lambda: Span(3, 2), "a span goes from 3 to 2; the first must be less than the second"),
        (lambda: Span(0, float("inf")), "a span goes from 0 to inf"),
        (lambda: Span(float("nan"), 1), "a span goes from nan to 1"),
        (lambda: Span(0, 1, log=True), "a logarithmic span begins at 0; it must be over 0"),
    ],
)
def test_refusals(make: Callable[[], object], text: str) -> None:
    """One line that names the axis and says what is allowed."""
    with pytest.raises(UsageError, match=f"^{text}"):
        make()


LAST = 1.0 - 2.0**-53
"""The greatest share that is drawn."""
shares = st.lists(st.floats(0.0, LAST), min_size=1, max_size=20).map(lambda drawn: np.array([0.0, *drawn, LAST]))


@given(low=st.integers(1, 10**6), more=st.integers(1, 10**6), log=st.booleans(), drawn=shares)
def test_whole_numbers_stay_between_their_ends(low: int, more: int, log: bool, drawn: np.ndarray[Any, Any]) -> None:
    """Whatever the share, and the first and the last share are the ends."""
    found = Axis(name="a", span=Span(low, low + more, log=log), whole=True).drawn(drawn)
    assert all(isinstance(value, int) and low <= value <= low + more for value in found)
    assert (found[0], found[-1]) == (low, low + more)


@given(low=st.floats(1e-6, 1e6), more=st.floats(1e-3, 1e6), log=st.booleans(), drawn=shares)
def test_numbers_stay_between_their_ends(low: float, more: float, log: bool, drawn: np.ndarray[Any, Any]) -> None:
    """In the order of their shares."""
    span = Span(low, low + more, log=log)
    found = Axis(name="a", span=span).drawn(np.sort(drawn))
    assert all(span.low <= value <= span.high for value in found)
    assert found == sorted(found)


def test_whole_numbers_have_equal_parts_of_a_span() -> None:
    """Of even shares each number gets as many, the ends too."""
    found = Axis(name="a", span=Span(3, 7), whole=True).drawn(np.arange(100) / 100.0)
    assert [found.count(number) for number in range(3, 8)] == [20] * 5


def test_a_logarithmic_span_is_even_by_its_logarithm() -> None:
    """As many values between 1 and 10 as between 100 and 1000."""
    found = np.array(Axis(name="a", span=Span(1, 1000, log=True)).drawn((np.arange(300) + 0.5) / 300.0))
    assert np.histogram(np.log10(found), bins=3, range=(0, 3))[0].tolist() == [100, 100, 100]


@given(count=st.integers(1, 40), drawn=shares)
def test_of_a_list_each_value_has_an_equal_part(count: int, drawn: np.ndarray[Any, Any]) -> None:
    """The k-th value where the share lies in the k-th of as many parts; never one that is not there."""
    axis = Axis(name="a", values=tuple(range(count)))
    assert axis.drawn(drawn) == [min(int(share * count), count - 1) for share in drawn]
