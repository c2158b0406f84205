"""Shares of capital: one kernel interprets a policy as a short program over rows of numbers, a column per schedule.

A row of the program is (operation, destination, a, b, partition, outer partition, k). Destination, a and b are rows of
`registers`; what b and k say is told with each operation. A partition gives every schedule the number of its group, and
a node brings its weights to sum 1 in each group by itself: so a policy inside a budget is the same rows over a finer
partition.

Sums run over schedules one after another, and one that may not run adds 0.0. So a schedule that is suspended and one
that is not there give the others the same bits.
"""

import numpy as np

from ._jit import kernel

OPERATION, TO, A, B, PARTITION, OUTER, K = range(7)
PROGRAM_COLUMNS = 7

NORMALISE, MULTIPLY, MIX, CHOOSE, RISK_PARITY, NEAR_TARGET, METRICS, GUARD, SHARE, SMOOTH = range(10)
"""What a row does. Its result is 0.0 where a schedule may not run.

NORMALISE    a over its sum; where that is 0 register b, or equal parts where b is NONE
MULTIPLY     a × b, a missing one giving 0
MIX          a + constants[k] × b, or the latter alone where a is NONE
CHOOSE       b where register k is not 0, else a
RISK_PARITY  score 1/volatility; a is the volatility, b the one used where a is missing
NEAR_TARGET  score 1/(1 + |a|/100), a in percent from the target
METRICS      score of weighted metrics; constants from k on: how many, the default score, and METRIC_TERMS of each
GUARD        score in a drawdown of a percent, under pressure b; constants: warning, panic, pressure weight, least score
SHARE        the part that the group has of its outer group by the budgets a; constants: floor, what no budget comes to
SMOOTH       a moving average of a, kept in row b of the carry; constants: alpha, least change
"""
NONE = -1
"""In place of a register: there is none. As a place it is the last register, so that a view of it does no harm."""
METRIC_TERMS = 5
"""Register, weight, least value, greatest value, what a missing one counts as (NaN: it is left out)."""

MAY_RUN = 0
"""Register that holds 1.0 where a schedule may run and 0.0 where not."""
SCRATCH = 6
"""Rows of scratch."""
LARGEST = 1e300
"""Scores and budgets above it count as this much, so that no sum overflows."""


@kernel(shared=True)
def allocate(program, constants, groups, registers, carry, scratch, weights):
    """Run a policy's program once and write the weights of its last row.

    program: int64[row, PROGRAM_COLUMNS]; constants: float64[·]; groups: int64[partition, schedule], numbers from 0 and
    under the number of schedules; registers: float64[register, schedule], of which the caller has set MAY_RUN, the
    metrics (NaN or infinite: missing) and the tables, and the program sets the others; carry: float64[smoothing,
    schedule], zeros before the first call; scratch: float64[SCRATCH, schedule]; weights: float64[schedule].
    """
    may_run = registers[MAY_RUN]
    for row in range(program.shape[0]):
        operation, k = program[row, OPERATION], program[row, K]
        a, b, out = registers[program[row, A]], registers[program[row, B]], registers[program[row, TO]]
        group = groups[program[row, PARTITION]]
        if operation == NORMALISE:
            _normalise(a, b, program[row, B] != NONE, may_run, group, scratch[0], scratch[1], out)
        elif operation == MULTIPLY:
            for s in range(out.shape[0]):
                known = abs(a[s]) < np.inf and abs(b[s]) < np.inf
                out[s] = _score(a[s] * b[s] if known else 0.0, may_run[s])
        elif operation == MIX:
            mix, adds = constants[k], program[row, A] != NONE
            for s in range(out.shape[0]):
                out[s] = mix * b[s] + (a[s] if adds else 0.0)
        elif operation == CHOOSE:
            for s in range(out.shape[0]):
                out[s] = b[s] if registers[k, s] != 0.0 else a[s]
        elif operation == RISK_PARITY:
            _score_risk_parity(a, b, may_run, group, scratch[0], scratch[1], out)
        elif operation == NEAR_TARGET:
            _score_near_target(a, may_run, group, scratch[0], scratch[1], out)
        elif operation == METRICS:
            _score_metrics(registers, constants[k:], may_run, out)
        elif operation == GUARD:
            _score_guarded(a, b, constants[k:], may_run, out)
        elif operation == SHARE:
            outer = groups[program[row, OUTER]]
            _share(a, may_run, group, outer, constants[k], constants[k + 1], scratch, out)
        else:
            _smooth(a, may_run, group, constants[k], constants[k + 1], carry[program[row, B]], scratch[0], out)
    last = registers[program[program.shape[0] - 1, TO]]
    for s in range(weights.shape[0]):
        weights[s] = last[s]


