"""Windows of runs against plain lists of them: what leaves, what is missing, and each metric by its formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from barstep.kernels.scheduler import telemetry
from contract import POISON, assert_same_bits
from hypothesis import given
from hypothesis import strategies as st
from inputs import Floats

pytestmark = pytest.mark.unit_kernel

NAN = float("nan")
MEASURES = 2
RUN, STRETCH = telemetry.VALUES + MEASURES, telemetry.MEANS + 3 * MEASURES
S = 1
"""Of three schedules the one that has runs."""


@dataclass(frozen=True)
class Ran:
    """A run by its number: signals, the unit account's equity now and at the run before, what was measured."""

    number: int
    signals: float = 0.0
    equity: float = 0.0
    before: float = 0.0
    values: tuple[float, ...] = (NAN,) * MEASURES
    held_back: bool = False

    @property
    def row(self) -> Floats:
        """As the loop writes it: held back it has no signals, a confidence of 0 and nothing else."""
        if self.held_back:
            return np.array([1.0, 0.0, 0.0, NAN, 0.0, NAN])
        growth = self.equity / self.before - 1.0 if self.before > 0.0 else NAN
        return np.array([1.0, self.signals, self.equity, growth, *self.values])


class Window:
    """A schedule's window of the last `size` due times, whose blocks begin at a row."""

    def __init__(self, size: int, first: int = 0) -> None:
        self.runs, self.rests = np.zeros((size, 3, RUN)), np.zeros((size + 1, 3, STRETCH))
        self.since, self.first = np.zeros((3, STRETCH + telemetry.SINCE)), first

    def add(self, ran: Ran) -> None:
        scratch = np.full(STRETCH, POISON)
        row = telemetry.row_of_run(ran.number, self.first, S, self.runs, self.rests, self.since, scratch)
        assert row == ran.number % self.runs.shape[0]
        self.runs[row, S] = ran.row
        telemetry.add_run(self.runs[row, S], self.since[S])
        assert (self.since[[0, 2]] == 0.0).all(), "another schedule's"

    @property
    def stretch(self) -> Floats:
        out = np.full(STRETCH, POISON)
        telemetry.join(self.rests[int(self.since[S, STRETCH + telemetry.LEFT]), S], self.since[S, :STRETCH], out)
        return out

    def metric(self, kind: int, measure: int = 0, *, target: float = 0.2, greatest: float = 0.1) -> float:
        window = (S, self.rests, self.since, np.full(STRETCH, POISON))
        return float(telemetry.metric(kind, measure, *window, 3.0, target, greatest, 77.0))


def history(seed: int, count: int) -> list[Ran]:
    """Runs of which some were skipped or held back, and some measured nothing; their numbers may begin under 0."""
    rng = np.random.default_rng(seed)
    runs, before, number = [], 0.0, int(rng.integers(-60, 60))
    equity = 1000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, count)))
    for k in range(count):
        number += int(rng.choice([1, 1, 1, 1, 2, 7], p=[0.2, 0.2, 0.2, 0.2, 0.15, 0.05]))
        if rng.random() < 0.1:
            runs.append(Ran(number, held_back=True))
            before = 0.0
            continue
        values = tuple(NAN if rng.random() < 0.3 else float(v) for v in rng.normal(0.0, 1.0, MEASURES))
        runs.append(Ran(number, float(rng.integers(0, 4)), float(equity[k]), before, values))
        before = float(equity[k]) if rng.random() < 0.9 else 0.0
    return runs


def plain(kind: int, measure: int, runs: Sequence[Ran]) -> float:
    """A metric over the runs of a window, by its definition."""
    if kind in (telemetry.MEAN_OF, telemetry.LAST_OF):
        return plain_measure(kind, measure, runs)
    full = [ran for ran in runs if not ran.held_back]
    if kind == telemetry.SIGNALS_OF:
        return sum(ran.signals for ran in full) if runs else NAN
    if kind in (telemetry.VOLATILITY, telemetry.VOLATILITY_VS_TARGET):
        returns = [ran.equity / ran.before - 1.0 for ran in full if ran.before > 0.0]
        volatility = float(np.std(returns, ddof=1)) * 3.0 if len(returns) > 1 else NAN
        return volatility if kind == telemetry.VOLATILITY else 100.0 * (volatility / 0.2 - 1.0)
    equity = np.array([ran.equity for ran in full])
    falls = 1.0 - equity / np.maximum.accumulate(equity) if full else np.array([NAN])
    found = {telemetry.MAX_DRAWDOWN: 100.0 * falls.max(), telemetry.DRAWDOWN: 100.0 * falls[-1]}
    return float(found.get(kind, np.minimum(falls[-1] / 0.1, 1.0)))


