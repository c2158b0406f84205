"""Sizes of memory as people write them."""

from __future__ import annotations

import pytest
from barstep.data.sizes import parse_bytes
from barstep.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("400000000", 400_000_000), ("1", 1), ("7B", 7), ("64k", 64_000), ("400M", 400_000_000),
        ("400 mb", 400_000_000), ("4G", 4_000_000_000), ("1.5GB", 1_500_000_000), ("0.5K", 500),
        (" 2T ", 2_000_000_000_000),
    ],
)  # fmt: skip
def test_sizes(text: str, size: int) -> None:
    """A number with a letter or without; powers of ten."""
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text", ["", "M", "much", "-4G", "4 Gib", "1e9", "4,5G", "0", "0G", "0.2", "nan", "inf", "4GG", "4G\n5"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    """With what can be written."""
    with pytest.raises(UsageError, match="is no size of memory; write 400M, 4G, or a number of bytes"):
        parse_bytes(text)
