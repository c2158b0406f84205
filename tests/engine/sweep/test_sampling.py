"""Which sets are run: the grid in its order, draws that are even and the same again, conditions."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import numpy as np
import polars as pl
import pytest
from barstep.engine.sweep.axes import Axis, Span
from barstep.engine.sweep.sampling import draw_sets
from barstep.errors import UsageError

DRAWN = ("random", "sobol", "latin_hypercube")
every_draw = pytest.mark.parametrize("sampling", DRAWN)


def axis(name: str, *values: Any, **conditions: Any) -> Axis:
    return Axis(name=name, values=values, conditions=conditions)


def draw(*axes: Axis, sampling: str = "grid", count: int | None = None, seed: int = 0, **fixed: Any) -> pl.DataFrame:
    return draw_sets(axes, sampling, count, seed, fixed)


def test_a_grid_has_every_combination_in_order() -> None:
    """The last axis changes first."""
    axes = {"a": [3, 1, 2], "b": [True, False], "c": [0.5, 0.25]}
    table = draw(*(axis(name, *values) for name, values in axes.items()))
    assert table.columns == ["a", "b", "c"]
    assert table.rows() == list(itertools.product(*axes.values()))


def test_values_keep_their_types() -> None:
    """Whole numbers, numbers, truths, words, and nothing where that is a value."""
    table = draw(axis("a", 1, 2), axis("b", 0.5), axis("c", True), axis("d", "x"), axis("e", None, 0.5))
    kinds = [int, float, bool, str]
    assert [type(value) for value in table.row(0)[:4]] == kinds
    assert table["e"].to_list() == [None, 0.5] * 2


def test_conditions_leave_the_fixed_value() -> None:
    """Where they do not hold the set is there once, with the value that is fixed."""
    table = draw(axis("a", 1, 2), axis("b", 10, 20, a=2), b=7)
    assert table.rows() == [(1, 7), (2, 10), (2, 20)]
    both = draw(axis("a", 1, 2), axis("b", True, False), axis("c", 5, 6, a=1, b=True), c=0)
    assert both.rows() == [(1, True, 5), (1, True, 6), (1, False, 0), (2, True, 0), (2, False, 0)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_a_condition_on_a_condition(order: tuple[int, ...]) -> None:
    """An axis varies by what the others came to, in whatever order they are given."""
    axes = [axis("a", 1, 2), axis("b", 10, 20, a=2), axis("c", 5, 6, b=20)]
    table = draw(*(axes[place] for place in order), b=7, c=0)
    assert set(table.select("a", "b", "c").rows()) == {(1, 7, 0), (2, 10, 0), (2, 20, 5), (2, 20, 6)}


def test_axes_that_vary_by_each_other_are_refused() -> None:
    """There is no beginning."""
    with pytest.raises(UsageError, match=r"^a, b vary by each other; one of them must vary by itself"):
        draw(axis("a", 1, 2, b=10), axis("b", 10, 20, a=2), a=1, b=10)


@pytest.mark.parametrize(("values", "fixed"), [((1, 2), 0.5), ((0.5,), 3), ((1, 2), None)])
def test_the_fixed_value_stays_what_it_is(values: tuple[Any, ...], fixed: Any) -> None:
    """Also where it is of another kind than the values: half of one is not none."""
    table = draw(axis("a", True, False), axis("b", *values, a=True), b=fixed)
    assert table.filter(~pl.col("a"))["b"].to_list() == [fixed]


@every_draw
def test_a_seed_draws_the_same_again(sampling: str) -> None:
    """Another seed draws others."""
    axes = (Axis(name="a", span=Span(0, 1)), Axis(name="b", span=Span(5, 50), whole=True))
    first = draw(*axes, sampling=sampling, count=20, seed=4)
    assert first.equals(draw(*axes, sampling=sampling, count=20, seed=4))
    assert not first.equals(draw(*axes, sampling=sampling, count=20, seed=5))
    assert first.height == 20


@every_draw
def test_the_same_set_is_there_once(sampling: str) -> None:
    """Of four sets that there are no more than four are drawn, none twice."""
    table = draw(axis("a", 1, 2), axis("b", True, False), sampling=sampling, count=64)
    assert table.height == table.unique().height == 4


@every_draw
def test_one_set_can_be_drawn(sampling: str) -> None:
    """Also where points come in powers of two."""
    assert draw(Axis(name="a", span=Span(0, 1)), sampling=sampling, count=1).height == 1


def test_a_latin_hypercube_has_one_set_in_each_part() -> None:
    """Of each axis, in as many parts as there are sets."""
    axes = tuple(Axis(name=name, span=Span(0, 50)) for name in "abc")
    table = draw(*axes, sampling="latin_hypercube", count=50, seed=1)
    for name in "abc":
        assert np.floor(table[name].sort().to_numpy()).tolist() == list(range(50))


def test_sobol_points_fill_the_square_evenly() -> None:
    """64 of them: one in each of 64 parts of an axis, and one in each of 8 × 8 squares; random ones are not so."""
    axes = tuple(Axis(name=name, span=Span(0, 8)) for name in "ab")
    even = draw(*axes, sampling="sobol", count=64, seed=3)
    for name in "ab":
        assert np.floor(even[name].sort().to_numpy() * 8).tolist() == list(range(64))
    squares = np.floor(even.to_numpy()).tolist()
    assert sorted(map(tuple, squares)) == list(itertools.product(range(8), repeat=2))
    random = np.floor(draw(*axes, sampling="random", count=64, seed=3).to_numpy())
    assert len({tuple(each) for each in random.tolist()}) < 64


def test_fewer_sobol_points_are_the_first_of_more() -> None:
    """A number that is no power of two takes the beginning of the next one."""
    axes = (Axis(name="a", span=Span(0, 1)),)
    table = draw(*axes, sampling="sobol", count=40, seed=3)
    assert table.equals(draw(*axes, sampling="sobol", count=64, seed=3).head(40))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"sampling": "gird"}, "unknown sampling 'gird'. Did you mean 'grid'"),
        ({"count": 5}, "a grid has all of its sets; leave 5 out, or draw with another sampling"),
        ({"sampling": "random"}, "random draws a number of sets, which is not given; allowed is 1 to 50,000,000"),
        ({"sampling": "sobol", "count": 0}, "sobol draws a number of sets, which is 0; allowed is 1 to"),
        ({"sampling": "random", "count": 60_000_000}, "random draws a number of sets, which is 60,000,000"),
        ({"sampling": "random", "count": 5, "seed": -1}, "seed is -1; allowed is 0 and more"),
        ({"sampling": "sobol", "count": 5, "seed": -1}, "seed is -1; allowed is 0 and more"),
    ],
)
def test_refusals(given: dict[str, Any], text: str) -> None:
    """What is missing or wrong, and what is allowed."""
    with pytest.raises(UsageError, match=text):
        draw(axis("a", 1, 2), **given)


def test_a_grid_wants_lists_and_not_too_many() -> None:
    """A span has no end of values; more sets than can be run are told before they are made."""
    with pytest.raises(UsageError, match=r"^a is a span; a grid wants a list of values"):
        draw(Axis(name="a", span=Span(0, 1)))
    many = tuple(axis(name, *range(500)) for name in "abc")
    with pytest.raises(UsageError, match=r"^the grid has 125,000,000 sets; at most 50,000,000 can be run"):
        draw(*many)


@pytest.mark.parametrize("sampling", ["sobol", "latin_hypercube"])
def test_without_scipy_the_way_to_it_is_told(sampling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra; random draws do without."""
    monkeypatch.setitem(sys.modules, "scipy.stats.qmc", None)
    with pytest.raises(UsageError, match=rf"{sampling} is drawn by scipy, which is missing: pip install 'barstep\["):
        draw(axis("a", 1, 2), sampling=sampling, count=4)
    assert draw(axis("a", 1, 2), sampling="random", count=4).height <= 2
