"""Small portfolios for the engine tests: named bars, weights, engines that say what their bars tell them to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import barstep as bs
import numpy as np
from barstep.engine.bars import Bars, Floats
from barstep.engine.portfolio_result import PortfolioResult
from barstep.kernels.columns import OWN, TARGET, VOLUME
from making import HOUR_US, START_US, bars_of, walk_bars
from numpy.typing import ArrayLike

NAN = float("nan")
SPOKEN = 10.0
"""What a volume is more than the wish that it stands for: volumes are not negative."""


def named(symbol: str, closes: ArrayLike, opens: ArrayLike | None = None, **how: Any) -> Bars:
    """Bars of an instrument by its symbol; `wishes` are told by their volumes."""
    wishes = how.pop("wishes", None)
    if wishes is not None:
        how["volume"] = np.array(wishes, dtype=float) + SPOKEN
    return replace(bars_of(closes, opens, **how), symbol=symbol)


def _speak(values: Floats, params: Floats, carry: Floats, out: Floats, start: int, stop: int, at: int) -> None:
    out[TARGET, at : at + stop - start] = params[OWN] * (values[VOLUME, start:stop] - SPOKEN)


SPEAKER = bs.StrategyEngine(
    name="speaker",
    kernel=_speak,
    parameters=(bs.Parameter(name="factor", default=1.0, kind="float", text="what its wishes are multiplied by"),),
    carry_size=1,
    diagnostics=(),
    history=lambda _: 1,
)
"""An engine that wishes what the volumes say."""


def speaking(name: str = "speaker", factor: float = 1.0, **fields: Any) -> bs.Allocation:
    """An allocation to that engine."""
    return bs.Allocation(strategy=SPEAKER, name=name, parameters={"factor": factor}, **fields)


def walks(count: int, n: int, seed: int = 1, gaps: float = 0.0, step: float = 0.01) -> list[Bars]:
    """Random walks named A, B, C, ...; a share `gaps` of the hours is missing, of each instrument others."""
    return [replace(walk_bars(n, 100 * seed + i, step=step, gaps=gaps), symbol="ABCDEFGH"[i]) for i in range(count)]


def times_of(instruments: Sequence[Bars]) -> list[int]:
    """Times at which any of them has a bar."""
    return sorted({int(ts) for bars in instruments for ts in bars.ts_us})


def random_weights(n: int, count: int, seed: int = 5, *, longs: bool = False, most: float = 1.0) -> Floats:
    """Weights that add up to at most `most` in size; a third of the bars and a tenth of the rest say nothing."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.0 if longs else -1.0, 1.0, (n, count))
    weights *= most / np.maximum(np.abs(weights).sum(axis=1, keepdims=True), most)
    weights[rng.random((n, count)) < 0.1] = 0.0
    weights[rng.random((n, count)) < 0.1] = NAN
    weights[rng.random(n) < 0.33] = NAN
    return weights


def rows_of(result: PortfolioResult) -> list[tuple[int, str, float, float]]:
    """(bar, instrument, quantity, price) of every fill, in the order in which they were made."""
    t, names = result.fill_table, result.panel.names
    return [
        (int(bar), names[int(leg) % len(names)], q, p) for bar, leg, q, p in zip(t[0], t[1], t[2], t[3], strict=True)
    ]


def free(**options: Any) -> dict[str, Any]:
    """Options of a small account without costs, with whole units."""
    return {"capital": 1000.0, "fee_bps": 0.0, "lot": 1.0} | options


def bits(result: PortfolioResult) -> tuple[bytes, bytes]:
    """Fills and equity as bytes."""
    return result.fill_table.tobytes(), result.equity_values.tobytes()


def changed_after(bars: Bars, hour: int, factor: float) -> Bars:
    """The same bars with all prices of those that open at or after `hour` multiplied."""
    columns = bars.values[:5].copy()
    columns[:4, bars.ts_us >= START_US + hour * HOUR_US] *= factor
    return Bars.from_arrays(
        bars.ts_us, *columns, interval_seconds=bars.interval_seconds, symbol=bars.symbol, venue=bars.venue
    )


def attributed(result: PortfolioResult, by: str) -> Mapping[str, float]:
    """Profit by schedule, instrument or tag."""
    table = result.attribution(by)
    return dict(zip(table[by], table["profit"], strict=True))
