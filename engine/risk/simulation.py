"""The risk simulation: each risk profile on the real engine, through scenarios and through resampled markets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...config.core import CoreConfig
from ...config.durations import parse_duration
from ...config.risk_scenarios import RiskScenarios, load_risk_scenarios
from ...errors import UsageError
from ..bars import Bars
from ..configured import choose_scheduler
from ..threads import count_threads
from .market import Market
from .measures import Measures, measure
from .profiles import ProfileAlone, profiles_of
from .resampling import MarketBlocks, market_block_bars
from .result import ProfileRisk, RiskSimulation, ScenarioRuns
from .stressing import Stretch, bars_in, hits, moments_of

Progress = Callable[[int, int], None]
"""Is told how many runs of the engine are done, and how many there are."""

_MOST_PATHS = 1_000_000


def risk_simulation(
    config: CoreConfig | str | Path,
    scheduler: str | None = None,
    *,
    environment: str = "demo",
    profiles: Sequence[str] = (),
    scenarios: RiskScenarios | str | Path | None = None,
    paths: int = 500,
    seed: int = 0,
    block_bars: float | None = None,
    horizon: float | str = "30d",
    threads: int | None = None,
    progress: Progress | None = None,
) -> RiskSimulation:
    """Run each risk profile of a scheduler through stress scenarios and through resampled markets.

    A profile is simulated alone: its schedules have the whole account, under the configured capital policy, governor
    and limits. So its losses are its own, and its limits mean what they mean to the engine, shares of the account that
    trades under it. The same arguments give the same bits, whatever the number of threads.

    Args:
        config: A configuration, or its file.
        scheduler: A scheduler of it; None: the environment's.
        environment: A name, an alias or a type; its recorded bars are the market.
        profiles: Names of risk profiles; by default all that schedules trade under.
        scenarios: What markets are put through, or its file; None: what comes with barstep.
        paths: How many resampled markets, 1 to 1,000,000.
        seed: What they are drawn from, 0 to 2^63 - 1.
        block_bars: Mean length of their blocks, in bars; by default it is chosen by how long the size of moves depends
            on that before (`engine.risk.resampling`).
        horizon: How long a resampled market is measured, in seconds or as `30d`.
        threads: How many runs are made at a time; by default one for each core that this process may use.
        progress: Is told how many runs are done, and how many there are.

    Raises:
        ConfigError: The configuration or the scenarios are refused.
        UsageError: A name is unknown, a value out of range, or the recorded history too short.
        DataError: Bars are not there or not fit to trade on.
        AuthorizationError: The licence does not grant a strategy.
    """
    _whole("paths", paths, 1, _MOST_PATHS)
    _whole("seed", seed, 0, 2**63 - 1)
    used = count_threads(threads)
    seconds = _horizon(horizon)
    written = scenarios if isinstance(scenarios, RiskScenarios) else load_risk_scenarios(_path(scenarios))
    chosen = choose_scheduler(config, environment, scheduler)
    alone = profiles_of(chosen, profiles)
    done = _Done(progress, len(alone) * (1 + len(written.scenarios) * written.moments + paths))
    with ThreadPoolExecutor(used) as pool:
        asked = _Asked(
            scenarios=written, paths=paths, seed=seed, block_bars=block_bars, seconds=seconds, pool=pool, done=done
        )
        try:
            found = tuple(_simulate(one, asked) for one in alone)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return RiskSimulation(
        chosen=chosen,
        scenarios=written,
        paths=paths,
        seed=seed,
        horizon_seconds=seconds,
        profiles=found,
    )


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What all profiles have in common."""

    scenarios: RiskScenarios
    paths: int
    seed: int
    block_bars: float | None
    seconds: float
    pool: ThreadPoolExecutor
    done: _Done


class _Done:
    """Counts runs of the engine."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._runs = progress, total, 0

    def add(self, runs: int = 1) -> None:
        self._runs += runs
        if self._progress is not None:
            self._progress(self._runs, self._total)


def _simulate(profile: ProfileAlone, asked: _Asked) -> ProfileRisk:
    market = Market.of(profile.sources)
    recorded = profile.run(profile.sources)
    asked.done.add()
    stretch = Stretch.of(profile, asked.scenarios)
    stressed = []
    for name, scenario in asked.scenarios.scenarios.items():
        moments = moments_of(recorded, market, scenario, stretch, asked.scenarios.moments)
        made = list(hits(profile, market, scenario, moments, stretch))
        asked.done.add(asked.scenarios.moments)
        stressed.append(ScenarioRuns(name=name, scenario=scenario, hits=tuple(made)))
    blocks = _blocks(profile, market, stretch, asked)
    return ProfileRisk(
        profile=profile,
        bars=_bars(profile),
        recorded=measure(recorded, recorded.setup.start_us),
        stressed=tuple(stressed),
        block_bars=blocks.block_bars,
        resampled=tuple(_resampled(profile, blocks, stretch, asked)),
        tolerated=asked.scenarios.tolerated,
    )


def _blocks(profile: ProfileAlone, market: Market, stretch: Stretch, asked: _Asked) -> MarketBlocks:
    length = market_block_bars(market) if asked.block_bars is None else asked.block_bars
    if isinstance(length, bool) or not isinstance(length, int | float) or not 1.0 <= length <= len(market):
        raise UsageError(f"block_bars is {length!r}; allowed is 1 to {len(market):,}, the recorded bars in common")
    return MarketBlocks(
        market=market,
        block_bars=float(length),
        before=stretch.before,
        horizon=bars_in(asked.seconds, profile.sources.base_interval_seconds),
        seed=asked.seed,
    )


def _resampled(profile: ProfileAlone, blocks: MarketBlocks, stretch: Stretch, asked: _Asked) -> Iterator[Measures]:
    """What each path came to, in their order."""
    for made in asked.pool.map(partial(_path_of, profile, blocks, stretch), range(asked.paths)):
        asked.done.add()
        yield made


def _path_of(profile: ProfileAlone, blocks: MarketBlocks, stretch: Stretch, path: int) -> Measures:
    market = blocks.path(path)
    begins_us = int(market.ts_us[stretch.before - stretch.lead])
    return measure(profile.run(market.sources(), begins_us), blocks.begins_us)


def _bars(profile: ProfileAlone) -> tuple[Bars, ...]:
    sources = profile.sources
    return (*sources.primary.values(), *sources.secondary.values(), *sources.fallback.values())


def _horizon(asked: float | str) -> float:
    seconds = parse_duration(asked) if isinstance(asked, str) else asked
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0.0 < seconds <= 366 * 86_400.0:
        raise UsageError(f"horizon is {asked!r}; allowed is above 0 to 366d")
    return float(seconds)


def _whole(name: str, value: Any, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise UsageError(f"{name} is {value!r}; allowed is a whole number from {least:,} to {most:,}")


def _path(file: str | Path | None) -> Path | None:
    return None if file is None else Path(file)
