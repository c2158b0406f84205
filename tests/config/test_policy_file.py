"""A capital policy in a file of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.config.policies import SignalStrength, Smoothed
from barstep.config.policy_file import read_policy_file
from barstep.errors import ConfigError


@pytest.mark.parametrize(
    "text",
    [
        "name: smoothed\nalpha: 0.3\nbase: signal_strength\n",
        "capital_policy:\n  name: smoothed_allocation\n  alpha: 0.3\n  base: signal_strength\n",
        '{"name": "smoothed", "alpha": 0.3, "base": "signal_strength"}',
    ],
    ids=["by itself", "under its key", "JSON"],
)
def test_a_policy_is_read_as_in_the_configuration(tmp_path: Path, text: str) -> None:
    """By itself or under `capital_policy`, in YAML or JSON."""
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    read = read_policy_file(path)
    assert (read.policy, read.problems) == (Smoothed(alpha=0.3, base=SignalStrength()), ())


def test_a_name_alone_is_a_policy(tmp_path: Path) -> None:
    """As `capital_policy: signal_strength` is."""
    path = tmp_path / "policy.yaml"
    path.write_text("signal_strength\n")
    read = read_policy_file(path)
    assert read.errors == () and read.policy == SignalStrength()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: smothed\n", "Did you mean 'smoothed'"),
        ("name: smoothed\nalhpa: 0.3\nbase: equal_weight\n", "alpha"),
        ("name: smoothed\nalpha: 7\nbase: equal_weight\n", "7"),
        ("[1, 2]\n", "is a list"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    """File, line and the near name."""
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    read = read_policy_file(path)
    assert read.policy is None
    assert all(str(problem).startswith(f"{path}:") for problem in read.errors)
    assert told in " ".join(map(str, read.errors))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(ConfigError, match=r"none\.yaml: no such file"):
        read_policy_file(tmp_path / "none.yaml")