@kernel
def _score(value, may_run):
    """A score fit to be summed: over 0 and at most LARGEST, else 0. What is no number is 0."""
    return min(value, LARGEST) * may_run if value > 0.0 else 0.0


@kernel
def _add_up(values, group, sums):
    """The sum of each group's values, one after another; it is put away only where another group follows."""
    for g in range(sums.shape[0]):
        sums[g] = 0.0
    if values.shape[0] == 0:
        return
    at, total = group[0], 0.0
    for s in range(values.shape[0]):
        if group[s] != at:
            sums[at] = total
            at = group[s]
            total = sums[at]
        total += values[s]
    sums[at] = total


@kernel
def _normalise(scores, instead, has_instead, may_run, group, sums, counts, out):
    """Scores over their group's sum."""
    _add_up(scores, group, sums)
    without = False
    for s in range(out.shape[0]):
        total = sums[group[s]]
        without |= total == 0.0
        out[s] = scores[s] / total if total > 0.0 else (instead[s] if has_instead else 0.0)
    if not without or has_instead:
        return
    _add_up(may_run, group, counts)
    for s in range(out.shape[0]):
        if sums[group[s]] == 0.0 and may_run[s] != 0.0:
            out[s] = 1.0 / counts[group[s]]


@kernel
def _score_risk_parity(volatility, other, may_run, group, medians, ordered, out):
    """1/volatility: the first of the two that is a number over 0, else the median of the group's others."""
    for s in range(out.shape[0]):
        if 0.0 < volatility[s] < np.inf:
            out[s] = volatility[s]
        else:
            out[s] = other[s] if 0.0 < other[s] < np.inf else np.nan
    _fill_medians(may_run, group, medians, ordered, out)
    for s in range(out.shape[0]):
        out[s] = _score(1.0 / (out[s] if out[s] == out[s] else medians[group[s]]), may_run[s])


@kernel
def _score_near_target(from_target_pct, may_run, group, medians, ordered, out):
    """1/(1 + |r|/100), a missing r replaced by the median of the group's others."""
    for s in range(out.shape[0]):
        distance = abs(from_target_pct[s])
        out[s] = distance if distance < np.inf else np.nan
    _fill_medians(may_run, group, medians, ordered, out)
    for s in range(out.shape[0]):
        distance = out[s] if out[s] == out[s] else medians[group[s]]
        out[s] = _score(1.0 / (1.0 + distance / 100.0), may_run[s])


@kernel
def _fill_medians(may_run, group, medians, ordered, values):
    """Write the median of each group that lacks a value to medians[group]; 1.0 where it has none at all."""
    missing = False
    for s in range(values.shape[0]):
        missing |= values[s] != values[s] and may_run[s] != 0.0
        medians[s] = np.nan
    if not missing:
        return
    for s in range(values.shape[0]):
        lacks = values[s] != values[s] and may_run[s] != 0.0
        if lacks and medians[group[s]] != medians[group[s]]:
            medians[group[s]] = _median(values, may_run, group, group[s], ordered)


