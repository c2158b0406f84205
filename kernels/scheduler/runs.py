"""Runs of schedules: which wishes are signals, and which of them are accepted."""

from .._jit import kernel
from ..account import ACCEPTED, DECIDED, THRESHOLD, accept, unchanged
from ..decisions import ACCEPTED as YES
from ..decisions import GOVERNOR, HALTED, RISK, WARMUP
from ..decisions import LIMIT as OVER_LIMIT
from ..venue import STOPPED, is_signal
from .layout import (
    DECIDED_AT,
    DECIDED_CELL,
    DECIDED_CONFIDENCE,
    DECIDED_REASON,
    DECIDED_WISH,
    IS_ACCEPTED,
    REAL,
    UNIT,
    WAS,
)

QUIET, RANKED = -1, -2
"""In place of a reason: there is no signal; it is one that limits count."""


@kernel
def next_signal(wishes, start, stop, rules, cell):
    """The first column from `start` on whose wish may be a signal; `stop` where there is none before it."""
    if start >= stop:
        return stop
    stopped = cell[STOPPED]
    if stopped == 0.0:
        return start + unchanged(wishes[start:stop], cell[ACCEPTED], rules[THRESHOLD])
    while start < stop and wishes[start] * stopped > 0.0:
        start += 1
    return start


@kernel
def find_signals(wishes, start, stop, rules, cells, upcoming):
    """Write the first column with a possible signal of each instrument to upcoming[instrument]; return the least."""
    first = stop
    for i in range(upcoming.shape[0]):
        upcoming[i] = next_signal(wishes[i], start, stop, rules, cells[i, REAL])
        first = min(first, upcoming[i])
    return first


@kernel
def lowers(wish, standing):
    """Whether a wish is for less than the accepted one on its side, or for nothing."""
    return wish == 0.0 or (wish * standing > 0.0 and abs(wish) < abs(standing))


@kernel
def _refused_before_limits(now, is_lowering, refusal, reduces, profile_reduces, warm_from):
    """Why a signal is refused whatever the limits say; RANKED where it is for them, YES where they do not count it."""
    if refusal != 0.0:
        return int(refusal)
    if reduces and not is_lowering:
        return HALTED
    if now < warm_from:
        return WARMUP
    if profile_reduces and not is_lowering:
        return RISK
    return YES if is_lowering else RANKED


@kernel
def _rank(confidence, column, limit, governed, outcome):
    """Accept the surest of the ranked signals, by confidence and then in order: `limit` of them, or `governed`."""
    ranked = 0
    for i in range(outcome.shape[0]):
        ranked += outcome[i] == RANKED
    if ranked <= min(limit, governed):
        for i in range(outcome.shape[0]):
            outcome[i] = YES if outcome[i] == RANKED else outcome[i]
        return
    for i in range(outcome.shape[0]):
        if outcome[i] <= RANKED:
            surer = 0
            for other in range(outcome.shape[0]):
                if outcome[other] <= RANKED:
                    one, own = confidence[other, column], confidence[i, column]
                    is_less = one < own or (one != one and own == own)  # what is no number is the least sure
                    surer += one > own or (own != own and one == one) or (other < i and not is_less)
            reason = OVER_LIMIT if surer >= limit else (GOVERNOR if surer >= governed else YES)
            outcome[i] = RANKED - 1 - reason  # still under RANKED, for those that come after
    for i in range(outcome.shape[0]):
        outcome[i] = RANKED - 1 - outcome[i] if outcome[i] < RANKED else outcome[i]


@kernel(inlined=True)
def decide_run(
    now, schedule, column, stop, refusal, reduces, profile_reduces, limit, governed, wishes, confidence,
    warm_from, rules, cells, standing, upcoming, rows, outcome, decisions, at,
):  # fmt: skip
    """Decide what the signals of one run become, and write a row for each of them from row `at` on.

    wishes, confidence: float64[instrument, column]; refusal: why all are refused, or 0; reduces, profile_reduces:
    whether the loop, or the profile, lets only lower positions; limit: of the configuration and the operator; governed:
    of the governor. Accepted wishes are taken over into both accounts' cells.

    Returns the signals accepted, and the row to go on from.
    """
    instruments, accepted, asked = outcome.shape[0], 0, False
    for i in range(instruments):
        outcome[i] = QUIET
        if upcoming[i] > column:
            continue
        wish, cell = wishes[i, column], cells[i, REAL]
        if not is_signal(wish, rules, cell):
            upcoming[i] = next_signal(wishes[i], column + 1, stop, rules, cell)
            continue
        asked = True
        outcome[i] = _refused_before_limits(
            now, lowers(wish, standing[i]), refusal, reduces, profile_reduces, warm_from[i]
        )
    if not asked:
        return 0, at
    _rank(confidence, column, limit, governed, outcome)
    for i in range(instruments):
        if outcome[i] == QUIET:
            continue
        wish, cell, reason = wishes[i, column], cells[i, REAL], outcome[i]
        flips = wish * standing[i] < 0.0
        cut = reason in (OVER_LIMIT, GOVERNOR, RISK) or (reason == HALTED and refusal == 0.0)
        if flips and cut:
            wish = 0.0
        taken = reason == YES or (flips and cut)
        decisions[DECIDED_AT, at] = now
        decisions[DECIDED_CELL, at] = schedule * instruments + i
        decisions[DECIDED_WISH, at] = wish
        decisions[DECIDED_CONFIDENCE, at] = confidence[i, column]
        decisions[DECIDED_REASON, at] = reason
        decisions[IS_ACCEPTED, at] = taken
        if taken:
            cell[WAS], rows[i] = standing[i], at
            accept(wish, cell[DECIDED], cell)  # an order on hand ages until another one takes its place
            accept(wish, cells[i, UNIT, DECIDED], cells[i, UNIT])
            standing[i] = wish
            accepted += 1
        upcoming[i] = column  # the next run may look at the same bar
        if reason == YES:
            upcoming[i] = next_signal(wishes[i], column + 1, stop, rules, cell)
        at += 1
    return accepted, at
