"""The audit of warming up: from which history length on outputs agree, against recurrences whose answer is known."""

from __future__ import annotations

import math
from typing import Any

import barstep as bs
import numpy as np
import pytest
from barstep.config.reading import PACKAGED
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.bars import Bars
from barstep.engine.strategy import StrategyEngine
from barstep.engine.warmup_audit import WarmupReport, audit_scheduler_warmup, audit_warmup
from barstep.kernels.columns import CLOSE, CONFIDENCE, DIAGNOSTICS, TARGET, VOLATILITY

WEIGHT, WINDOW = 0.1, 30


@pytest.fixture(scope="module")
def bars() -> Bars:
    """Two years of hours."""
    return bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet")


def _kernel(bars: Any, params: Any, carry: Any, out: Any, start: int, stop: int, at: int) -> None:
    """Last close; its mean over a window; an exponential mean; and how many bars there were."""
    for bar in range(start, stop):
        close, place = bars[CLOSE, bar], at + bar - start
        carry[1] = close if carry[2] == 0.0 else carry[1] + WEIGHT * (close - carry[1])
        carry[2] += 1.0
        out[TARGET, place] = close
        out[CONFIDENCE, place] = math.nan if bar < WINDOW - 1 else bars[CLOSE, bar - WINDOW + 1 : bar + 1].max()
        out[VOLATILITY, place] = carry[1]
        out[DIAGNOSTICS, place] = carry[2]


def _engine(history: int) -> StrategyEngine:
    return StrategyEngine(
        name="known", kernel=_kernel, parameters=(), carry_size=3, diagnostics=("counted",), history=lambda _: history
    )


def _audit(bars: Bars, **options: Any) -> WarmupReport:
    head = Bars.from_arrays(bars.ts_us[:1200], *(row[:1200] for row in bars.values[:5]), interval_seconds=3600)
    return audit_warmup(_engine(options.pop("history", 1)), head, starts=4, **options)


def test_lengths_are_those_of_windows_and_recurrences(bars: Bars) -> None:
    """A bar's value needs one bar, a window its length, an exponential mean log(tolerance) / log(0.9), a count all."""
    target, mean, smoothed, counted = _audit(bars).rows
    assert dict(target.history_bars) == {1e-6: 1, 1e-9: 1, 0.0: 1}
    assert dict(mean.history_bars) == {1e-6: WINDOW, 1e-9: WINDOW, 0.0: WINDOW}
    assert dict(counted.history_bars) == {1e-6: None, 1e-9: None, 0.0: None}
    for tolerance in (1e-6, 1e-9):
        found = smoothed.history_bars[tolerance]
        assert found is not None
        # the first close is off by a share of the price between 1e-4 and 1; so many factors of 0.9 make it small
        least, most = (math.log(tolerance / off) / math.log(1.0 - WEIGHT) for off in (1e-4, 1.0))
        assert least <= found <= most + 2


def test_the_verdict_compares_with_what_is_declared(bars: Bars) -> None:
    """A window's row passes from its length on; by the engine's own declaration, or by bars that are let go by."""
    verdicts = [_audit(bars, history=history).rows[1].verdict for history in (WINDOW - 1, WINDOW)]
    assert verdicts == ["fail", "pass"]
    assert _audit(bars, history=1, warmup_bars=WINDOW).rows[1].verdict == "pass"
    assert _audit(bars, history=WINDOW).verdict == "fail"  # the count never agrees
    assert _audit(bars).needed_bars is None


def test_another_tolerance_is_told_besides(bars: Bars) -> None:
    """The one that is asked for stands in the report and decides; 0 asks for the same bits."""
    loose = _audit(bars, tolerance=0.01).rows[2]
    assert set(loose.history_bars) == {0.01, 1e-6, 1e-9, 0.0}
    assert loose.needed_bars == loose.history_bars[0.01]
    assert _audit(bars, tolerance=0.0).rows[1].needed_bars == WINDOW
    assert set(loose.to_dict()["history_bars"]) == {"0.01", "1e-06", "1e-09", "exact"}


def test_rolling_rows_of_the_engines_agree_after_two_windows(bars: Bars) -> None:
    """The z-score agrees within the tolerance after its window, and bit for bit after at most two."""
    zscore = audit_warmup("mean_reversion", bars, lookback=96).rows[-1]
    assert zscore.output == "zscore"
    assert zscore.history_bars[1e-6] == 96
    assert zscore.history_bars[0.0] is not None
    assert 96 <= zscore.history_bars[0.0] <= 192


def test_a_pair_begins_at_both_venues(bars: Bars) -> None:
    """The second leg's history is begun anew with the first's, and the spread needs one bar."""
    secondary = bs.load(EMBEDDED_FOLDER / "kraken_BTCUSDT_1h.parquet")
    report = audit_warmup("cross_exchange_arbitrage", bars, secondary=secondary, starts=3)
    assert report.needed_bars == max(row.needed_bars or 0 for row in report.rows)
    (spread,) = [row for row in report.rows if row.output == "spread_bps"]
    assert spread.needed_bars == 1


def test_a_scheduler_tells_each_schedule() -> None:
    """Its rows name the schedules; declared is `warmup_bars`, or the engine's own need where that is more."""
    report = audit_scheduler_warmup(PACKAGED, "core_multi", starts=2, end="2023-06-01")
    by_row = {(row.subject, row.output): row for row in report.rows}
    zscore = by_row["mean_reversion_schedule", "zscore"]
    assert zscore.verdict == "pass"
    assert zscore.declared_bars >= 97
    assert report.verdict == "fail"  # an inventory remembers its first bar


def test_what_cannot_be_audited_is_refused(bars: Bars) -> None:
    """Each refusal says what is wrong and what is allowed."""
    with pytest.raises(bs.UsageError, match=r"tolerance is 1\.5; allowed is 0 to less than 1"):
        _audit(bars, tolerance=1.5)
    with pytest.raises(bs.UsageError, match="starts is 0; allowed is 1 or more"):
        audit_warmup("mean_reversion", bars, starts=0)
    one = Bars.from_arrays(bars.ts_us[:1], *(np.array(row[:1]) for row in bars.values[:5]), interval_seconds=3600)
    with pytest.raises(bs.UsageError, match="there is no shorter history"):
        audit_warmup("mean_reversion", one)