@kernel
def _median(values, may_run, group, number, ordered):
    """Median of the values in one group that are there; 1.0 where none is."""
    count = 0
    for s in range(values.shape[0]):
        if group[s] == number and may_run[s] != 0.0 and values[s] == values[s]:
            at = count
            while at > 0 and ordered[at - 1] > values[s]:
                ordered[at] = ordered[at - 1]
                at -= 1
            ordered[at] = values[s]
            count += 1
    if count == 0:
        return 1.0
    return 0.5 * ordered[(count - 1) // 2] + 0.5 * ordered[count // 2]


@kernel
def _score_metrics(registers, terms, may_run, out):
    """Σ weight × clamp(value, least, greatest) over the metrics that are there, else the default score."""
    for s in range(out.shape[0]):
        total, used = 0.0, 0
        for m in range(int(terms[0])):
            at = 2 + m * METRIC_TERMS
            value = registers[int(terms[at]), s]
            if not abs(value) < np.inf:
                value = terms[at + 4]
            if value == value:
                total += terms[at + 1] * min(max(value, terms[at + 2]), terms[at + 3])
                used += 1
        out[s] = _score(total if used > 0 else terms[1], may_run[s])


@kernel
def _score_guarded(drawdown_pct, pressure, terms, may_run, out):
    """max(least, 1 − min(1, ramp + weight × pressure)), a missing drawdown or pressure counting as none."""
    warning_pct, panic_pct, pressure_weight, least = terms[0], terms[1], terms[2], terms[3]
    for s in range(out.shape[0]):
        drawdown = drawdown_pct[s] if abs(drawdown_pct[s]) < np.inf else 0.0
        pressed = pressure[s] if abs(pressure[s]) < np.inf else 0.0
        ramp = min(max((drawdown - warning_pct) / (panic_pct - warning_pct), 0.0), 1.0)
        out[s] = _score(max(least, 1.0 - min(1.0, ramp + pressure_weight * pressed)), may_run[s])


@kernel
def _share(budgets, may_run, group, outer, floor, without, scratch, out):
    """The part of its outer group that each schedule's group has: its budget over those of the groups present.

    A group is present where one of its schedules may run, and counted at the first of them. Where no budget is over 0,
    each gets `without` over their number.
    """
    first, totals, counts, shares = scratch[0], scratch[1], scratch[2], scratch[3]
    for s in range(out.shape[0]):
        first[s], totals[s], counts[s] = -1.0, 0.0, 0.0
    for s in range(out.shape[0]):
        if may_run[s] != 0.0 and first[group[s]] < 0.0:
            first[group[s]] = s
            totals[outer[s]] += budgets[s]
            counts[outer[s]] += 1.0
    for s in range(out.shape[0]):
        if first[group[s]] == s:
            total = totals[outer[s]]
            shares[group[s]] = budgets[s] / total if total > 0.0 else without / counts[outer[s]]
    if floor > 0.0:
        _raise_to_floor(floor, group, outer, first, counts, totals, scratch[4], shares)
    for s in range(out.shape[0]):
        out[s] = shares[group[s]] if may_run[s] != 0.0 else 0.0


@kernel
def _raise_to_floor(floor, group, outer, first, counts, rest, raised, shares):
    """Raise shares under the floor to it and scale the others down, until none that was scaled is under it.

    The floor is at most what all groups of an outer group can have at once.
    """
    changed = True
    while changed:
        changed = False
        for s in range(first.shape[0]):
            rest[s], raised[s] = 0.0, 0.0
        for s in range(first.shape[0]):
            if first[group[s]] == s:
                least = min(floor, 1.0 / counts[outer[s]])
                if shares[group[s]] < least:
                    shares[group[s]] = least
                    changed = True
                if shares[group[s]] == least:
                    raised[outer[s]] += least
                else:
                    rest[outer[s]] += shares[group[s]]
        for s in range(first.shape[0]):
            if changed and first[group[s]] == s and shares[group[s]] > min(floor, 1.0 / counts[outer[s]]):
                shares[group[s]] *= (1.0 - raised[outer[s]]) / rest[outer[s]]


@kernel
def _smooth(base, may_run, group, alpha, min_delta, before, sums, out):
    """Mixes alpha × base + (1 − alpha) × before, over their sum; a share that would move by too little stays.

    A group that had nothing before takes the base as it is. `min_delta` does not hold back a schedule that had nothing:
    one that comes back from a suspension would otherwise stay out for good.
    """
    for s in range(out.shape[0]):
        out[s] = before[s] * may_run[s]
    _add_up(out, group, sums)
    for s in range(out.shape[0]):
        mixed = alpha * base[s] + (1.0 - alpha) * before[s]
        if before[s] > 0.0 and abs(mixed - before[s]) < min_delta:
            mixed = before[s]
        out[s] = (mixed if sums[group[s]] > 0.0 else base[s]) * may_run[s]
    _add_up(out, group, sums)
    for s in range(out.shape[0]):
        out[s] = out[s] / sums[group[s]] if out[s] > 0.0 else 0.0
        before[s] = out[s]
