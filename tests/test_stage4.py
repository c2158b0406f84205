"""The set of an acceptance names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NAMED = (ROOT / "tests/stage4.txt").read_text().split()


def test_each_is_named_once_and_in_order() -> None:
    """Files first, then single tests."""
    assert len(NAMED) == len(set(NAMED)) > 100
    assert sorted(NAMED, key=lambda name: ("::" in name, name)) == NAMED


@pytest.mark.parametrize("file", sorted({name.partition("::")[0] for name in NAMED}))
def test_a_test_that_is_named_is_there(file: str) -> None:
    """Its file, and its function where one is named."""
    text = (ROOT / file).read_text()
    for name in NAMED:
        path, _, function = name.partition("::")
        if path == file:
            assert re.search(rf"^def {function or 'test_'}", text, re.MULTILINE), name


def test_what_is_named_is_marked(request: pytest.FixtureRequest) -> None:
    """Of all that was collected here."""
    for item in request.session.items:
        name = item.nodeid.partition("[")[0]
        assert (item.get_closest_marker("stage4") is not None) == bool({name, name.partition("::")[0]} & set(NAMED))
