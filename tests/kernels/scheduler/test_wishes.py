"""Wishes laid onto a block: each column's place, the tail of the block before, means with and without numbers."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.kernels.columns import CONFIDENCE, DIAGNOSTICS, TARGET
from barstep.kernels.scheduler import wishes
from contract import POISON, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats
from schedules import NAN, Integers

pytestmark = pytest.mark.unit_kernel

ROWS, BLOCK = DIAGNOSTICS + 1, 6
OWN = DIAGNOSTICS


class Block:
    """Two instruments of schedule 1, and a third that it does not trade; columns beyond the block are poison."""

    def __init__(self, outs: Floats, *, places: Integers | None = None, width: int = BLOCK) -> None:
        self.outs, self.width = outs.copy(), width
        self.tails = np.arange(3.0 * ROWS).reshape(3, ROWS) / 100.0
        self.wishes, self.confidence = np.full((2, 2, 3, BLOCK + 2), POISON)
        self.means = np.full((3, 2, BLOCK + 2), POISON)
        self.places = np.empty((3, 0), dtype=np.int64) if places is None else places

    def lay_out(self, advanced: int) -> None:
        measures, sizes = np.array([CONFIDENCE, OWN, -1]), np.array([0, 1, 0])
        wishes.lay_out(
            self.outs, self.tails, self.places, np.array([advanced, advanced, 0]), np.array([1, 1, 0]), measures,
            sizes, 1, self.width, self.wishes, self.confidence, self.means, np.full(BLOCK + 2, POISON),
        )  # fmt: skip


def given_by(seed: int) -> Floats:
    """What an engine gave from column 1 on, with holes in its own diagnostic; nothing where it is not traded."""
    rng = np.random.default_rng(seed)
    outs = rng.normal(0.0, 1.0, (3, ROWS, BLOCK + 1))
    outs[:, OWN][rng.random((3, BLOCK + 1)) < 0.4] = NAN
    outs[2] = POISON
    return outs


@given(seed=st.integers(0, 10**6), width=st.integers(1, BLOCK))
def test_columns_of_the_same_bars(seed: int, width: int) -> None:
    """Column 0 is what was given last before; the others what the engine gave. Others' rows are left alone."""
    outs = given_by(seed)
    block = Block(outs, width=width)
    tails = block.tails.copy()
    block.lay_out(width - 1)
    outs[:2, :, 0] = tails[:2]
    assert_same_bits(block.wishes[1, :2, :width], outs[:2, TARGET, :width], "wishes")
    assert_same_bits(block.confidence[1, :2, :width], outs[:2, CONFIDENCE, :width], "confidence")
    assert_same_bits(block.tails[:2], outs[:2, :, width - 1], "tails")
    assert_same_bits(block.tails[2], tails[2], "the tail of what is not traded")
    for table in (block.wishes, block.confidence):
        assert_same_bits(table[0], np.full((3, BLOCK + 2), POISON), "another schedule")
        assert_same_bits(table[1, 2], np.full(BLOCK + 2, POISON), "what is not traded")
        assert_same_bits(table[1, :, width:], np.full((3, BLOCK + 2 - width), POISON), "beyond the block")
    check_means(block, outs[:2, :, :width])


def check_means(block: Block, seen: Floats) -> None:
    """Means over the traded instruments that gave a number; NaN where none did, or the engine has no such row."""
    for c in range(block.width):
        assert block.means[0, 1, c] == pytest.approx(seen[:, CONFIDENCE, c].mean(), rel=1e-12)
        known = np.abs(seen[:, OWN, c][~np.isnan(seen[:, OWN, c])])
        expected = known.mean() if known.size else NAN
        assert block.means[1, 1, c] == pytest.approx(expected, rel=1e-12, nan_ok=True)
    assert np.isnan(block.means[2, 1, : block.width]).all()
    assert_same_bits(block.means[:, 0], np.full((3, BLOCK + 2), POISON), "means of another schedule")
    assert_same_bits(block.means[:, 1, block.width :], np.full((3, BLOCK + 2 - block.width), POISON), "beyond it")


@given(seed=st.integers(0, 10**6))
def test_columns_that_see_a_longer_interval(seed: int) -> None:
    """A column sees the last bar of its own that was closed: some see the one before the block, some the same one."""
    outs = given_by(seed)
    places = np.array([[0, 0, 1, 1, 1, 2], [0, 1, 1, 2, 2, 2], [0, 0, 0, 0, 0, 0]])
    block = Block(outs, places=places)
    outs[:2, :, 0] = block.tails[:2]
    block.lay_out(2)
    seen = np.stack([outs[i][:, places[i]] for i in range(2)])
    assert_same_bits(block.wishes[1, :2, :BLOCK], seen[:, TARGET], "wishes")
    assert_same_bits(block.confidence[1, :2, :BLOCK], seen[:, CONFIDENCE], "confidence")
    assert_same_bits(block.tails[:2], outs[:2, :, 2], "tails")
    check_means(block, seen)


def test_an_engine_that_gave_nothing_keeps_its_tail() -> None:
    """No bar of its own has closed in the block: all columns see what was there before, and so will the next block."""
    block = Block(given_by(1), places=np.zeros((3, BLOCK), dtype=np.int64))
    tails = block.tails.copy()
    block.lay_out(0)
    assert_same_bits(block.tails, tails, "tails")
    assert_same_bits(block.wishes[1, :2, :BLOCK], np.repeat(tails[:2, TARGET, None], BLOCK, axis=1), "wishes")
