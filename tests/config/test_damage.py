"""The shipped configuration, damaged anywhere, is refused or read: nothing else ever happens."""

from __future__ import annotations

import copy
import json
from typing import Any

import msgspec
import pytest
from barstep.config.core import CoreConfig
from barstep.config.document import parse
from hypothesis import given
from hypothesis import strategies as st
from test_core_yaml import KEYS, TEXT
from test_documentation import plain
from written import read

SHIPPED = plain(parse(TEXT, "core.yaml")[0])
PATHS = [path for path, _ in KEYS]
JUNK = st.sampled_from([None, True, -1, 0, 1e300, 2.5, "", "no", "balanced", "smoothed", [], {}, [{}], {"name": None},
                        {"name": "blended", "components": [{}]}, {"a": {"b": []}}])  # fmt: skip


def replaced(path: tuple[str | int, ...], junk: Any) -> Any:
    """The shipped values with one of them replaced."""
    values = copy.deepcopy(SHIPPED)
    place = values
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = junk
    return values


@given(st.sampled_from(PATHS), JUNK)
def test_any_value_may_be_anything(
    tmp_path_factory: pytest.TempPathFactory, path: tuple[str | int, ...], junk: Any
) -> None:
    """No value raises; each problem is one line with a place, and what is read without errors fits the schema."""
    found = read(json.dumps(replaced(path, junk)), tmp_path_factory.mktemp("damaged"), engines=True)
    assert all(problem.line == 1 and "\n" not in str(problem) for problem in found.problems)
    if not found.errors:
        assert msgspec.convert(msgspec.to_builtins(found.config), CoreConfig) == found.config


@given(st.integers(0, len(TEXT)), st.integers(0, 200), st.text(max_size=5))
def test_any_part_of_the_file_may_be_lost(
    tmp_path_factory: pytest.TempPathFactory, start: int, length: int, instead: str
) -> None:
    """A cut file, or one with rubbish in it, is told of in lines, or is a configuration."""
    text = TEXT[:start] + instead + TEXT[start + length :]
    path = tmp_path_factory.mktemp("cut")
    found = read(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"), path, engines=True)
    assert all("\n" not in str(problem) and problem.file for problem in found.problems)