def plain_measure(kind: int, measure: int, runs: Sequence[Ran]) -> float:
    """Mean, or last one, of the runs that gave a number; a run held back gives a confidence of 0."""
    said = [(0.0 if measure == 0 else NAN) if ran.held_back else ran.values[measure] for ran in runs]
    known = [value for value in said if not math.isnan(value)]
    if not known:
        return NAN
    return known[-1] if kind == telemetry.LAST_OF else float(np.mean(known))


KINDS = [
    (telemetry.SIGNALS_OF, 0), (telemetry.VOLATILITY, 0), (telemetry.VOLATILITY_VS_TARGET, 0),
    (telemetry.MAX_DRAWDOWN, 0), (telemetry.DRAWDOWN, 0), (telemetry.PRESSURE, 0),
    (telemetry.MEAN_OF, 0), (telemetry.MEAN_OF, 1), (telemetry.LAST_OF, 0), (telemetry.LAST_OF, 1),
]  # fmt: skip


def assert_metrics(window: Window, runs: Sequence[Ran]) -> None:
    stretch = window.stretch
    for kind, measure in KINDS:
        whole = telemetry._metric_of(kind, measure, stretch, 3.0, 0.2, 0.1)
        assert_same_bits(np.array(window.metric(kind, measure)), np.array(whole), f"{kind}, {measure}, joined whole")
        expected = plain(kind, measure, runs)
        assert window.metric(kind, measure) == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), (kind, measure)


@given(seed=st.integers(0, 10**6), size=st.sampled_from([1, 3, 8]), first=st.integers(0, 7))
def test_metrics_are_those_of_the_runs_in_the_window(seed: int, size: int, first: int) -> None:
    """After every run, those of the last `size` due times count, whether or not there was a run at each.

    So it is wherever blocks begin.
    """
    window, runs = Window(size, first % size), history(seed, 40)
    for k, ran in enumerate(runs):
        window.add(ran)
        assert_metrics(window, [one for one in runs[: k + 1] if one.number > ran.number - size])


def test_the_window_of_a_scheduler() -> None:
    """The same over 96 due times, at the places where blocks of it meet and somewhere between."""
    window, runs = Window(96, first=50), history(4, 300)
    for k, ran in enumerate(runs):
        window.add(ran)
        if ran.number % 96 in (0, 1, 50, 95):
            assert_metrics(window, [one for one in runs[: k + 1] if one.number > ran.number - 96])


def test_before_the_first_run_nothing_is_known() -> None:
    """Of an empty window every metric is missing; what is stated is not."""
    window = Window(4)
    assert all(math.isnan(window.metric(kind, measure)) for kind, measure in KINDS)
    assert window.metric(telemetry.STATED) == 77.0


@given(seed=st.integers(0, 10**6), size=st.sampled_from([3, 8]), skipped=st.integers(1, 30), first=st.integers(0, 2))
def test_histories_agree_bit_for_bit_after_two_windows(seed: int, size: int, skipped: int, first: int) -> None:
    """Sums begin at numbers, not at the first run: one that begins later gives the same bits two windows on."""
    runs = history(seed, 60)
    whole, later = Window(size, first), Window(size, first)
    for ran in runs[:skipped]:
        whole.add(ran)
    for ran in runs[skipped:]:
        whole.add(ran)
        later.add(ran)
        if ran.number >= runs[skipped].number + 2 * size:
            assert_same_bits(later.stretch, whole.stretch, f"at run {ran.number}")


def test_a_run_that_measured_nothing_leaves_with_its_number() -> None:
    """A NaN, and a value of 1e300 beside it, are gone when their runs are: what is left is exact."""
    window = Window(3)
    for number, value in enumerate((NAN, 1e300, 0.25, 0.5, 0.75), start=10):
        window.add(Ran(number, equity=1000.0, values=(value, NAN)))
    assert window.metric(telemetry.MEAN_OF) == 0.5
    assert math.isnan(window.metric(telemetry.MEAN_OF, 1))


