"""A configuration as text again reads back to the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.config.core import CoreConfig
from barstep.config.reading import read_config
from barstep.config.strategies import Strategy
from barstep.config.writing import as_yaml
from hypothesis import given
from hypothesis import strategies as st
from test_examples import LOADING, placed
from written import CORE, read


def test_what_is_written_is_what_was_read(tmp_path: Path) -> None:
    """The shipped configuration, written out with its defaults, has the same content and no problem."""
    one = read_config(CORE)
    again = read(as_yaml(one.config), tmp_path)
    assert again.problems == ()
    assert again.config == one.config
    assert again.content_sha384 == one.content_sha384


@pytest.mark.parametrize("name", LOADING)
def test_the_examples_are_written_as_they_were_read(name: str, tmp_path: Path) -> None:
    """Instants, durations and nested policies too."""
    one = read(placed(name), tmp_path)
    assert read(as_yaml(one.config), tmp_path).config == one.config


@given(
    st.text(max_size=12)
    | st.sampled_from(["no", "012", "0o14", "1e3", "1:30", "~", "", "=", "2024-01-01", ".inf", "\x85", "\u2028"])
)
def test_text_stays_text(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Text that looks like a number, a truth or nothing is quoted, so that it is text again."""
    one = CoreConfig(strategies={"a": Strategy(engine="x", parameters={"p": text})})
    again = read(as_yaml(one), tmp_path_factory.mktemp("written"))
    assert again.problems == ()
    assert again.config.strategies == one.strategies
