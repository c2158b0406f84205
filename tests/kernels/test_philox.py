"""Random numbers by number, against the published answers and whole-number arithmetic."""

from __future__ import annotations

import numpy as np
import plain_bootstrap as plain
import pytest
from barstep.kernels import philox
from contract import POISON, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.unit_kernel

ALL = 0xFFFFFFFF
PI = [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0]
PUBLISHED = [
    ([0] * 6, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([ALL] * 6, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (PI, [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]),
]
"""The known answers of Random123, the authors' library, for philox4x32 with 10 rounds: counter and key, words."""

numbers = st.integers(0, 2**63 - 1)


def drawn(seed: int, stream: int, number: int) -> tuple[float, float]:
    """One draw of the kernel. Numbers from 2^63 on are given as the negative ones of the same bits."""
    rows = np.full((2, 1), POISON)
    philox.fill_uniforms(*(np.uint64(value).astype(np.int64) for value in (seed, stream, number)), rows[0], rows[1])
    return float(rows[0, 0]), float(rows[1, 0])


@pytest.mark.parametrize(("given_words", "answer"), PUBLISHED)
def test_the_published_answers(given_words: list[int], answer: list[int]) -> None:
    """Plain arithmetic gives the words that the authors publish, and the kernel the 53 bits that it keeps of two."""
    assert plain.philox_words(given_words[:4], given_words[4:]) == answer
    number, stream, seed = (low + (high << 32) for low, high in zip(given_words[::2], given_words[1::2], strict=True))
    kept = [((high << 32) + low >> 11) / 2**53 for high, low in (answer[:2], answer[2:])]
    assert list(drawn(seed, stream, number)) == kept


@given(seed=numbers, stream=numbers, number=numbers)
def test_a_draw_is_its_words_over_two_to_the_53(seed: int, stream: int, number: int) -> None:
    """Both numbers of a draw are exactly those of whole-number arithmetic, at least 0 and under 1."""
    found = drawn(seed, stream, number)
    assert tuple(map(float, plain.uniforms(seed, stream, number))) == found
    assert all(0.0 <= value < 1.0 for value in found)


@given(first=st.integers(0, 2**40), cut=st.integers(0, 20))
def test_draws_in_a_row_are_single_draws(first: int, cut: int) -> None:
    """Filled in one call or in two they have the bits of single draws, and nothing beyond is written."""
    rows = np.full((2, 21), POISON)
    philox.fill_uniforms(7, 3, first, rows[0, :cut], rows[1, :cut])
    philox.fill_uniforms(7, 3, first + cut, rows[0, cut:20], rows[1, cut:20])
    single = np.array([drawn(7, 3, first + k) for k in range(20)]).T
    assert_same_bits(rows[:, :20], np.ascontiguousarray(single), "draws in a row")
    assert_same_bits(rows[:, 20], np.full(2, POISON), "beyond")


def test_streams_and_seeds_have_nothing_in_common() -> None:
    """Numbers of one seed or stream stand in no line with those of another, and are spread evenly."""
    table = np.empty((6, 2000))
    for row, (seed, stream) in enumerate([(0, 0), (0, 1), (1, 0)]):
        philox.fill_uniforms(seed, stream, 0, table[2 * row], table[2 * row + 1])
    off_diagonal = np.corrcoef(table)[~np.eye(6, dtype=bool)]
    assert np.abs(off_diagonal).max() < 0.1  # four and a half deviations of 1 / √2000
    assert np.abs(table.mean(axis=1) - 0.5).max() < 0.03
    counts = np.array([np.histogram(row, bins=20, range=(0.0, 1.0))[0] for row in table])
    assert ((counts - 100.0) ** 2 / 100.0).sum(axis=1).max() < 50.0  # χ² of 19 degrees: over it in one of 10,000
