"""The shipped configuration loads: what an operator runs after editing `config/core.yaml`."""

from __future__ import annotations

from pathlib import Path

import barstep as bs

CORE = Path(__file__).resolve().parent.parent / "config" / "core.yaml"


def test_load_core_config_resource_limits() -> None:
    """The configuration is sound, and every resource has a limit and a threshold of warning."""
    limits = bs.load_core_config(CORE).runtime.resource_limits
    for limit in (limits.cpu_pct, limits.memory_mb, limits.io_read_mb_s, limits.io_write_mb_s):
        assert limit is not None
        assert limit > 0
    assert 0 < limits.warning_share <= 1
