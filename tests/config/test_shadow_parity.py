"""`shadow_parity` of a scheduler, as it is written and refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.engine.configured import load_core_config
from barstep.errors import ConfigError

CORE = Path(__file__).parents[2] / "config" / "core.yaml"


def written(tmp_path: Path, lines: str) -> Path:
    path = tmp_path / "core.yaml"
    text = CORE.read_text().replace("      health_check_interval: 1m\n", f"      health_check_interval: 1m\n{lines}")
    path.write_text(text)
    return path


def test_it_is_off_unless_it_is_written(tmp_path: Path) -> None:
    """A duration and what is done; recording is the default."""
    schedulers = load_core_config(CORE).runtime.multi_strategy_schedulers
    assert schedulers["core_multi"].shadow_parity is None
    path = written(tmp_path, "      shadow_parity: {every: 15m}\n")
    wanted = load_core_config(path).runtime.multi_strategy_schedulers["core_multi"].shadow_parity
    assert wanted is not None
    assert (wanted.every, wanted.on_difference) == (900.0, "record")


@pytest.mark.parametrize(
    ("lines", "told"),
    [("{on_difference: halt}", "every"), ("{every: 0}", "every"), ("{every: 15m, on_difference: stop}", "stop")],
)
def test_what_is_wrong_with_it_is_told(tmp_path: Path, lines: str, told: str) -> None:
    """No interval, none over 0, an unknown word."""
    with pytest.raises(ConfigError, match=rf"shadow_parity(.|\n)*{told}"):
        load_core_config(written(tmp_path, f"      shadow_parity: {lines}\n"))
