"""What every resumable kernel promises, as checks that one table of cases drives (see `cases`, `test_contract`).

A `Case` says how to call one kernel over bars start..stop and what it ought to give. The checks know nothing else:

- `check_reference`: it agrees with the reference, writes out[start:stop] in full and nothing else, in `out`, in the
  carry or in its inputs, and does not read what was in `out` before;
- `check_partition`: cutting 0..n anywhere, one bar a call and empty calls included, gives the same bits;
- `check_causality`: what follows a bar never changes it;
- `check_reach`: a call reads no further back than `reach` bars before its start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from inputs import Columns, Floats
from numpy.typing import NDArray

POISON = np.array([0x7FF8_0BAD_0BAD_0BAD], dtype=np.int64).view(np.float64)[0]
"""A NaN that no arithmetic makes: where it is left, nothing was written; where it travels, `out` was read."""
OTHER_POISON = 1e300
_SPARE = 3

Run = Callable[[Columns, Floats, Floats, int, int], object]
Reference = Callable[[Columns], NDArray[np.floating] | Sequence[NDArray[np.floating]]]
Scale = Callable[[Columns], NDArray[np.floating] | float]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kernel with one set of parameters.

    Attributes:
        name: Shown in the test's id.
        run: run(columns, carry, out, start, stop) calls the kernel; `out` is float64[rows, n], so `out[0]` is the
            output of a kernel with one.
        reference: reference(columns) gives float or longdouble [n], or one of these per row, by other reasoning.
        reach: How many bars before `start` a call may read.
        carry: Length of the carry; 0 for a kernel without one.
        begin: Sets up the carry before bar 0 where zeros are not enough (an engine's bar number).
        rows: How many output rows there are.
        tolerance: Allowed error as a share of `scale`; 0.0 asks for the same numbers.
        scale: What the error is measured by, [n], [rows, n] or a number; the reference's own size by default. Give it
            where cancellation makes the result smaller than what it is computed from.
        skip: Names of nasty inputs on which the reference has no meaning; say why beside it.
    """

    name: str
    run: Run
    reference: Reference
    reach: int
    carry: int = 0
    begin: Callable[[Floats], object] | None = None
    rows: int = 1
    tolerance: float = 0.0
    scale: Scale | None = None
    skip: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.name


def fresh_carry(case: Case) -> Floats:
    """A carry as before bar 0, with poison beyond its size."""
    carry = np.zeros(case.carry + _SPARE)
    carry[case.carry :] = POISON
    if case.begin is not None:
        case.begin(carry)
    return carry


def call(case: Case, columns: Columns, carry: Floats, out: Floats, start: int, stop: int) -> None:
    """Call the kernel over bars start..stop."""
    # Compiled code divides by zero without a word. With the JIT off numpy would warn, and warnings are errors here.
    with np.errstate(all="ignore"):
        case.run(columns, carry, out, start, stop)


def run_whole(case: Case, columns: Columns, poison: float = POISON) -> Floats:
    """The kernel's output over all bars in one call, into an array that was full of `poison`."""
    return run_cut(case, columns, [], poison)


def run_cut(case: Case, columns: Columns, cuts: Sequence[int], poison: float = POISON) -> Floats:
    """The same in several calls with one carry, cut before each bar of `cuts`."""
    carry, out = fresh_carry(case), np.full((case.rows, len(columns)), poison)
    for start, stop in pairwise([0, *sorted(cuts), len(columns)]):
        call(case, columns, carry, out, start, stop)
    return out


