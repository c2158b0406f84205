"""Where a scheduler's result and the slow reference part: the first differences, with what led there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

import polars as pl
from plain_scheduler import PlainRun

RELATIVE = 1e-9
LOTS_OFF = 2.5
"""A quantity may be off by two lots more: equity is rounded before it becomes whole lots."""

MOST_LINES = 12
_DECISION = ("schedule", "instrument", "side", "exposure", "confidence", "status", "reason", "weight")
_FILL = ("schedule", "instrument", "quantity", "price", "fee", "kind")


def compare(plain: PlainRun, result: Any, *, lot: float = 1e-8) -> list[str]:
    """The first differences of every table, none where the two agree.

    result: has polars frames `decisions`, `capital_weights`, `fills` and `equity`, each with one column of times.
    Weights are a column per schedule, or rows of `schedule` and `weight`. Equity may be stamped with the bar's open.
    Decisions must agree exactly but for their weight, quantities to two lots and 1e-9, prices, fees, weights and equity
    to 1e-9.
    """
    theirs = _rows(result.decisions, _DECISION)
    found = list(_differ("decision", plain.decisions, [_in_words(row) for row in theirs], _same_decision, plain))
    found += _differ("weights", _flat(plain.weights), sorted(_weights(result.capital_weights)), _same_numbers, plain)

    def same_fill(one: Sequence[Any], other: Sequence[Any]) -> bool:
        exact = one[:3] == other[:3] and one[6] == other[6]
        off = LOTS_OFF * lot * one[4]  # what two lots are worth
        close = _close(one[3], other[3], LOTS_OFF * lot) and _close(one[4], other[4])
        return exact and close and _close(one[5], other[5], off)

    fills = sorted(_rows(result.fills, _FILL), key=_place)
    found += _differ("fill", sorted(plain.fills, key=_place), fills, same_fill, plain)
    found += _differ("equity", plain.equity, _equity(plain, result.equity), _same_numbers, plain)
    return found


def _differ(what: str, ours: Sequence[Any], theirs: Sequence[Any], same: Any, plain: PlainRun) -> Iterator[str]:
    if len(ours) != len(theirs):
        yield f"{what}: {len(ours)} rows, the result has {len(theirs)}"
    for place, (one, other) in enumerate(zip_longest(ours, theirs)):
        if one is None or other is None or not same(one, other):
            yield f"{what} {place}: plain {_shown(one)}, result {_shown(other)}"
            yield from _context(plain, one or other)
            return


def _context(plain: PlainRun, row: Sequence[Any]) -> Iterator[str]:
    """What was known at that time: the shares, the scale, the telemetry, and the last orders and fills."""
    time, schedule = row[0], row[1] if isinstance(row[1], str) else None
    for name, rows in (("weights", plain.weights), ("governor", plain.governor)):
        known = [each for each in rows if each[0] <= time]
        if known:
            yield f"  {name} since {_shown(known[-1])}"
    if schedule is None:
        return
    frames = [each for each in plain.telemetry if each[0] <= time]
    if frames:
        told = frames[-1][1].filter(pl.col("schedule") == schedule).to_dicts()[0]
        yield f"  telemetry at {_stamp(frames[-1][0])}: " + ", ".join(
            f"{k} {v}" for k, v in told.items() if v is not None
        )
    for name, rows in (("order", plain.orders), ("fill", plain.fills)):
        for each in [each for each in rows if each[0] <= time and each[1] == schedule][-3:]:
            yield f"  plain {name} {_shown(each)}"


def _same_decision(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return tuple(one[:8]) == tuple(other[:8]) and _close(one[8], other[8])


def _same_numbers(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return tuple(one[:-1]) == tuple(other[:-1]) and _close(one[-1], other[-1])


def _close(one: float, other: float, apart: float = 0.0) -> bool:
    return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=max(apart, 1e-12))


def _rows(frame: pl.DataFrame, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(zip(_times(frame), *(frame[name].to_list() for name in names), strict=True))


def _times(frame: pl.DataFrame) -> list[int]:
    """The column of times, in microseconds."""
    column = next(name for name, kind in frame.schema.items() if kind.is_temporal())
    return frame[column].dt.epoch("us").to_list()


def _in_words(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A decision whose reason says nothing but that it was accepted has none."""
    reason = row[7] if row[7] not in (None, "accepted") else ""
    return (*row[:3], int(row[3]), *row[4:7], reason, row[8])


def _weights(frame: pl.DataFrame) -> Iterator[tuple[int, str, float]]:
    if "schedule" in frame.columns:
        yield from zip(_times(frame), frame["schedule"].to_list(), frame["weight"].to_list(), strict=True)
        return
    for name, kind in frame.schema.items():
        if not kind.is_temporal():
            yield from ((time, name, share) for time, share in zip(_times(frame), frame[name].to_list(), strict=True))


def _flat(weights: Sequence[tuple[int, dict[str, float]]]) -> list[tuple[int, str, float]]:
    return sorted((time, name, share) for time, shares in weights for name, share in shares.items())


def _equity(plain: PlainRun, frame: pl.DataFrame) -> list[tuple[int, float]]:
    """Equity by the close of its bar: times are shifted as the first one is."""
    times = _times(frame)
    shift = plain.equity[0][0] - times[0] if times and plain.equity else 0
    return [(time + shift, worth) for time, worth in zip(times, frame["equity"].to_list(), strict=True)]


def _place(fill: Sequence[Any]) -> tuple[Any, ...]:
    return fill[0], fill[1], fill[2], fill[6]


def _shown(row: Any) -> str:
    return "nothing" if row is None else f"{_stamp(row[0])} {' '.join(str(value) for value in row[1:])}"


def _stamp(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="seconds")
