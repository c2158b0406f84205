"""Axes as they are typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from barstep.cli.sweep_axes import read_axes, read_policy
from barstep.config.policies import Smoothed
from barstep.engine.sweep.axes import Span, When
from barstep.errors import BarstepError, ConfigError, UsageError


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=24,48,96", [24, 48, 96]),
        ("a=24", [24]),
        ("a= 1.5 , x ", [1.5, "x"]),
        ("a=24:240:72", [24, 96, 168, 240]),
        ("a=24:100:50", [24, 74]),
        ("a=5:5:1", [5]),
        ("a=-1:1:0.5", [-1, -0.5, 0, 0.5, 1]),
        ("a=0:0.3:0.1", [0, 0.1, 0.2, 0.3]),
        ("a=1e3:3e3:1e3", [1000, 2000, 3000]),
        ("a=true,false", ["true", "false"]),
        ("a=2024:01,2024:02", ["2024:01", "2024:02"]),
        ("a.b=1,2", [1, 2]),
    ],
)
def test_values(text: str, values: list[Any]) -> None:
    """Numbers are numbers, whole ones whole; decimal steps are exact, and the end is there where the step meets it."""
    (found,) = read_axes([text]).values()
    assert found == values
    assert [type(each) for each in found] == [type(each) for each in values]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("a=1..3", Span(1, 3)), ("a=1e3..1e7:log", Span(1e3, 1e7, log=True)), ("a=-2.5..-1", Span(-2.5, -1)),
        ("a= 1 .. 3 ", Span(1, 3)), ("a=.5..1.", Span(0.5, 1)),
    ],
)  # fmt: skip
def test_spans(text: str, span: Span) -> None:
    """Two dots between the ends."""
    assert read_axes([text]) == {"a": span}


def test_conditions() -> None:
    """One or more, of lists and spans."""
    found = read_axes(["a=1,2 when b=true", "b=true,false", "c=0..1 when a=2 and b = x"])
    assert isinstance(found["a"], When)
    assert (found["a"].values, found["a"].conditions) == ([1, 2], {"b": "true"})
    assert (found["c"].values, found["c"].conditions) == (Span(0, 1), {"a": 2, "b": "x"})
    assert list(found) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (["a"], "--axis 'a': write NAME=VALUES"),
        (["a="], "--axis 'a=': write NAME=VALUES"),
        (["=1,2"], "--axis '=1,2': write NAME=VALUES"),
        (["a=1", "a=2"], "--axis a: given twice; give all of its values at once"),
        (["a=24:240"], "--axis 'a=24:240': write FIRST:LAST:STEP in numbers"),
        (["a=1:2:3:4"], "--axis 'a=1:2:3:4': write FIRST:LAST:STEP in numbers"),
        (["a=x:y:z"], "--axis 'a=x:y:z': write FIRST:LAST:STEP in numbers"),
        (["a=nan:2:1"], "--axis 'a=nan:2:1': write FIRST:LAST:STEP in numbers"),
        (["a=1:inf:1"], "--axis 'a=1:inf:1': write FIRST:LAST:STEP in numbers"),
        (["a=1:2:nan"], "--axis 'a=1:2:nan': write FIRST:LAST:STEP in numbers"),
        (["a=3:2:1"], "FIRST is at most LAST, STEP is over 0, at most 1,000,000 values"),
        (["a=1:2:0"], "FIRST is at most LAST, STEP is over 0, at most 1,000,000 values"),
        (["a=1:2:-1"], "FIRST is at most LAST, STEP is over 0"),
        (["a=0:1:1e-9"], "FIRST is at most LAST, STEP is over 0, at most 1,000,000 values"),
        (["a=1..x"], "--axis 'a=1..x': 'x' is no number"),
        (["a=..3"], "--axis 'a=..3': '' is no number"),
        (["a=1..inf"], "--axis 'a=1..inf': 'inf' is no number"),
        (["a=1..3:lin"], "a span is LOW..HIGH or LOW..HIGH:log; 'lin' is neither"),
        (["a=3..1"], "a span goes from 3.0 to 1.0; the first must be less than the second"),
        (["a=0..1:log"], "a logarithmic span begins at 0.0; it must be over 0"),
        (["a=1,2 when b"], "write the condition as NAME=VALUE, such as when allow_short=true"),
        (["a=1,2 when b=1 and c"], "write the condition as NAME=VALUE"),
        (["a=1,2 when =1"], "write the condition as NAME=VALUE"),
    ],
)
def test_refusals(given: list[str], text: str) -> None:
    """With the axis as it was typed, and how it is written."""
    with pytest.raises(UsageError) as refused:
        read_axes(given)
    assert text in str(refused.value)


def test_words_of_a_scheduler_are_those_of_its_file(tmp_path: Path) -> None:
    """Truth, nothing and numbers as YAML has them; a policy may be a file."""
    (tmp_path / "slow.yaml").write_text("name: smoothed\nbase: risk_parity\nalpha: 0.2\n")
    given = [
        f"capital_policy=equal_weight,{tmp_path / 'slow.yaml'}", "a.enabled=true,false", "b=null,1h,2.5",
        "c=1,2 when a.enabled=false",
    ]  # fmt: skip
    found = read_axes(given, read_policy)
    name, policy = found["capital_policy"]
    assert name == "equal_weight"
    assert isinstance(policy, Smoothed)
    assert policy.alpha == 0.2
    assert (found["a.enabled"], found["b"]) == ([True, False], [None, "1h", 2.5])
    assert found["c"].conditions == {"a.enabled": False}


def test_a_policy_file_that_is_refused(tmp_path: Path) -> None:
    """With what is wrong in it, or that it is not there."""
    (tmp_path / "wrong.yaml").write_text("name: smoothed\nbase: risk_parity\nalpha: 7\n")
    with pytest.raises(ConfigError, match="alpha"):
        read_axes([f"capital_policy={tmp_path / 'wrong.yaml'}"], read_policy)
    with pytest.raises((BarstepError, OSError), match=r"none\.yaml"):
        read_axes([f"capital_policy={tmp_path / 'none.yaml'}"], read_policy)
