"""What a scheduler does as records of its journal. The fields of each kind stand in docs/journal.md."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from ..config.commands import AnyCommand, DisableStrategy, EnableStrategy
from ..engine.bars import Floats
from ..engine.fallback import FeedChange
from ..engine.panel import Panel
from ..engine.reasons import DECISIONS, FILL_KINDS, GOVERNED
from ..engine.scheduler.effects import Noted
from ..engine.scheduler.result import EVENTS, bucket_of
from ..engine.scheduler.setup import SchedulerSetup
from ..engine.scheduler.wishes import NOT_GIVEN, Measure
from ..kernels import account, decisions
from ..kernels.columns import VOLUME
from ..kernels.scheduler import layout
from .journal.record import members
from .news import DueRun, Row

_REASONS = {decisions.ACCEPTED: "", **DECISIONS}
_STATUS = ("dropped", "accepted")
_BAR_ROWS = VOLUME + 1
_FILL_NUMBERS = (account.FILL_LOTS, account.FILL_PRICE, account.FILL_FEE, account.FILL_REFERENCE)


class Records:
    """Makes the records of one scheduler: what stays the same in all of a kind is put together once.

    A run and a decision are made some ten thousand times a second.
    """

    def __init__(self, setup: SchedulerSetup, measures: Sequence[Measure]) -> None:
        """measures: what a machine averages over the instruments of a schedule."""
        self._setup = setup
        self._measured = [
            [(m, f'"{one.full_name}":') for m, one in enumerate(measures) if one.row(each.strategy.engine) != NOT_GIVEN]
            for each in setup.resolved
        ]
        self._names = [f"{json.dumps(name)}:" for name in setup.schedules]
        self._profiles = sorted({one.risk_profile for one in setup.resolved})
        self._instruments = len(setup.instruments)
        self._legs = len(setup.panel.names)
        self._runs = [self._run_template(s) for s in range(len(setup.schedules))]
        self._decisions = [
            [self._decision_template(s, i) for i in range(self._instruments)] for s in range(len(setup.schedules))
        ]
        self._fills = [[_fill_template(name, leg) for leg in setup.panel.names] for name in setup.schedules]

    def bars(self, at: str, digest: str, count: int, equity: float) -> bytes:
        """The bars that closed, and the account's mark at their closes."""
        return f'"kind":"bars","at":"{at}","digest":"{digest}","count":{count},"equity":{equity!r}'.encode("ascii")

    def command(self, at: str, command: AnyCommand, by: str) -> bytes:
        """What an operator ordered."""
        plain = msgspec.to_builtins(command)
        record = {"kind": "command", "at": at, "category": "command", "by": by, "status": "accepted", "command": plain}
        if isinstance(command, DisableStrategy):
            record |= {"status": "disabled", "risk_budget_bucket": "manual"}
        elif isinstance(command, EnableStrategy):
            record |= {"status": "restored"}
        return members(record)

    def noted(self, at: str, noted: Noted) -> bytes | None:
        """What ended by itself, or what the governor did to the loop; None for what a command says already."""
        if noted.change == "expired":
            kind = {"kind": "expiry", "at": at, "what": noted.kind, "name": noted.what}
        elif (noted.kind, noted.source, noted.change) == ("mode", "governor", "began"):
            kind = {"kind": "mode", "at": at, "mode": noted.what}
        else:
            return None
        return members({**kind, "source": noted.source, "reason": noted.reason})

    def weights(self, at: str, row: Row) -> bytes:
        """A refresh of the weights."""
        named, count = [*map(str.__add__, self._names * 2, _texts(row[1:]))], len(self._names)
        raw, weights = ",".join(named[:count]), ",".join(named[count:])
        return f'"kind":"weights","at":"{at}","raw":{{{raw}}},"weights":{{{weights}}}'.encode("ascii")

    def governor(self, row: Row) -> dict[str, Any]:
        """What a profile or the governor did."""
        kind, of = int(row[layout.EVENT_KIND]), int(row[layout.EVENT_OF])
        name = self._profiles[of] if kind <= layout.PROFILE_RECOVERS else GOVERNED[of]
        return {
            "change": EVENTS[kind],
            "name": name,
            "value": _number(row[layout.EVENT_VALUE]),
            "limit": _number(row[layout.EVENT_LIMIT]),
        }

    def feed(self, change: FeedChange) -> dict[str, Any]:
        """An instrument's bars come from another feed."""
        return {
            "instrument": change.instrument,
            "change": change.change,
            "feed": change.feed,
            "before": change.before,
            "reason": change.reason,
        }

    def run(self, at: str, run: DueRun) -> bytes:
        """One due time of a schedule."""
        s, means = run.schedule, run.means
        status = "skipped" if run.refusal == decisions.DRIFT else "executed"
        texts = _texts_of_finite(means)
        seen = ",".join([name + texts[m] for m, name in self._measured[s] if texts[m] != "null"])
        said = (at, at, status, _REASONS[run.refusal], run.accepted, run.drift_us / 1e6, seen)
        return (self._runs[s] % said).encode("ascii")

    def decision(self, at: str, row: Row, weight: float) -> bytes:
        """One signal and what became of it."""
        s, i = divmod(int(row[layout.DECIDED_CELL]), self._instruments)
        wish, reason = row[layout.DECIDED_WISH], int(row[layout.DECIDED_REASON])
        bucket, template = self._decisions[s][i]
        said = (
            at,
            at,
            "manual" if reason == decisions.DISABLED else bucket,
            (wish > 0.0) - (wish < 0.0),
            *_texts((abs(wish), row[layout.DECIDED_CONFIDENCE], weight)),
            _STATUS[int(row[layout.IS_ACCEPTED])],
            _REASONS[reason],
        )
        return (template % said).encode("ascii")

    def fill(self, at: str, row: Row) -> bytes:
        """One fill, or a payment for what is held."""
        s, leg = divmod(int(row[account.FILL_LEG]), self._legs)
        said = (
            at,
            FILL_KINDS[int(row[account.FILL_KIND])],
            *_texts([row[of] for of in _FILL_NUMBERS]),
            row[account.FILL_BAR],
        )
        return (self._fills[s][leg] % said).encode("ascii")

    def _run_template(self, s: int) -> str:
        one, setup = self._setup.resolved[s], self._setup
        head = _quoted({"schedule": one.name, "strategy": one.strategy.name})
        tail = _quoted({"telemetry_namespace": setup.telemetry_namespace})
        return (
            f'"kind":"run","at":"%s",{head},"schedule_run_id":"{_inside(f"{setup.name}/{one.name}")}/%s",'
            f'{_quoted({"risk_profile": one.risk_profile})},"status":"%s","reason":"%s","signals":%d,"latency_ms":0.0,'
            f'"drift_seconds":%r,"telemetry":{{%s}},{tail}'
        )

    def _decision_template(self, s: int, i: int) -> tuple[str, str]:
        """The bucket, and the record but for what differs from one to the next."""
        one, setup = self._setup.resolved[s], self._setup
        bucket = bucket_of(setup.profiles[one.risk_profile].instrument_buckets, setup.instruments[i])
        exchange = setup.history.instruments[i].venue
        head = _quoted({"category": "decision", "schedule": one.name, "strategy": one.strategy.name})
        middle = _quoted({"risk_profile": one.risk_profile, "primary_exchange": exchange})
        template = (
            f'"kind":"decision","at":"%s",{head},"schedule_run_id":"{_inside(f"{setup.name}/{one.name}")}/%s",'
            f'{middle},"risk_budget_bucket":"%s",{_quoted({"instrument": setup.instruments[i]})},"side":%d,'
            f'"exposure":%s,"confidence":%s,"weight":%s,"latency_ms":0.0,'
            f'{_quoted({"telemetry_namespace": setup.telemetry_namespace})},"status":"%s","reason":"%s"'
        )
        return json.dumps(bucket)[1:-1], template


