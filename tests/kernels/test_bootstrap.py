"""Bootstrap paths against lists of places and plain loops over them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import plain_bootstrap as plain
import pytest
from barstep.kernels import bootstrap
from contract import POISON, assert_close, assert_same_bits, bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats

pytestmark = pytest.mark.unit_kernel

SEED = 11
LENGTHS = (1.0, 2.0, 3.5, 20.0, 300.0)


def survivals(mean: float) -> Floats:
    """The chances to go on 2^k times, as the caller of the kernels makes them."""
    return np.array([(1.0 - 1.0 / mean) ** 2**k for k in range(8, -1, -1)])


def sample(n: int, seed: int = 1, step: float = 0.02) -> Floats:
    return np.random.default_rng(seed).standard_normal(n) * step + 0.001


def run_blocks(
    returns: Floats,
    starts: int,
    length: float,
    *,
    is_geometric: bool,
    first: int = 0,
    paths: int = 4,
    marks: int = 5,
    room: int = 64,
) -> tuple[Floats, Floats]:
    """Curves and results of some paths, everything poisoned first."""
    chances = survivals(length) if is_geometric else np.empty(0)
    curves, out = np.full((paths, marks), POISON), np.full((paths, bootstrap.PATH_RESULTS), POISON)
    drawn = np.full((bootstrap.DRAWN_ROWS, bootstrap.BLOCKS_AT_ONCE), POISON)
    carry, row = np.full(bootstrap.PATH_CARRY, POISON), np.full(room, POISON)
    centre = float(np.median(returns))
    places = mark_places(returns.size, marks)
    bootstrap.block_paths(returns, starts, length, chances, SEED, first, centre, places, carry, drawn, row, curves, out)
    assert not (bits(curves) == bits(POISON)).any()
    assert not (bits(out) == bits(POISON)).any()
    return curves, out


def run_shuffled(returns: Floats, *, first: int = 0, paths: int = 4, marks: int = 5) -> tuple[Floats, Floats]:
    curves, out = np.full((paths, marks), POISON), np.full((paths, bootstrap.PATH_RESULTS), POISON)
    order, carry = np.full(returns.size, -1, dtype=np.int64), np.full(bootstrap.PATH_CARRY, POISON)
    row = np.full(64, POISON)
    centre, places = float(np.median(returns)), mark_places(returns.size, marks)
    drawn = np.full((bootstrap.DRAWN_ROWS, bootstrap.BLOCKS_AT_ONCE), POISON)
    bootstrap.shuffled_paths(returns, SEED, first, centre, places, carry, drawn, row, order, curves, out)
    return curves, out


def mark_places(n: int, marks: int) -> np.ndarray:
    """Marks that rise to the last step; of a short path, some of them stand at the same step."""
    return np.linspace(0.0, n, marks + 1)[1:].astype(np.int64)


def assert_is_walk(curve: Floats, out: Floats, felt: list[float]) -> None:
    """The results of one path are those of a plain walk over its returns."""
    walked = plain.walk(felt)
    n = len(felt)
    assert_close(curve, np.array([walked.curve[m - 1] if m else 1.0 for m in mark_places(n, curve.size)]), 1e-12)
    assert out[bootstrap.FINAL_GROWTH] == pytest.approx(walked.curve[-1], rel=1e-12)
    size = max(abs(value) for value in felt)
    assert out[bootstrap.MEAN] == pytest.approx(walked.mean, abs=1e-13 * size)
    assert out[bootstrap.SQUARES_ABOUT_MEAN] == pytest.approx(walked.squares, abs=1e-12 * n * size * size)
    assert out[bootstrap.DEEPEST_SHARE] == pytest.approx(walked.deepest, rel=1e-12, abs=1e-300)
    assert out[bootstrap.LONGEST_DRAWDOWN] == walked.longest


@pytest.mark.parametrize("n", [1, 2, 7, 90])
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("is_geometric", [True, False])
def test_circular_paths_are_those_of_plain_loops(n: int, length: float, is_geometric: bool) -> None:
    """Blocks of geometric or of one length that may go round: places, growth, mean, spread and drawdowns."""
    length = length if is_geometric else min(float(int(length)), n)
    returns = sample(n)
    curves, out = run_blocks(returns, n, length, is_geometric=is_geometric)
    for path in range(4):
        places = plain.block_places(n, n, length, SEED, path, is_geometric=is_geometric)
        assert_is_walk(curves[path], out[path], returns[places].tolist())


@pytest.mark.parametrize(("n", "length"), [(7, 7), (40, 6), (90, 89)])
def test_moving_blocks_do_not_go_round(n: int, length: int) -> None:
    """Blocks begin where a whole one has room."""
    returns = sample(n)
    curves, out = run_blocks(returns, n - length + 1, float(length), is_geometric=False)
    for path in range(4):
        places = plain.block_places(n, n - length + 1, length, SEED, path, is_geometric=False)
        assert all(b == a + 1 for k, (a, b) in enumerate(pairwise(places), 1) if k % length)
        assert_is_walk(curves[path], out[path], returns[places].tolist())


@pytest.mark.parametrize("n", [1, 2, 3, 60])
def test_shuffled_paths_take_each_return_once(n: int) -> None:
    """The places are a permutation, another one for each path, and growth at the end is that of the whole."""
    returns = sample(n)
    curves, out = run_shuffled(returns)
    for path in range(4):
        places = plain.shuffled_places(n, SEED, path)
        assert sorted(places) == list(range(n))
        assert_is_walk(curves[path], out[path], returns[places].tolist())
    assert out[:, bootstrap.FINAL_GROWTH] == pytest.approx(np.prod(1.0 + returns), rel=1e-12)


def test_every_permutation_is_as_likely() -> None:
    """Of 3 returns each of the 6 orders comes up as often as any other."""
    returns = np.array([0.1, 0.2, 0.4])
    curves, _ = run_shuffled(returns, paths=1200, marks=3)
    counts = np.unique(np.round(curves[:, :2], 9), axis=0, return_counts=True)[1]
    assert counts.size == 6
    assert ((counts - 200.0) ** 2 / 200.0).sum() < 20.5  # χ² of 5 degrees: over it in one of 1,000


@given(cuts=st.lists(st.integers(0, 300), max_size=6), length=st.sampled_from(LENGTHS), shuffles=st.booleans())
def test_cut_anywhere_a_path_has_the_same_bits(cuts: list[int], length: float, shuffles: bool) -> None:
    """Steps taken in any pieces, empty ones included, leave the carry and the returns of one go."""
    returns = sample(300)

    def advanced(places: list[int]) -> Floats:
        carry = np.full(bootstrap.PATH_CARRY, POISON)
        drawn = np.full((bootstrap.DRAWN_ROWS, bootstrap.BLOCKS_AT_ONCE), POISON)
        order, out = np.full(300, -1, dtype=np.int64), np.full(300, POISON)
        bootstrap.start_path(carry)
        for start, stop in pairwise([0, *sorted(places), 300]):
            if shuffles:
                bootstrap.fill_shuffled(returns, SEED, 5, carry, drawn, order, out[start:stop])
            else:
                bootstrap.fill_blocks(returns, 300, length, survivals(length), SEED, 5, carry, drawn, out[start:stop])
            bootstrap.take_steps(out[start:stop], 0.001, carry)
        return np.concatenate((carry, out))

    assert_same_bits(advanced(cuts), advanced([]), f"cut at {sorted(cuts)}")


@given(cut=st.integers(0, 6), length=st.sampled_from(LENGTHS), marks=st.sampled_from([1, 3, 40]))
def test_a_path_does_not_depend_on_the_others(cut: int, length: float, marks: int) -> None:
    """Paths made in two calls have the bits of one call, and notes of equity on the way change nothing."""
    returns = sample(40)
    whole = run_blocks(returns, 40, length, is_geometric=True, paths=6, marks=5)
    parts = [
        run_blocks(returns, 40, length, is_geometric=True, first=first, paths=count)
        for first, count in ((0, cut), (cut, 6 - cut))
        if count
    ]
    for place in (0, 1):
        assert_same_bits(np.concatenate([part[place] for part in parts]), whole[place], f"cut at path {cut}")
    _, other = run_blocks(returns, 40, length, is_geometric=True, paths=6, marks=marks, room=marks)
    assert_same_bits(other, whole[1], f"{marks} marks, {marks} steps in a row")
    pieces = [run_shuffled(returns, first=0, paths=cut), run_shuffled(returns, first=cut, paths=6 - cut)]
    assert_same_bits(np.concatenate([p[1] for p in pieces]), run_shuffled(returns, paths=6)[1], "shuffled")


@given(uniform=st.floats(0.0, 1.0, exclude_max=True), mean=st.sampled_from([1.25, 2.0, 20.0, 1000.0]))
def test_a_length_is_the_inverse_of_its_chance(uniform: float, mean: float) -> None:
    """One step more would have a chance of at most the uniform, and the length itself has one above it."""
    chances = np.array([np.longdouble(1.0 - 1.0 / mean) ** 2**k for k in range(17, -1, -1)]).astype(float)
    lengths, scratch = np.full(1, POISON), np.full(1, POISON)
    bootstrap.fill_lengths(np.array([uniform]), chances, lengths, scratch)
    goes_on = np.longdouble(1.0) - np.longdouble(1.0) / np.longdouble(mean)
    if uniform > 1e-12:
        assert goes_on ** (int(lengths[0]) - 1) >= uniform * (1.0 - 1e-9)
        assert goes_on ** int(lengths[0]) <= uniform * (1.0 + 1e-9)
    assert lengths[0] == int(lengths[0]) >= 1.0


@pytest.mark.parametrize("mean", [2.0, 7.0])
def test_lengths_are_geometric(mean: float) -> None:
    """Lengths of evenly spread uniforms have the counts of a geometric distribution, and its mean."""
    uniforms = (np.arange(4000) + 0.5) / 4000
    lengths, scratch = np.empty(4000), np.empty(4000)
    bootstrap.fill_lengths(uniforms, survivals(mean), lengths, scratch)
    for k in range(1, 6):
        expected = 4000 * (1.0 - 1.0 / mean) ** (k - 1) / mean
        assert abs((lengths == k).sum() - expected) <= 1.0
    assert lengths.mean() == pytest.approx(mean, rel=2e-3)


def test_a_path_that_loses_all_stays_there() -> None:
    """At 0 or under it there is no return any more: the loss is the final one, and the drawdown lasts to the end."""
    for worst in (-1.0, -1.5):
        returns = np.array([0.1, worst, 0.3, 0.2, -0.1, 0.05])
        curves, out = run_blocks(returns, 6, 2.0, is_geometric=True, paths=30, marks=6)
        for path in range(30):
            places = plain.block_places(6, 6, 2.0, SEED, path, is_geometric=True)
            assert_is_walk(curves[path], out[path], returns[places].tolist())
        assert (out[:, bootstrap.FINAL_GROWTH] <= 0.0).sum() >= 15


@pytest.mark.parametrize(
    "returns",
    [
        np.array([1e200, -1.0, 1e200, 1e200]),
        np.array([1e308, 1e308, -1.0 + 2.0**-53, 0.0]),
        np.full(9, -1.0 + 2.0**-53),
        np.array([5e-324, -5e-324, 0.0, -0.0]),
    ],
)
def test_nothing_becomes_no_number(returns: Floats) -> None:
    """Overflow may be infinite and underflow 0, but no path's growth or drawdown is NaN."""
    curves, out = run_blocks(returns, returns.size, 1.0, is_geometric=False, paths=20, marks=4)
    assert not np.isnan(curves).any()
    assert not np.isnan(out[:, [bootstrap.FINAL_GROWTH, bootstrap.DEEPEST_SHARE, bootstrap.LONGEST_DRAWDOWN]]).any()
    assert (out[:, bootstrap.DEEPEST_SHARE] <= 1.0).all()


@pytest.mark.parametrize("value", [0.0, 0.1, -0.003, 1e-9])
def test_equal_returns_have_no_spread(value: float) -> None:
    """Also where the returns that a path drew are all the same by chance, and none of them is the centre."""
    _, out = run_blocks(np.full(50, value), 50, 3.0, is_geometric=True)
    assert not out[:, bootstrap.SQUARES_ABOUT_MEAN].any()
    two = np.concatenate((np.full(30, 0.01), np.full(20, value)))
    carry, found = np.empty(bootstrap.PATH_CARRY), np.empty(bootstrap.PATH_RESULTS)
    bootstrap.start_path(carry)
    bootstrap.take_steps(two[30:], 0.01, carry)
    bootstrap.finish_path(20, 0.01, carry, found)
    assert found[bootstrap.SQUARES_ABOUT_MEAN] == 0.0
