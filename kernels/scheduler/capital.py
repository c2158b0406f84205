"""Weights of schedules: the policy's, from the telemetry of earlier runs, held to the ceilings of the risk profiles."""

import numpy as np

from .._jit import kernel
from ..capital import MAY_RUN, allocate
from .layout import (
    CEILING,
    GROUP,
    MAX_FALL,
    PROFILE,
    REFRESHED_AT,
    REFRESHES,
    REFUSAL,
    RUNS_ROOT,
    TARGET_VOLATILITY,
    WARM_AT,
    WEIGHT,
)
from .telemetry import metric

REGISTER, KIND, MEASURE = range(3)
"""`sources`, int64[·, 3]: a register of the policy's program, the kind of metric in it, and of which measure."""


@kernel
def may_run(now, refusal, warm_at):
    """1.0 where a schedule may run: nothing holds it back, and one of its instruments is warm."""
    return 1.0 if refusal == 0.0 and now >= warm_at else 0.0


@kernel
def others_may_run(now, control, schedules, registers):
    """Whether it is another set of schedules than at the last refresh."""
    changed = 0
    for s in range(control.shape[1]):
        changed += may_run(now, control[REFUSAL, s], schedules[WARM_AT, s]) != registers[MAY_RUN, s]
    return changed > 0


@kernel
def fill_metrics(sources, stated, profiles, schedules, rests, since, stretch, registers):
    """Write the metrics that the policy reads to its registers. stated: float64[source], of those that are stated."""
    for m in range(sources.shape[0]):
        kind, measure, register = sources[m, KIND], sources[m, MEASURE], registers[sources[m, REGISTER]]
        for s in range(register.shape[0]):
            greatest = profiles[int(schedules[PROFILE, s]), MAX_FALL]
            root, target = schedules[RUNS_ROOT, s], schedules[TARGET_VOLATILITY, s]
            register[s] = metric(kind, measure, s, rests, since, stretch, root, target, greatest, stated[m])


@kernel
def hold_to_ceilings(schedules, totals, parts, weights):
    """Cut the schedules of one strategy under one profile to their part of the profile's weight; the rest is cash.

    totals, parts: float64[schedule], scratch. A schedule without a ceiling has an infinite one.
    """
    for s in range(weights.shape[0]):
        totals[s] = parts[s] = 0.0
    for s in range(weights.shape[0]):
        totals[int(schedules[PROFILE, s])] += weights[s]
        parts[int(schedules[GROUP, s])] += weights[s]
    for s in range(weights.shape[0]):
        ceiling, part = schedules[CEILING, s], parts[int(schedules[GROUP, s])]
        if ceiling < np.inf:
            most = ceiling * totals[int(schedules[PROFILE, s])]
            weights[s] = weights[s] * (most / part) if part > most else weights[s]


@kernel
def refresh(
    now, control, profiles, sources, stated, raw, program, constants, groups, registers, smoothing, scratch, rests,
    since, stretch, account, schedules, refreshes,
):  # fmt: skip
    """Compute the weights anew, from the telemetry of earlier runs, and write them to the table of refreshes.

    raw: the register of the weights before smoothing; program to scratch: of `kernels.capital.allocate`; rests, since:
    see `telemetry.turn_block`; stretch: float64[·], scratch; refreshes: float64[1 + 2 × schedules,
    ·], the time, raw weights, weights.
    """
    weights, count = schedules[WEIGHT], control.shape[1]
    fill_metrics(sources, stated, profiles, schedules, rests, since, stretch, registers)
    for s in range(count):
        registers[MAY_RUN, s] = may_run(now, control[REFUSAL, s], schedules[WARM_AT, s])
    allocate(program, constants, groups, registers, smoothing, scratch, weights)
    hold_to_ceilings(schedules, scratch[0], scratch[1], weights)
    at = int(account[REFRESHES])
    refreshes[0, at] = now
    for s in range(count):
        refreshes[1 + s, at] = registers[raw, s]
        refreshes[1 + count + s, at] = weights[s]
    account[REFRESHES] += 1.0
    account[REFRESHED_AT] = now
