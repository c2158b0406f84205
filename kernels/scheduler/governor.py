"""The governor: limits of the portfolio as a whole, and what is done where one is broken."""

import numpy as np

from .. import modes
from .._jit import kernel
from ..account import LOTS
from .events import note
from .layout import (
    DAY_EQUITY,
    EQUITY,
    GOVERNED_PEAK,
    GOVERNOR_ACTION,
    GOVERNOR_EXPOSURE,
    GOVERNOR_FALL,
    GOVERNOR_LIMIT,
    GOVERNOR_LIMITS,
    GOVERNOR_RELAXES,
    GOVERNOR_SCALES,
    GOVERNOR_TURNOVER,
    HALTED_BY,
    HEDGES,
    IS_LIMITED,
    LOT_OF,
    MODE,
    ON_HALT,
    ON_LIMIT,
    ON_SCALE,
    REAL,
    REFUSAL,
    SCALE,
    STANDING,
    TRADED,
    WEIGHT,
)
from .orders import prices_of

NOTHING, BY_FALL, BY_EXPOSURE, BY_TURNOVER = range(4)
"""HALTED_BY: which limit is broken."""


@kernel
def _exposures(control, instruments, others, account, schedules, cells, said):
    """Wanted exposure of the schedules that may run, and the size over equity of what the others hold."""
    wanted = held = 0.0
    for s in range(control.shape[1]):
        if control[REFUSAL, s] == 0.0:
            total = 0.0
            for i in range(said.shape[2]):
                total += abs(said[STANDING, s, i])
            wanted += schedules[WEIGHT, s] * min(total, 1.0)
            continue
        for i in range(said.shape[2]):
            lots = cells[s, i, REAL, LOTS]
            if lots != 0.0:
                _, gross = prices_of(i, schedules[HEDGES, s], instruments, others)
                held += abs(lots) * instruments[LOT_OF, i] * gross
    return wanted, held / account[EQUITY] if account[EQUITY] > 0.0 else np.inf


@kernel
def is_turnover_used_up(governor, account):
    """Whether the day has traded as much as it may."""
    return account[TRADED] >= governor[GOVERNOR_TURNOVER] * account[DAY_EQUITY]


@kernel
def _broken(governor, control, instruments, others, account, schedules, cells, said):
    """The first limit that is broken, what was measured, and the limit."""
    fall = 1.0 - account[EQUITY] / account[GOVERNED_PEAK]
    if fall > governor[GOVERNOR_FALL]:
        return BY_FALL, fall, governor[GOVERNOR_FALL]
    if governor[GOVERNOR_EXPOSURE] < np.inf:
        wanted, held = _exposures(control, instruments, others, account, schedules, cells, said)
        if wanted + held > governor[GOVERNOR_EXPOSURE]:
            return BY_EXPOSURE, wanted + held, governor[GOVERNOR_EXPOSURE]
    if is_turnover_used_up(governor, account):
        return BY_TURNOVER, account[TRADED] / account[DAY_EQUITY], governor[GOVERNOR_TURNOVER]
    return NOTHING, 0.0, 0.0


@kernel
def watch_portfolio(now, desk, governor, control, instruments, others, account, schedules, cells, said, events):
    """Look at the portfolio before the first run of an instant.

    Returns whether the loop is to be halted; HALTED_BY then says why.
    """
    action = governor[GOVERNOR_ACTION]
    if action != ON_LIMIT and action != ON_HALT:
        return False
    which, value, limit = _broken(governor, control, instruments, others, account, schedules, cells, said)
    if action == ON_HALT:
        account[HALTED_BY] = which if desk[MODE] != modes.HALTED else NOTHING
        if account[HALTED_BY] != NOTHING:
            note(GOVERNOR_LIMITS, which, now, value, limit, account, events)
        return account[HALTED_BY] != NOTHING
    limited = 1.0 if which != NOTHING else 0.0
    if limited != account[IS_LIMITED]:
        account[IS_LIMITED] = limited
        note(GOVERNOR_LIMITS if limited else GOVERNOR_RELAXES, which, now, value, limit, account, events)
    return False


@kernel
def governed_limit(governor, account):
    """Most signals of a run that raise a position, as the governor has it."""
    if governor[GOVERNOR_ACTION] == ON_SCALE:
        return 0.0 if is_turnover_used_up(governor, account) else np.inf
    return governor[GOVERNOR_LIMIT] if account[IS_LIMITED] != 0.0 else np.inf


@kernel
def set_scale(now, governor, control, instruments, others, account, schedules, cells, said, events):
    """What targets are multiplied by: 1, or what brings the broken limit back to where it is held."""
    if governor[GOVERNOR_ACTION] != ON_SCALE:
        return
    fall, scale, which = 1.0 - account[EQUITY] / account[GOVERNED_PEAK], 1.0, NOTHING
    if fall > governor[GOVERNOR_FALL]:
        scale, which = governor[GOVERNOR_FALL] / fall, BY_FALL
    if governor[GOVERNOR_EXPOSURE] < np.inf:
        wanted, held = _exposures(control, instruments, others, account, schedules, cells, said)
        if wanted + held > governor[GOVERNOR_EXPOSURE]:
            room = max(governor[GOVERNOR_EXPOSURE] - held, 0.0) / wanted if wanted > 0.0 else 1.0
            if room < scale:
                scale, which = room, BY_EXPOSURE
    if scale != account[SCALE]:
        account[SCALE] = scale
        note(GOVERNOR_SCALES, which, now, scale, 1.0, account, events)
