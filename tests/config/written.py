"""Small configurations as text, and what reading one gives."""

from __future__ import annotations

import textwrap
from pathlib import Path

from barstep.config.reading import ReadConfig, read_config
from barstep.engine.configured import examine

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "config" / "core.yaml"

PROFILES = """
risk_profiles:
  balanced: {}
  aggressive: {}
"""
STRATEGIES = """
strategies:
  trend_engine: {engine: daily_trend_momentum, tags: [trend]}
  mean_reversion: {engine: mean_reversion, tags: [mean]}
  grid_engine: {engine: grid_trading, tags: [experimental]}
"""
SCHEDULES = """
    schedules:
      trend_schedule: {strategy: trend_engine, cadence_seconds: 300}
      mean_schedule: {strategy: mean_reversion, cadence_seconds: 300}
      grid_schedule: {strategy: grid_engine, cadence_seconds: 180}
"""


def scheduler(text: str) -> str:
    """A whole configuration whose one scheduler, `core_multi`, has three schedules and these keys beside them."""
    keys = textwrap.indent(textwrap.dedent(text), "    ")
    return f"{PROFILES}{STRATEGIES}\nmulti_strategy_schedulers:\n  core_multi:{SCHEDULES}{keys}"


def read(text: str, folder: Path, *, engines: bool = False) -> ReadConfig:
    """What is read from this text; with `engines`, what the engines say of it too."""
    path = folder / "core.yaml"
    path.write_text(text, encoding="utf-8")
    return examine(path) if engines else read_config(path)


def told(found: ReadConfig) -> list[str]:
    """The problems as lines, without the folder."""
    return [str(problem).partition("core.yaml:")[2] for problem in found.problems]