def bits(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """The 64 bits of each float: tells zeros and NaNs apart."""
    return np.ascontiguousarray(values, dtype=np.float64).view(np.int64)


def assert_same_bits(got: Floats, expected: Floats, what: str) -> None:
    """Fail where two arrays differ in one bit."""
    assert got.shape == expected.shape, f"{what}: shapes {got.shape} and {expected.shape}"
    places = np.argwhere(bits(got) != bits(expected))
    if places.size:
        at = tuple(places[0])
        raise AssertionError(
            f"{what}: {len(places)} of {got.size} differ, first at {[int(i) for i in at]}: "
            f"{got[at]!r} ({bits(got)[at]:#x}) for {expected[at]!r} ({bits(expected)[at]:#x})"
        )


def assert_close(
    got: Floats, expected: NDArray[np.floating], tolerance: float, scale: NDArray[np.floating] | float | None = None
) -> None:
    """Fail where NaNs or infinities stand elsewhere, or a number is off by over tolerance × scale (default: its size).

    -0.0 and 0.0 are the same here. Under the smallest normal float an error is a share of that: a float has no finer
    grain there.
    """
    assert got.shape == expected.shape, f"shapes {got.shape} and {expected.shape}"
    finite = np.isfinite(expected)
    size = np.broadcast_to(np.abs(expected) if scale is None else np.asarray(scale), expected.shape)
    size = np.maximum(size, np.finfo(np.float64).tiny)
    with np.errstate(all="ignore"):
        error = np.abs(got.astype(np.longdouble) - expected)
        wrong = np.where(
            finite,
            ~((error <= tolerance * size) & np.isfinite(got)),
            ~((got == expected) | (np.isnan(got) & np.isnan(expected))),
        )
    places = np.argwhere(wrong)
    if places.size:
        at = tuple(places[0])
        raise AssertionError(
            f"{len(places)} of {got.size} differ, first at {[int(i) for i in at]}: {got[at]!r} for {expected[at]!r}, "
            f"error {error[at]:.3g}, allowed {tolerance * size[at]:.3g}"
        )


def _expected(case: Case, columns: Columns) -> NDArray[np.floating]:
    with np.errstate(all="ignore"):
        return np.asarray(case.reference(columns)).reshape(case.rows, len(columns))


def check_reference(case: Case, columns: Columns) -> None:
    """Agreement with the reference, and nothing touched that is not the kernel's to touch."""
    before, n = columns.copy(), len(columns)
    carry = fresh_carry(case)
    padded = np.full((case.rows, n + 2), POISON)
    call(case, columns, carry, padded, 0, n)
    out = padded[:, :n].copy()

    assert not (bits(out) == bits(POISON)).any(), "not all of out[start:stop] was written"
    assert (bits(padded[:, n:]) == bits(POISON)).all(), "written beyond stop"
    assert (bits(carry[case.carry :]) == bits(POISON)).all(), "written beyond the carry"
    for name, column in vars(columns).items():
        assert_same_bits(column, getattr(before, name), f"input {name} was written to")
    assert_same_bits(run_whole(case, columns, OTHER_POISON), out, "depends on what was in out")

    scale = case.scale(columns) if case.scale is not None else None
    assert_close(out, _expected(case, columns), case.tolerance, scale)


def check_partition(case: Case, columns: Columns, cuts: Sequence[int]) -> None:
    """The same bits from one call and from many, which leave alone what is not between start and stop."""
    whole = run_whole(case, columns)
    assert_same_bits(run_cut(case, columns, cuts), whole, f"cut at {sorted(cuts)}")
    for cut in sorted(cuts)[:1]:
        out, carry = np.full_like(whole, POISON), fresh_carry(case)
        call(case, columns, carry, out, 0, cut)
        assert (bits(out[:, cut:]) == bits(POISON)).all(), f"a call that stops at {cut} wrote beyond"
        out[:] = POISON
        call(case, columns, carry, out, cut, len(columns))
        assert (bits(out[:, :cut]) == bits(POISON)).all(), f"a call that starts at {cut} wrote before"
        assert_same_bits(out[:, cut:], whole[:, cut:], f"the rest, from {cut} on, into an empty output")


def check_causality(case: Case, columns: Columns, stop: int) -> None:
    """Outputs before `stop` are the same whatever comes from there on."""
    whole = run_whole(case, columns)
    for garbage in (np.nan, 1e9, -1.0):
        changed = columns.copy()
        for column in vars(changed).values():
            column[stop:] = garbage
        assert_same_bits(run_whole(case, changed)[:, :stop], whole[:, :stop], f"bars from {stop} on set to {garbage}")


def check_reach(case: Case, columns: Columns, start: int) -> None:
    """What lies more than `reach` bars before a call is in its carry, or is not needed."""
    whole = run_whole(case, columns)
    out, carry = np.full_like(whole, POISON), fresh_carry(case)
    call(case, columns, carry, out, 0, start)
    forgotten = columns.copy()
    for column in vars(forgotten).values():
        column[: max(0, start - case.reach)] = np.nan
    call(case, forgotten, carry, out, start, len(columns))
    assert_same_bits(out, whole, f"bars before {start} - {case.reach} forgotten")
