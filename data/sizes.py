"""Sizes of memory as people write them."""

from __future__ import annotations

import re

from ..errors import UsageError

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_PATTERN = re.compile(r"^(\d+(?:\.\d+)?)\s*([KMGT]?)B?$", re.IGNORECASE)


def parse_bytes(text: str) -> int:
    """Bytes of a size written as `400M`, `4G`, `1.5GB` or `400000000`.

    Raises:
        UsageError: The text is no size, or it is zero.
    """
    match = _PATTERN.match(text.strip())
    size = int(float(match.group(1)) * _UNITS[match.group(2).upper()]) if match else 0
    if size == 0:
        raise UsageError(f"{text!r} is no size of memory; write 400M, 4G, or a number of bytes")
    return size
