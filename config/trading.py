"""What a schedule trades: under which risk profile, in which universe, which instruments."""

from __future__ import annotations

from .core import CoreConfig
from .environments import Environment
from .schedulers import Schedule


def where(environment: Environment, schedule: Schedule, strategy_profile: str | None) -> tuple[str, str]:
    """Risk profile and universe of a schedule: its own, else the strategy's, else the environment's."""
    profile = schedule.risk_profile or strategy_profile or environment.risk_profile
    return profile, schedule.instrument_universe or environment.instrument_universe


def traded_instruments(config: CoreConfig, profile: str, universe: str) -> tuple[str, ...]:
    """The instruments of a universe that a profile's buckets hold, in the universe's order; all without buckets."""
    buckets = config.risk_profiles[profile].instrument_buckets
    held = {instrument for members in buckets.values() for instrument in members}
    instruments = config.instrument_universes[universe].instruments
    return tuple(name for name in instruments if not buckets or name in held)