def test_a_gap_of_a_window_forgets_all() -> None:
    """After as many due times without a run as the window has, the run that comes stands alone."""
    window = Window(4)
    for number in (5, 6, 7):
        window.add(Ran(number, signals=3.0, equity=2000.0, values=(1.0, 1.0)))
    for number in (11, 40):
        window.add(Ran(number, signals=1.0, equity=500.0, values=(0.5, NAN)))
        assert window.metric(telemetry.SIGNALS_OF) == 1.0
        assert window.metric(telemetry.DRAWDOWN) == 0.0


def test_a_run_held_back_has_no_signals_and_a_confidence_of_nothing() -> None:
    """It counts as 0 in the mean of the confidence; the unit account and all else are as if it had not been."""
    window = Window(4)
    window.add(Ran(8, signals=2.0, equity=1000.0, values=(0.5, 4.0)))
    window.add(Ran(9, held_back=True))
    assert [window.metric(telemetry.MEAN_OF, m) for m in (0, 1)] == [0.25, 4.0]
    assert [window.metric(telemetry.LAST_OF, m) for m in (0, 1)] == [0.0, 4.0]
    assert window.metric(telemetry.SIGNALS_OF) == 2.0
    assert window.stretch[[telemetry.RUNS, telemetry.PEAK, telemetry.TROUGH]].tolist() == [2.0, 1000.0, 1000.0]


def test_falls_are_of_the_unit_account_inside_the_window() -> None:
    """1000, 800, 900: 20 % at worst and 10 % now, half of the 20 % allowed; without the peak, none and none."""
    window = Window(3)
    for number, equity in enumerate((1000.0, 800.0, 900.0), start=1):
        window.add(Ran(number, equity=equity))
    assert window.metric(telemetry.MAX_DRAWDOWN) == pytest.approx(20.0, rel=1e-12)
    assert window.metric(telemetry.DRAWDOWN) == pytest.approx(10.0, rel=1e-12)
    assert window.metric(telemetry.PRESSURE, greatest=0.2) == pytest.approx(0.5, rel=1e-12)
    assert window.metric(telemetry.PRESSURE, greatest=0.05) == 1.0
    assert window.metric(telemetry.PRESSURE, greatest=float("inf")) == 0.0
    window.add(Ran(4, equity=900.0))
    assert window.metric(telemetry.MAX_DRAWDOWN) == 0.0


def test_without_a_target_the_distance_from_it_is_missing() -> None:
    """A volatility is known from two returns on; a target of nothing is none."""
    window = Window(4)
    for number, (equity, before) in enumerate([(1000.0, 0.0), (1010.0, 1000.0), (1010.0, 1010.0)], start=1):
        assert math.isnan(window.metric(telemetry.VOLATILITY))
        window.add(Ran(number, equity=equity, before=before))
    assert window.metric(telemetry.VOLATILITY) == pytest.approx(3.0 * 0.01 / math.sqrt(2.0), rel=1e-12)
    assert math.isnan(window.metric(telemetry.VOLATILITY_VS_TARGET, target=NAN))


@given(seed=st.integers(0, 10**6), cut=st.integers(0, 12))
def test_a_stretch_is_joined_from_any_two(seed: int, cut: int) -> None:
    """Cut anywhere, and into either of the two, the same runs give the same numbers as one by one, but for rounding."""
    rows = [ran.row for ran in history(seed, 12)]
    whole, halves = np.zeros(STRETCH), [np.zeros(STRETCH), np.zeros(STRETCH)]
    for k, row in enumerate(rows):
        telemetry.add_run(row, whole)
        one = np.full(STRETCH, POISON)
        telemetry.one_run(row, one)
        telemetry.join(halves[k >= cut], one, halves[k >= cut])
    into_later, out = halves[1].copy(), np.full(STRETCH, POISON)
    telemetry.join(halves[0], into_later, into_later)
    telemetry.join(halves[0], halves[1], out)
    assert_same_bits(into_later, out, "joined into the later")
    known = [slot for slot in range(STRETCH) if not np.isnan(out[slot])]
    assert out[known].tolist() == pytest.approx(whole[known].tolist(), rel=1e-9, abs=1e-9)
