"""Rows in batches for a cluster."""

import pytest
from barstep.ops.sweep_batches import TARGET_SECONDS, Batch, Batches


def all_of(batches: Batches, slots: int, seconds_a_cell: float) -> list[Batch]:
    """Every batch, each measured as it is taken."""
    taken = []
    while batches:
        taken.append(batches.take(slots))
        batches.measured(taken[-1], batches.cells(taken[-1]) * seconds_a_cell)
    return taken


@pytest.mark.parametrize("seconds_a_cell", [1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("slots", [1, 7])
def test_every_row_is_in_one_batch(slots: int, seconds_a_cell: float) -> None:
    """Batches are the rows that were left, each once, in order, and none has two instruments."""
    portions = [(0, 40), (40, 100), (100, 130), (150, 200), (230, 231)]
    taken = all_of(Batches(portions, 100, lambda instrument: 1000 + instrument), slots, seconds_a_cell)
    rows = [100 * one.instrument + row for one in taken for row in range(one.start, one.stop)]
    assert rows == [*range(130), *range(150, 200), 230]


def test_a_batch_is_as_large_as_a_second_allows() -> None:
    """By what the last one cost, in the middle of a long sweep, whatever the slots."""
    batches = Batches([(0, 10_000_000)], 10_000_000, lambda _: 1000)
    batches.measured(batches.take(4), 2e-6 * 1e6)
    batches.measured(Batch(0, 0, 50), 0.01)
    taken = batches.take(4)
    assert (taken.stop - taken.start) * 0.01 / 50 == pytest.approx(TARGET_SECONDS)


def test_the_last_batches_are_small() -> None:
    """So that all workers end together: no batch is more than a fair share of what was left, halved."""
    batches = Batches([(0, 100_000)], 100_000, lambda _: 1000)
    left = 100_000
    for one in all_of(batches, 4, 1e-7)[1:]:
        left -= one.stop - one.start
    taken = all_of(Batches([(0, 100_000)], 100_000, lambda _: 1000), 4, 1e-7)
    sizes = [one.stop - one.start for one in taken]
    assert sizes[-2] < max(sizes) / 4
    assert min(sizes[:-1]) >= 1000, "a batch of less than a tenth of a second costs more to send than to do"


def test_one_slow_row_is_a_batch() -> None:
    """Rows that take longer than a batch should go out one by one."""
    taken = all_of(Batches([(0, 5)], 5, lambda _: 10), 2, 10.0)
    assert [one.stop - one.start for one in taken[1:]] == [1] * (len(taken) - 1)
