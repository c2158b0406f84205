"""nautilus_trader with a strategy that only listens to its bars: seconds of one run, as JSON.

It runs in an environment of its own, where barstep is not installed: `with_nautilus.py BARS.npz executes` gives every
bar to the venue's matching engine, as is its default; `listens` leaves that out.
"""

from __future__ import annotations

import json
import sys
import time  # noqa: TID251 - a benchmark times things
from pathlib import Path

import numpy as np
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.objects import Money
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

_COPIED = 8_000_000


class Listener(Strategy):
    """Subscribes to one kind of bars and sends no orders."""

    def __init__(self, bar_type: BarType) -> None:
        super().__init__()
        self.bar_type = bar_type
        self.heard = 0

    def on_start(self) -> None:
        self.subscribe_bars(self.bar_type)

    def on_bar(self, _bar: Bar) -> None:
        self.heard += 1


def main() -> None:
    bars = np.load(sys.argv[1])
    executes = sys.argv[2] == "executes"
    instrument = TestInstrumentProvider.btcusdt_binance()
    bar_type = BarType.from_str(f"{instrument.id}-1-MINUTE-LAST-EXTERNAL")
    frame = pd.DataFrame(
        {name: bars[name] for name in ("open", "high", "low", "close", "volume")},
        index=pd.to_datetime(bars["ts_us"], unit="us", utc=True),
    )
    given = BarDataWrangler(bar_type, instrument).process(frame)
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    engine.add_venue(
        instrument.id.venue, OmsType.NETTING, AccountType.MARGIN, [Money(1_000_000, USDT)], bar_execution=executes
    )
    engine.add_instrument(instrument)
    engine.add_data(given)
    listener = Listener(bar_type)
    engine.add_strategy(listener)
    source, target = np.ones(_COPIED), np.empty(_COPIED)
    yardstick = min(_copy(source, target) for _ in range(5))
    del source, target
    before = _forget_peak()
    began = time.perf_counter()
    engine.run()
    seconds = time.perf_counter() - began
    mib = (_status("VmHWM") - before) / 2**10
    if listener.heard != len(given):
        sys.exit(f"it heard {listener.heard:,} of {len(given):,} bars")
    print(json.dumps({"seconds": seconds, "yardstick": yardstick, "mib": mib}))


def _copy(source: np.ndarray, target: np.ndarray) -> float:
    began = time.perf_counter()
    np.copyto(target, source)
    return time.perf_counter() - began


def _forget_peak() -> float:
    """Have the peak of resident memory begin anew; returns what is resident now, in KiB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


if __name__ == "__main__":
    main()
