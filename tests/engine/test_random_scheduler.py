"""Schedulers drawn at random: they are valid, they meet every reason, and the slow reference sees no future."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from barstep.config.references import check_references
from barstep.engine.bars import Bars
from barstep.engine.catalog import DEFAULT_STRATEGY_CATALOG
from barstep.engine.configuration_checks import check
from barstep.engine.guard import CapabilityGuard
from hypothesis import given
from making import HOUR_US, START_US, with_rows
from plain_scheduler import PlainRun, walk
from plain_scheduler_market import Given
from random_scheduler import Drawn, random_scheduler, schedulers

GRANTED = CapabilityGuard(frozenset(engine.capability for engine in DEFAULT_STRATEGY_CATALOG))


def walked(drawn: Drawn, bars: Mapping[str, Given] | None = None) -> PlainRun:
    return walk(drawn.config, "s", "e", drawn.bars if bars is None else bars, **drawn.given)


def until(run: PlainRun, time: int) -> list[object]:
    """What was decided, weighed and marked until then, and the fills of bars that had closed."""
    rows = [*run.decisions, *run.weights, *run.orders, *run.equity, *run.governor]
    return [*(row for row in rows if row[0] <= time), *(fill for fill in run.fills if fill[0] + HOUR_US <= time)]


@given(schedulers())
def test_a_drawn_configuration_is_valid(drawn: Drawn) -> None:
    problems = [*check_references(drawn.config), *check(drawn.config, DEFAULT_STRATEGY_CATALOG, GRANTED)]
    assert [problem.text for problem in problems if problem.severity == "error"] == []


@given(schedulers((300, 301)))
def test_what_comes_later_changes_nothing_before(drawn: Drawn) -> None:
    """All prices from some hour on are half as high again. Weights are shares throughout."""
    cut = START_US + 180 * HOUR_US

    def changed(bars: Bars) -> Bars:
        return with_rows(bars, slice(int(np.searchsorted(bars.ts_us, cut)), None), price=1.5)

    run = walked(drawn)
    later = {name: (changed(pair[0]), changed(pair[1])) for name, pair in drawn.bars.items()}
    assert until(run, cut) == until(walked(drawn, later), cut)
    for _, weights in run.weights:
        assert all(weight >= 0.0 for weight in weights.values())
        assert sum(weights.values()) <= 1.0 + 1e-12


def test_the_generator_meets_every_reason_and_kind_of_fill() -> None:
    """Otherwise parity over it would say little."""
    reasons, kinds = Counter[str](), Counter[str]()
    for seed in range(24):
        run = walked(random_scheduler(seed, bars=(300, 301)))
        reasons.update(row[7] for row in run.decisions)
        kinds.update([fill[6] for fill in run.fills] + [order[4] for order in run.orders])
    assert reasons.keys() == {"", "warmup", "drift", "suspended", "disabled", "limit", "governor", "risk", "halted"}
    assert kinds.keys() >= {"market", "stop", "take_profit", "trailing_stop", "borrow", "move", "signal", "flatten"}
