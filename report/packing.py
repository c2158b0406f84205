"""Columns of numbers as short texts that the page's script unpacks."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from ..engine.bars import Integers

Packed = dict[str, str | list[str]]


def packed(
    first_us: int,
    times: Mapping[str, Integers],
    values: Mapping[str, np.ndarray],
    words: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Packed:
    """Columns of one length by name. Of four bytes a number: a chart shows no more of it.

    Args:
        first_us: The time that others are counted from, in microseconds since the epoch.
        times: Microseconds since the epoch; become base64 of uint32, seconds. Their names begin with `x`.
        values: Become base64 of float32.
        words: Stay as they are.
    """
    return {
        **{name: _base64(((column - first_us) // 1_000_000).astype("<u4")) for name, column in times.items()},
        **{name: _base64(column.astype("<f4")) for name, column in values.items()},
        **{name: list(column) for name, column in words.items()},
    }


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()