def _fill_template(schedule: str, instrument: str) -> str:
    own = _quoted({"schedule": schedule, "instrument": instrument, "status": "filled"})
    return f'"kind":"fill","at":"%s",{own},"cause":"%s","lots":%s,"price":%s,"fee":%s,"reference":%s,"bar":%d'


class BarDigests:
    """SHA-384 over the bars that close at an instant: by instrument its open, high, low, close and volume."""

    def __init__(self, history: Panel, bars: range) -> None:
        """bars: places in the history."""
        self._first = bars.start
        times, values = history.ts_us[bars.start : bars.stop], bar_values(history, bars)
        self._counts = (values[:, :, 0] == values[:, :, 0]).sum(axis=1).tolist()
        self._bytes = np.column_stack((times.astype("<i8").view("<f8"), values.reshape(len(bars), -1).astype("<f8")))

    def of(self, bar: int) -> tuple[str, int]:
        """The digest at a place in the history, and how many instruments have a bar there."""
        place = bar - self._first
        return hashlib.sha384(self._bytes[place]).hexdigest(), self._counts[place]


def bar_values(history: Panel, bars: range) -> Floats:
    """float64[bar, instrument, 5]: open, high, low, close, volume; NaN where an instrument has no bar."""
    columns = np.arange(bars.start, bars.stop)
    values = np.full((columns.size, len(history.names), _BAR_ROWS), np.nan)
    for i, own in enumerate(history.instruments):
        present, places = history.own_bars(i, columns)
        values[present, i] = own.values[:_BAR_ROWS, places].T
    return values


def timed(kind: str, at: str, fields: Mapping[str, Any]) -> bytes:
    """A record from its kind, its instant and its fields."""
    return members({"kind": kind, "at": at, **fields})


def _number(value: float) -> float | str | None:
    """What JSON has no number for: infinity as a word, NaN as null."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else repr(value)


def _texts(values: Sequence[float]) -> list[str]:
    """Numbers as JSON has them; infinity as a word, NaN as null."""
    texts = _texts_of_finite(values)
    return texts if "null" not in texts else [json.dumps(_number(value)) for value in values]


def _texts_of_finite(values: Sequence[float]) -> list[str]:
    """Numbers as JSON has them, the shortest that read back the same; null for infinity and NaN.

    `repr` takes a microsecond for each, this a fifteenth.
    """
    return msgspec.json.encode(values)[1:-1].decode("ascii").split(",")


def _quoted(fields: Mapping[str, str]) -> str:
    """Members of text, inside a template."""
    return members(fields).decode("ascii").replace("%", "%%")


def _inside(text: str) -> str:
    """A text without its quotation marks, inside a template."""
    return json.dumps(text)[1:-1].replace("%", "%%")
