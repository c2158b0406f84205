"""Columns packed for the page's script."""

from __future__ import annotations

import base64

import numpy as np
from barstep.report.packing import packed


def test_what_was_packed_comes_out() -> None:
    """Times are whole seconds since the first, numbers float32, little-endian both; words stay."""
    first = 1_704_067_200_000_000
    times = first + np.array([0, 3_600, 2**31]) * 1_000_000
    found = packed(first, {"x": times}, {"y": np.array([1.5, np.nan, -2.0])}, {"words": ["a", "b", "c"]})
    assert isinstance(found["x"], str)
    assert isinstance(found["y"], str)
    assert np.frombuffer(base64.b64decode(found["x"]), "<u4").tolist() == [0, 3_600, 2**31]
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(found["y"]), "<f4"), [1.5, np.nan, -2.0])
    assert found["words"] == ["a", "b", "c"]
