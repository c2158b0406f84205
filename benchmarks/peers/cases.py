"""What is compared with whom, how closely it must agree, and what is aimed at.

A tolerance is over the median size of the output. Where it is wider than 1e-9 the peer's own sums drift over 10 million
bars; it is about ten times what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from with_barstep_engines import NAMES
from work import WINDOW

BARS = 10_000_000
EXACT = 1e-9


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One library's part in a case; `limit` is the most that barstep's time may be of this peer's."""

    label: str
    module: str
    work: str
    tolerance: float = EXACT
    limit: float | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """One comparison; `first` is barstep's part, `most_ns` the most nanoseconds a bar that it may take.

    `skip` leading bars are not compared; `check` bars are (all that are timed where it is 0).
    """

    name: str
    kind: str
    bars: int
    first: Peer
    peers: tuple[Peer, ...] = ()
    skip: int = 0
    check: int = 0
    threads: int = 1
    most_ns: float | None = None
    unit: str = "bars"

    @property
    def title(self) -> str:
        """Its name and size."""
        return f"{self.name}, {self.bars / 1e6:g} M {self.unit}"

    @property
    def everyone(self) -> tuple[Peer, ...]:
        """barstep, then its peers."""
        return (self.first, *self.peers)

    @property
    def bars_checked(self) -> int:
        """Bars of the input on which outputs are compared."""
        return self.check or self.bars

    def scaled(self, bars: int) -> Case:
        """The same with `bars` in place of the 10 million that the table is written for."""
        share = bars / BARS
        return replace(self, bars=int(self.bars * share), check=int(self.check * share))


def _barstep(work: str, module: str = "with_barstep") -> Peer:
    return Peer(label="barstep", module=module, work=work)


def _peer(name: str, work: str, tolerance: float, limit: float | None = None, note: str = "") -> Peer:
    module = f"with_{name.lower().replace('-', '')}"
    return Peer(label=f"{name} {note}".strip(), module=module, work=work, tolerance=tolerance, limit=limit)


ZSCORE = Case(
    name="z-score 96",
    kind="closes",
    bars=BARS,
    first=_barstep("zscore"),
    peers=(
        _peer("bottleneck", "zscore", 1e-4, 0.45),
        _peer("TA-Lib", "zscore", 1e-8),
        _peer("polars", "zscore", EXACT),
        _peer("vectorbt", "zscore", 1e-3, note="rust"),
    ),
    skip=WINDOW,
)
VOLATILITY = Case(
    name="realised volatility 96",
    kind="closes",
    bars=BARS,
    first=_barstep("volatility"),
    peers=(_peer("TA-Lib", "volatility", EXACT, 0.65), _peer("bottleneck", "volatility", EXACT)),
    skip=WINDOW,
)
ATR = Case(
    name="ATR 14",
    kind="candles",
    bars=BARS,
    first=_barstep("atr"),
    peers=(_peer("TA-Lib", "atr", EXACT, 1.1),),
)
ROLLING_MAX = Case(
    name="rolling maximum 96",
    kind="closes",
    bars=BARS,
    first=_barstep("rolling_max"),
    peers=(
        _peer("bottleneck", "rolling_max", 0.0, 0.25),
        _peer("polars", "rolling_max", 0.0),
        _peer("vectorbt", "rolling_max", 0.0, note="rust"),
    ),
)
EMA = Case(
    name="EMA 96",
    kind="closes",
    bars=BARS,
    first=_barstep("ema"),
    peers=(_peer("TA-Lib", "ema", EXACT),),
    skip=20 * WINDOW,  # TA-Lib begins with the mean of a window, barstep with the first close
)
WIDE_ZSCORE = Case(
    name="z-score 96 of 1,000 columns",
    kind="wide",
    bars=BARS,
    first=_barstep("wide_zscore"),
    peers=(
        _peer("numbagg", "wide_zscore", 1e-5, 0.35, note="2 cores"),
        _peer("numbagg", "wide_zscore_by_column", 1e-5, note="2 cores, its layout"),
        _peer("bottleneck", "wide_zscore", 1e-6),
    ),
    skip=WINDOW,
    threads=2,
    unit="values",
)


def _backtest(name: str, ours: str, peers: tuple[Peer, ...], bars: int = BARS // 10, check: int = 0) -> Case:
    first = _barstep(ours, "with_barstep_backtest")
    return Case(name=name, kind="candles", bars=bars, check=check, first=first, peers=peers)


BACKTESTS = (
    _backtest(
        "backtest",
        "backtest",
        (
            Peer(label="hand-written loop", module="with_hand", work="backtest", limit=3.0),
            _peer("vectorbt", "backtest rust", EXACT, note="rust"),
            _peer("vectorbt", "backtest numba", EXACT, note="numba"),
        ),
    ),
    _backtest(
        "backtest, metrics of stats()",
        "backtest_stats",
        (
            _peer("vectorbt", "backtest_stats rust", EXACT, 1 / 25, note="rust"),
            _peer("vectorbt", "backtest_stats numba", EXACT, note="numba"),
        ),
    ),
    _backtest(
        "backtest, all metrics",
        "backtest_all",
        (_peer("vectorbt", "backtest_stats rust", EXACT, 1 / 10, note="rust, stats()"),),
    ),
    _backtest(
        "backtest, all metrics",
        "backtest_all",
        (_peer("backtesting", "backtest", EXACT),),
        bars=BARS // 100,
        check=BARS // 10,
    ),
)


def _portfolio(name: str, work: str) -> Case:
    peers = (_peer("vectorbt", work, EXACT, 1 / 50),)
    first = _barstep(work, "with_barstep_portfolio")
    return Case(name=name, kind="portfolio", bars=BARS // 2, first=first, peers=peers, unit="cells")


PORTFOLIOS = (
    _portfolio("portfolio of 50 instruments", "portfolio"),
    _portfolio("portfolio of 50 instruments, with its equity", "portfolio_equity"),
)


SWEEP = Case(
    name="sweep of 1,000 pairs, final equity",
    kind="candles",
    bars=BARS // 100,
    first=_barstep("sweep", "with_barstep_sweep"),
    peers=(
        Peer(label="barstep, 13 metrics more", module="with_barstep_sweep", work="sweep all"),
        Peer(label="barstep, two threads", module="with_barstep_sweep", work="sweep 2 threads"),
        Peer(label="hand-written loop", module="with_hand", work="sweep"),
        Peer(label="hand-written loop, two threads", module="with_hand", work="sweep 2 threads"),
        _peer("vectorbt", "sweep rust", EXACT, 1 / 60, note="rust"),
    ),
)


def _engine(name: str, batch: bool, bars: int) -> Case:
    return Case(
        name=name if batch else f"{name}, bar by bar",
        kind="two venues",
        bars=bars,
        first=_barstep(f"{'batch' if batch else 'one bar'} {name}", "with_barstep_engines"),
        most_ns=10.0 if batch else 600.0,
    )


ENGINES = tuple(
    _engine(name, batch, bars)
    for name in NAMES
    for batch, bars in ((True, BARS // 10), (True, BARS), (False, BARS // 100))
)

CASES = (ZSCORE, VOLATILITY, ATR, ROLLING_MAX, EMA, WIDE_ZSCORE, *BACKTESTS, *PORTFOLIOS, SWEEP, *ENGINES)
