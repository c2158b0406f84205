"""barstep: one compiled kernel, three drivers, for trading over OHLCV bars.

    import barstep as bs

    bars = bs.load("data/backtests/normalized/binance_BTCUSDT_1h.parquet")
    result = bs.backtest(bars, "mean_reversion", lookback=96, entry_zscore=1.8, fee_bps=10)
    result.metrics["sharpe"]; result.equity; result.trades

Names are loaded when they are first used, so that `import barstep` costs milliseconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .config.core import CoreConfig
    from .engine.allocation import Allocation
    from .engine.backtest import backtest
    from .engine.bars import Bars, load
    from .engine.capital_policies import (
        BlendedAllocation,
        CapitalAllocationPolicy,
        DrawdownAdaptiveAllocation,
        EqualWeightAllocation,
        FixedWeightAllocation,
        MetricWeightedAllocation,
        RiskParityAllocation,
        RiskProfileBudgetAllocation,
        SignalStrengthAllocation,
        SmoothedCapitalAllocationPolicy,
        TagQuotaAllocation,
        VolatilityTargetAllocation,
        policy_of,
    )
    from .engine.catalog import DEFAULT_STRATEGY_CATALOG, StrategyCatalog
    from .engine.configured import load_core_config
    from .engine.execution import Execution
    from .engine.lookahead import LookaheadReport, audit_lookahead
    from .engine.montecarlo import montecarlo
    from .engine.montecarlo_result import MonteCarloResult
    from .engine.portfolio import portfolio
    from .engine.portfolio_result import PortfolioResult
    from .engine.result import Result
    from .engine.risk.result import RiskSimulation
    from .engine.risk.simulation import risk_simulation
    from .engine.scheduler.backtest import backtest_scheduler
    from .engine.scheduler.lookahead import audit_scheduler_lookahead
    from .engine.scheduler.result import SchedulerResult
    from .engine.strategy import Parameter, StrategyEngine
    from .engine.sweep.axes import Span, When
    from .engine.sweep.result import SweepResult
    from .engine.walk_forward import walk_forward
    from .engine.walk_forward_result import WalkForwardResult
    from .engine.warmup_audit import WarmupReport, audit_scheduler_warmup, audit_warmup
    from .errors import BarstepError, ConfigError, DataError, UsageError
    from .kernels._jit import kernel
    from .ops.reproduce import Reproduction, reproduce
    from .ops.sweeping import sweep, sweep_scheduler
    from .replay.builders import (
        build_demo_multi_strategy_runtime,
        build_live_multi_strategy_runtime,
        build_multi_strategy_runtime,
        build_paper_multi_strategy_runtime,
    )
    from .replay.metrics.collector import MetricsCollector
    from .replay.multi_strategy_scheduler import MultiStrategyScheduler
    from .replay.replaying import replay
    from .replay.sinks import InMemoryStrategySignalSink, StrategySignal, StrategySignalSink
    from .replay.telemetry import InMemoryTelemetryEmitter, TelemetryEmitter

_HOME = {
    "CoreConfig": "config.core",
    "Allocation": "engine.allocation",
    "backtest": "engine.backtest",
    "Bars": "engine.bars",
    "load": "engine.bars",
    "BlendedAllocation": "engine.capital_policies",
    "CapitalAllocationPolicy": "engine.capital_policies",
    "DrawdownAdaptiveAllocation": "engine.capital_policies",
    "EqualWeightAllocation": "engine.capital_policies",
    "FixedWeightAllocation": "engine.capital_policies",
    "MetricWeightedAllocation": "engine.capital_policies",
    "RiskParityAllocation": "engine.capital_policies",
    "RiskProfileBudgetAllocation": "engine.capital_policies",
    "SignalStrengthAllocation": "engine.capital_policies",
    "SmoothedCapitalAllocationPolicy": "engine.capital_policies",
    "TagQuotaAllocation": "engine.capital_policies",
    "VolatilityTargetAllocation": "engine.capital_policies",
    "policy_of": "engine.capital_policies",
    "DEFAULT_STRATEGY_CATALOG": "engine.catalog",
    "StrategyCatalog": "engine.catalog",
    "load_core_config": "engine.configured",
    "Execution": "engine.execution",
    "LookaheadReport": "engine.lookahead",
    "audit_lookahead": "engine.lookahead",
    "montecarlo": "engine.montecarlo",
    "MonteCarloResult": "engine.montecarlo_result",
    "portfolio": "engine.portfolio",
    "PortfolioResult": "engine.portfolio_result",
    "Result": "engine.result",
    "RiskSimulation": "engine.risk.result",
    "risk_simulation": "engine.risk.simulation",
    "backtest_scheduler": "engine.scheduler.backtest",
    "audit_scheduler_lookahead": "engine.scheduler.lookahead",
    "SchedulerResult": "engine.scheduler.result",
    "Parameter": "engine.strategy",
    "StrategyEngine": "engine.strategy",
    "Span": "engine.sweep.axes",
    "When": "engine.sweep.axes",
    "SweepResult": "engine.sweep.result",
    "walk_forward": "engine.walk_forward",
    "WalkForwardResult": "engine.walk_forward_result",
    "WarmupReport": "engine.warmup_audit",
    "audit_scheduler_warmup": "engine.warmup_audit",
    "audit_warmup": "engine.warmup_audit",
    "BarstepError": "errors",
    "ConfigError": "errors",
    "DataError": "errors",
    "UsageError": "errors",
    "kernel": "kernels._jit",
    "build_demo_multi_strategy_runtime": "replay.builders",
    "build_live_multi_strategy_runtime": "replay.builders",
    "build_multi_strategy_runtime": "replay.builders",
    "build_paper_multi_strategy_runtime": "replay.builders",
    "MultiStrategyScheduler": "replay.multi_strategy_scheduler",
    "InMemoryStrategySignalSink": "replay.sinks",
    "StrategySignal": "replay.sinks",
    "StrategySignalSink": "replay.sinks",
    "MetricsCollector": "replay.metrics.collector",
    "InMemoryTelemetryEmitter": "replay.telemetry",
    "TelemetryEmitter": "replay.telemetry",
    "replay": "replay",
    "Reproduction": "ops.reproduce",
    "reproduce": "ops.reproduce",
    "sweep": "ops.sweeping",
    "sweep_scheduler": "ops.sweeping",
}

__all__ = [
    "DEFAULT_STRATEGY_CATALOG",
    "Allocation",
    "Bars",
    "BarstepError",
    "BlendedAllocation",
    "CapitalAllocationPolicy",
    "ConfigError",
    "CoreConfig",
    "DataError",
    "DrawdownAdaptiveAllocation",
    "EqualWeightAllocation",
    "Execution",
    "FixedWeightAllocation",
    "InMemoryStrategySignalSink",
    "InMemoryTelemetryEmitter",
    "LookaheadReport",
    "MetricWeightedAllocation",
    "MetricsCollector",
    "MonteCarloResult",
    "MultiStrategyScheduler",
    "Parameter",
    "PortfolioResult",
    "Reproduction",
    "Result",
    "RiskParityAllocation",
    "RiskProfileBudgetAllocation",
    "RiskSimulation",
    "SchedulerResult",
    "SignalStrengthAllocation",
    "SmoothedCapitalAllocationPolicy",
    "Span",
    "StrategyCatalog",
    "StrategyEngine",
    "StrategySignal",
    "StrategySignalSink",
    "SweepResult",
    "TagQuotaAllocation",
    "TelemetryEmitter",
    "UsageError",
    "VolatilityTargetAllocation",
    "WalkForwardResult",
    "WarmupReport",
    "When",
    "audit_lookahead",
    "audit_scheduler_lookahead",
    "audit_scheduler_warmup",
    "audit_warmup",
    "backtest",
    "backtest_scheduler",
    "build_demo_multi_strategy_runtime",
    "build_live_multi_strategy_runtime",
    "build_multi_strategy_runtime",
    "build_paper_multi_strategy_runtime",
    "kernel",
    "load",
    "load_core_config",
    "montecarlo",
    "policy_of",
    "portfolio",
    "replay",
    "reproduce",
    "risk_simulation",
    "sweep",
    "sweep_scheduler",
    "walk_forward",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'barstep' has no attribute {name!r}")
    home = import_module(f".{_HOME[name]}", __name__)
    return home if name == _HOME[name] else getattr(home, name)  # `replay` is a room that can be called


def __dir__() -> list[str]:
    return sorted((*globals(), *_HOME))
